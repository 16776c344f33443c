//! Floor 3: taking back what a turn did to files.
//!
//! Before a patch touches a file for the first time in a turn, what the file was like is kept under `$CODEX_HOME/hone/undo`:
//! its content in a store addressed by hash, its kind and mode in a journal, one per session. After the patch the journal
//! learns what the file became. Undo puts the first back wherever the second is still what is there, and touches nothing
//! otherwise. The person's repository and its index are never used.
//!
//! What holds: a content is on disk before the journal names it, and the journal names it before the patch runs. So a process
//! killed at any moment leaves a journal that says how to get back. Undoing keeps what it replaces the same way, so it can be
//! redone.
//!
//! | file | what it holds |
//! |---|---|
//! | [`state`] | what is at a path: kind, mode, hash |
//! | [`blobs`] | contents by their hash |
//! | [`journal`] | what turns did, line by line |
//! | [`places`] | every path a write may touch: links on the way, folders that are missing |
//! | [`checkpointer`] | keeps and records while a turn runs |
//! | [`plan`] | what undoing a turn would do, and what forbids it |
//! | [`apply`] | carries out a plan: all of it or nothing |
//! | [`prune`] | keeps the store small |

pub mod apply;
pub mod blobs;
pub mod checkpointer;
pub mod journal;
pub mod places;
pub mod plan;
pub mod prune;
pub mod state;

pub use checkpointer::{Checkpointer, NoCheckpoints};
pub use plan::{Direction, Plan, Undo};
