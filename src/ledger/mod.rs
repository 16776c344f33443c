//! Floor 1: what is learned, as the fold of its journal. Pure: operations come in as values and entries go out.

use std::collections::BTreeMap;

use crate::protocol::learned::{Edit, Entry, EntryId, OpId, Operation};

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
    /// Applies the next operation, whole or not at all.
    ///
    /// # Errors
    /// An edit's `before` is not what is there: somebody else changed it meanwhile.
    pub fn apply(&mut self, operation: Operation) -> Result<(), Misfit> {
        let mut entries = self.entries.clone();
        for Edit { before, after } in &operation.edits {
            let Some(id) = before.as_ref().or(after.as_ref()).map(Entry::id) else { continue };
            if entries.get(id) != before.as_ref() {
                return Err(Misfit { op: operation.id.clone(), entry: id.clone() });
            }
            match after {
                Some(after) => entries.insert(after.id().clone(), after.clone()),
                None => entries.remove(id),
            };
        }
        self.entries = entries;
        self.operations.push(operation);
        Ok(())
    }

    /// Everything learned, by id; what is retired or superseded included.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
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
