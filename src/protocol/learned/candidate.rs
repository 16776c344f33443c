//! What a reviewer proposes to learn. Nothing is learned from it before code has verified it.

use super::evidence::Evidence;
use super::id::EntryId;
use super::memory::{About, Author, MemoryKind, Pitfall, Scope};

/// A proposal and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What is to be done.
    pub proposal: Proposal,
    /// The kind of memory.
    pub kind: MemoryKind,
    /// Whom it concerns.
    pub scope: Scope,
    /// One or two sentences, as the model will read them.
    pub text: String,
    /// Quotations, at least one; each is looked up before it counts.
    pub evidence: Vec<Evidence>,
    /// The commands and files it speaks of.
    pub about: About,
    /// What a pitfall needs beside its text.
    pub pitfall: Option<Pitfall>,
    /// Who proposes it.
    pub author: Author,
}

/// What a reviewer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// Something new.
    Add,
    /// This takes the place of an entry.
    Replace(EntryId),
    /// This takes the place of several.
    Merge(Vec<EntryId>),
    /// An entry no longer holds.
    Retire(EntryId),
}
