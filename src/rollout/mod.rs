//! Floor 3: session files: recording, reading, finding, locking.
//!
//! A session is one JSONL file below `$CODEX_HOME/sessions`, in the format Codex writes (`docs/rollout-format.md`), and the
//! only truth of what was said. [`Recorder`] appends to it, [`load()`] reads it back, [`list`] finds one, [`index`]
//! knows them all, [`resolve`] which one a person means; [`usage`] what they
//! used; [`shelf`] and [`repair`] are for the files themselves. Whatever a crash, a
//! full disk or another program left in a file, reading never fails on it and appending never makes it worse.

mod base;
mod envelope;
mod failure;
mod fork;
mod glimpse;
mod lines;
mod load;
mod lock;
mod name;
mod reader;
mod recorder;
mod tail;
mod titles;
mod uncompacted;
mod writer;

pub mod index;
pub mod list;
pub mod repair;
pub mod resolve;
pub mod shelf;
pub mod usage;

pub use fork::Origin;
pub use glimpse::Problem;
pub use load::{Loaded, load, load_first, read_meta};
pub use name::SessionName;
pub use reader::{Entry, LineKind, Reader, Skipped};
pub use recorder::{NoRollout, Recorder};
pub use uncompacted::history_without_newest_compaction;
