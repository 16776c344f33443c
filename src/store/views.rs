//! The Markdown beside a journal: `MEMORY.md` and `USER.md`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::write;

fn there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the view at `path` says something else than `text`: it was not written yet, or a person changed it.
///
/// # Errors
/// It is there and cannot be read.
pub fn is_behind(path: &Path, text: Option<&str>) -> io::Result<bool> {
    Ok(there(path)?.as_deref() != text.map(str::as_bytes))
}

/// Makes the view at `path` say `text`; with nothing to say there is no view. What a person wrote there was taken over before.
///
/// # Errors
/// The file, and what the operating system says.
pub fn publish(path: &Path, text: Option<&str>) -> Result<(), (PathBuf, io::Error)> {
    let done = is_behind(path, text).and_then(|behind| match text {
        _ if !behind => Ok(()),
        Some(text) => write::replace(path, text.as_bytes()),
        None => fs::remove_file(path),
    });
    done.map_err(|error| (path.to_owned(), error))
}
