//! Floor 3: session files: recording, reading, finding, locking.
//!
//! A session is one JSONL file below `$CODEX_HOME/sessions`, in the format Codex writes (`docs/rollout-format.md`), and the
//! only truth of what was said. [`Recorder`] appends to it, [`load()`] reads it back, [`list`] finds it. Whatever a crash, a
//! full disk or another program left in a file, reading never fails on it and appending never makes it worse.

mod base;
mod envelope;
mod failure;
mod lines;
mod load;
mod lock;
mod name;
mod reader;
mod recorder;
mod tail;
mod uncompacted;
mod writer;

pub mod list;

pub use load::{Loaded, load, read_meta};
pub use name::SessionName;
pub use reader::{Entry, LineKind, Reader, Skipped};
pub use recorder::{NoRollout, Recorder};
pub use uncompacted::history_without_newest_compaction;
