//! A memory: something durable that was learned.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::evidence::Evidence;
use super::id::EntryId;

/// One thing learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Its id.
    pub id: EntryId,
    /// What kind of thing.
    pub kind: MemoryKind,
    /// Whom it concerns.
    pub scope: Scope,
    /// One or two sentences, as the model reads them.
    pub text: String,
    /// Whether it is in use.
    pub state: MemoryState,
    /// The person wants it shown whenever it fits the scope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// What it rests on.
    pub authority: Authority,
    /// Who wrote the text.
    pub author: Author,
    /// When it was learned, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last changed or confirmed, likewise.
    pub updated_ms: u64,
    /// What it was learned from.
    pub evidence: Vec<Evidence>,
    /// What it speaks of.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
    /// What a pitfall needs beside its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pitfall: Option<Pitfall>,
}

/// The kinds of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryKind {
    /// How things are here.
    Fact,
    /// What must or must not be done here.
    Rule,
    /// How the person likes things.
    Preference,
    /// Something that was tried and failed, and why.
    Pitfall,
    /// Where something is to be found.
    Reference,
}

/// Whom an entry concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This repository.
    Repo,
    /// The person, wherever they work.
    User,
}

impl Scope {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repo => "repo",
            Self::User => "user",
        }
    }
}

/// Whether a memory is in use. Only active ones are shown to the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryState {
    /// Waits for the person's approval.
    Staged,
    /// In use.
    Active,
    /// What it speaks of has changed since; why. Not shown until it is confirmed.
    Stale(String),
    /// Another entry took its place.
    Superseded(EntryId),
    /// Put away; why. Can be revived.
    Retired(String),
    /// The person wants it gone. Hidden everywhere but in the journal, until `gc` erases it there too.
    Forgotten,
}

/// What a memory rests on, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The model's or some text's word. Facts and references at most.
    Text,
    /// Another program's memory, imported by the person.
    Imported,
    /// An exit status.
    Outcome,
    /// The person's words.
    Said,
    /// The person wrote or edited the entry itself.
    Written,
}

/// Who wrote an entry or made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The program's own rules.
    Rules,
    /// A model, by its slug.
    Model(String),
    /// The person.
    Person,
    /// Another program's memory, by the program's name.
    Import(String),
}

/// What an entry speaks of: when one of these changes, it may be out of date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Commands, as one would type them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Files and folders, relative to the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathBuf>,
}

impl About {
    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.paths.is_empty()
    }
}

/// What a pitfall needs beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pitfall {
    /// The command or edit that failed.
    pub tried: String,
    /// What worked in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// From when on it should be tried again instead of believed, in milliseconds since the Unix epoch.
    pub expires_ms: u64,
}
