//! A session that begins with all that another one said so far.
//!
//! A fork is a session of its own: a description with a new id that names its origin, then the origin's lines byte for
//! byte, its own description among them, which no longer counts. So whatever a line meant in the origin it means in the
//! fork, and a model is sent the same bytes as before. Nothing is written before the fork has something of its own to say;
//! until then the origin is held open, so that neither its growth nor its end changes what the fork begins with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::failure::storage_error;
use super::tail::{is_torn, last_ordinal};
use crate::protocol::RolloutError;

/// What a fork begins with.
#[derive(Debug)]
pub struct Origin {
    file: File,
    len: u64,
}

impl Origin {
    /// What the session file at `path` holds now.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RolloutError> {
        let open = || {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok(Self { file, len })
        };
        open().map_err(|error| storage_error("read the session file", path, &error))
    }

    /// How many bytes that is.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of its last line, when lines are numbered.
    pub(super) fn last_ordinal(&self) -> io::Result<Option<u64>> {
        last_ordinal(&self.file, self.len)
    }

    /// Makes the fork's file: `meta`, a whole line, then the origin's. It gets its name when it is complete.
    pub(super) fn copy_to(&self, path: &Path, meta: &[u8]) -> io::Result<()> {
        let unfinished = path.with_extension("jsonl.unfinished");
        let result = self.copy(&unfinished, meta).and_then(|()| fs::rename(&unfinished, path));
        if result.is_err() {
            fs::remove_file(&unfinished).unwrap_or_default();
        }
        result
    }

    fn copy(&self, path: &Path, meta: &[u8]) -> io::Result<()> {
        let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        copy.write_all(meta)?;
        let mut origin = &self.file;
        origin.rewind()?;
        io::copy(&mut origin.take(self.len), &mut copy)?;
        if is_torn(&self.file, self.len)? {
            copy.write_all(b"\n")?;
        }
        Ok(())
    }
}
