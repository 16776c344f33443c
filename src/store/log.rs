//! A file of lines that is only ever appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{line, write};

/// A log of values. Opening it makes nothing.
pub struct Log<T> {
    path: PathBuf,
    values: PhantomData<fn(T) -> T>,
}

/// A line as it stands in a log, its newline excluded, and its value or why it has none.
pub type Line<T> = (Vec<u8>, Result<T, &'static str>);

/// What a log holds.
#[derive(Debug)]
pub struct Contents<T> {
    /// Its values, oldest first.
    pub values: Vec<T>,
    /// What is damaged, line by line, in words for people.
    pub damage: Vec<String>,
    /// The last line has no end and cannot be read, in words for people: a crash left it so, or somebody is just writing it.
    pub torn: Option<String>,
}

impl<T> Log<T> {
    /// The log at `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, values: PhantomData }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Cuts it to its first `length` bytes.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn cut(&self, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(length)?;
        file.sync_data()
    }
}

impl<T: Serialize> Log<T> {
    /// Appends values, all or none, and returns when they are on disk: how long the log was before. One writer at a time.
    ///
    /// # Errors
    /// As the operating system says; then nothing was appended.
    pub fn append(&self, values: &[T]) -> io::Result<u64> {
        self.write(values, File::sync_data)
    }

    /// Appends values that a power cut may take back: all or none, and returns when they are with the operating system, which keeps
    /// them even if this process dies at once. One writer at a time.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_unsynced(&self, values: &[T]) -> io::Result<u64> {
        self.write(values, |_| Ok(()))
    }

    fn write(&self, values: &[T], sync: impl Fn(&File) -> io::Result<()>) -> io::Result<u64> {
        let is_new = write::private_folder_of(&self.path)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        let before = file.metadata()?.len();
        let mut lines = Vec::new();
        if is_torn(&mut file, before)? {
            // So that what a crash left of a line stays a line of its own.
            lines.push(b'\n');
        }
        for value in values {
            lines.extend(line::write(value)?);
        }
        if let Err(error) = file.write_all(&lines).and_then(|()| sync(&file)) {
            return Err(file.set_len(before).err().unwrap_or(error));
        }
        if is_new || before == 0 {
            write::sync_folder_of(&self.path)?;
        }
        Ok(before)
    }
}

impl<T: DeserializeOwned> Log<T> {
    /// All lines as they are; a missing file has none.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn lines(&self) -> io::Result<Vec<Line<T>>> {
        let bytes = self.bytes()?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(|text| (text.to_vec(), line::read(text))).collect())
    }

    /// Puts lines in the place of all that is there, or leaves it as it is. Readers see either. One writer at a time.
    ///
    /// # Errors
    /// As the operating system says; then nothing was changed.
    pub fn replace(&self, lines: &[Vec<u8>]) -> io::Result<()> {
        let mut bytes = lines.join(&b'\n');
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        write::replace(&self.path, &bytes)
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    /// All values that can be read. Lines that cannot are told of and passed over; a missing file is an empty log.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(&self) -> io::Result<Contents<T>> {
        let bytes = self.bytes()?;
        let mut contents = Contents { values: Vec::new(), damage: Vec::new(), torn: None };
        let last = bytes.iter().filter(|byte| **byte == b'\n').count();
        for (index, text) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, text)| !text.is_empty()) {
            match line::read(text) {
                Ok(value) => contents.values.push(value),
                Err(why) => {
                    let damage = format!("{}: line {} {why}, so it is passed over", self.path.display(), index + 1);
                    if index == last {
                        contents.torn = Some(damage);
                    } else {
                        contents.damage.push(damage);
                    }
                }
            }
        }
        Ok(contents)
    }
}

fn is_torn(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
