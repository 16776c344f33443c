//! What is at a path.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::blobs::{self, Blobs};

/// Files beyond this are not kept: a patch that changes one is rare, and a copy of each would fill the home.
pub const LARGEST_KEPT: u64 = 50 << 20;

/// What is at a path, told exactly enough to see whether it changed and, with the contents kept, to put it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum State {
    /// Nothing.
    Absent,
    /// A file.
    File {
        /// Its permission bits.
        mode: u32,
        /// Its length in bytes.
        len: u64,
        /// The SHA-256 of its content, in hexadecimal.
        hash: String,
    },
    /// A file too large to keep. Its time stands for its content.
    Large {
        /// Its permission bits.
        mode: u32,
        /// Its length in bytes.
        len: u64,
        /// When it was last written to, in nanoseconds since the epoch.
        modified_ns: i64,
    },
    /// A symbolic link.
    Link {
        /// Where it leads, as written.
        target: PathBuf,
    },
    /// A folder.
    Folder {
        /// Its permission bits.
        mode: u32,
    },
    /// A pipe, a device, a socket, or what could not be looked at.
    Other,
}

impl State {
    /// Looks at a path. A file's content goes to `keep`, if given, and is on disk when this returns.
    ///
    /// # Errors
    /// The file cannot be read, or its content cannot be kept.
    pub fn capture(path: &Path, keep: Option<&Blobs>) -> io::Result<Self> {
        use io::ErrorKind::{NotADirectory, NotFound};
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(Self::Absent),
            Err(error) => return Err(error),
        };
        let mode = metadata.mode() & 0o7777;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            return Ok(Self::Link { target: fs::read_link(path)? });
        }
        if kind.is_dir() {
            return Ok(Self::Folder { mode });
        }
        if !kind.is_file() {
            return Ok(Self::Other);
        }
        if metadata.len() > LARGEST_KEPT {
            return Ok(Self::Large { mode, len: metadata.len(), modified_ns: modified_ns(&metadata) });
        }
        let content = fs::read(path)?;
        let hash = blobs::hash(&content);
        if let Some(blobs) = keep {
            blobs.put(&hash, &content)?;
        }
        Ok(Self::File { mode, len: content.len() as u64, hash })
    }

    /// Whether a path in this state is as good as in the other. A folder's mode is nobody's change.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Folder { .. }, Self::Folder { .. })) || self == other
    }

    /// Whether a path can be brought into this state, its content still being kept.
    #[must_use]
    pub fn can_be_restored(&self) -> bool {
        !matches!(self, Self::Large { .. } | Self::Other)
    }

    /// The hash of a content that has to be kept for this.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        match self {
            Self::File { hash, .. } => Some(hash),
            _ => None,
        }
    }
}

fn modified_ns(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}
