//! A session file, read into what a session goes on with.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use super::base::newest_base;
use super::failure::storage_error;
use super::reader::{LineKind, Reader, Skipped};
use crate::history::fold::{Fold, Folded};
use crate::protocol::rollout_line::SessionMeta;
use crate::protocol::{RolloutError, RolloutLine};

/// A session as its file tells it.
#[derive(Debug)]
pub struct Loaded {
    /// What the session is.
    pub meta: Box<SessionMeta>,
    /// Everything else; its own `meta` is taken.
    pub folded: Folded,
    /// For the person, when something in the file could not be read.
    pub notice: Option<String>,
}

/// Where a description that is looked for in many files must lie.
const NEAR: u64 = 1 << 20;

/// Reads the session file at `path`.
///
/// # Errors
/// The file cannot be read, or nothing in it says what session it is.
pub fn load(path: &Path) -> Result<Loaded, RolloutError> {
    load_first(path, u64::MAX)
}

/// Reads the first `len` bytes of the session file at `path`, which may be growing.
///
/// # Errors
/// See [`load`].
pub fn load_first(path: &Path, len: u64) -> Result<Loaded, RolloutError> {
    let failed = |error| storage_error("read the session file", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len().min(len);
    let base = newest_base(&file, len).map_err(failed)?.unwrap_or(0);
    file.rewind().map_err(failed)?;
    let mut reader = Reader::new(file.take(len));
    let mut fold = Fold::new();
    loop {
        // The first prompt is wanted for the session's title, even if it is no part of the history any more.
        let base = fold.so_far().first_user_message.as_ref().map_or(0, |_| base);
        let is_replaced = |line: &LineKind<'_>| line.end <= base && line.kind == Some("response_item");
        let entry = reader.next_line(|line| matters(line) && !is_replaced(line)).map_err(failed)?;
        let Some(entry) = entry else { break };
        fold.push(entry.line);
    }
    let mut folded = fold.finish();
    let meta = folded.meta.take().ok_or_else(|| no_meta(path))?;
    Ok(Loaded { meta, folded, notice: notice(path, reader.skipped()) })
}

/// Reads what the session at `path` is, and no further.
///
/// # Errors
/// The file cannot be read, or nothing in it says what session it is.
pub fn read_meta(path: &Path) -> Result<Box<SessionMeta>, RolloutError> {
    meta_within(path, u64::MAX)
}

/// Like [`read_meta`], but does not read a file to its end that does not say it at once.
pub(super) fn meta_near_begin(path: &Path) -> Result<Box<SessionMeta>, RolloutError> {
    meta_within(path, NEAR)
}

fn meta_within(path: &Path, limit: u64) -> Result<Box<SessionMeta>, RolloutError> {
    let failed = |error| storage_error("read the session file", path, &error);
    let mut reader = Reader::new(File::open(path).map_err(failed)?.take(limit));
    let is_meta = |line: &LineKind<'_>| line.kind.is_none_or(|kind| kind == "session_meta");
    while let Some(entry) = reader.next_line(is_meta).map_err(failed)? {
        if let RolloutLine::SessionMeta(meta) = entry.line {
            return Ok(meta);
        }
    }
    Err(no_meta(path))
}

/// Whether a line can change what a session goes on with.
pub(super) fn matters(line: &LineKind<'_>) -> bool {
    match (line.kind, line.event) {
        (Some("event_msg"), Some(event)) => matches!(
            event,
            "task_started"
                | "task_complete"
                | "turn_aborted"
                | "token_count"
                | "user_message"
                | "thread_rolled_back"
                | "thread_name_updated"
        ),
        (Some(kind), None) => {
            matches!(kind, "session_meta" | "response_item" | "turn_context" | "compacted" | "event_msg")
        }
        _ => true,
    }
}

fn no_meta(path: &Path) -> RolloutError {
    RolloutError {
        message: format!("{} does not say what session it is: no readable session_meta line", path.display()),
        hint: Some(
            "a session_meta line needs id, timestamp, cwd, originator and cli_version; resume another session or start a new one"
                .into(),
        ),
    }
}

fn notice(path: &Path, skipped: Skipped) -> Option<String> {
    let first = skipped.first_line?;
    let what = match skipped.count {
        1 => format!("a line of {} could not be read and was skipped: line {first}", path.display()),
        count => {
            format!("{count} lines of {} could not be read and were skipped, the first is line {first}", path.display())
        }
    };
    Some(what)
}
