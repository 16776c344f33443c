//! What becomes of verified candidates beside what is known already. Pure: a ledger goes in, operations come out.
//!
//! The same again is more evidence; what says otherwise takes the older one's place, if it weighs as much and is newer, or is
//! dropped. Nothing is ever left standing against something else.

use super::relation::{Relation, SAME, relation};
use super::settings::Mode;
use super::stage::{Verified, decision};
use crate::ledger::Ledger;
use crate::protocol::learned::{
    Authority, Candidate, Decision, Discard, Edit, Entry, EntryId, Memory, MemoryKind, MemoryState, OpId, Operation,
    Proposal, Scope, Verb, Verdict,
};
use crate::text::similar::similarity;

/// How many memories a scope holds at most.
pub const MOST_ENTRIES: usize = 200;
/// How many characters their texts have at most.
pub const MOST_CHARS: usize = 24_000;
/// What a scope's candidates come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// The changes, in order.
    pub operations: Vec<Operation>,
    /// What became of each candidate, in order.
    pub decisions: Vec<Decision>,
}

/// What is to be done with a candidate.
enum Outcome {
    Add,
    Replace(Vec<EntryId>),
    Confirm(EntryId),
    Retire(EntryId),
    Drop(Discard),
}

/// Settles the candidates of `scope` one after the other, each beside what the ones before it changed.
#[must_use]
pub fn settle(candidates: &[Verified], scope: Scope, ledger: &Ledger, mode: Mode, now_ms: u64) -> Settled {
    let mut desk = Desk { ledger: ledger.clone(), scope, mode, now_ms, settled: Settled::default() };
    for candidate in candidates.iter().filter(|verified| verified.candidate.scope == scope) {
        let verdict = desk.take(candidate);
        desk.settled.decisions.push(decision(&candidate.candidate, verdict));
    }
    desk.settled
}

struct Desk {
    ledger: Ledger,
    scope: Scope,
    mode: Mode,
    now_ms: u64,
    settled: Settled,
}

impl Desk {
    fn take(&mut self, verified: &Verified) -> Verdict {
        match self.outcome(verified) {
            Outcome::Drop(why) => Verdict::Discarded(why),
            Outcome::Confirm(id) => self.confirm(verified, &id),
            Outcome::Retire(id) => self.retire(&id, "no longer holds", verified),
            Outcome::Add => self.add(verified, &[]),
            Outcome::Replace(ids) => self.add(verified, &ids),
        }
    }

    fn outcome(&self, verified: &Verified) -> Outcome {
        let candidate = &verified.candidate;
        if self.is_rejected(verified) {
            return Outcome::Drop(Discard::NotAllowed);
        }
        let named: Vec<EntryId> = match &candidate.proposal {
            Proposal::Add => Vec::new(),
            Proposal::Replace(id) | Proposal::Retire(id) => vec![id.clone()],
            Proposal::Merge(ids) => ids.clone(),
        };
        // A target that is not there, or names several, is a mistake, and not done quietly some other way.
        if named.iter().any(|id| !self.standing().any(|memory| memory.id == *id)) {
            return Outcome::Drop(Discard::Malformed);
        }
        let mut beaten = named;
        let mut same = None;
        for memory in self.standing() {
            match relation(candidate, memory) {
                Relation::None => {}
                Relation::Same => _ = same.get_or_insert_with(|| memory.id.clone()),
                Relation::Near if verified.authority >= memory.authority && candidate.kind == memory.kind => {
                    beaten.push(memory.id.clone());
                }
                Relation::Near => _ = same.get_or_insert_with(|| memory.id.clone()),
                Relation::Contrary => beaten.push(memory.id.clone()),
            }
        }
        beaten.dedup();
        let wins = |memory: &Memory| {
            let newer = verified.of_ms >= memory.updated_ms || memory.created_ms == self.now_ms;
            let weighs = verified.authority >= memory.authority.min(Authority::Said);
            newer && weighs && (!memory.pinned || verified.authority >= Authority::Said)
        };
        if self.standing().any(|memory| beaten.contains(&memory.id) && !wins(memory)) {
            return Outcome::Drop(Discard::Conflict);
        }
        match (&candidate.proposal, same) {
            (Proposal::Retire(id), _) => Outcome::Retire(id.clone()),
            (_, Some(id)) if beaten.is_empty() => Outcome::Confirm(id),
            _ if beaten.is_empty() => Outcome::Add,
            _ => Outcome::Replace(beaten),
        }
    }

