//! The model client against servers that misbehave: no hang, no lost item, the right error, and recovery where Codex
//! recovers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod failures;
mod formats;
mod framing;
mod healthy;
mod kit;
mod serving;
mod tapes;
