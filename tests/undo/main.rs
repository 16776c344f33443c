//! Undo of file changes, through the real program: what a turn did to files is taken back to the byte, or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod chat;
mod kit;
mod properties;
mod refusals;
mod restoring;
mod survival;
