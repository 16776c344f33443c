//! That something learned was shown to the model: one line of `exposures.jsonl`.

use serde::{Deserialize, Serialize};

use super::id::EntryId;
use crate::protocol::ids::{ThreadId, TurnId};

/// One entry in one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The conversation.
    pub thread: ThreadId,
    /// The turn in which it was shown, or would have been.
    pub turn: TurnId,
    /// The entry.
    pub entry: EntryId,
    /// Where it was shown.
    pub place: Place,
    /// How many tokens it took, by estimate.
    pub tokens: u32,
    /// It was eligible and left out by chance, so that what it does can be measured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
}

/// Where something learned is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Among what was learned, at the start of a session.
    Start,
    /// With a message it fits.
    Message,
    /// With a command or an edit it fits.
    Call,
    /// In the list of skills.
    Catalogue,
    /// As a skill's whole text.
    Skill,
}
