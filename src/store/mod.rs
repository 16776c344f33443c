//! Floor 3: what is learned, on disk.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`DiskStore`]: the port's functions |
//! | [`mod@line`] | one line of a log: its checksum, its version |
//! | [`log`] | a file of such lines: appending, reading, setting damage aside |
//! | [`lock`] | one writer at a time |
//! | [`mod@write`] | private files and folders, written whole or not at all |
//! | [`gc`] | what may go: the forgotten, the old, the damaged |
//! | [`views`] | the Markdown beside a journal |
//! | [`skills`] | the folders of skills |
//!
//! `$CODEX_HOME/hone/projects/<repository>/` holds what concerns one repository, `$CODEX_HOME/hone/user/` what concerns the person.
//! The logs are the truth. Everything else is made from them, and made again when it is missing or behind.

pub mod gc;
pub mod line;
pub mod lock;
pub mod log;
pub mod skills;
pub mod views;
pub mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::Log;

use crate::agent::ports::Clock;
use crate::evolution::ports::{Scores, Store, StoreError};
use crate::ledger::Ledger;
use crate::protocol::learned::{Edit, Entry, Exposure, Operation, Review, Scope, TurnRecord};
use crate::protocol::{ErrorKind, UserError};

/// How long a writer waits for another one to finish.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader does who finds something to write.
const READER_PATIENCE: Duration = Duration::from_millis(200);

/// What to do when the disk says no.
const ROOM: &str = "see that the disk has room and that the folder is yours";

/// What measuring came to: derived, and measured again when it is gone.
const SCORES: &str = "scores.json";

/// The store of one repository and of the person, below a home folder. Makes nothing before it writes something.
pub struct DiskStore {
    home: PathBuf,
    repo: PathBuf,
    user: PathBuf,
    clock: Arc<dyn Clock>,
    damage: Mutex<Vec<String>>,
}

impl DiskStore {
    /// The store below `home`, for the repository with this id, which is a name a folder can have.
    #[must_use]
    pub fn new(home: &Path, repo_id: &str, clock: Arc<dyn Clock>) -> Self {
        let root = home.join("hone");
        let (repo, user) = (root.join("projects").join(repo_id), root.join("user"));
        Self { home: home.to_owned(), repo, user, clock, damage: Mutex::default() }
    }

    /// The folder of a scope.
    #[must_use]
    pub fn folder(&self, scope: Scope) -> &Path {
        match scope {
            Scope::Repo => &self.repo,
            Scope::User => &self.user,
        }
    }

    /// The view of a scope.
    #[must_use]
    pub fn view(&self, scope: Scope) -> PathBuf {
        self.folder(scope).join(match scope {
            Scope::Repo => "MEMORY.md",
            Scope::User => "USER.md",
        })
    }

