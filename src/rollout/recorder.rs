//! Recording a session while it runs.
//!
//! A line is one `write`, so a process that dies leaves whole lines; [`Rollout::barrier`] puts them on disk, so a machine that
//! dies keeps every turn that ended. One process writes to a session at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::storage_error;
use super::fork::Origin;
use super::load::read_meta;
use super::lock::WriterLock;
use super::name::SessionName;
use super::tail::last_ordinal;
use super::writer::Writer;
use crate::agent::ports::{Clock, Rollout};
use crate::protocol::rollout_line::SessionMeta;
use crate::protocol::{RolloutError, RolloutLine, ThreadId};
use crate::text::time::rfc3339;

/// Writes the file of one session.
pub struct Recorder {
    home: PathBuf,
    path: PathBuf,
    thread_id: ThreadId,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// The description of a new session, until it is written as the first line.
    meta: Option<Box<SessionMeta>>,
    /// What a fork begins with, until that is written too.
    origin: Option<Origin>,
    /// The number of the next line, in files that number their lines.
    ordinal: Option<u64>,
    open: Option<Open>,
}

struct Open {
    writer: Writer,
    _lock: WriterLock,
}

impl Recorder {
    /// Records a new session below `home`. `local_time` is when it begins where the person is, `YYYY-MM-DDTHH-MM-SS`. Nothing
    /// is touched before the first line is appended; `meta` is written in front of that.
    #[must_use]
    pub fn create(home: &Path, local_time: &str, meta: SessionMeta, clock: Arc<dyn Clock>) -> Self {
        let thread_id = meta.id;
        let path = SessionName { local_time: local_time.to_owned(), id: thread_id }.path(home);
        let state = Mutex::new(State { meta: Some(Box::new(meta)), origin: None, ordinal: None, open: None });
        Self { home: home.to_owned(), path, thread_id, clock, state }
    }

    /// Goes on with the session recorded at `path`. The session belongs to this process from now on; the file is not changed
    /// before the first line is appended.
    ///
    /// # Errors
    /// Another process has the session open, or the file cannot be read, written, or is no session's.
    pub fn resume(home: &Path, path: &Path, clock: Arc<dyn Clock>) -> Result<Self, RolloutError> {
        let failed = |error| storage_error("open the session file", path, &error);
        let meta = read_meta(path)?;
        let lock = WriterLock::take(home, meta.id)?;
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
        let ordinal = if is_numbered(&meta) { Some(next_ordinal(&file).map_err(failed)?) } else { None };
        let open = Open { writer: Writer::new(file, Vec::new()), _lock: lock };
        Ok(Self {
            home: home.to_owned(),
            path: path.to_owned(),
            thread_id: meta.id,
            clock,
            state: Mutex::new(State { meta: None, origin: None, ordinal, open: Some(open) }),
        })
    }

    /// Records a session that begins with all that `origin` says. Numbers its lines when `meta` says so, as it must when
    /// those of the origin are. Otherwise like [`create`](Self::create).
    ///
    /// # Errors
    /// The origin cannot be read.
    pub fn fork(
        home: &Path,
        local_time: &str,
        meta: SessionMeta,
        origin: Origin,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RolloutError> {
        let failed = |error| storage_error("read the session to fork for", home, &error);
        let ordinal = if is_numbered(&meta) {
            Some(origin.last_ordinal().map_err(failed)?.map_or(1, |last| last + 1))
        } else {
            None
        };
        let recorder = Self::create(home, local_time, meta, clock);
        {
            let mut state = recorder.state();
            state.origin = Some(origin);
            state.ordinal = ordinal;
        }
        Ok(recorder)
    }

    /// Where the session is recorded.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The conversation.
    #[must_use]
    pub fn thread_id(&self) -> ThreadId {
        self.thread_id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates the file with its folders, for the person alone. A fork's gets the description and all that its origin says.
    fn open_new(&self, fork: Option<(&Origin, &[u8])>) -> Result<Open, RolloutError> {
        let lock = WriterLock::take(&self.home, self.thread_id)?;
        let create = || {
            let folder = self.path.parent().unwrap_or(&self.home);
            let new_entries_in = create_folders(folder)?;
            if let Some((origin, meta)) = fork {
                origin.copy_to(&self.path, meta)?;
            }
            let mut options = OpenOptions::new();
            options.read(true).append(true).create_new(fork.is_none()).mode(0o600);
            Ok(Writer::new(options.open(&self.path)?, new_entries_in))
        };
        let writer = create().map_err(|error| storage_error("create the session file", &self.path, &error))?;
        Ok(Open { writer, _lock: lock })
    }
}

impl Rollout for Recorder {
    fn append(&self, line: &RolloutLine) -> Result<(), RolloutError> {
        let mut state = self.state();
        let State { meta, origin, ordinal, open } = &mut *state;
        let failed = |error| storage_error("write the session file", &self.path, &error);
        let timestamp = rfc3339(self.clock.unix_ms());
        let mut bytes = Vec::new();
        if let Some(meta) = meta.as_ref() {
            let line = RolloutLine::SessionMeta(meta.clone());
            line.write_numbered(&timestamp, ordinal.map(|_| 0), &mut bytes).map_err(|e| failed(e.into()))?;
        }
        if let Some(origin) = origin.take_if(|_| open.is_none()) {
            match self.open_new(Some((&origin, &bytes))) {
                Ok(new) => _ = open.insert(new),
                Err(error) => {
                    state.origin = Some(origin);
                    return Err(error);
                }
            }
            *meta = None;
            bytes.clear();
        }
        let before = bytes.len();
        line.write_numbered(&timestamp, *ordinal, &mut bytes).map_err(|e| failed(e.into()))?;
        if bytes.len() == before {
            return Ok(());
        }
        let open = match open {
            Some(open) => open,
            None => open.insert(self.open_new(None)?),
        };
        open.writer.append(bytes).map_err(failed)?;
        *meta = None;
        *ordinal = ordinal.map(|ordinal| ordinal + 1);
        Ok(())
    }

    fn barrier(&self) -> Result<(), RolloutError> {
        match &mut self.state().open {
            Some(open) => {
                open.writer.sync().map_err(|error| storage_error("save the session file", &self.path, &error))
            }
            None => Ok(()),
        }
    }
}

/// Records nothing, for `--ephemeral`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRollout;

impl Rollout for NoRollout {
    fn append(&self, _: &RolloutLine) -> Result<(), RolloutError> {
        Ok(())
    }

    fn barrier(&self) -> Result<(), RolloutError> {
        Ok(())
    }
}

/// Whether every line carries its number. Codex refuses to resume such a file when the last line has none.
fn is_numbered(meta: &SessionMeta) -> bool {
    meta.other.get("history_mode").is_some_and(|mode| mode == "paginated")
}

fn next_ordinal(file: &File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    Ok(last_ordinal(file, len)?.map_or(1, |last| last + 1))
}

/// Makes `folder` with all that is missing above it, and tells which folders got a new entry, that of the file to be made
/// in `folder` included.
fn create_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists());
    let mut with_new_entries: Vec<PathBuf> = missing.filter_map(|folder| folder.parent().map(Path::to_owned)).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    with_new_entries.insert(0, folder.to_owned());
    with_new_entries.retain(|folder| !folder.as_os_str().is_empty());
    Ok(with_new_entries)
}
