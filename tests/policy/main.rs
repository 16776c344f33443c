//! The policy from outside: a table of commands, hostile ones among them, and random scripts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod files;
mod random;
mod table;
