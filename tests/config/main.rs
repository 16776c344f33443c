//! The configuration as a person meets it: files on disk, flags, and the texts that come back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod docs;
mod errors;
mod explain;
mod layers;
mod providers;
mod trust;
mod world;
