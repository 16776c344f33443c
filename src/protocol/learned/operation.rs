//! A change to what is learned: one line of `journal.jsonl`.
//!
//! A change carries the entries it touches as they were and as they are now, so that every change has an inverse and what is
//! learned is the fold of the journal.

use serde::{Deserialize, Serialize};

use super::id::{EntryId, OpId};
use super::memory::{Author, Memory};
use super::skill::Skill;
use crate::protocol::ids::ThreadId;

/// Something that was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A memory.
    Memory(Memory),
    /// A skill.
    Skill(Skill),
}

impl Entry {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &EntryId {
        match self {
            Self::Memory(memory) => &memory.id,
            Self::Skill(skill) => &skill.id,
        }
    }
}

/// One change. It belongs to one journal: all its edits concern the same scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: OpId,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Who made it.
    pub by: Author,
    /// The conversation whose turns led to it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<ThreadId>,
    /// What it is.
    pub verb: Verb,
    /// Why, in one line for people.
    pub why: String,
    /// The entries it touches.
    pub edits: Vec<Edit>,
}

/// What a change does to one entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The entry as it was; `None` when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Entry>,
    /// The entry as it is now; `None` when it is gone, which only taking back an addition does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Entry>,
}

impl Edit {
    /// The entry it touches.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A new entry.
    Add,
    /// One entry takes the place of another.
    Replace,
    /// One entry takes the place of several.
    Merge,
    /// More evidence for an entry.
    Confirm,
    /// An entry is put away.
    Retire,
    /// An entry that was put away is in use again.
    Revive,
    /// A repository's entry becomes the person's.
    Promote,
    /// An entry is pinned.
    Pin,
    /// It no longer is.
    Unpin,
    /// The person approved what was staged.
    Approve,
    /// The person rejected it.
    Reject,
    /// The person changed the text, by a command or in the view.
    Edit,
    /// The person wants an entry gone.
    Forget,
    /// What an entry speaks of has changed.
    Stale,
    /// A pitfall is old enough to be tried again.
    Expire,
    /// A skill changed its state or its text.
    Skill,
    /// Entries of another program or another machine were taken in.
    Import,
    /// The inverse of earlier changes, these.
    Undo(Vec<OpId>),
}

impl Operation {
    /// What its edits have to be for everything to be as it was before.
    #[must_use]
    pub fn inverse_edits(&self) -> Vec<Edit> {
        let swap = |edit: &Edit| Edit { before: edit.after.clone(), after: edit.before.clone() };
        self.edits.iter().rev().map(swap).collect()
    }
}
