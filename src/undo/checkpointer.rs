//! Keeps what files were like while turns run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blobs::Blobs;
use super::journal::{Entry, Journal, Line};
use super::places;
use super::plan::Undo;
use super::prune;
use super::state::State;
use crate::agent::ports::{Checkpoints, Clock};
use crate::protocol::{ThreadId, TurnId};

/// The checkpoints of one session. Nothing is touched before its first write.
pub struct Checkpointer {
    store: Undo,
    blobs: Blobs,
    journal_path: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    journal: Option<Journal>,
    turn: Option<Running>,
    warned: bool,
}

/// The turn that runs.
struct Running {
    id: TurnId,
    files: BTreeMap<PathBuf, Known>,
    commands: u32,
}

/// What is known of a path.
#[derive(Default)]
struct Known {
    /// What the last write left there.
    after: Option<State>,
    /// Whether it was other than that when the next write came.
    by_others: bool,
}

impl Checkpointer {
    /// The checkpoints of the session `thread`, kept below `home`.
    #[must_use]
    pub fn new(home: &Path, thread: ThreadId, clock: Arc<dyn Clock>) -> Self {
        let store = Undo::new(home);
        let (blobs, journal_path) = (store.blobs(), store.journal(thread));
        Self { store, blobs, journal_path, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, progress: &mut Progress, turn: TurnId, paths: &[PathBuf]) -> Result<(), String> {
        let opened = progress.open(&self.journal_path);
        let running = progress.running(turn);
        let mut kept = Vec::new();
        let mut trouble = opened.as_ref().err().map(|error| self.not_kept(error));
        for path in paths.iter().flat_map(|path| places::touched(path)) {
            if let Some(known) = running.files.get_mut(&path) {
                let now = State::capture(&path, None);
                known.by_others |= known.after.as_ref().is_some_and(|after| now.is_ok_and(|now| !now.is_like(after)));
                continue;
            }
            // Known from now on even if it cannot be kept: what a later write finds there is not what was there before.
            running.files.insert(path.clone(), Known::default());
            if opened.is_ok() {
                let state = State::capture(&path, Some(&self.blobs)).unwrap_or_else(|error| {
                    trouble.get_or_insert_with(|| format!("undo will not bring back {}: {error}", path.display()));
                    State::Other
                });
                kept.push(Entry { path, state });
            }
        }
        if !kept.is_empty() {
            let line = Line::Before { turn, at_ms: self.clock.unix_ms(), files: kept };
            progress.write(&line, true).map_err(|error| self.not_kept(&error))?;
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Records what became of those paths for which `which` says so.
    fn note(
        &self,
        progress: &mut Progress,
        turn: TurnId,
        changed: impl Fn(&Path, &Known, &State) -> bool,
        sync: bool,
    ) -> Result<(), String> {
        let mut lines = [(false, Vec::new()), (true, Vec::new())];
        for (path, known) in &mut progress.running(turn).files {
            let state = State::capture(path, None).unwrap_or(State::Other);
            if changed(path, known, &state) {
                known.after = Some(state.clone());
                lines[usize::from(known.by_others)].1.push(Entry { path: path.clone(), state });
            }
        }
        for (by_others, files) in lines {
            if !files.is_empty() && progress.journal.is_some() {
                let line = Line::After { turn, by_others, files };
                progress.write(&line, sync).map_err(|error| self.not_kept(&error))?;
            }
        }
        Ok(())
    }

    fn end(&self, progress: &mut Progress, turn: TurnId) -> Result<(), String> {
        let Some(running) = progress.turn.as_mut().filter(|running| running.id == turn) else { return Ok(()) };
        let (commands, wrote) = (running.commands, !running.files.is_empty());
        if !wrote && !self.journal_path.exists() {
            progress.turn = None;
            return Ok(());
        }
        for (path, known) in &mut running.files {
            let now = State::capture(path, None).unwrap_or(State::Other);
            known.by_others |= known.after.as_ref().is_some_and(|after| !after.is_like(&now));
        }
        self.note(progress, turn, |_, known, now| known.after.as_ref() != Some(now), false)?;
        progress.turn = None;
        progress.open(&self.journal_path).map_err(|error| self.not_kept(&error))?;
        progress.write(&Line::Ended { turn, commands }, wrote).map_err(|error| self.not_kept(&error))?;
        if wrote {
            prune::when_due(&self.store, self.clock.unix_ms());
        }
        Ok(())
    }

    fn not_kept(&self, error: &io::Error) -> String {
        let store = self.store.folder().display();
        format!("the changes of this session cannot all be undone: cannot write to {store}: {error}")
    }
}

impl Progress {
    fn open(&mut self, path: &Path) -> io::Result<()> {
        if self.journal.is_none() {
            self.journal = Some(Journal::open(path)?);
        }
        Ok(())
    }

    fn running(&mut self, turn: TurnId) -> &mut Running {
        self.turn = self.turn.take().filter(|running| running.id == turn);
        self.turn.get_or_insert_with(|| Running { id: turn, files: BTreeMap::new(), commands: 0 })
    }

    fn write(&mut self, line: &Line, sync: bool) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append(line)?;
        if sync { journal.sync() } else { Ok(()) }
    }

    /// What to tell the person: the first trouble only.
    fn warning(&mut self, result: Result<(), String>) -> Option<String> {
        let message = result.err().filter(|_| !self.warned)?;
        self.warned = true;
        Some(message)
    }
}

impl Checkpoints for Checkpointer {
    fn before_write(&self, turn: TurnId, paths: &[PathBuf]) -> Option<String> {
        let mut progress = self.state();
        let result = self.keep(&mut progress, turn, paths);
        progress.warning(result)
    }

    fn after_write(&self, turn: TurnId, paths: &[PathBuf]) -> Option<String> {
        let touched: Vec<PathBuf> = paths.iter().flat_map(|path| places::touched(path)).collect();
        // Folders that were missing are there now, so they are found by what lies in them.
        let concerned = |path: &Path| touched.iter().any(|touched| touched.starts_with(path));
        let mut progress = self.state();
        let result = self.note(&mut progress, turn, |path, _, _| concerned(path), false);
        progress.warning(result)
    }

    fn command_started(&self, turn: TurnId) {
        self.state().running(turn).commands += 1;
    }

    fn turn_ended(&self, turn: TurnId) -> Option<String> {
        let mut progress = self.state();
        let result = self.end(&mut progress, turn);
        progress.warning(result)
    }
}

/// Keeps nothing, for `--ephemeral`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn before_write(&self, _: TurnId, _: &[PathBuf]) -> Option<String> {
        None
    }

    fn after_write(&self, _: TurnId, _: &[PathBuf]) -> Option<String> {
        None
    }

    fn command_started(&self, _: TurnId) {}

    fn turn_ended(&self, _: TurnId) -> Option<String> {
        None
    }
}
