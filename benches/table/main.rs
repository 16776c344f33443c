//! The project's benchmarks: `cargo bench` drives the release binary against a model server on the loopback and prints one
//! table in Markdown.
//!
//! `cargo bench -- --quick` measures each row once after a warm-up; `cargo bench -- resume grep` only the rows whose name
//! has one of the words. Nothing is asserted about time, since machines differ; that the work was really done is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nobody to tell but the person who started it"
)]

#[cfg(target_os = "linux")]
mod interactive;
mod lab;
mod learned;
mod row;
mod scenarios;
mod server;
#[allow(dead_code, reason = "the tests' words of a model; not all of them are said here")]
#[path = "../../tests/support/speech.rs"]
mod speech;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the tests' terminal; not all of it is needed here")]
#[path = "../../tests/support/terminal.rs"]
mod terminal;

use std::process::Command;

use lab::Lab;
use scenarios::SCENARIOS;

#[cfg(target_os = "linux")]
use interactive::SCENARIOS as INTERACTIVE;
/// Elsewhere there is no `/proc` to read from.
#[cfg(not(target_os = "linux"))]
const INTERACTIVE: &[(&str, scenarios::Scenario)] = &[];

/// Counted runs of a row; one more before them warms up.
const RUNS: usize = 7;

fn main() {
    // Cargo adds `--bench`; other options have no meaning here.
    let (options, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let runs = if options.iter().any(|option| option == "--quick") { 1 } else { RUNS };
    println!("{}, {}\n", machine(), hone_version());
    println!("{}", row::HEAD);
    for (name, run) in SCENARIOS.iter().chain(INTERACTIVE) {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            println!("{}", run(&Lab::new(runs)).line(name));
        }
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, {} {}", std::env::consts::OS, kernel.trim())
}

fn hone_version() -> String {
    let output = Command::new(lab::HONE).arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
