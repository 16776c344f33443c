//! Shows a session what was learned before it, and keeps account of it.
//!
//! Nothing is read before the first turn, and then only what changed since. Whatever is shown, and whatever chance left out, is noted
//! and written when the turn ends.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::learning::Learning;
use super::recall::recalled;
use crate::agent::ports::{Clock, Files, Lesson, Lessons, Recalled, Stamp};
use crate::config::disk::Disk;
use crate::evolution::ports::{Scores, Store};
use crate::evolution::select::{self, Known, Occasion, Selection};
use crate::evolution::{Mode, advise};
use crate::ledger::Ledger;
use crate::protocol::event::Activity;
use crate::protocol::learned::{Entry, EntryId, Exposure, Memory, MemoryState, Place, Scope, SkillState};
use crate::protocol::{ThreadId, TurnId};
use crate::text::truncate::estimate_tokens;

/// The scopes in the order they are read.
const SCOPES: [Scope; 2] = [Scope::Repo, Scope::User];

/// The most passages of past sessions that come with a message nobody asked this about.
const MOST_RECALLED: usize = 2;

/// The lessons of one session.
pub struct SessionLessons {
    learning: Learning,
    thread: ThreadId,
    recorded: bool,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the ledgers were read from; empty before they were.
    read_from: Vec<Option<Stamp>>,
    ledgers: [Ledger; 2],
    scores: Scores,
    /// Shown or withheld in the running turn.
    pending: Vec<Noted>,
    /// Tokens of notes on calls so far.
    call_tokens: u32,
    /// What was noted in this session already.
    noted: BTreeSet<(EntryId, Place)>,
    /// Trouble the person does not know of yet, and all they were told.
    trouble: Option<String>,
    told: BTreeSet<String>,
}

/// An exposure whose turn has not ended.
struct Noted {
    at_ms: u64,
    entry: EntryId,
    place: Place,
    tokens: u32,
    withheld: bool,
}

impl SessionLessons {
    /// The lessons of a session; `None` when it is to be shown nothing. Of a session that is not `recorded` no account is kept.
    #[must_use]
    pub fn of(
        learning: &Learning,
        thread: ThreadId,
        recorded: bool,
        clock: Arc<dyn Clock>,
    ) -> Option<Arc<dyn Lessons>> {
        if learning.settings.mode <= Mode::Observe {
            return None;
        }
        let learning = learning.clone();
        Some(Arc::new(Self { learning, thread, recorded, clock, state: Mutex::default() }))
    }

    /// The state, with the ledgers as they are on disk.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let read_from = self.stamps();
        if state.read_from != read_from {
            for (scope, index) in SCOPES.into_iter().zip(0..) {
                match self.learning.store.ledger(scope) {
                    Ok(ledger) => state.ledgers[index] = ledger,
                    Err(error) => state.trouble = Some(format!("what was learned cannot be shown: {error}")),
                }
            }
            state.scores = self.learning.store.scores();
            // Reading takes over what a person wrote by hand, which changes the files. What could not be read is tried again.
            state.read_from = if state.trouble.is_none() { self.stamps() } else { Vec::new() };
        }
        state
    }

    /// What tells whether anything changed.
    fn stamps(&self) -> Vec<Option<Stamp>> {
        let store = &self.learning.store;
        let of = |scope| [store.folder(scope).join("journal.jsonl"), store.view(scope)];
        let files: Vec<PathBuf> = SCOPES.into_iter().flat_map(of).collect();
        files.iter().map(|path| Disk.stamp(path)).collect()
    }

    fn occasion<'a>(&self, message: &'a str) -> Occasion<'a> {
        Occasion { thread: self.thread, message, now_ms: self.clock.unix_ms() }
    }

    fn note(&self, state: &mut State, entry: &EntryId, place: Place, tokens: u32, withheld: bool) {
        if state.noted.insert((entry.clone(), place)) {
            let (at_ms, entry) = (self.clock.unix_ms(), entry.clone());
            state.pending.push(Noted { at_ms, entry, place, tokens, withheld });
        }
    }

    /// Notes what is shown and what is not, and puts it in the form it is shown in.
    fn show(&self, place: Place, choose: impl Fn(Known<'_>) -> Selection<'_>) -> Vec<Lesson> {
        let mut state = self.state();
        let State { ledgers: [repo, user], scores, .. } = &*state;
        let Selection { shown, withheld } = choose(Known { repo, user, scores });
        let lessons = shown.iter().map(|memory| select::lesson(memory)).collect();
        let noted = shown.iter().map(|memory| (memory, false)).chain(withheld.iter().map(|memory| (memory, true)));
        let noted: Vec<(EntryId, u32, bool)> =
            noted.map(|(memory, withheld)| (memory.id.clone(), select::tokens(memory), withheld)).collect();
        for (id, tokens, withheld) in noted {
            self.note(&mut state, &id, place, tokens, withheld);
        }
        lessons
    }

    /// What past sessions hold that clearly fits a message, within its half of the budget.
    fn recalled(&self, message: &str, was_shown: &dyn Fn(&str) -> bool) -> Vec<Lesson> {
        let mut left = self.learning.settings.recall_tokens / 2;
        if left == 0 {
            return Vec::new();
        }
        let past = self.learning.past_sessions().seen_from(&self.thread.to_string());
        let mut lessons = Vec::new();
        for hit in past.fitting(message, MOST_RECALLED) {
            let Recalled { id, who, date, text } = recalled(&hit);
            let tokens = u32::try_from(estimate_tokens(text.len() + 90)).unwrap_or(u32::MAX);
            if tokens > left || was_shown(&id) {
                continue;
            }
            left -= tokens;
            let mut state = self.state();
            self.note(&mut state, &EntryId(id.clone()), Place::Message, tokens, false);
            lessons.push(Lesson { id, text, source: format!("{who}, {date}") });
        }
        lessons
    }

    fn note_skill(&self, name: &str, place: Place) {
        let mut state = self.state();
        let active = |ledger: &Ledger| {
            let mut skills = ledger.skills().filter(|skill| skill.state == SkillState::Active);
            skills.find(|skill| skill.name == name).map(|skill| (skill.id.clone(), skill.description.len()))
        };
        if let Some((id, bytes)) = state.ledgers.iter().find_map(active) {
            let tokens = u32::try_from(estimate_tokens(bytes + name.len())).unwrap_or(u32::MAX);
            self.note(&mut state, &id, place, tokens, false);
        }
    }
}

