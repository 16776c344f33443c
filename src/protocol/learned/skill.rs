//! A skill: a procedure that worked more than once.

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Source};
use super::id::EntryId;
use super::memory::Author;

/// One procedure. Its `SKILL.md` is made from this and nothing else, unless the person wrote one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// Its id.
    pub id: EntryId,
    /// Its name, its folder's name and its front matter's name: always `hone-…`.
    pub name: String,
    /// From 1; each change of the text adds one.
    pub version: u32,
    /// Whether it is in use.
    pub state: SkillState,
    /// The person wants it kept as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// One sentence for the list of skills: what it does and when to use it.
    pub description: String,
    /// When to use it.
    pub trigger: String,
    /// What must be known or there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// The command whose exit status says that it worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What to do when it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<String>,
    /// The skills it combines, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub combines: Vec<String>,
    /// Who wrote it.
    pub author: Author,
    /// When it was drafted, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last changed, likewise.
    pub updated_ms: u64,
    /// The turns it was learned from.
    pub evidence: Vec<Evidence>,
    /// The whole `SKILL.md` as the person wrote it, in place of one made from the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Somebody else's skill for the same purpose, and where it is. It makes this one a proposal: only the person can bring it into
    /// use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// How many of the turns like these succeeded.
    pub successes: u32,
    /// How many turns like these there were.
    pub attempts: u32,
}

impl Skill {
    /// Whether the person asked for it.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        self.evidence.iter().any(|evidence| evidence.source == Source::Said)
    }
}

/// One step of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to do, in words.
    pub text: String,
    /// The command that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Whether a skill is in use. Only active ones are where loaders find them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillState {
    /// Written, not yet through the gates.
    Draft,
    /// Through the gates; waits for approval or two successful uses.
    Staged,
    /// In use.
    Active,
    /// Not used for long, or not helpful: out of the catalogue, can be revived.
    Cold,
    /// Put away.
    Archived,
    /// Refused; why. Never drafted again from the same turns.
    Quarantined(String),
}
