//! Appending whole lines to a file, or nothing.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::tail::is_torn;

/// A file that only ever gets whole lines.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    /// Where the file ended after our last line; anything else means that somebody else touched it.
    end: Option<u64>,
    /// Folders with new entries that are not yet on disk.
    new_entries_in: Vec<PathBuf>,
    unsynced: bool,
}

impl Writer {
    /// Writes to `file`, which must be open for reading and appending. `new_entries_in` are the folders to which creating it
    /// added something.
    pub(super) fn new(file: File, new_entries_in: Vec<PathBuf>) -> Self {
        Self { file, end: None, new_entries_in, unsynced: false }
    }

    /// Appends `lines`, which end with a newline, in one write. A last line that was torn before gets its newline first. When
    /// not everything can be written, nothing of it stays.
    pub(super) fn append(&mut self, mut lines: Vec<u8>) -> io::Result<()> {
        let state = self.file.metadata()?;
        if state.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it was deleted while the session was open"));
        }
        let before = state.len();
        if self.end != Some(before) && is_torn(&self.file, before)? {
            lines.insert(0, b'\n');
        }
        self.end = None;
        self.unsynced = true;
        if let Err(error) = self.file.write_all(&lines) {
            // If even this fails, the next append finds the torn line and ends it.
            return Err(self.file.set_len(before).err().unwrap_or(error));
        }
        self.end = Some(before + lines.len() as u64);
        Ok(())
    }

    /// Returns when everything is on disk. The file's times are not, which nobody needs after a crash.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced {
            self.file.sync_data()?;
            self.unsynced = false;
        }
        while let Some(folder) = self.new_entries_in.last() {
            match File::open(folder)?.sync_all() {
                // Some file systems cannot sync a folder; they have no other promise to give.
                Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                    return Err(error);
                }
                _ => _ = self.new_entries_in.pop(),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::path::Path;

    fn open(path: &Path) -> Writer {
        Writer::new(OpenOptions::new().read(true).append(true).create(true).open(path).unwrap(), Vec::new())
    }

    #[test]
    fn a_torn_line_is_ended_whoever_tore_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "torn").unwrap();
        let mut writer = open(&path);
        writer.append(b"a\n".to_vec()).unwrap();
        writer.append(b"b\n".to_vec()).unwrap();
        fs::write(&path, "torn\na\nb").unwrap();
        writer.append(b"c\n".to_vec()).unwrap();
        writer.sync().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "torn\na\nb\nc\n");
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut writer = Writer::new(OpenOptions::new().read(true).append(true).open("/dev/full").unwrap(), Vec::new());
        assert!(writer.append(b"a\n".to_vec()).is_err());
    }

    #[test]
    fn a_deleted_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut writer = open(&path);
        writer.append(b"a\n".to_vec()).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(writer.append(b"b\n".to_vec()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
