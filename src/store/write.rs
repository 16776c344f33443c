//! Private files and folders, written whole or not at all.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes sure that the folder of `path` exists, for the person alone. Whether it was made.
///
/// # Errors
/// As the operating system says.
pub fn private_folder_of(path: &Path) -> io::Result<bool> {
    let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else { return Ok(false) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(true)
}

/// Returns when the folder of `path` is on disk, as far as its file system has such a promise.
///
/// # Errors
/// As the operating system says.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    match File::open(folder)?.sync_all() {
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Err(error),
        _ => Ok(()),
    }
}

/// Puts `bytes` at `path` in the place of what was there, with mode 0600: a reader sees the old file or the new one.
///
/// # Errors
/// As the operating system says; then the old file is still there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    private_folder_of(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder_of(path)
}
