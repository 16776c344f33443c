//! One look at a few turns: one line of `reviews.jsonl`.

use serde::{Deserialize, Serialize};

use super::id::EntryId;
use super::memory::{Author, MemoryKind, Scope};
use crate::protocol::ids::TurnId;

/// A review, whatever came of it. Turns that no review with [`ReviewEnd::Done`] covers are still to be reviewed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// When it ended, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Who reviewed.
    pub by: Author,
    /// The turns it looked at.
    pub covers: Vec<TurnId>,
    /// How it ended.
    pub end: ReviewEnd,
    /// What it cost.
    pub cost: Cost,
    /// What became of each candidate. Their number is the number of candidates.
    pub decisions: Vec<Decision>,
}

/// How a review ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewEnd {
    /// It looked at everything; what it found is in the decisions.
    Done,
    /// It could not; why. It is tried again later.
    Failed(String),
    /// The budget was used up before it was done. It is tried again later.
    OverBudget(String),
}

/// What a review cost. Zeros for the program's own rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Requests to a model.
    pub requests: u32,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// How long it took, in milliseconds.
    pub wall_ms: u64,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What kind of memory was proposed.
    pub kind: MemoryKind,
    /// For whom.
    pub scope: Scope,
    /// In which words; empty when they held a secret.
    pub text: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It became this entry, in use or staged.
    Kept(EntryId),
    /// It became part of this entry.
    Merged(EntryId),
    /// It was dropped.
    Discarded(Discard),
}

/// Why a candidate was dropped: the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discard {
    /// A field was missing or out of place.
    Malformed,
    /// Its quotation does not occur in the turn it names.
    QuoteNotFound,
    /// It holds a secret.
    Secret,
    /// Its evidence does not have the authority for its kind.
    NoAuthority,
    /// Its evidence is text that was learned or recalled before.
    Injected,
    /// The same is known already.
    Duplicate,
    /// A weightier entry says otherwise.
    Conflict,
    /// It is about the task at hand, not about what will hold next time.
    TaskState,
    /// It is a plan for once.
    OneOffPlan,
    /// Too little speaks for it.
    WeakEvidence,
    /// It is too long or too short.
    Size,
    /// The scope is full, and it is worth less than what is there.
    OverBudget,
    /// The scope is not open to it: the configuration, or a person's standing rejection.
    NotAllowed,
}
