//! What learning needs from the outside world.

use std::collections::BTreeMap;

use crate::ledger::Ledger;
use crate::protocol::UserError;
use crate::protocol::learned::{EntryId, Exposure, Operation, Review, Scope, TurnRecord};

/// Keeps what is learned of one repository, and of the person. One writer at a time under a lock of the operating system;
/// readers need none. A line that is damaged is set aside alone, reported by [`Self::damage`], and blocks nothing.
pub trait Store: Send + Sync {
    /// Keeps a turn's record. Returns when it is on disk. A turn that is kept twice counts once when it is read.
    ///
    /// # Errors
    /// It could not be kept. Never a reason to fail or delay the turn.
    fn append_turn(&self, record: &TurnRecord) -> Result<(), StoreError>;

    /// Keeps what was shown. Returns when it is with the operating system: a process that dies loses none of it, a power cut may.
    ///
    /// # Errors
    /// As [`Self::append_turn`].
    fn append_exposures(&self, exposures: &[Exposure]) -> Result<(), StoreError>;

    /// Keeps what a review came to. Returns when it is on disk.
    ///
    /// # Errors
    /// As [`Self::append_turn`].
    fn append_review(&self, review: &Review) -> Result<(), StoreError>;

    /// All turns of this repository, oldest first.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    fn turns(&self) -> Result<Vec<TurnRecord>, StoreError>;

    /// All exposures of this repository, oldest first.
    ///
    /// # Errors
    /// As [`Self::turns`].
    fn exposures(&self) -> Result<Vec<Exposure>, StoreError>;

    /// All reviews of this repository, oldest first.
    ///
    /// # Errors
    /// As [`Self::turns`].
    fn reviews(&self) -> Result<Vec<Review>, StoreError>;

    /// What is learned in a scope. What the person changed in the view since is part of it.
    ///
    /// # Errors
    /// As [`Self::turns`].
    fn ledger(&self, scope: Scope) -> Result<Ledger, StoreError>;

    /// Makes changes, all or none: the journal's lines, then the views and the skills' files. `base` is the
    /// [sequence](Ledger::sequence) of the ledger they were decided on.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when somebody changed something since: read again and decide again. Anything else leaves all as it
    /// was.
    fn commit(&self, scope: Scope, base: u64, operations: &[Operation]) -> Result<(), StoreError>;

    /// The names, beginning with `hone-`, that folders of skills have already, whoever they belong to.
    fn skill_names(&self) -> Vec<String>;

    /// What measuring came to last, so that nobody who shows an entry has to measure; empty when it was lost.
    fn scores(&self) -> Scores;

    /// Keeps what measuring came to.
    ///
    /// # Errors
    /// As [`Self::append_turn`].
    fn keep_scores(&self, scores: &Scores) -> Result<(), StoreError>;

    /// Damage that reading met so far, each once, in words for people.
    fn damage(&self) -> Vec<String>;
}

/// What is known of each entry's use, from -1, always harmful, to 1, always helpful; 0 when left out.
pub type Scores = BTreeMap<EntryId, f64>;

/// Why the store did not do something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The ledger has moved on since it was read.
    #[error("what is learned has changed meanwhile")]
    Moved,
    /// Another process writes, and did not finish in time.
    #[error("another process is writing to {0}")]
    Busy(String),
    /// The operating system says no.
    #[error("{0}")]
    Failed(UserError),
}