    /// The home folder it is in.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    fn log<T>(&self, scope: Scope, name: &'static str) -> Log<T> {
        Log::new(self.folder(scope).join(name))
    }

    fn journal(&self, scope: Scope) -> Log<Operation> {
        self.log(scope, "journal.jsonl")
    }

    /// Reads a log; what is damaged in it is remembered for [`Store::damage`].
    fn read<T: serde::de::DeserializeOwned>(&self, log: &Log<T>) -> Result<Vec<T>, StoreError> {
        let read = || log.read().map_err(|error| failed("read", log.path(), &error));
        let mut contents = read()?;
        if contents.torn.is_some() {
            // Whoever has the lock may be writing this line. When nobody has it, what is there is all there will be.
            match lock::Lock::take(log.path().parent().unwrap_or(&self.home), Duration::ZERO) {
                Ok(_lock) => contents = read()?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => contents.torn = None,
                Err(_) => {}
            }
        }
        self.note(contents.damage.into_iter().chain(contents.torn).collect());
        Ok(contents.values)
    }

    fn note(&self, found: Vec<String>) {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        for message in found {
            if !damage.contains(&message) {
                damage.push(message);
            }
        }
    }

    fn append<T: serde::Serialize>(&self, log: &Log<T>, values: &[T]) -> Result<(), StoreError> {
        let _lock = self.lock(log.path().parent().unwrap_or(&self.home))?;
        log.append(values).map(drop).map_err(|error| failed("write", log.path(), &error))
    }

    fn lock(&self, folder: &Path) -> Result<lock::Lock, StoreError> {
        match lock::Lock::take(folder, PATIENCE) {
            Ok(lock) => Ok(lock),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(StoreError::Busy(folder.display().to_string()))
            }
            Err(error) => Err(failed("lock", folder, &error)),
        }
    }

    /// What is learned, as the journal tells it.
    fn fold(&self, scope: Scope) -> Result<Ledger, StoreError> {
        let journal = self.journal(scope);
        let (ledger, misfits) = Ledger::fold(self.read(&journal)?);
        let path = journal.path().display();
        self.note(misfits.iter().map(|misfit| format!("{path}: {misfit}, so it is passed over")).collect());
        Ok(ledger)
    }

    /// Takes over what the person changed in the view and in the skills, if anything, and makes what is made from the ledger again
    /// when it is behind. Call it under the lock.
    fn take_over(&self, scope: Scope, ledger: &mut Ledger) -> Result<(), StoreError> {
        let before = ledger.clone();
        let written = self.by_hand(scope, ledger)?;
        let operations: Vec<Operation> = written.into_iter().chain(self.look(scope, ledger).by_hand).collect();
        let journal = self.journal(scope);
        let mut length = None;
        if !operations.is_empty() {
            let appended = journal.append(&operations);
            length = Some(appended.map_err(|error| failed("write", journal.path(), &error))?);
            for operation in operations {
                ledger.apply(operation).map_err(|_| StoreError::Moved)?;
            }
        }
        self.publish(scope, ledger, ledger, ledger).map_err(|(path, error)| {
            let why = failed("write", &path, &error);
            length.map_or(why.clone(), |length| self.roll_back(scope, &before, ledger, length, why))
        })
    }

    /// Leaves what was written of a change that could not be finished: everything that is made from the journal is made again as it
    /// was, and then the journal's new lines go, last, so that nothing is left that it does not know of. Returns why, and what of that
    /// did not succeed either.
    fn roll_back(&self, scope: Scope, before: &Ledger, after: &Ledger, length: u64, why: StoreError) -> StoreError {
        if let Err((path, error)) = self.publish(scope, before, before, after) {
            self.note(vec![format!("{} is behind, and is made again when it is read: {error}", path.display())]);
        }
        let journal = self.journal(scope);
        if let Err(error) = journal.cut(length) {
            let path = journal.path().display();
            let both = format!("{why}; and {path} could not be cut back, so the change stays: {error}");
            self.note(vec![both.clone()]);
            return StoreError::Failed(UserError::new(ErrorKind::Storage, both).hint(ROOM));
        }
        why
    }

    /// What is learned, when the view says something else: with what the person wrote there taken over. Whoever reads must not be
    /// stopped by a full disk or a writer, so what cannot be kept now counts all the same, and is kept by whoever can.
    fn catch_up(&self, scope: Scope, mut ledger: Ledger) -> Ledger {
        let lock = lock::Lock::take(self.folder(scope), READER_PATIENCE).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => StoreError::Busy(self.folder(scope).display().to_string()),
            _ => failed("lock", self.folder(scope), &error),
        });
        let kept = lock.and_then(|_lock| {
            let mut ledger = self.fold(scope)?;
            self.take_over(scope, &mut ledger).map(|()| ledger)
        });
        match kept {
            Ok(kept) => return kept,
            Err(StoreError::Busy(_)) => {}
            Err(error) => self.note(vec![format!("{} is not up to date: {error}", self.view(scope).display())]),
        }
        if let Ok(Some(operation)) = self.by_hand(scope, &ledger) {
            ledger.apply(operation).unwrap_or_default();
        }
        ledger
    }

    /// How the folders of skills stand to `ledger`. What is in the way there is told of and blocks nothing.
    fn look(&self, scope: Scope, ledger: &Ledger) -> skills::Look {
        let look = skills::Places::new(&self.home).look(scope, ledger, self.clock.unix_ms());
        look.map_or_else(
            |(path, error)| {
                self.note(vec![format!("{}: {error}, so that skill is passed over", path.display())]);
                skills::Look::default()
            },
            |look| {
                let told = |path: &PathBuf| {
                    format!("{}: somebody else's skill is where one of ours belongs; it is left alone", path.display())
                };
                self.note(look.foreign.iter().map(told).collect());
                look
            },
        )
    }

    fn by_hand(&self, scope: Scope, ledger: &Ledger) -> Result<Option<Operation>, StoreError> {
        let path = self.view(scope);
        match std::fs::read(&path) {
            Ok(view) => Ok(ledger.by_hand(scope, &String::from_utf8_lossy(&view), self.clock.unix_ms())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path, &error)),
        }
    }

    /// Makes everything that is made from a ledger what it should be, where it was made from `was`, or was on the way to `known`.
    fn publish(&self, scope: Scope, ledger: &Ledger, was: &Ledger, known: &Ledger) -> Result<(), skills::Trouble> {
        views::publish(&self.view(scope), ledger.view(scope).as_deref())?;
        let has_skills = known.operations().iter().flat_map(|operation| &operation.edits).any(is_of_skill);
        if !has_skills {
            return Ok(());
        }
        let places = skills::Places::new(&self.home);
        // Two repositories could give a skill the same name at the same moment.
        let _lock = lock::Lock::take(places.folder(), PATIENCE).map_err(|error| (places.folder().to_owned(), error))?;
        places.publish(ledger, was, known)
    }
}

