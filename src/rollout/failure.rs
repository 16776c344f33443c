//! Storage trouble in words: what could not be done, to which file, and what to do next.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::protocol::RolloutError;

/// `doing` is what was tried, such as `write the session file`.
pub(super) fn storage_error(doing: &str, path: &Path, error: &io::Error) -> RolloutError {
    RolloutError { message: format!("could not {doing} {}: {error}", path.display()), hint: Some(hint(error).into()) }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk or quota is full: make room, then resume the session; everything recorded so far is kept"
        }
        ErrorKind::FileTooLarge => "the file is at the limit of its size (ulimit -f, or the file system's): raise it",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "make the folder writable, point CODEX_HOME to one that is, or run with --ephemeral to record nothing"
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "check that CODEX_HOME names a folder, or run with --ephemeral to record nothing"
        }
        _ => "check the disk, point CODEX_HOME to another folder, or run with --ephemeral to record nothing",
    }
}
