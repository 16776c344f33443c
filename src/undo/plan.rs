//! What undoing a turn would do, and what forbids it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::TextDiff;

use super::blobs::Blobs;
use super::journal::{self, Change, Turn};
use super::state::State;
use crate::protocol::{ErrorKind, ThreadId, TurnId, UserError};

/// Texts beyond this are not compared line by line.
const LARGEST_DIFF: usize = 1 << 20;
/// How long a comparison may look for the shortest diff.
const DIFF_PATIENCE: Duration = Duration::from_millis(300);

/// Undoes and redoes what turns did to files.
#[derive(Clone, Debug)]
pub struct Undo {
    folder: PathBuf,
}

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Take back the last turn that changed files and was not undone.
    Undo,
    /// Make again what was undone last.
    Redo,
}

/// What would be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub thread: ThreadId,
    /// The turn.
    pub turn: TurnId,
    /// Which way.
    pub direction: Direction,
    /// When the turn first wrote, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What would be done to which file; empty when all is as it should be already.
    pub files: Vec<Step>,
    /// What forbids it: as long as there is any, nothing is done.
    pub conflicts: Vec<Conflict>,
    /// What the person should know before it is done, a sentence each.
    pub notes: Vec<String>,
}

/// What would be done to a path.
#[derive(Clone, Debug)]
pub struct Step {
    /// The path.
    pub path: PathBuf,
    /// What it comes to.
    pub action: Action,
    /// The change as the hunks of a unified diff, or a line about it where there is no text to compare.
    pub diff: String,
    pub(super) now: State,
    pub(super) to: State,
    /// Whether what is there now is not in the journal yet.
    pub(super) unknown: bool,
}

/// What a step comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something is there again.
    Create,
    /// Content, mode, or kind change back.
    Restore,
    /// A file or link goes.
    Remove,
    /// A folder goes, unless something else is in it.
    RemoveFolder,
}

/// What forbids a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The path.
    pub path: PathBuf,
    /// Why, in words that follow the path.
    pub reason: String,
}

impl Undo {
    /// What is kept below the home folder `home`. Touches nothing.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { folder: home.join("hone").join("undo") }
    }

    /// Where everything is kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn blobs(&self) -> Blobs {
        Blobs::new(self.folder.join("blobs"))
    }

    pub(super) fn journal(&self, thread: ThreadId) -> PathBuf {
        self.folder.join(format!("{thread}.jsonl"))
    }

    /// What the next undo or redo of a session would do; `None` when there is nothing to.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn plan(&self, thread: ThreadId, direction: Direction) -> Result<Option<Plan>, UserError> {
        let path = self.journal(thread);
        let turns = journal::read(&path).map_err(|error| {
            UserError::new(ErrorKind::Storage, format!("cannot read {}: {error}", path.display()))
                .hint("check the permissions of that file")
        })?;
        let Some(index) = choose(&turns, direction) else { return Ok(None) };
        let (turn, later) = (&turns[index], &turns[index + 1..]);
        let mut plan = Plan {
            thread,
            turn: turn.id,
            direction,
            at_ms: turn.at_ms,
            files: Vec::new(),
            conflicts: Vec::new(),
            notes: Vec::new(),
        };
        let blobs = self.blobs();
        for (path, change) in turn.files.iter().filter(|(_, change)| change.is_one()) {
            plan.file(path, change, &blobs);
        }
        if direction == Direction::Undo {
            plan.add_notes(turn, later);
        }
        Ok(Some(plan))
    }
}

/// The turn to undo: the last one that changed files and is not undone. The one to redo: the first of those undone since.
fn choose(turns: &[Turn], direction: Direction) -> Option<usize> {
    let standing = turns.iter().rposition(|turn| turn.changed_files() && !turn.undone);
    match direction {
        Direction::Undo => standing,
        Direction::Redo => {
            let from = standing.map_or(0, |standing| standing + 1);
            turns[from..].iter().position(|turn| turn.changed_files() && turn.undone).map(|index| from + index)
        }
    }
}

