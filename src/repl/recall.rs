//! What the person typed before: walked through with the arrow keys, searched with Ctrl-R, kept across sessions in
//! `history.jsonl` of the home folder, in Codex's format.

use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much of the file's end is read at the start.
const READ_BYTES: u64 = 512 << 10;
/// How many entries are held.
const CAPACITY: usize = 5_000;

/// One line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    session_id: String,
    /// Unix seconds.
    ts: u64,
    text: String,
}

/// The file. Several programs may append to it.
#[derive(Debug)]
pub struct RecallFile {
    path: PathBuf,
}

impl RecallFile {
    /// The file of a home folder. It need not exist.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self { path: home.join("history.jsonl") }
    }

    /// The latest texts, oldest first. A file that cannot be read has none.
    #[must_use]
    pub fn read(&self) -> Vec<String> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(READ_BYTES)))?;
            file.read_to_end(&mut bytes)
        });
        if read.is_err() {
            return Vec::new();
        }
        // The first line may be half a line, which is no JSON.
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        lines.map(|line| line.text).collect()
    }

    /// Adds a text in one write.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&self, session_id: &str, unix_seconds: u64, text: &str) -> std::io::Result<()> {
        let line = Line { session_id: session_id.to_owned(), ts: unix_seconds, text: text.to_owned() };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?.write_all(&bytes)
    }
}

/// The texts, and where among them the arrow keys are.
#[derive(Debug, Default)]
pub struct Recall(Mutex<Walk>);

#[derive(Debug, Default)]
struct Walk {
    entries: Vec<String>,
    at: Option<usize>,
    /// What was being typed when the walk began.
    draft: String,
}

impl Recall {
    /// Begins with these, oldest first.
    #[must_use]
    pub fn new(entries: Vec<String>) -> Self {
        let mut walk = Walk::default();
        entries.into_iter().for_each(|entry| walk.remember(entry));
        Self(Mutex::new(walk))
    }

    /// Adds a text; the walk is over.
    pub fn remember(&self, text: &str) {
        self.lock().remember(text.to_owned());
    }

    /// The text before the one that is shown; `shown` is what is in the editor.
    pub fn older(&self, shown: &str) -> Option<String> {
        let mut walk = self.lock();
        let at = match walk.at {
            None => {
                shown.clone_into(&mut walk.draft);
                walk.entries.len().checked_sub(1)?
            }
            Some(at) => at.checked_sub(1)?,
        };
        walk.at = Some(at);
        walk.entries.get(at).cloned()
    }

    /// The text after the one that is shown; after the last one comes what was being typed.
    pub fn newer(&self) -> Option<String> {
        let mut walk = self.lock();
        let next = walk.at? + 1;
        walk.at = (next < walk.entries.len()).then_some(next);
        match walk.at {
            Some(at) => walk.entries.get(at).cloned(),
            None => Some(std::mem::take(&mut walk.draft)),
        }
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A text by its number, 0 being the oldest.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<String> {
        self.lock().entries.get(index).cloned()
    }

    /// The nearest text from `start` on that `test` finds something in, with its number and what was found.
    pub fn find(
        &self,
        start: usize,
        backwards: bool,
        test: impl Fn(&str) -> Option<usize>,
    ) -> Option<(usize, String, usize)> {
        let walk = self.lock();
        let hit = |index: usize| {
            let text = walk.entries.get(index)?;
            test(text).map(|place| (index, text.clone(), place))
        };
        if backwards { (0..=start).rev().find_map(hit) } else { (start..walk.entries.len()).find_map(hit) }
    }

    fn lock(&self) -> MutexGuard<'_, Walk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk {
    fn remember(&mut self, text: String) {
        self.at = None;
        if text.trim().is_empty() || self.entries.last() == Some(&text) {
            return;
        }
        if self.entries.len() == CAPACITY {
            self.entries.drain(..CAPACITY / 10);
        }
        self.entries.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrow_keys_walk_there_and_back_to_what_was_being_typed() {
        let recall = Recall::new(vec!["one".into(), "two".into(), "two".into()]);
        assert_eq!(recall.older("dra").as_deref(), Some("two"));
        assert_eq!(recall.older("two").as_deref(), Some("one"));
        assert_eq!(recall.older("one"), None);
        assert_eq!(recall.newer().as_deref(), Some("two"));
        assert_eq!(recall.newer().as_deref(), Some("dra"));
        assert_eq!(recall.newer(), None);
        recall.older("");
        recall.remember("three");
        assert_eq!(recall.older("").as_deref(), Some("three"));
    }

    #[test]
    fn search_goes_both_ways() {
        let recall = Recall::new(vec!["make test".into(), "ls".into(), "make all".into()]);
        let find = |start, backwards| recall.find(start, backwards, |text| text.find("make")).map(|hit| hit.0);
        assert_eq!(find(2, true), Some(2));
        assert_eq!(find(1, true), Some(0));
        assert_eq!(find(1, false), Some(2));
    }

    #[test]
    fn the_file_is_in_codex_format_and_survives_damage() {
        let home = tempfile::tempdir().unwrap();
        let file = RecallFile::of(home.path());
        assert!(file.read().is_empty());
        file.append("s", 7, "two\nlines").unwrap();
        std::fs::OpenOptions::new().append(true).open(&file.path).unwrap().write_all(b"garbage\n").unwrap();
        file.append("s", 8, "next").unwrap();
        assert_eq!(file.read(), ["two\nlines", "next"]);
        let text = std::fs::read_to_string(&file.path).unwrap();
        assert!(text.starts_with("{\"session_id\":\"s\",\"ts\":7,\"text\":\"two\\nlines\"}\n"), "{text}");
    }
}
