//! Taking changes back.
//!
//! Several operations are taken back newest first, as one. What was changed again since by somebody else is in the way: then
//! nothing is taken back, and the later change is named.

use super::Ledger;
use crate::protocol::learned::{Author, Edit, Entry, EntryId, OpId, Operation, Verb};

/// Why something cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotUndo {
    /// It was taken back before.
    #[error("{0} was taken back already")]
    Already(OpId),
    /// What it was is gone for good.
    #[error("what entry {entry} said before {op} was erased")]
    Erased {
        /// The operation to take back.
        op: OpId,
        /// The entry.
        entry: EntryId,
    },
    /// A later change built on it.
    #[error("{later} changed entry {entry} after {op} did; take that back first")]
    Later {
        /// The operation to take back.
        op: OpId,
        /// The one in the way.
        later: OpId,
        /// What both changed.
        entry: EntryId,
    },
}

impl Ledger {
    /// The operation that takes back those of `ops`, which are operations of this ledger.
    ///
    /// # Errors
    /// One was taken back already, or something else that stays was built on it.
    pub fn undo(&self, ops: &[&Operation], at_ms: u64) -> Result<Operation, CannotUndo> {
        let position = |id: &OpId| self.operations().iter().position(|operation| operation.id == *id);
        let mut ops: Vec<(usize, &Operation)> =
            ops.iter().filter_map(|operation| Some((position(&operation.id)?, *operation))).collect();
        ops.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
        ops.dedup_by_key(|(position, _)| *position);
        let ids: Vec<&OpId> = ops.iter().map(|(_, operation)| &operation.id).collect();
        for (position, operation) in &ops {
            if self.is_undone(&operation.id) {
                return Err(CannotUndo::Already(operation.id.clone()));
            }
            let touched: Vec<&EntryId> = touched(operation).collect();
            let later = self.operations()[position + 1..].iter().filter(|later| !ids.contains(&&later.id));
            let later = later.filter(|later| !self.is_void(later));
            for later in later {
                if let Some(entry) = self::touched(later).find(|id| touched.contains(id)) {
                    let (op, later, entry) = (operation.id.clone(), later.id.clone(), entry.clone());
                    return Err(CannotUndo::Later { op, later, entry });
                }
            }
        }
        let edits: Vec<Edit> = ops.iter().flat_map(|(_, operation)| operation.inverse_edits()).collect();
        if let Some((op, entry)) = erased(&ops) {
            return Err(CannotUndo::Erased { op, entry });
        }
        let names: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
        Ok(Operation {
            id: OpId::of("undo", self.sequence(), at_ms),
            at_ms,
            by: Author::Person,
            session: None,
            verb: Verb::Undo(ids.iter().copied().cloned().collect()),
            why: format!("took back {}", names.join(", ")),
            edits,
        })
    }

    /// Whether an operation was taken back, and not made again since.
    #[must_use]
    pub fn is_undone(&self, id: &OpId) -> bool {
        self.operations()
            .iter()
            .filter(|undo| matches!(&undo.verb, Verb::Undo(ids) if ids.contains(id)))
            .any(|undo| !self.is_undone(&undo.id))
    }

    /// Whether an operation and one that took it back cancel out, or it is such a one.
    fn is_void(&self, operation: &Operation) -> bool {
        matches!(operation.verb, Verb::Undo(_)) || self.is_undone(&operation.id)
    }
}

/// The first of the operations before which an entry said something that is gone.
fn erased(ops: &[(usize, &Operation)]) -> Option<(OpId, EntryId)> {
    let is_empty = |entry: &Entry| matches!(entry, Entry::Memory(memory) if memory.text.is_empty());
    ops.iter().find_map(|(_, operation)| {
        let mut before = operation.edits.iter().filter_map(|edit| edit.before.as_ref());
        Some((operation.id.clone(), before.find(|entry| is_empty(entry))?.id().clone()))
    })
}

fn touched(operation: &Operation) -> impl Iterator<Item = &EntryId> {
    operation.edits.iter().filter_map(Edit::entry).map(Entry::id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{add, memory, operation};
    use crate::protocol::learned::MemoryState;

    fn retire(sequence: u64, text: &str) -> Operation {
        let mut gone = memory(text);
        gone.state = MemoryState::Retired("old".to_owned());
        let edit = Edit { before: Some(Entry::Memory(memory(text))), after: Some(Entry::Memory(gone)) };
        operation(sequence, Verb::Retire, vec![edit])
    }

    #[test]
    fn what_others_built_on_is_named() {
        let (mut ledger, _) = Ledger::fold([add(0, memory("one")), add(1, memory("two")), retire(2, "one")]);
        let ops: Vec<Operation> = ledger.operations().to_vec();
        let error = ledger.undo(&[&ops[0]], 9).unwrap_err();
        assert!(error.to_string().contains("take that back first"), "{error}");
        let undo = ledger.undo(&[&ops[1]], 9).unwrap();
        ledger.apply(undo).unwrap();
        assert_eq!(ledger.undo(&[&ops[1]], 9), Err(CannotUndo::Already(ops[1].id.clone())));
        // Newest first the whole of it goes, the one in the way included.
        let undo = ledger.undo(&[&ops[2], &ops[0]], 9).unwrap();
        ledger.apply(undo).unwrap();
        assert_eq!(ledger.entries().count(), 0);
    }

    #[test]
    fn taking_back_can_be_taken_back() {
        let (mut ledger, _) = Ledger::fold([add(0, memory("one"))]);
        let first = ledger.operations()[0].clone();
        let undo = ledger.undo(&[&first], 5).unwrap();
        ledger.apply(undo.clone()).unwrap();
        let redo = ledger.undo(&[&undo], 6).unwrap();
        ledger.apply(redo).unwrap();
        assert_eq!(ledger.entries().count(), 1);
        assert!(!ledger.is_undone(&first.id));
        ledger.apply(ledger.undo(&[&first], 7).unwrap()).unwrap();
        assert_eq!(ledger.entries().count(), 0);
    }
}