impl Plan {
    /// Whether it can be carried out.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.conflicts.is_empty()
    }

    /// The plan for people: every file with its diff, then the notes, then what forbids it.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for step in &self.files {
            // Writing to a string cannot fail.
            writeln!(text, "{} {}", step.action.verb(), step.path.display()).unwrap_or_default();
            text.push_str(&step.diff);
        }
        for note in &self.notes {
            writeln!(text, "note: {note}").unwrap_or_default();
        }
        for Conflict { path, reason } in &self.conflicts {
            writeln!(text, "conflict: {} {reason}", path.display()).unwrap_or_default();
        }
        text
    }

    /// The error that names all conflicts.
    #[must_use]
    pub fn refusal(&self) -> UserError {
        let conflicts: Vec<_> = self
            .conflicts
            .iter()
            .map(|conflict| format!("\n  {} {}", conflict.path.display(), conflict.reason))
            .collect();
        let message =
            format!("the turn cannot be {}; nothing was changed:{}", self.direction.done(), conflicts.concat());
        UserError::new(ErrorKind::Failed, message)
            .hint("move your changes to these files out of the way and try again, or change them back by hand")
    }

    fn file(&mut self, path: &Path, change: &Change, blobs: &Blobs) {
        let (from, to) = match (self.direction, &change.after) {
            (Direction::Undo, after) => (after.as_ref(), &change.before),
            (Direction::Redo, Some(after)) => (Some(&change.before), after),
            (Direction::Redo, None) => return,
        };
        let now = match State::capture(path, None) {
            Ok(now) => now,
            Err(error) => return self.conflict(path, format!("cannot be read: {error}")),
        };
        if now.is_like(to) {
            return;
        }
        // A folder the turn made may go or stay; what others put into it or made of it since is theirs.
        if !from.is_none_or(|from| from.is_like(&now)) {
            return self.conflict(path, self.direction.changed_since(&now));
        }
        if !to.can_be_restored() || !now.can_be_restored() {
            return self
                .conflict(path, "is too large to keep, or no plain file, so what was there is not known".into());
        }
        if to.hash().is_some_and(|hash| !blobs.has(hash)) {
            return self.conflict(path, "was so long ago that its content is no longer kept".into());
        }
        if from.is_none() {
            let path = path.display();
            self.notes
                .push(format!("The program ended while it changed {path}, so later changes to it would not show."));
        }
        if change.by_others {
            let path = path.display();
            self.notes.push(format!("A command, or you, also changed {path} while the turn ran; that goes with it."));
        }
        let diff = diff(path, &now, &to.clone(), blobs);
        let step = Step {
            path: path.to_owned(),
            action: Action::of(&now, to),
            diff,
            now,
            to: to.clone(),
            unknown: from.is_none(),
        };
        self.files.push(step);
    }

    fn conflict(&mut self, path: &Path, reason: String) {
        self.conflicts.push(Conflict { path: path.to_owned(), reason });
    }

    fn add_notes(&mut self, turn: &Turn, later: &[Turn]) {
        let times = |count: u32| if count == 1 { "a command".to_owned() } else { format!("{count} commands") };
        let after: u32 = later.iter().filter(|turn| !turn.undone).map(|turn| turn.commands).sum();
        if after > 0 {
            self.notes.push(format!("Later turns ran {}; what commands change is not undone.", times(after)));
        }
        if turn.commands > 0 {
            self.notes.push(format!("The turn also ran {}; what commands change is not undone.", times(turn.commands)));
        }
        if !turn.ended {
            self.notes.push("The program ended before the turn did.".into());
        }
    }
}

impl Direction {
    /// What will have been done to the turn.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Undo => "undone",
            Self::Redo => "redone",
        }
    }

    fn changed_since(self, now: &State) -> String {
        let what = if *now == State::Absent { "was removed" } else { "was changed" };
        match self {
            Self::Undo => format!("{what} since the turn ended"),
            Self::Redo => format!("{what} since the turn was undone"),
        }
    }
}

impl Action {
    fn of(now: &State, to: &State) -> Self {
        match (now, to) {
            (State::Absent, _) => Self::Create,
            (State::Folder { .. }, State::Absent) => Self::RemoveFolder,
            (_, State::Absent) => Self::Remove,
            _ => Self::Restore,
        }
    }

    /// The action as an order.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Restore => "restore",
            Self::Remove => "remove",
            Self::RemoveFolder => "remove folder",
        }
    }
}

fn diff(path: &Path, now: &State, to: &State, blobs: &Blobs) -> String {
    let mut text = String::new();
    if let (State::File { mode: old, .. }, State::File { mode: new, .. }) = (now, to)
        && old != new
    {
        writeln!(text, "mode {old:03o} to {new:03o}").unwrap_or_default();
    }
    if now.hash() == to.hash() && now.hash().is_some() {
        return text;
    }
    let kept = |state: &State| match state {
        State::File { hash, .. } => blobs.get(hash),
        _ => Ok(Vec::new()),
    };
    let current = match now {
        State::File { .. } => std::fs::read(path),
        _ => Ok(Vec::new()),
    };
    if let State::Link { target } = now {
        writeln!(text, "-link to {}", target.display()).unwrap_or_default();
    }
    if let State::Link { target } = to {
        writeln!(text, "+link to {}", target.display()).unwrap_or_default();
    }
    text + &compare(current, kept(to))
}

fn compare(old: io::Result<Vec<u8>>, new: io::Result<Vec<u8>>) -> String {
    let (Ok(old), Ok(new)) = (old, new) else { return String::new() };
    let lengths = || format!("{} bytes to {} bytes\n", old.len(), new.len());
    match (str::from_utf8(&old), str::from_utf8(&new)) {
        (Ok(before), Ok(after)) if old.len().max(new.len()) <= LARGEST_DIFF => {
            TextDiff::configure().timeout(DIFF_PATIENCE).diff_lines(before, after).unified_diff().to_string()
        }
        (Ok(_), Ok(_)) => format!("large file, {}", lengths()),
        _ => format!("binary file, {}", lengths()),
    }
}
