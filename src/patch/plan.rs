//! Computes everything a patch comes to before any of it is done.
//!
//! The hunks of a patch are applied one after the other to the files as values: a later hunk sees what the earlier ones
//! made of a file. What is left at the end is one step for each file, so nothing is written twice and a patch that fails
//! anywhere has touched nothing. Files are told apart by where they really are: two names of one file are one file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::apply::{Mismatch, Wanted};
use super::diff;
use super::document::Document;
use super::parse::{Hunk, Patch};
use crate::protocol::event::{FileChange, FileChangeKind};

/// Longer diffs are left out of reports.
pub const DIFF_LIMIT: usize = 64 * 1024;
const NO_SUCH_FILE: &str = "No such file or directory (os error 2)";

/// Where files are found.
pub trait Disk {
    /// Where a path of a patch leads. Must not fail: a place need not exist.
    fn place(&self, path: &str) -> Place;

    /// A file's content. `path` is a [`Place::file`].
    ///
    /// # Errors
    /// As the operating system says; the kinds `NotFound` and `NotADirectory` mean that there is none.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path, absolute and without `.` and `..`, for people.
    pub shown: PathBuf,
    /// The entry it names: links to folders followed, but not the entry itself if it is a link.
    pub entry: PathBuf,
    /// The file behind it: all links followed. Differs from `entry` exactly if that is a link.
    pub file: PathBuf,
}

/// A file before the patch.
#[derive(Debug)]
enum Before {
    Absent(String),
    Text(String),
    Binary(Vec<u8>, String),
    Unreadable(String),
}

static ABSENT: Before = Before::Absent(String::new());

impl Before {
    fn read(disk: &impl Disk, path: &Path) -> Self {
        match disk.read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Self::Text(text),
            Ok(Err(error)) => {
                let reason = error.utf8_error().to_string();
                Self::Binary(error.into_bytes(), reason)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Self::Absent(error.to_string())
            }
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Binary(bytes, _) => Some(bytes),
            Self::Absent(_) | Self::Unreadable(_) => None,
        }
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// All files a patch names, as they were at one time.
#[derive(Debug)]
pub struct Snapshot {
    places: HashMap<String, Place>,
    files: HashMap<PathBuf, Before>,
}

impl Snapshot {
    /// Reads every file the patch names, once.
    #[must_use]
    pub fn take(patch: &Patch<'_>, disk: &impl Disk) -> Self {
        let paths = patch.hunks.iter().flat_map(Hunk::paths);
        let places: HashMap<String, Place> = paths.map(|path| (path.to_owned(), disk.place(path))).collect();
        let mut files = HashMap::new();
        for place in places.values() {
            files.entry(place.file.clone()).or_insert_with(|| Before::read(disk, &place.file));
        }
        Self { places, files }
    }
}

/// What a patch comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What to do, in an order that works: nothing is removed before what replaces it is written, unless it is in the way.
    pub steps: Vec<Step<'a>>,
    /// What becomes of each file, for people.
    pub changes: Vec<FileChange>,
    /// What the model gets to read.
    pub summary: String,
}

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Write a file, and the folders above it.
    Write {
        /// The file itself, not a link to it.
        path: PathBuf,
        /// Its new content.
        text: String,
        /// Its content before; `None` if it is new.
        before: Option<&'a [u8]>,
    },
    /// Remove a file or a link.
    Remove {
        /// The entry.
        path: PathBuf,
        /// A file's content before; `None` for a link.
        before: Option<&'a [u8]>,
    },
}

impl Step<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Write { path, .. } | Self::Remove { path, .. } => path,
        }
    }
}

