//! Session files: real files, real locks, real processes.

mod damage;
mod finding;
mod foreign;
mod recording;
mod support;
