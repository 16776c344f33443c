//! Session files: real files, real locks, real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod finding;
mod foreign;
mod recording;
mod support;
