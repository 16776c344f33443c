//! Reads files and folders again only when their stamp changed.
//!
//! Everything else in this folder is written as if it read the disk each turn; this file is why it does not. What failed is
//! not remembered, because a permission can change without leaving a trace in the stamp.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::agent::ports::{EntryKind, Files, Stamp};

/// The beginning of a file.
#[derive(Debug)]
pub struct Head {
    /// At least as many of the file's first bytes as were asked for, or all of them.
    pub bytes: Vec<u8>,
    /// The length of the whole file.
    pub len: usize,
}

/// The entries of a folder, sorted by name.
pub type Entries = Arc<[(String, EntryKind)]>;

/// Remembers what was read under which stamp.
pub struct FileCache {
    files: Arc<dyn Files>,
    heads: HashMap<PathBuf, (Stamp, Arc<Head>)>,
    folders: HashMap<PathBuf, (Stamp, Entries)>,
}

impl FileCache {
    /// A cache that has read nothing yet.
    #[must_use]
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files, heads: HashMap::new(), folders: HashMap::new() }
    }

    /// The file's stamp; `None` when there is no regular file at `path`.
    #[must_use]
    pub fn file_stamp(&self, path: &Path) -> Option<Stamp> {
        self.files.stamp(path).filter(|stamp| stamp.kind == EntryKind::File)
    }

    /// Whether anything is at `path`.
    #[must_use]
    pub fn exists(&self, path: &Path) -> bool {
        self.files.stamp(path).is_some()
    }

    /// Reads a whole file and keeps nothing of it.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }

    /// The first `limit` bytes of a file; `None` when there is no regular file at `path`.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn head(&mut self, path: &Path, limit: usize) -> io::Result<Option<Arc<Head>>> {
        let Some(stamp) = self.file_stamp(path) else {
            self.heads.remove(path);
            return Ok(None);
        };
        if let Some((seen, head)) = self.heads.get(path)
            && *seen == stamp
            && head.bytes.len() >= limit.min(head.len)
        {
            return Ok(Some(Arc::clone(head)));
        }
        let mut bytes = self.files.read(path)?;
        let len = bytes.len();
        bytes.truncate(limit);
        bytes.shrink_to_fit();
        let head = Arc::new(Head { bytes, len });
        self.heads.insert(path.to_owned(), (stamp, Arc::clone(&head)));
        Ok(Some(head))
    }

    /// The entries of a folder; `None` when there is no folder at `path`.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn list(&mut self, path: &Path) -> io::Result<Option<Entries>> {
        let Some(stamp) = self.files.stamp(path).filter(|stamp| stamp.kind == EntryKind::Dir) else {
            self.folders.remove(path);
            return Ok(None);
        };
        if let Some((seen, entries)) = self.folders.get(path)
            && *seen == stamp
        {
            return Ok(Some(Arc::clone(entries)));
        }
        let entries: Entries = self.files.list(path)?.into();
        self.folders.insert(path.to_owned(), (stamp, Arc::clone(&entries)));
        Ok(Some(entries))
    }
}
