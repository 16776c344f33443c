//! Contents of files, by their hash. A content is there as a whole or not at all, and is written once.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ring::digest::{SHA256, digest};

/// A folder of contents.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// The contents in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps a content under its hash. It is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, hash: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(hash);
        if let Ok(file) = File::open(&path)
            && file.metadata().is_ok_and(|metadata| metadata.len() == content.len() as u64)
        {
            // What is needed again is young again: pruning leaves young contents alone, also those no journal names yet.
            return file.set_modified(SystemTime::now());
        }
        let folder = path.parent().unwrap_or(&self.folder);
        create_private(folder)?;
        let mut file =
            tempfile::Builder::new().prefix(".new-").permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_data()?;
        file.persist(&path)?;
        Ok(())
    }

    /// The content with this hash.
    ///
    /// # Errors
    /// It is not kept, or is not what it was.
    pub fn get(&self, hash: &str) -> io::Result<Vec<u8>> {
        let path = self.path(hash);
        let content = fs::read(&path)?;
        if self::hash(&content) != hash {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", path.display())));
        }
        Ok(content)
    }

    /// Whether a content is there.
    #[must_use]
    pub fn has(&self, hash: &str) -> bool {
        self.path(hash).is_file()
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, hash: &str) -> PathBuf {
        let (shelf, name) = hash.split_at_checked(2).unwrap_or(("", hash));
        self.folder.join(shelf).join(name)
    }
}

/// The SHA-256 of a content, in hexadecimal.
#[must_use]
pub fn hash(content: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    digest(&SHA256, content).as_ref().iter().flat_map(digits).collect()
}

/// Makes a folder, with all above it that is missing, for the person alone.
///
/// # Errors
/// It cannot be made.
pub fn create_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
