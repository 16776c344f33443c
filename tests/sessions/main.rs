//! Sessions on disk: thousands of real files, damaged ones among them, and the commands that put them in order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod commands;
mod foreign;
mod forks;
mod home;
mod many;

#[path = "../support/mod.rs"]
mod support;
