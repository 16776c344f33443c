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
    /// What it may have changed, and what its last write there left.
    files: BTreeMap<PathBuf, Option<State>>,
    commands: u32,
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
        progress.open(&self.journal_path).map_err(|error| self.not_kept(&error))?;
        let running = progress.running(turn);
        let mut trouble = None;
        let mut files = Vec::new();
        for path in paths.iter().flat_map(|path| places::touched(path)) {
            // What a later write of the turn finds is not what was there before the turn: recorded, but not kept.
            let keep = (!running.files.contains_key(&path)).then_some(&self.blobs);
            let state = State::capture(&path, keep).unwrap_or_else(|error| {
                trouble.get_or_insert_with(|| format!("undo will not bring back {}: {error}", path.display()));
                State::Other
            });
            running.files.insert(path.clone(), None);
            files.push(Entry { path, state });
        }
        let line = Line::Before { turn, at_ms: self.clock.unix_ms(), files };
        progress.write(&line, true).map_err(|error| self.not_kept(&error))?;
        trouble.map_or(Ok(()), Err)
    }

    /// Records what a write made of the paths that concern it.
    fn note(&self, progress: &mut Progress, turn: TurnId, concerns: impl Fn(&Path) -> bool) -> Result<(), String> {
        let mut files = Vec::new();
        for (path, after) in progress.running(turn).files.iter_mut().filter(|(path, _)| concerns(path)) {
            let state = State::capture(path, None).unwrap_or(State::Other);
            *after = Some(state.clone());
            files.push(Entry { path: path.clone(), state });
        }
        self.record(progress, turn, false, files)
    }

    fn record(&self, progress: &mut Progress, turn: TurnId, by_others: bool, files: Vec<Entry>) -> Result<(), String> {
        if files.is_empty() {
            return Ok(());
        }
        progress.write(&Line::After { turn, by_others, files }, false).map_err(|error| self.not_kept(&error))
    }

    fn end(&self, progress: &mut Progress, turn: TurnId) -> Result<(), String> {
        let Some(running) = progress.turn.take().filter(|running| running.id == turn) else { return Ok(()) };
        let (commands, wrote) = (running.commands, !running.files.is_empty());
        if !wrote && !self.journal_path.exists() {
            return Ok(());
        }
        progress.open(&self.journal_path).map_err(|error| self.not_kept(&error))?;
        let [mut by_turn, mut by_others] = [Vec::new(), Vec::new()];
        for (path, after) in running.files {
            let state = State::capture(&path, None).unwrap_or(State::Other);
            match after {
                Some(after) if after == state => {}
                Some(_) => by_others.push(Entry { path, state }),
                None => by_turn.push(Entry { path, state }),
            }
        }
        self.record(progress, turn, false, by_turn)?;
        self.record(progress, turn, true, by_others)?;
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
        let concerns = |path: &Path| touched.iter().any(|touched| touched.starts_with(path));
        let mut progress = self.state();
        let result = self.note(&mut progress, turn, concerns);
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
