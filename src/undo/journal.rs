//! What turns did to files, line by line.
//!
//! One file per session, which is only ever appended to. A line is one `write`, so a process that dies leaves whole lines; a
//! machine that dies may leave a torn one, which is passed over.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::blobs::create_private;
use super::state::State;
use crate::protocol::TurnId;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// What is about to be changed. The first word of a turn on a path holds.
    Before {
        /// The turn.
        turn: TurnId,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
        /// What is there now.
        files: Vec<Entry>,
    },
    /// What a turn's files became. The last word on a path holds.
    After {
        /// The turn.
        turn: TurnId,
        /// Whether somebody else had a hand in it: a command, or the person.
        by_others: bool,
        /// What is there now.
        files: Vec<Entry>,
    },
    /// A turn ended.
    Ended {
        /// The turn.
        turn: TurnId,
        /// How many commands it ran, whose changes are not kept.
        commands: u32,
    },
    /// A turn's changes were undone.
    Undone {
        /// The turn.
        turn: TurnId,
    },
    /// A turn's changes were made again.
    Redone {
        /// The turn.
        turn: TurnId,
    },
}

/// A path and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The path, absolute.
    pub path: PathBuf,
    /// What is there.
    pub state: State,
}

/// What a turn did.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Its id.
    pub id: TurnId,
    /// When it first wrote, in milliseconds since the epoch; 0 when it wrote nothing.
    pub at_ms: u64,
    /// What it did to which path.
    pub files: BTreeMap<PathBuf, Change>,
    /// How many commands it ran.
    pub commands: u32,
    /// Whether it ended, rather than the program in it.
    pub ended: bool,
    /// Whether it was undone, and not made again.
    pub undone: bool,
}

/// What a turn did to a path.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was there.
    pub before: State,
    /// What came of it; `None` when the program died before it could tell.
    pub after: Option<State>,
    /// Whether somebody else had a hand in it.
    pub by_others: bool,
}

impl Turn {
    /// Whether any path is other than before, as far as is known.
    #[must_use]
    pub fn changed_files(&self) -> bool {
        self.files.values().any(Change::is_one)
    }
}

impl Change {
    /// Whether anything is other than before, as far as is known.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.after.as_ref().is_none_or(|after| !after.is_like(&self.before))
    }

    /// The path is about to be written to again, and `now` is what is there.
    fn write_again(&mut self, now: &State) {
        self.by_others |= self.after.take().is_some_and(|after| !after.is_like(now));
    }
}

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens the journal at `path`, for the person alone.
    ///
    /// # Errors
    /// It cannot be made or opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            create_private(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if is_torn(&mut file)? {
            // So that the torn line stays one of its own.
            file.write_all(b"\n")?;
        }
        Ok(Self { file })
    }

    /// Appends a line: it is with the operating system when this returns.
    ///
    /// # Errors
    /// It could not be written.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }

    /// Returns when all lines are on disk.
    ///
    /// # Errors
    /// The operating system could not promise it.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The turns in the journal at `path`, oldest first; none when there is no journal. Lines that make no sense are passed over.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Turn>> {
    match fs::read(path) {
        Ok(bytes) => Ok(fold(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn fold(lines: impl Iterator<Item = Line>) -> Vec<Turn> {
    let mut turns = Vec::new();
    for line in lines {
        match line {
            Line::Before { turn, at_ms, files } => {
                let turn = turn_of(&mut turns, turn);
                turn.at_ms = if turn.at_ms == 0 { at_ms } else { turn.at_ms };
                for Entry { path, state } in files {
                    match turn.files.entry(path) {
                        Slot::Vacant(slot) => _ = slot.insert(Change { before: state, after: None, by_others: false }),
                        Slot::Occupied(mut slot) => slot.get_mut().write_again(&state),
                    }
                }
            }
            Line::After { turn, by_others, files } => {
                let turn = turn_of(&mut turns, turn);
                for Entry { path, state } in files {
                    if let Some(change) = turn.files.get_mut(&path) {
                        change.after = Some(state);
                        change.by_others |= by_others;
                    }
                }
            }
            Line::Ended { turn, commands } => {
                let turn = turn_of(&mut turns, turn);
                (turn.ended, turn.commands) = (true, commands);
            }
            Line::Undone { turn } => turn_of(&mut turns, turn).undone = true,
            Line::Redone { turn } => turn_of(&mut turns, turn).undone = false,
        }
    }
    turns
}

/// The turn with this id, which is most often the last one.
fn turn_of(turns: &mut Vec<Turn>, id: TurnId) -> &mut Turn {
    let index = turns.iter().rposition(|turn| turn.id == id).unwrap_or_else(|| {
        let files = BTreeMap::new();
        turns.push(Turn { id, at_ms: 0, files, commands: 0, ended: false, undone: false });
        turns.len() - 1
    });
    &mut turns[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_spoils_neither_what_is_before_nor_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.jsonl");
        let (one, two) = (TurnId::new(), TurnId::new());
        let entry = Entry { path: "/x".into(), state: State::Absent };
        let before = |turn| Line::Before { turn, at_ms: 7, files: vec![entry.clone()] };
        Journal::open(&path).unwrap().append(&before(one)).unwrap();
        fs::write(&path, [&fs::read(&path).unwrap()[..], br#"{"type":"after","tu"#].concat()).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&before(two)).unwrap();
        journal.append(&Line::Undone { turn: two }).unwrap();
        let turns = read(&path).unwrap();
        let told: Vec<_> = turns.iter().map(|turn| (turn.id, turn.at_ms, turn.undone, turn.files.len())).collect();
        assert_eq!(told, [(one, 7, false, 1), (two, 7, true, 1)]);
        assert!(turns[0].changed_files(), "what is not known may be a change");
    }
}