    /// The memories a candidate has to stand beside.
    fn standing(&self) -> impl Iterator<Item = &Memory> {
        let stands = |memory: &&Memory| {
            matches!(memory.state, MemoryState::Active | MemoryState::Staged | MemoryState::Stale(_))
        };
        self.ledger.memories().filter(stands)
    }

    /// Whether the person did away with the same, and has not said it again since.
    fn is_rejected(&self, verified: &Verified) -> bool {
        let by_person = |operation: &&Operation| matches!(operation.verb, Verb::Reject | Verb::Forget);
        let stands = |operation: &&Operation| !self.ledger.is_undone(&operation.id);
        self.ledger.operations().iter().filter(by_person).filter(stands).any(|operation| {
            let said_again = verified.authority >= Authority::Said && verified.of_ms > operation.at_ms;
            let of = |entry: &Entry| matches!(entry, Entry::Memory(memory) if similarity(&memory.text, &verified.candidate.text) >= SAME);
            !said_again && operation.edits.iter().filter_map(Edit::entry).any(of)
        })
    }

    fn confirm(&mut self, verified: &Verified, id: &EntryId) -> Verdict {
        let Some(Entry::Memory(before)) = self.ledger.get(id).cloned() else {
            return Verdict::Discarded(Discard::Malformed);
        };
        let mut after = before.clone();
        let new = verified.candidate.evidence.iter().filter(|evidence| evidence.source.may_instruct());
        let new: Vec<_> = new.filter(|evidence| !before.evidence.contains(evidence)).cloned().collect();
        if new.is_empty() {
            return Verdict::Discarded(Discard::Duplicate);
        }
        after.evidence.extend(new);
        // The newest and the first are enough to show why; the rest is in the turns.
        while after.evidence.len() > 8 {
            after.evidence.remove(1);
        }
        after.authority = after.authority.max(verified.authority);
        after.updated_ms = after.updated_ms.max(self.now_ms);
        self.push(Verb::Confirm, "seen again".to_owned(), verified, vec![edit(Some(before), Some(after))]);
        Verdict::Merged(id.clone())
    }

    fn retire(&mut self, id: &EntryId, why: &str, verified: &Verified) -> Verdict {
        let Some(Entry::Memory(before)) = self.ledger.get(id).cloned() else {
            return Verdict::Discarded(Discard::Malformed);
        };
        if self.mode < Mode::Auto {
            return Verdict::Discarded(Discard::NotAllowed);
        }
        let after = Memory { state: MemoryState::Retired(why.to_owned()), ..before.clone() };
        self.push(Verb::Retire, why.to_owned(), verified, vec![edit(Some(before), Some(after))]);
        Verdict::Merged(id.clone())
    }

