//! The `hone` program.
fn main() {}
