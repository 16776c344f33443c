//! Whether a call may run: the gate with real tools and a scripted person, and the program as it is run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod alignment;
mod gate;
mod oneshot;

#[path = "../support/deps.rs"]
mod deps;
#[path = "../support/mod.rs"]
mod support;
