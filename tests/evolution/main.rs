//! From turn records to what is learned, over a real store on disk. Models are scripted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod idle;
mod kit;
mod lessons;
mod origin;
mod program;
mod projects;
mod secrets;
mod traps;
