//! What the person wants gone, out of the journal for good.
//!
//! Operations stay, so that everything else folds as before and later operations keep their numbers. What they say of a forgotten entry
//! goes: its id and its state are left, which is how it stays forgotten.

use std::collections::BTreeSet;

use super::Ledger;
use crate::protocol::TurnId;
use crate::protocol::learned::{About, Edit, Entry, EntryId, Memory, MemoryState, Operation, Source};

/// An entry that was forgotten, and all that was ever said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The entry.
    pub id: EntryId,
    /// Its texts, and the words it was learned from.
    pub words: BTreeSet<String>,
    /// The turns it was learned from.
    pub turns: BTreeSet<TurnId>,
}

impl Ledger {
    /// The forgotten entries of which something is left.
    #[must_use]
    pub fn forgotten(&self) -> Vec<Forgotten> {
        let gone = self.memories().filter(|memory| memory.state == MemoryState::Forgotten);
        let all = gone.map(|memory| self.words_of(&memory.id));
        all.filter(|forgotten| !forgotten.words.is_empty()).collect()
    }

    fn words_of(&self, id: &EntryId) -> Forgotten {
        let mut forgotten = Forgotten { id: id.clone(), words: BTreeSet::new(), turns: BTreeSet::new() };
        let edits = self.operations().iter().flat_map(|operation| &operation.edits);
        let states = edits.flat_map(|edit| [&edit.before, &edit.after]).flatten();
        for entry in states.filter(|entry| entry.id() == id) {
            let Entry::Memory(memory) = entry else { continue };
            forgotten.turns.extend(memory.evidence.iter().map(|evidence| evidence.turn));
            let said = memory.evidence.iter().filter(|evidence| evidence.source != Source::Exit);
            let words = [&memory.text].into_iter().chain(said.map(|evidence| &evidence.quote));
            forgotten.words.extend(words.filter(|words| !words.is_empty()).cloned());
        }
        forgotten
    }
}

/// `operation` without what it says of `gone`; `None` when it says nothing of it.
#[must_use]
pub fn erase(operation: &Operation, gone: &[Forgotten]) -> Option<Operation> {
    let edits: Vec<Edit> = operation.edits.iter().map(|edit| without(edit, gone)).collect();
    let tells = gone.iter().flat_map(|forgotten| &forgotten.words).any(|words| operation.why.contains(words));
    if edits == operation.edits && !tells {
        return None;
    }
    let why = if tells { String::new() } else { operation.why.clone() };
    Some(Operation { edits, why, ..operation.clone() })
}

/// Every state of an entry is emptied in the same way, so that they still follow each other.
fn without(edit: &Edit, gone: &[Forgotten]) -> Edit {
    let empty = |entry: &Option<Entry>| match entry {
        Some(Entry::Memory(memory)) if gone.iter().any(|forgotten| forgotten.id == memory.id) => {
            let state = match &memory.state {
                MemoryState::Stale(_) => MemoryState::Stale(String::new()),
                MemoryState::Retired(_) => MemoryState::Retired(String::new()),
                state => state.clone(),
            };
            let (text, evidence, about, pitfall) = (String::new(), Vec::new(), About::default(), None);
            Some(Entry::Memory(Memory { text, state, evidence, about, pitfall, ..memory.clone() }))
        }
        other => other.clone(),
    };
    Edit { before: empty(&edit.before), after: empty(&edit.after) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{add, memory, operation};
    use crate::ledger::undo::CannotUndo;
    use crate::protocol::learned::Verb;

    #[test]
    fn what_is_erased_stays_forgotten_and_the_rest_is_as_it_was() {
        let mut changed = memory("the secret plan");
        changed.text = "the secret plan B".to_owned();
        let gone = Memory { state: MemoryState::Forgotten, ..changed.clone() };
        let edit = |before: &Memory, after: &Memory| Edit {
            before: Some(Entry::Memory(before.clone())),
            after: Some(Entry::Memory(after.clone())),
        };
        let mut why = operation(2, Verb::Edit, vec![edit(&memory("the secret plan"), &changed)]);
        why.why = "instead of the secret plan".to_owned();
        let forget = operation(3, Verb::Forget, vec![edit(&changed, &gone)]);
        let all = [add(0, memory("the secret plan")), add(1, memory("keep me")), why, forget];
        let (ledger, _) = Ledger::fold(all.clone());
        let forgotten = ledger.forgotten();
        assert_eq!(forgotten[0].words.len(), 2);
        let erased = all.iter().map(|operation| erase(operation, &forgotten).unwrap_or_else(|| operation.clone()));
        let (erased, misfits) = Ledger::fold(erased);
        assert_eq!((misfits.len(), erased.sequence()), (0, 4));
        assert!(!serde_json::to_string(erased.operations()).unwrap().contains("plan"));
        assert!(erased.active_memories().eq(ledger.active_memories()));
        assert_eq!(erased.forgotten(), []);
        let undo = erased.undo(&[&erased.operations()[3]], 9);
        assert!(matches!(undo, Err(CannotUndo::Erased { .. })), "{undo:?}");
    }
}
