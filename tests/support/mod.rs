//! What integration tests share. A test binary takes it in with `#[path = "../support/mod.rs"] mod support;`.

#![allow(dead_code, unused_imports, reason = "no test binary needs all of it")]

pub mod program;
pub mod server;
pub mod speech;
pub mod terminal;

pub use program::{Ended, Running, World, gone, is_alive, outputs};
pub use server::{FakeServer, Gate, Reply, Request, Step};