    fn add(&mut self, verified: &Verified, replaces: &[EntryId]) -> Verdict {
        let memory = self.memory(verified);
        if self.ledger.get(&memory.id).is_some() {
            return Verdict::Discarded(Discard::Duplicate);
        }
        // What waits for approval leaves in place what it would replace.
        let replaces: &[EntryId] = if memory.state == MemoryState::Active { replaces } else { &[] };
        if !self.make_room(&memory, replaces, verified) {
            return Verdict::Discarded(Discard::OverBudget);
        }
        let gone = replaces.iter().filter_map(|id| match self.ledger.get(id) {
            Some(Entry::Memory(before)) => {
                let after = Memory { state: MemoryState::Superseded(memory.id.clone()), ..before.clone() };
                Some(edit(Some(before.clone()), Some(after)))
            }
            _ => None,
        });
        let mut edits: Vec<Edit> = gone.collect();
        let verb = match edits.len() {
            0 => Verb::Add,
            1 => Verb::Replace,
            _ => Verb::Merge,
        };
        let (id, why) = (memory.id.clone(), why(verified));
        edits.push(edit(None, Some(memory)));
        self.push(verb, why, verified, edits);
        Verdict::Kept(id)
    }

    fn memory(&self, verified: &Verified) -> Memory {
        let Verified { candidate, authority, .. } = verified;
        Memory {
            id: EntryId::of(self.scope.name(), &candidate.text, self.now_ms),
            kind: candidate.kind,
            scope: self.scope,
            text: candidate.text.clone(),
            state: state(candidate, *authority, self.mode),
            pinned: false,
            authority: *authority,
            author: candidate.author.clone(),
            created_ms: self.now_ms,
            updated_ms: self.now_ms,
            evidence: candidate.evidence.clone(),
            about: candidate.about.clone(),
            pitfall: candidate.pitfall.clone(),
        }
    }

    /// Whether there is room for a memory, or some was made by retiring what weighs least.
    fn make_room(&mut self, new: &Memory, replaces: &[EntryId], verified: &Verified) -> bool {
        loop {
            let stay: Vec<&Memory> = self.standing().filter(|memory| !replaces.contains(&memory.id)).collect();
            let chars = |memory: &Memory| memory.text.chars().count();
            let total = stay.iter().map(|memory| chars(memory)).sum::<usize>() + chars(new);
            if stay.len() < MOST_ENTRIES && total <= MOST_CHARS {
                return true;
            }
            let may_go = |memory: &&&Memory| !memory.pinned && memory.authority < new.authority.max(Authority::Outcome);
            let least =
                stay.iter().filter(may_go).min_by_key(|memory| (memory.authority, memory.updated_ms, &memory.id));
            let Some(id) = least.map(|memory| memory.id.clone()).filter(|_| self.mode == Mode::Auto) else {
                return false;
            };
            self.retire(&id, "made room for something that weighs more", verified);
        }
    }

    fn push(&mut self, verb: Verb, why: String, verified: &Verified, edits: Vec<Edit>) {
        let operation = Operation {
            id: OpId::of(self.scope.name(), self.ledger.sequence(), self.now_ms),
            at_ms: self.now_ms,
            by: verified.candidate.author.clone(),
            session: Some(verified.thread),
            verb,
            why,
            edits,
        };
        // It was made from this very ledger, so it fits.
        if self.ledger.apply(operation.clone()).is_ok() {
            self.settled.operations.push(operation);
        }
    }
}

fn edit(before: Option<Memory>, after: Option<Memory>) -> Edit {
    Edit { before: before.map(Entry::Memory), after: after.map(Entry::Memory) }
}

fn why(verified: &Verified) -> String {
    match verified.authority {
        Authority::Said | Authority::Written => "you said so".to_owned(),
        Authority::Outcome => "exit statuses say so".to_owned(),
        Authority::Imported | Authority::Text => "it was read".to_owned(),
    }
}

/// Whether something comes into use by itself.
fn state(candidate: &Candidate, authority: Authority, mode: Mode) -> MemoryState {
    let is_safe = match candidate.kind {
        MemoryKind::Fact | MemoryKind::Pitfall | MemoryKind::Reference => authority >= Authority::Outcome,
        MemoryKind::Rule | MemoryKind::Preference => authority >= Authority::Said,
    };
    let at_once = mode == Mode::Auto && candidate.scope == Scope::Repo && is_safe;
    if at_once { MemoryState::Active } else { MemoryState::Staged }
}
