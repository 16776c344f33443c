//! The Markdown beside a journal: `MEMORY.md` and `USER.md`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::write;

/// Makes the view at `path` say `text`; with nothing to say there is no view. What a person wrote there was taken over before.
///
/// # Errors
/// The file, and what the operating system says.
pub fn publish(path: &Path, text: Option<&str>) -> Result<(), (PathBuf, io::Error)> {
    let there = match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err((path.to_owned(), error)),
    };
    let done = match text {
        _ if there.as_deref() == text.map(str::as_bytes) => Ok(()),
        Some(text) => write::replace(path, text.as_bytes()),
        None => fs::remove_file(path),
    };
    done.map_err(|error| (path.to_owned(), error))
}
