//! Folders that must not come into being inside a folder that may be written.
//!
//! A mount can cover only what is there. So an empty folder is put in the missing one's place for as long as a command runs,
//! and taken away after the last one.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folders in place, and how many commands need each.
static IN_PLACE: Mutex<Option<HashMap<PathBuf, usize>>> = Mutex::new(None);

/// Keeps the folders it put in place until it is dropped.
#[derive(Debug, Default)]
pub struct Masks(Vec<PathBuf>);

impl Masks {
    /// Puts an empty folder wherever one of `paths` is missing in an existing folder. Says nothing of what it could not
    /// make: what this program cannot make there, neither can the command.
    #[must_use]
    pub fn put<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut table = lock();
        let counts = table.get_or_insert_default();
        let mut put = Vec::new();
        for path in paths {
            if let Some(count) = counts.get_mut(path) {
                *count += 1;
                put.push(path.to_owned());
            } else if fs::create_dir(path).is_ok() {
                counts.insert(path.to_owned(), 1);
                put.push(path.to_owned());
            }
        }
        Self(put)
    }
}

impl Drop for Masks {
    fn drop(&mut self) {
        let mut table = lock();
        let Some(counts) = table.as_mut() else { return };
        for path in &self.0 {
            let Some(count) = counts.get_mut(path) else { continue };
            *count -= 1;
            if *count == 0 {
                counts.remove(path);
                // Whoever put something into it meanwhile keeps it.
                let _kept = fs::remove_dir(path);
            }
        }
    }
}

fn lock() -> MutexGuard<'static, Option<HashMap<PathBuf, usize>>> {
    IN_PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_stays_until_nobody_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, there) = (folder.path().join("missing"), folder.path().join("there"));
        fs::create_dir(&there).unwrap();
        let one = Masks::put([missing.as_path(), &there, &folder.path().join("no/parent")]);
        let two = Masks::put([missing.as_path()]);
        drop(one);
        assert!(missing.is_dir());
        drop(two);
        assert!(!missing.exists() && there.is_dir());
        let three = Masks::put([missing.as_path()]);
        fs::write(missing.join("kept"), "").unwrap();
        drop(three);
        assert!(missing.join("kept").exists());
    }
}
