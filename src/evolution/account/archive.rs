//! All that is learned as one file, and back without loss: every change with the entries before and after it.

use serde::{Deserialize, Serialize};

use super::{Account, SCOPES, told};
use crate::evolution::ports::Store;
use crate::ledger::Ledger;
use crate::protocol::learned::{Author, Edit, Entry, OpId, Operation, Scope, Verb};
use crate::protocol::{ErrorKind, UserError};

/// The version of the form.
const VERSION: u32 = 1;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Archive {
    /// `hone`, so that nobody takes it for something else.
    pub program: String,
    /// The version of the form.
    pub version: u32,
    /// The changes of each scope, oldest first.
    pub journals: Vec<Journal>,
}

/// The changes of one scope.
#[derive(Debug, Serialize, Deserialize)]
pub struct Journal {
    /// Which.
    pub scope: Scope,
    /// Oldest first.
    pub operations: Vec<Operation>,
}

/// What became of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Entries that were taken in.
    pub added: usize,
    /// Those that are there already, as they are in the archive.
    pub same: usize,
    /// Those that are there otherwise; what is there stays.
    pub differ: Vec<String>,
}

/// Everything, as text.
///
/// # Errors
/// It has no form as text.
pub fn export(account: &Account<'_>) -> Result<String, UserError> {
    let journal = |scope| Journal { scope, operations: account.ledger(scope).operations().to_vec() };
    let archive = Archive { program: "hone".to_owned(), version: VERSION, journals: SCOPES.map(journal).into() };
    serde_json::to_string_pretty(&archive)
        .map(|text| text + "\n")
        .map_err(|error| UserError::new(ErrorKind::Failed, format!("this has no form as text: {error}")))
}

/// Reads an archive.
///
/// # Errors
/// It is none, or of a later version.
pub fn parse(text: &str) -> Result<Archive, UserError> {
    let none = |why: String| {
        UserError::new(ErrorKind::Usage, format!("this is no export of what was learned: {why}"))
            .hint("`hone evolve export FILE` makes one; for other programs' memories give --from")
    };
    let archive: Archive = serde_json::from_str(text).map_err(|error| none(error.to_string()))?;
    if archive.program != "hone" {
        return Err(none(format!("it is of {}", archive.program)));
    }
    if archive.version > VERSION {
        let message = format!("this export has version {}, and this program knows {VERSION}", archive.version);
        return Err(UserError::new(ErrorKind::Usage, message).hint("update the program"));
    }
    Ok(archive)
}

/// Takes an archive in. Where nothing is learned yet the journal becomes the archive's, change by change; elsewhere what is not there
/// is added by one change.
///
/// # Errors
/// The archive does not fit together, or the store says no.
pub fn restore(store: &dyn Store, archive: &Archive, dry_run: bool, now_ms: u64) -> Result<Restored, UserError> {
    let mut restored = Restored::default();
    for Journal { scope, operations } in &archive.journals {
        let (ledger, misfits) = Ledger::fold(operations.iter().cloned());
        if let Some(misfit) = misfits.first() {
            return Err(UserError::new(ErrorKind::Usage, format!("the export does not fit together: {misfit}"))
                .hint("export it again; nothing was changed here"));
        }
        let here = store.ledger(*scope).map_err(told)?;
        let is_new = |entry: &&Entry| here.get(entry.id()).is_none();
        restored.added += ledger.entries().filter(is_new).count();
        for entry in ledger.entries().filter(|entry| !is_new(entry)) {
            match here.get(entry.id()) == Some(entry) {
                true => restored.same += 1,
                false => restored.differ.push(super::title(entry)),
            }
        }
        let changes = match here.sequence() {
            0 => operations.clone(),
            base => addition(*scope, base, ledger.entries().filter(is_new).cloned().collect(), now_ms),
        };
        if !dry_run && !changes.is_empty() {
            store.commit(*scope, here.sequence(), &changes).map_err(told)?;
        }
    }
    Ok(restored)
}

fn addition(scope: Scope, base: u64, entries: Vec<Entry>, now_ms: u64) -> Vec<Operation> {
    if entries.is_empty() {
        return Vec::new();
    }
    vec![Operation {
        id: OpId::of(scope.name(), base, now_ms),
        at_ms: now_ms,
        by: Author::Person,
        session: None,
        verb: Verb::Import,
        why: "imported from an export".to_owned(),
        edits: entries.into_iter().map(|entry| Edit { before: None, after: Some(entry) }).collect(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::ledger::tests::{add, memory};

    #[test]
    fn there_and_back_nothing_is_lost() {
        let store = Shelf::of([add(0, memory("one")), add(1, memory("two"))]);
        let text = export(&Account::read(&store).unwrap()).unwrap();
        let empty = Shelf::of([]);
        let restored = restore(&empty, &parse(&text).unwrap(), false, 9).unwrap();
        assert_eq!(restored, Restored { added: 2, same: 0, differ: Vec::new() });
        assert_eq!(export(&Account::read(&empty).unwrap()).unwrap(), text, "byte for byte");
        let other = Shelf::of([add(0, memory("one")), add(1, memory("three"))]);
        let restored = restore(&other, &parse(&text).unwrap(), false, 9).unwrap();
        assert_eq!((restored.added, restored.same), (1, 1));
        assert_eq!(other.ledger(Scope::Repo).unwrap().entries().count(), 3);
        assert_eq!(restore(&other, &parse(&text).unwrap(), false, 9).unwrap().added, 0, "twice is once");
    }

    #[test]
    fn what_is_no_export_is_named() {
        for (text, why) in [
            ("", "no export"),
            ("{}", "missing field"),
            (r#"{"program":"other","version":1,"journals":[]}"#, "of other"),
            (r#"{"program":"hone","version":99,"journals":[]}"#, "version 99"),
        ] {
            let error = parse(text).unwrap_err().message;
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
