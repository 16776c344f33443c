//! The Markdown a person reads: `MEMORY.md` and `USER.md`.
//!
//! It is a pure function of the ledger, so that what was taken back leaves no trace in it. Its first line holds a checksum of
//! the rest: with it a person's edit is told from a view that is merely behind.

use std::fmt::Write as _;

use super::Ledger;
use crate::protocol::learned::{Authority, Memory, MemoryKind, Scope};
use crate::text::time;

/// The sections in order.
pub(super) const SECTIONS: &[(MemoryKind, &str)] = &[
    (MemoryKind::Rule, "Rules"),
    (MemoryKind::Preference, "Preferences"),
    (MemoryKind::Fact, "Facts"),
    (MemoryKind::Pitfall, "Pitfalls"),
    (MemoryKind::Reference, "References"),
];

const HEAD: &str = "<!-- hone ";

impl Ledger {
    /// The view of the memories in use; `None` when there are none.
    #[must_use]
    pub fn view(&self, scope: Scope) -> Option<String> {
        self.active_memories().next()?;
        let body = self.view_body(scope);
        Some(format!(
            "{HEAD}{:016x}: yours to edit; changed, new and deleted lines are taken over -->\n{body}",
            sum(&body)
        ))
    }

    fn view_body(&self, scope: Scope) -> String {
        let title = match scope {
            Scope::Repo => "# What was learned about this repository",
            Scope::User => "# What was learned about you",
        };
        let mut body = format!("{title}\n");
        let mut memories: Vec<&Memory> = self.active_memories().collect();
        memories.sort_by_key(|memory| (!memory.pinned, memory.created_ms, &memory.id));
        for (kind, name) in SECTIONS {
            let mut of_kind = memories.iter().filter(|memory| memory.kind == *kind).peekable();
            if of_kind.peek().is_some() {
                _ = write!(body, "\n## {name}\n\n");
            }
            for memory in of_kind {
                _ = writeln!(body, "- {} <!-- {} -->", one_line(&memory.text), note(memory));
            }
        }
        body
    }
}

/// What the comment behind an entry says: its id, what it rests on, since when.
fn note(memory: &Memory) -> String {
    let rests_on = match memory.authority {
        Authority::Text => "read",
        Authority::Imported => "imported",
        Authority::Outcome => "seen to work",
        Authority::Said => "you said so",
        Authority::Written => "you wrote it",
    };
    let pinned = if memory.pinned { ", pinned" } else { "" };
    format!("{}, {rests_on}, {}{pinned}", memory.id, time::date(memory.created_ms))
}

/// A text as it stands in the view.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("<!--", "<! --")
}

/// The checksum a view's first line names, and the rest; `None` when that line is gone.
pub(super) fn split(view: &str) -> Option<(u64, &str)> {
    let (head, body) = view.split_once('\n')?;
    let sum = head.strip_prefix(HEAD)?.split(':').next()?;
    Some((u64::from_str_radix(sum, 16).ok()?, body))
}

/// FNV-1a, 64 bits: no secret depends on it, and it is the same on every machine for ever.
pub(super) fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