impl Store for DiskStore {
    fn append_turn(&self, record: &TurnRecord) -> Result<(), StoreError> {
        self.append(&self.log(Scope::Repo, "turns.jsonl"), std::slice::from_ref(record))
    }

    fn append_exposures(&self, exposures: &[Exposure]) -> Result<(), StoreError> {
        if exposures.is_empty() {
            return Ok(());
        }
        let log = self.log(Scope::Repo, "exposures.jsonl");
        let _lock = self.lock(&self.repo)?;
        // Statistics: a few lines lost in a power cut are not worth the milliseconds of every turn.
        log.append_unsynced(exposures).map(drop).map_err(|error| failed("write", log.path(), &error))
    }

    fn append_review(&self, review: &Review) -> Result<(), StoreError> {
        self.append(&self.log(Scope::Repo, "reviews.jsonl"), std::slice::from_ref(review))
    }

    fn turns(&self) -> Result<Vec<TurnRecord>, StoreError> {
        let mut turns: Vec<TurnRecord> = self.read(&self.log(Scope::Repo, "turns.jsonl"))?;
        // Two processes end turns at the same time: ids tell which began first. A turn that is there twice counts once.
        turns.sort_by_key(|record| (record.ended_ms, record.turn));
        let mut seen = std::collections::HashSet::new();
        turns.retain(|record| seen.insert(record.turn));
        Ok(turns)
    }

    fn exposures(&self) -> Result<Vec<Exposure>, StoreError> {
        self.read(&self.log(Scope::Repo, "exposures.jsonl"))
    }

    fn reviews(&self) -> Result<Vec<Review>, StoreError> {
        self.read(&self.log(Scope::Repo, "reviews.jsonl"))
    }

    fn ledger(&self, scope: Scope) -> Result<Ledger, StoreError> {
        let ledger = self.fold(scope)?;
        let look = self.look(scope, &ledger);
        match views::is_behind(&self.view(scope), ledger.view(scope).as_deref()) {
            Ok(false) if !look.is_behind && look.by_hand.is_none() => Ok(ledger),
            Ok(_) => Ok(self.catch_up(scope, ledger)),
            Err(error) => {
                self.note(vec![format!("{}: {error}, so it is passed over", self.view(scope).display())]);
                Ok(ledger)
            }
        }
    }

    fn commit(&self, scope: Scope, base: u64, operations: &[Operation]) -> Result<(), StoreError> {
        let _lock = self.lock(self.folder(scope))?;
        let mut before = self.fold(scope)?;
        self.take_over(scope, &mut before)?;
        if before.sequence() != base {
            return Err(StoreError::Moved);
        }
        let mut after = before.clone();
        for operation in operations {
            after.apply(operation.clone()).map_err(|_| StoreError::Moved)?;
        }
        let journal = self.journal(scope);
        let length = journal.append(operations).map_err(|error| failed("write", journal.path(), &error))?;
        self.publish(scope, &after, &before, &after)
            .map_err(|(path, error)| self.roll_back(scope, &before, &after, length, failed("write", &path, &error)))
    }

    fn skill_names(&self) -> Vec<String> {
        skills::Places::new(&self.home).names()
    }

    fn scores(&self) -> Scores {
        let bytes = std::fs::read(self.repo.join(SCORES)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn keep_scores(&self, scores: &Scores) -> Result<(), StoreError> {
        let path = self.repo.join(SCORES);
        if *scores == self.scores() {
            return Ok(());
        }
        let _lock = self.lock(&self.repo)?;
        let bytes = serde_json::to_vec(scores).map_err(io::Error::from);
        bytes.and_then(|bytes| write::replace(&path, &bytes)).map_err(|error| failed("write", &path, &error))
    }

    fn damage(&self) -> Vec<String> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn is_of_skill(edit: &Edit) -> bool {
    matches!(edit.entry(), Some(Entry::Skill(_)))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    let error = UserError::new(ErrorKind::Storage, format!("cannot {what} {}: {error}", path.display()));
    StoreError::Failed(error.hint(ROOM))
}
