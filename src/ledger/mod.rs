//! Floor 1: what is learned, as the fold of its journal. Pure: operations come in as values and entries go out.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Ledger`]: the entries and the operations that made them |
//! | [`find`] | entries and operations by what a person writes of them |
//! | [`erase`] | what the person wants gone, out of the journal for good |
//! | [`undo`] | the operation that takes others back |
//! | [`view`] | the Markdown a person reads, and may edit |
//! | [`hand`] | the operations that a person's edit of the view amounts to |
//! | [`skill_file`] | the `SKILL.md` of a skill |

pub mod erase;
pub mod find;
pub mod hand;
pub mod skill_file;
pub mod undo;
pub mod view;

use std::collections::BTreeMap;

use crate::protocol::learned::{Edit, Entry, EntryId, Memory, MemoryState, OpId, Operation, Skill};

/// What one scope has learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    entries: BTreeMap<EntryId, Entry>,
    operations: Vec<Operation>,
}

/// An operation does not fit what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {op} expects another state of entry {entry}")]
pub struct Misfit {
    /// The operation.
    pub op: OpId,
    /// The entry it would change.
    pub entry: EntryId,
}

impl Ledger {
    /// The fold of `operations`. One that does not fit is passed over and returned: a journal that lost a line still gives
    /// everything else.
    #[must_use]
    pub fn fold(operations: impl IntoIterator<Item = Operation>) -> (Self, Vec<Misfit>) {
        let mut ledger = Self::default();
        let misfits = operations.into_iter().filter_map(|operation| ledger.apply(operation).err()).collect();
        (ledger, misfits)
    }

    /// Applies the next operation, whole or not at all.
    ///
    /// # Errors
    /// An edit's `before` is not what is there: somebody else changed it meanwhile.
    pub fn apply(&mut self, operation: Operation) -> Result<(), Misfit> {
        // What the operation's earlier edits make of an entry is what its later ones find.
        let mut changed: BTreeMap<&EntryId, Option<&Entry>> = BTreeMap::new();
        for edit @ Edit { before, after } in &operation.edits {
            let Some(id) = edit.entry().map(Entry::id) else { continue };
            let there = changed.get(id).copied().unwrap_or_else(|| self.entries.get(id));
            if there != before.as_ref() {
                return Err(Misfit { op: operation.id.clone(), entry: id.clone() });
            }
            changed.insert(id, after.as_ref());
        }
        let changed: Vec<_> = changed.into_iter().map(|(id, entry)| (id.clone(), entry.cloned())).collect();
        for (id, entry) in changed {
            match entry {
                Some(entry) => _ = self.entries.insert(id, entry),
                None => _ = self.entries.remove(&id),
            }
        }
        self.operations.push(operation);
        Ok(())
    }

    /// The ledger as it was after the first `sequence` operations.
    #[must_use]
    pub fn at(&self, sequence: usize) -> Self {
        Self::fold(self.operations.iter().take(sequence).cloned()).0
    }

    /// Goes back to before the last operation, which is returned.
    fn step_back(&mut self) -> Option<Operation> {
        let operation = self.operations.pop()?;
        for Edit { before, after } in operation.inverse_edits() {
            match (after, before) {
                (Some(entry), _) => _ = self.entries.insert(entry.id().clone(), entry),
                (None, Some(entry)) => _ = self.entries.remove(entry.id()),
                (None, None) => {}
            }
        }
        Some(operation)
    }

    /// Everything learned, by id; what is retired or superseded included.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All memories, by id.
    pub fn memories(&self) -> impl Iterator<Item = &Memory> {
        self.entries().filter_map(|entry| match entry {
            Entry::Memory(memory) => Some(memory),
            Entry::Skill(_) => None,
        })
    }

    /// The memories in use, by id.
    pub fn active_memories(&self) -> impl Iterator<Item = &Memory> {
        self.memories().filter(|memory| memory.state == MemoryState::Active)
    }

    /// All skills, by id.
    pub fn skills(&self) -> impl Iterator<Item = &Skill> {
        self.entries().filter_map(|entry| match entry {
            Entry::Skill(skill) => Some(skill),
            Entry::Memory(_) => None,
        })
    }

    /// One entry.
    #[must_use]
    pub fn get(&self, id: &EntryId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// All changes so far, oldest first.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many changes there were: what a writer says it has seen.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.operations.len() as u64
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::learned::{About, Author, Authority, MemoryKind, Scope, Verb};

    pub(crate) fn memory(text: &str) -> Memory {
        Memory {
            id: EntryId::of("repo", text, 1),
            kind: MemoryKind::Rule,
            scope: Scope::Repo,
            text: text.to_owned(),
            state: MemoryState::Active,
            pinned: false,
            authority: Authority::Said,
            author: Author::Rules,
            created_ms: 1_764_201_600_000,
            updated_ms: 1_764_201_600_000,
            evidence: Vec::new(),
            about: About::default(),
            pitfall: None,
        }
    }

    pub(crate) fn operation(sequence: u64, verb: Verb, edits: Vec<Edit>) -> Operation {
        let id = OpId::of("repo", sequence, 1);
        Operation { id, at_ms: sequence, by: Author::Rules, session: None, verb, why: "a test".to_owned(), edits }
    }

    pub(crate) fn add(sequence: u64, memory: Memory) -> Operation {
        operation(sequence, Verb::Add, vec![Edit { before: None, after: Some(Entry::Memory(memory)) }])
    }

    #[test]
    fn an_operation_applies_whole_or_not_at_all() {
        let (one, two) = (memory("one"), memory("two"));
        let mut ledger = Ledger::default();
        ledger.apply(add(0, one.clone())).unwrap();
        let edits = vec![
            Edit { before: None, after: Some(Entry::Memory(two.clone())) },
            Edit { before: None, after: Some(Entry::Memory(one.clone())) },
        ];
        let misfit = ledger.apply(operation(1, Verb::Merge, edits)).unwrap_err();
        assert_eq!(misfit.entry, one.id);
        assert_eq!((ledger.entries().count(), ledger.sequence()), (1, 1));
        assert_eq!(ledger.get(&two.id), None);
    }

    #[test]
    fn every_operation_has_an_inverse() {
        let mut ledger = Ledger::default();
        ledger.apply(add(0, memory("one"))).unwrap();
        let before = ledger.clone();
        let (mut gone, one, two) = (memory("one"), memory("one"), memory("two"));
        gone.state = MemoryState::Superseded(two.id.clone());
        let edits = vec![
            Edit { before: Some(Entry::Memory(one)), after: Some(Entry::Memory(gone)) },
            Edit { before: None, after: Some(Entry::Memory(two)) },
        ];
        let replace = operation(1, Verb::Replace, edits);
        ledger.apply(replace.clone()).unwrap();
        ledger.apply(operation(2, Verb::Undo(vec![replace.id.clone()]), replace.inverse_edits())).unwrap();
        assert!(ledger.entries().eq(before.entries()));
    }
}
