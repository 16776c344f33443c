//! What a person does with a session as a whole: name it, put it away, take it out again, delete it.
//!
//! Each takes the session's writer lock, so that nothing is moved or deleted under a program that writes to it.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::storage_error;
use super::load::meta_near_begin;
use super::lock::WriterLock;
use super::name::{ARCHIVED, SessionName};
use super::recorder::Recorder;
use super::titles;
use crate::agent::ports::{Clock, Rollout as _};
use crate::protocol::rollout_line::RolloutEvent;
use crate::protocol::{RolloutError, RolloutLine, ThreadId};
use crate::text::time::rfc3339;

/// Names the session at `path`. It does not become the one last written to by that.
///
/// # Errors
/// It is open elsewhere, or cannot be written.
pub fn rename(home: &Path, path: &Path, title: &str, clock: &Arc<dyn Clock>) -> Result<(), RolloutError> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let recorder = Recorder::resume(home, path, Arc::clone(clock))?;
    recorder.append(&name_line(title))?;
    recorder.barrier()?;
    if let Ok(modified) = modified {
        // Only the order of a list hangs on it.
        File::open(path).and_then(|file| file.set_modified(modified)).unwrap_or_default();
    }
    announce(home, recorder.thread_id(), title, clock.as_ref());
    Ok(())
}

/// The line that names a session.
#[must_use]
pub fn name_line(title: &str) -> RolloutLine {
    RolloutLine::Event(RolloutEvent::ThreadNameUpdated { thread_name: Some(title.to_owned()) })
}

/// Tells other programs a session's name. The session's own file is what counts, so trouble here is none.
pub fn announce(home: &Path, id: ThreadId, title: &str, clock: &dyn Clock) {
    titles::add(home, id, title, rfc3339(clock.unix_ms())).unwrap_or_default();
}

/// Puts the session at `path` away and returns where it is now.
///
/// # Errors
/// It is open elsewhere, put away already, or cannot be moved.
pub fn archive(home: &Path, path: &Path) -> Result<PathBuf, RolloutError> {
    let folder = home.join(ARCHIVED);
    if path.starts_with(&folder) {
        return Err(already(path, "archived already"));
    }
    let _lock = lock(home, path)?;
    move_to(path, folder.join(path.file_name().unwrap_or_default()))
}

/// Takes the session at `path` out of the archive and returns where it is now.
///
/// # Errors
/// It is open elsewhere, not put away, or cannot be moved.
pub fn unarchive(home: &Path, path: &Path) -> Result<PathBuf, RolloutError> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(SessionName::parse);
    let Some(name) = name.filter(|_| path.starts_with(home.join(ARCHIVED))) else {
        return Err(already(path, "not archived"));
    };
    let _lock = lock(home, path)?;
    move_to(path, name.path(home))
}

/// Deletes the session at `path` for good.
///
/// # Errors
/// It is open elsewhere, or cannot be deleted.
pub fn delete(home: &Path, path: &Path) -> Result<(), RolloutError> {
    let _lock = lock(home, path)?;
    fs::remove_file(path).map_err(|error| storage_error("delete the session file", path, &error))
}

/// The lock of the session at `path`, by the id it says, else by the one in its name.
pub(super) fn lock(home: &Path, path: &Path) -> Result<Option<WriterLock>, RolloutError> {
    let named = || path.file_name()?.to_str().and_then(SessionName::parse).map(|name| name.id);
    let id = meta_near_begin(path).map(|meta| meta.id).ok().or_else(named);
    id.map(|id| WriterLock::take(home, id)).transpose()
}

fn move_to(path: &Path, to: PathBuf) -> Result<PathBuf, RolloutError> {
    let moving = || {
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        if to.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", to.display())));
        }
        fs::rename(path, &to)
    };
    moving().map_err(|error| storage_error("move the session file", path, &error))?;
    Ok(to)
}

fn already(path: &Path, state: &str) -> RolloutError {
    RolloutError {
        message: format!("the session is {state}: {}", path.display()),
        hint: Some("`hone sessions list --archived` shows those that are, `hone sessions list` the others".into()),
    }
}
