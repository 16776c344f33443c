//! Lets go of what may go: what the person wants forgotten, turns that were reviewed long ago, damaged lines.
//!
//! What counts stays: turns that wait for a review, turns that something learned rests on, lines of another version of this program. The
//! journal is emptied of the forgotten last, since it is the journal that says what to look for: a process that dies half-way is
//! made good by the next one.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::line;
use super::log::{Line, Log};
use super::{DiskStore, failed};
use crate::evolution::ports::{Store as _, StoreError};
use crate::ledger::erase::{Forgotten, erase};
use crate::protocol::TurnId;
use crate::protocol::learned::{
    Entry, Exposure, MemoryState, Operation, Review, ReviewEnd, Scope, TurnKind, TurnRecord, Verdict, Work,
};

/// What stands where something forgotten stood.
const MARK: &str = "[forgotten]";

/// What is kept of what may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What ended before this goes, in milliseconds since the Unix epoch.
    pub before_ms: u64,
    /// Each log is at most this long; the oldest goes first.
    pub bytes: usize,
}

/// What went, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Forgotten entries whose content was erased.
    pub erased: usize,
    /// Records of turns, reviews and exposures that were dropped.
    pub dropped: usize,
    /// Records that something forgotten was taken out of.
    pub cleaned: usize,
    /// Damaged lines that were set aside.
    pub damaged: usize,
    /// Files that processes left that died.
    pub strays: usize,
}

impl std::ops::AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        self.erased += other.erased;
        self.dropped += other.dropped;
        self.cleaned += other.cleaned;
        self.damaged += other.damaged;
        self.strays += other.strays;
    }
}

/// What becomes of a record.
enum Fate<T> {
    Keep,
    Drop,
    Change(T),
}

impl DiskStore {
    /// The entries of a scope that were forgotten and of which something is left.
    ///
    /// # Errors
    /// The journal is there and cannot be read.
    pub fn forgotten(&self, scope: Scope) -> Result<Vec<Forgotten>, StoreError> {
        Ok(self.ledger(scope)?.forgotten())
    }

    /// Sweeps the records of the repository: `gone` goes out of them, what is beyond `limits` goes. With `dry_run` nothing is changed.
    ///
    /// # Errors
    /// A log cannot be read or written. What was swept before stays so.
    pub fn sweep(&self, limits: Limits, gone: &[Forgotten], dry_run: bool) -> Result<Swept, StoreError> {
        let rests_on = self.rests_on()?;
        let _lock = self.lock(self.folder(Scope::Repo))?;
        let reviewed: BTreeSet<TurnId> = self
            .reviews()?
            .into_iter()
            .filter(|review| review.end == ReviewEnd::Done)
            .flat_map(|review| review.covers)
            .collect();
        let mut kept: HashSet<TurnId> = HashSet::new();
        let forgotten: BTreeSet<TurnId> = gone.iter().flat_map(|forgotten| forgotten.turns.iter().copied()).collect();
        let may_go = |turn: &TurnRecord| {
            (turn.kind != TurnKind::Person || reviewed.contains(&turn.turn)) && !rests_on.contains(&turn.turn)
        };
        let mut swept = Swept::default();
        swept += self.rewrite(
            &self.log(Scope::Repo, "turns.jsonl"),
            limits.bytes,
            dry_run,
            |turn: &TurnRecord, is_beyond| {
                let is_due = is_beyond || turn.ended_ms < limits.before_ms || forgotten.contains(&turn.turn);
                if kept.contains(&turn.turn) || (is_due && may_go(turn)) {
                    return Fate::Drop;
                }
                kept.insert(turn.turn);
                clean_turn(turn, gone).map_or(Fate::Keep, Fate::Change)
            },
        )?;
        swept += self.rewrite(
            &self.log(Scope::Repo, "reviews.jsonl"),
            limits.bytes,
            dry_run,
            |review: &Review, is_beyond| {
                let is_old = is_beyond || review.at_ms < limits.before_ms;
                if is_old && !review.covers.iter().any(|turn| kept.contains(turn)) {
                    return Fate::Drop;
                }
                clean_review(review, gone).map_or(Fate::Keep, Fate::Change)
            },
        )?;
        swept += self.rewrite(
            &self.log(Scope::Repo, "exposures.jsonl"),
            limits.bytes,
            dry_run,
            |shown: &Exposure, is_beyond| {
                let is_old = is_beyond || (shown.at_ms < limits.before_ms && !kept.contains(&shown.turn));
                if is_old { Fate::Drop } else { Fate::Keep }
            },
        )?;
        swept.strays += self.remove_strays(limits, dry_run)?;
        Ok(swept)
    }

    /// Empties the journal of a scope of `gone`, and sets its damaged lines aside.
    ///
    /// # Errors
    /// The journal cannot be read or written; then it is as it was.
    pub fn erase(&self, scope: Scope, gone: &[Forgotten], dry_run: bool) -> Result<Swept, StoreError> {
        let _lock = self.lock(self.folder(scope))?;
        let fate = |operation: &Operation, _| erase(operation, gone).map_or(Fate::Keep, Fate::Change);
        let swept = self.rewrite(&self.journal(scope), usize::MAX, dry_run, fate)?;
        Ok(Swept { erased: gone.len(), cleaned: 0, ..swept })
    }

