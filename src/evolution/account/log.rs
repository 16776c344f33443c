//! The changes to what is learned.

use std::fmt::Write as _;

use super::{Account, SCOPES, title, who};
use crate::protocol::learned::{Operation, Scope, Verb};
use crate::text::time;

/// All changes with whether they were taken back, newest first.
#[must_use]
pub fn changes<'a>(account: &'a Account<'_>) -> Vec<(Scope, &'a Operation, bool)> {
    let of = |scope: Scope| {
        let ledger = account.ledger(scope);
        let operations = ledger.operations().iter();
        operations.map(move |operation| (scope, operation, ledger.is_undone(&operation.id)))
    };
    let mut changes: Vec<_> = SCOPES.into_iter().flat_map(of).collect();
    // Stable, so that of one moment the journal's own order holds.
    changes.sort_by_key(|(_, operation, _)| operation.at_ms);
    changes.reverse();
    changes
}

/// The same as lines.
#[must_use]
pub fn lines(changes: &[(Scope, &Operation, bool)]) -> String {
    let mut text = String::new();
    for (scope, operation, undone) in changes {
        let when = time::rfc3339(operation.at_ms);
        let when = when.get(..16).unwrap_or(&when).replace('T', " ");
        let undone = if *undone { " (taken back)" } else { "" };
        let (verb, by) = (verb(&operation.verb), who(&operation.by));
        _ = writeln!(text, "{}  {when}  {verb} by {by}, {}: {}{undone}", operation.id, scope.name(), operation.why);
        for entry in operation.edits.iter().filter_map(|edit| edit.entry()) {
            _ = writeln!(text, "    {}  {}", super::list::short(&entry.id().0), title(entry));
        }
    }
    text
}

/// What was done, in a word or two.
#[must_use]
pub const fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::Add => "added",
        Verb::Replace => "replaced",
        Verb::Merge => "merged",
        Verb::Confirm => "confirmed",
        Verb::Retire => "retired",
        Verb::Revive => "revived",
        Verb::Promote => "promoted",
        Verb::Pin => "pinned",
        Verb::Unpin => "unpinned",
        Verb::Approve => "approved",
        Verb::Reject => "rejected",
        Verb::Edit => "edited",
        Verb::Forget => "forgotten",
        Verb::Stale => "marked stale",
        Verb::Expire => "expired",
        Verb::Skill => "skill changed",
        Verb::Import => "imported",
        Verb::Undo(_) => "taken back",
    }
}
