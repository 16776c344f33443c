//! The file system behind [`Files`].

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::agent::ports::{EntryKind, Files, Stamp};

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        let modified_ns = match metadata.modified().ok()?.duration_since(UNIX_EPOCH) {
            Ok(after) => nanoseconds(after.as_nanos()),
            Err(before) => -nanoseconds(before.duration().as_nanos()),
        };
        Some(Stamp { modified_ns, len: metadata.len(), kind: kind(&metadata) })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // A name that is not UTF-8 cannot be written into a prompt, and nothing that shapes one is called so.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = match entry.file_type()? {
                file_type if file_type.is_symlink() => {
                    fs::metadata(entry.path()).map_or(EntryKind::Other, |metadata| kind(&metadata))
                }
                file_type if file_type.is_dir() => EntryKind::Dir,
                file_type if file_type.is_file() => EntryKind::File,
                _ => EntryKind::Other,
            };
            entries.push((name, kind));
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }
}

fn nanoseconds(count: u128) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX)
}

fn kind(metadata: &Metadata) -> EntryKind {
    if metadata.is_file() {
        EntryKind::File
    } else if metadata.is_dir() {
        EntryKind::Dir
    } else {
        EntryKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_lists_sorted_with_links_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("b"), "").unwrap();
        fs::create_dir(at("a")).unwrap();
        symlink(at("a"), at("link-to-folder")).unwrap();
        symlink(at("b"), at("link-to-file")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        let expected = [
            ("a", EntryKind::Dir),
            ("b", EntryKind::File),
            ("dangling", EntryKind::Other),
            ("link-to-file", EntryKind::File),
            ("link-to-folder", EntryKind::Dir),
        ];
        assert_eq!(Disk.list(dir.path()).unwrap(), expected.map(|(name, kind)| (name.to_owned(), kind)));
        assert_eq!(Disk.list(&at("nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_stamp_changes_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(Disk.stamp(&path), None);
        fs::write(&path, "one").unwrap();
        let first = Disk.stamp(&path).unwrap();
        assert_eq!((first.len, first.kind), (3, EntryKind::File));
        assert_eq!(Disk.read(&path).unwrap(), b"one");
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH - std::time::Duration::from_nanos(5)).unwrap();
        assert_eq!(Disk.stamp(&path).unwrap(), Stamp { modified_ns: -5, ..first });
    }
}
