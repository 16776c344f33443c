//! The configuration as a person meets it: files on disk, flags, and the texts that come back.

mod docs;
mod errors;
mod explain;
mod layers;
mod providers;
mod trust;
mod world;
