//! What integration tests share. A test binary takes it in with `#[path = "../support/mod.rs"] mod support;`.

#![allow(dead_code, unused_imports, reason = "no test binary needs all of it")]

pub mod server;
pub mod speech;
pub mod terminal;

pub use server::{FakeServer, Gate, Reply, Request, Step};
