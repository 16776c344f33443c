//! Floor 3: contains what commands may touch.
//!
//! A [`SandboxSpec`] says what is allowed, a [`Ladder`] which mechanisms work on this machine and why others do not, and a
//! [`Sandbox`] joins both: it turns the start of a command into one that is contained ([`Sandbox::prepare`]). What is
//! contained stays so, with all that comes from it: no mechanism used here can be taken off again.
//!
//! | file | what it holds |
//! |---|---|
//! | [`spec`] | what is allowed; whether a path may be written |
//! | [`ladder`] | which mechanisms work here, the best first |
//! | [`plan`] | a command's start under a mechanism |
//! | [`enter`] | what the child does between fork and exec |
//! | [`carve`] | a folder without some of what is in it, as a list of what may be granted |
//! | `landlock` | files, as the kernel's Landlock takes them |
//! | `seccomp` | network and dangerous system calls, as a filter |
//! | [`bubblewrap`] | mounts, as the arguments of `bwrap` |
//! | [`mask`] | folders that must not come into being |
//! | [`seatbelt`] | all of it, as a profile of macOS |
//! | [`limits`] | memory, processes, file size |
//!
//! `docs/sandbox.md` says what each mechanism holds and what it does not.

pub mod bubblewrap;
pub mod carve;
pub mod enter;
pub mod error;
pub mod ladder;
#[cfg(target_os = "linux")]
mod landlock;
pub mod limits;
pub mod mask;
pub mod plan;
pub mod seatbelt;
#[cfg(target_os = "linux")]
mod seccomp;
pub mod spec;

pub use error::SandboxError;
pub use ladder::{Ladder, Mechanism};
pub use limits::Limits;
pub use plan::{Command, Prepared, Sandbox};
pub use spec::{Mode, SandboxSpec};
