//! What is learned, on a real disk: journals, views, damage, several writers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod kit;
mod undo;
mod views;
mod writers;