    /// The turns that something learned, and not forgotten, rests on.
    fn rests_on(&self) -> Result<BTreeSet<TurnId>, StoreError> {
        let mut turns = BTreeSet::new();
        for scope in [Scope::Repo, Scope::User] {
            let ledger = self.ledger(scope)?;
            let evidence = ledger.entries().flat_map(|entry| match entry {
                Entry::Memory(memory) if memory.state == MemoryState::Forgotten => &[],
                Entry::Memory(memory) => memory.evidence.as_slice(),
                Entry::Skill(skill) => skill.evidence.as_slice(),
            });
            turns.extend(evidence.map(|evidence| evidence.turn));
        }
        Ok(turns)
    }

    /// Decides of every record of a log, oldest first; whether it is beyond the length a log may have is told. What is kept stays byte
    /// for byte, what another version wrote as well. Call it under the lock.
    fn rewrite<T: Serialize + DeserializeOwned>(
        &self,
        log: &Log<T>,
        bytes: usize,
        dry_run: bool,
        mut fate: impl FnMut(&T, bool) -> Fate<T>,
    ) -> Result<Swept, StoreError> {
        let lines = log.lines().map_err(|error| failed("read", log.path(), &error))?;
        let mut left: usize = lines.iter().map(|(text, _)| text.len() + 1).sum();
        let mut swept = Swept::default();
        let (mut kept, mut damaged) = (Vec::new(), Vec::new());
        for (text, value) in lines {
            let length = text.len() + 1;
            match value.as_ref().map(|value| fate(value, left > bytes)) {
                Ok(Fate::Keep) => kept.push(text),
                Ok(Fate::Drop) => {
                    swept.dropped += 1;
                    left -= length;
                }
                Ok(Fate::Change(value)) => {
                    swept.cleaned += 1;
                    let line = line::write(&value).map_err(|error| failed("write", log.path(), &error.into()))?;
                    kept.push(line.strip_suffix(b"\n").unwrap_or(&line).to_vec());
                }
                Err(why) if line::FOREIGN.contains(why) => kept.push(text),
                Err(_) => damaged.push(text),
            }
        }
        swept.damaged = damaged.len();
        if dry_run || swept == Swept::default() {
            return Ok(swept);
        }
        if !damaged.is_empty() {
            let aside: Log<T> = Log::new(log.path().with_extension("damaged"));
            let mut lines: Vec<Vec<u8>> =
                aside.lines().unwrap_or_default().into_iter().map(|(text, _): Line<T>| text).collect();
            lines.extend(damaged);
            aside.replace(&lines).map_err(|error| failed("write", aside.path(), &error))?;
        }
        log.replace(&kept).map_err(|error| failed("write", log.path(), &error))?;
        Ok(swept)
    }

    /// Files that were to take the place of others when a process died, and damaged lines set aside long ago. Whoever writes has the
    /// lock, so nobody is at work on them.
    fn remove_strays(&self, limits: Limits, dry_run: bool) -> Result<usize, StoreError> {
        let folder = self.folder(Scope::Repo);
        let mut strays = 0;
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_temporary = entry.file_name().to_string_lossy().starts_with(".tmp");
            let is_aside = path.extension().is_some_and(|kind| kind == "damaged");
            let age = entry
                .metadata()
                .and_then(|data| data.modified())
                .ok()
                .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let is_old = age.is_some_and(|age: Duration| age < Duration::from_millis(limits.before_ms));
            if is_temporary || (is_aside && is_old) {
                strays += 1;
                if !dry_run {
                    fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
                }
            }
        }
        Ok(strays)
    }
}

/// A text without forgotten words.
fn clean(text: &str, gone: &[Forgotten]) -> String {
    let mut clean = text.to_owned();
    for words in gone.iter().flat_map(|forgotten| &forgotten.words) {
        clean = clean.replace(words, MARK);
    }
    clean
}

/// A turn without forgotten words; `None` when it holds none.
fn clean_turn(turn: &TurnRecord, gone: &[Forgotten]) -> Option<TurnRecord> {
    let mut cleaned = turn.clone();
    let texts = cleaned.said.iter_mut().chain(&mut cleaned.answer);
    texts.for_each(|text| *text = clean(text, gone));
    for call in &mut cleaned.calls {
        call.output = clean(&call.output, gone);
        if let Work::Command { line: text, .. } | Work::Other { summary: text } = &mut call.work {
            *text = clean(text, gone);
        }
    }
    (cleaned != *turn).then_some(cleaned)
}

/// A review without the texts of forgotten entries; `None` when it holds none.
fn clean_review(review: &Review, gone: &[Forgotten]) -> Option<Review> {
    let mut cleaned = review.clone();
    for decision in &mut cleaned.decisions {
        let is_of = |forgotten: &Forgotten| match &decision.verdict {
            Verdict::Kept(id) | Verdict::Merged(id) => *id == forgotten.id,
            Verdict::Discarded(_) => forgotten.words.contains(&decision.text),
        };
        if gone.iter().any(is_of) {
            decision.text.clear();
        }
    }
    (cleaned != *review).then_some(cleaned)
}
