//! What is learned, on a real disk: journals, views, damage, several writers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod damage;
mod gc;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod kills;
mod kit;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;
mod undo;
mod views;
mod writers;