impl Lessons for SessionLessons {
    fn at_start(&self, message: &str) -> Vec<Lesson> {
        self.show(Place::Start, |known| select::at_start(known, &self.occasion(message), &self.learning.settings))
    }

    fn withdrawn(&self, ids: &[&str]) -> Vec<String> {
        let state = self.state();
        let holds = |id: &EntryId| {
            let entry = state.ledgers.iter().find_map(|ledger| ledger.get(id));
            matches!(entry, Some(Entry::Memory(Memory { state: MemoryState::Active, .. })))
        };
        // A journal that cannot be read right now takes nothing back.
        let ids = ids.iter().filter(|_| !state.read_from.is_empty());
        ids.filter(|id| !holds(&EntryId((**id).to_owned()))).map(|id| (*id).to_owned()).collect()
    }

    fn with_message(&self, message: &str, was_shown: &dyn Fn(&str) -> bool) -> Vec<Lesson> {
        let (occasion, settings) = (self.occasion(message), &self.learning.settings);
        // What chance left out at the start is not let in by the next door.
        let at_start: BTreeSet<String> = {
            let state = self.state();
            let at_start = state.noted.iter().filter(|(_, place)| *place == Place::Start);
            at_start.map(|(id, _)| id.0.clone()).collect()
        };
        let was_shown = &|id: &str| was_shown(id) || at_start.contains(id);
        let mut lessons =
            self.show(Place::Message, |known| select::with_message(known, &occasion, settings, was_shown));
        lessons.extend(self.recalled(message, was_shown));
        lessons
    }

    fn with_call(&self, activity: &Activity) -> Option<Lesson> {
        let mut state = self.state();
        let memories = state.ledgers.iter().flat_map(Ledger::active_memories);
        let memory = advise::pitfall(memories, activity, &self.learning.root, self.clock.unix_ms())?.clone();
        let (tokens, settings) = (select::tokens(&memory) + select::FRAME_TOKENS, &self.learning.settings);
        let is_known = state.noted.contains(&(memory.id.clone(), Place::Call));
        if is_known || state.call_tokens + tokens > settings.recall_tokens {
            return None;
        }
        let withheld = select::is_withheld(&memory, self.thread, settings);
        state.call_tokens += if withheld { 0 } else { tokens };
        self.note(&mut state, &memory.id, Place::Call, tokens, withheld);
        (!withheld).then(|| Lesson { text: advise::words(&memory), ..select::lesson(&memory) })
    }

    fn offers_skill(&self, id: &str) -> bool {
        let (state, id) = (self.state(), EntryId(id.to_owned()));
        let active =
            |ledger: &Ledger| matches!(ledger.get(&id), Some(Entry::Skill(skill)) if skill.state == SkillState::Active);
        state.ledgers.iter().any(active)
    }

    fn skills_listed(&self, names: &[&str]) {
        names.iter().for_each(|name| self.note_skill(name, Place::Catalogue));
    }

    fn skill_given(&self, name: &str) {
        self.note_skill(name, Place::Skill);
    }

    fn turn_ended(&self, turn: TurnId) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = std::mem::take(&mut state.pending).into_iter().filter(|_| self.recorded);
        let thread = self.thread;
        let exposure = |Noted { at_ms, entry, place, tokens, withheld }| Exposure {
            at_ms,
            thread,
            turn,
            entry,
            place,
            tokens,
            withheld,
        };
        let shown: Vec<Exposure> = noted.map(exposure).collect();
        if let Err(error) = self.learning.store.append_exposures(&shown) {
            state.trouble = Some(format!("what was shown of earlier sessions could not be noted: {error}"));
        }
        let trouble = state.trouble.take()?;
        state.told.insert(trouble.clone()).then_some(trouble)
    }
}
