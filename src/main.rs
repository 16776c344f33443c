//! The `hone` program: arguments to front end to exit code. The only place that ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hone::cli::main(std::env::args_os().collect()))
}