/// Why a patch cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// It does nothing.
    Empty,
    /// A file to update cannot be read as text.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file to delete is not there, or is no file.
    Delete {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        reason: String,
    },
    /// What is in the place of a file to write could not be put back.
    Overwrite {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        reason: String,
    },
    /// The patch does not fit the file.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        mismatch: Mismatch,
    },
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("No files were modified."),
            Self::Read { path, reason } => write!(f, "Failed to read file to update {}: {reason}", path.display()),
            Self::Delete { path, reason } => write!(f, "Failed to delete file {}: {reason}", path.display()),
            Self::Overwrite { path, reason } => write!(f, "Failed to write file {}: {reason}", path.display()),
            Self::Mismatch { path, mismatch: Mismatch { wanted, closest } } => {
                match wanted {
                    Wanted::Header(line) => write!(f, "Failed to find context '{line}' in {}", path.display())?,
                    Wanted::Lines(lines) => write!(f, "Failed to find expected lines in {}:\n{lines}", path.display())?,
                }
                write!(f, "\n\n{closest}")
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// Computes what a patch comes to.
///
/// # Errors
/// A hunk cannot be applied; then none is.
pub fn plan<'a>(patch: &Patch<'a>, snapshot: &'a Snapshot) -> Result<Plan<'a>, PlanError> {
    if patch.hunks.is_empty() {
        return Err(PlanError::Empty);
    }
    let mut draft = Draft { snapshot, slots: Vec::new(), index: HashMap::new(), unlinked: Vec::new() };
    for hunk in &patch.hunks {
        draft.apply(hunk)?;
    }
    Ok(Plan { summary: summary(patch), changes: draft.changes(), steps: draft.into_steps() })
}

/// A file while the patch is computed.
struct Slot<'a> {
    /// The name it was first called by.
    shown: &'a Path,
    file: &'a Path,
    before: &'a Before,
    now: Now<'a>,
}

enum Now<'a> {
    /// As before, so far.
    Untouched,
    /// With another content. `home` is the slot whose file the text was read from.
    Text { document: Document<'a>, home: Option<usize> },
    /// No longer there.
    Gone,
}

impl<'a> Slot<'a> {
    /// The content to update, and the slot it comes from; this slot is `own`.
    fn content(&self, own: usize) -> Result<(Cow<'_, Document<'a>>, Option<usize>), String> {
        match (&self.now, self.before) {
            (Now::Text { document, home }, _) => Ok((Cow::Borrowed(document), *home)),
            (Now::Gone, _) => Err(NO_SUCH_FILE.into()),
            (Now::Untouched, Before::Text(text)) => Ok((Cow::Owned(Document::read(text)), Some(own))),
            (Now::Untouched, Before::Absent(reason) | Before::Binary(_, reason) | Before::Unreadable(reason)) => {
                Err(if reason.is_empty() { NO_SUCH_FILE.into() } else { reason.clone() })
            }
        }
    }

    /// Whether there is a file; if not, why.
    fn exists(&self) -> Result<(), String> {
        match (&self.now, self.before) {
            (Now::Untouched, Before::Text(_) | Before::Binary(..)) => Ok(()),
            _ => self.content(0).map(|_| ()),
        }
    }
}

struct Draft<'a> {
    snapshot: &'a Snapshot,
    /// In the order the patch first names them.
    slots: Vec<Slot<'a>>,
    index: HashMap<&'a Path, usize>,
    /// Links that the patch removes or moves away.
    unlinked: Vec<&'a Place>,
}

impl<'a> Draft<'a> {
    fn apply(&mut self, hunk: &Hunk<'a>) -> Result<(), PlanError> {
        match hunk {
            Hunk::Add { path, lines } => {
                let slot = self.slot(path);
                self.write(slot, Document::written(lines), None)
            }
            Hunk::Delete { path } => {
                let slot = self.slot(path);
                let shown = self.slots[slot].shown;
                self.slots[slot].exists().map_err(|reason| PlanError::Delete { path: shown.into(), reason })?;
                self.remove(slot, path);
                Ok(())
            }
            Hunk::Update { path, moved_to, chunks } => {
                let slot = self.slot(path);
                let shown = || self.place(path).shown.clone();
                let (document, home) =
                    self.slots[slot].content(slot).map_err(|reason| PlanError::Read { path: shown(), reason })?;
                let document =
                    document.updated(chunks).map_err(|mismatch| PlanError::Mismatch { path: shown(), mismatch })?;
                let target = moved_to.map_or(slot, |path| self.slot(path));
                self.write(target, document, home)?;
                if target != slot {
                    self.remove(slot, path);
                }
                Ok(())
            }
        }
    }

    fn place(&self, path: &str) -> &'a Place {
        &self.snapshot.places[path]
    }

    fn slot(&mut self, path: &str) -> usize {
        let place = self.place(path);
        // Where a link is gone its name stands for itself again.
        let file = if self.is_unlinked(place) { &place.entry } else { &place.file };
        *self.index.entry(file).or_insert_with(|| {
            let before = self.snapshot.files.get(file).unwrap_or(&ABSENT);
            self.slots.push(Slot { shown: &place.shown, file, before, now: Now::Untouched });
            self.slots.len() - 1
        })
    }

    fn is_unlinked(&self, place: &Place) -> bool {
        self.unlinked.iter().any(|gone| gone.entry == place.entry)
    }

    fn write(&mut self, slot: usize, document: Document<'a>, home: Option<usize>) -> Result<(), PlanError> {
        let slot = &mut self.slots[slot];
        if let (Now::Untouched, Before::Unreadable(reason)) = (&slot.now, slot.before) {
            return Err(PlanError::Overwrite { path: slot.shown.into(), reason: reason.clone() });
        }
        slot.now = Now::Text { document, home };
        Ok(())
    }

    /// Removes what `path` names: the file of the slot, or just a link to it.
    fn remove(&mut self, slot: usize, path: &str) {
        let place = self.place(path);
        if place.entry != place.file && !self.is_unlinked(place) {
            self.unlinked.push(place);
        } else {
            self.slots[slot].now = Now::Gone;
        }
    }

    fn changes(&self) -> Vec<FileChange> {
        let mut changes = Vec::new();
        let gone = Document::written(&[]);
        for (index, slot) in self.slots.iter().enumerate() {
            let change = |home: usize, kind, document| FileChange {
                path: self.slots[home].shown.into(),
                kind,
                diff: diff::unified(self.slots[home].before.text(), document, DIFF_LIMIT),
            };
            match &slot.now {
                Now::Text { document, home: Some(home) } => {
                    let moved_to = (*home != index).then(|| slot.shown.into());
                    changes.push(change(*home, FileChangeKind::Update { moved_to }, document));
                }
                Now::Text { document, home: None } => changes.push(change(index, FileChangeKind::Add, document)),
                Now::Gone if slot.before.bytes().is_some() && !self.lives_on(index) => {
                    changes.push(change(index, FileChangeKind::Delete, &gone));
                }
                Now::Gone | Now::Untouched => {}
            }
        }
        for link in &self.unlinked {
            if !changes.iter().any(|change| change.path == link.shown) {
                let (path, kind) = (link.shown.clone(), FileChangeKind::Delete);
                changes.push(FileChange { path, kind, diff: String::new() });
            }
        }
        changes
    }

    /// Whether the text of a slot's file is somewhere else now.
    fn lives_on(&self, slot: usize) -> bool {
        self.slots.iter().any(|other| matches!(other.now, Now::Text { home: Some(home), .. } if home == slot))
    }

    fn into_steps(self) -> Vec<Step<'a>> {
        let mut writes = Vec::new();
        let mut removals: Vec<Step<'a>> =
            self.unlinked.iter().map(|link| Step::Remove { path: link.entry.clone(), before: None }).collect();
        for slot in self.slots {
            let (path, before) = (slot.file.to_owned(), slot.before.bytes());
            match slot.now {
                Now::Text { document, .. } => writes.push(Step::Write { path, text: document.text(), before }),
                Now::Gone if before.is_some() => removals.push(Step::Remove { path, before }),
                Now::Gone | Now::Untouched => {}
            }
        }
        let in_the_way = |removal: &Step<'_>| writes.iter().any(|write| write.path().starts_with(removal.path()));
        let (first, last): (Vec<_>, Vec<_>) = removals.into_iter().partition(in_the_way);
        first.into_iter().chain(writes).chain(last).collect()
    }
}

/// Codex's list of what happened: added, then modified, then deleted files, as the patch names them.
fn summary(patch: &Patch<'_>) -> String {
    let mut text = String::from("Success. Updated the following files:\n");
    for wanted in ['A', 'M', 'D'] {
        for hunk in &patch.hunks {
            let (letter, path) = match hunk {
                Hunk::Add { path, .. } => ('A', path),
                Hunk::Update { path, moved_to, .. } => ('M', moved_to.as_ref().unwrap_or(path)),
                Hunk::Delete { path } => ('D', path),
            };
            if letter == wanted {
                // Writing to a string cannot fail.
                writeln!(text, "{letter} {path}").unwrap_or_default();
            }
        }
    }
    text
}
