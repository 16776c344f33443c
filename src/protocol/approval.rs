//! A question to the person about a call, and its answer.

use std::path::PathBuf;

use super::event::Activity;

/// What a call may touch beyond what the mode allows, when it stays in the sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Folders and files it may write. Absolute.
    pub writable: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}

impl Extra {
    /// Whether this is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writable.is_empty() && !self.network
    }

    /// Whether all of another is in this.
    #[must_use]
    pub fn has(&self, other: &Self) -> bool {
        let covered = |place: &PathBuf| self.writable.iter().any(|root| place.starts_with(root));
        (self.network || !other.network) && other.writable.iter().all(covered)
    }

    /// Takes more in.
    pub fn add(&mut self, more: &Self) {
        for path in &more.writable {
            if !self.writable.contains(path) {
                self.writable.push(path.clone());
            }
        }
        self.network |= more.network;
    }

    /// In words, to follow "it asks to".
    #[must_use]
    pub fn in_words(&self) -> String {
        let places: Vec<String> = self.writable.iter().map(|path| path.display().to_string()).collect();
        let write = (!places.is_empty()).then(|| format!("write {}", places.join(", ")));
        let network = self.network.then(|| "use the network".to_owned());
        write.into_iter().chain(network).collect::<Vec<_>>().join(" and ")
    }
}

/// What a model asks for with a call, over what the call may do anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// More within the sandbox; `None` to leave it.
    pub extra: Option<Extra>,
    /// The question the model would ask, if it gave one.
    pub justification: Option<String>,
    /// The running command it would type into, which no sandbox holds.
    pub typing: Option<i32>,
    /// The prefix of commands it would like never to be asked for again.
    pub prefix_rule: Option<Vec<String>>,
}

/// Something the person is asked before a call may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The call.
    pub call_id: String,
    /// What would be done, and where.
    pub activity: Activity,
    /// All of it, where that says it in short.
    pub details: Option<String>,
    /// Why it is asked, in our words.
    pub reason: String,
    /// Why it is to be done, in the model's words.
    pub justification: Option<String>,
    /// Whether it would run in the sandbox.
    pub contained: bool,
    /// What "always" would allow. `None` when nothing should.
    pub always: Option<Always>,
    /// Whether the person can put another command in its place.
    pub editable: bool,
}

/// What "always" allows from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Always {
    /// Commands that begin with these words; they run outside the sandbox.
    Prefix(Vec<String>),
    /// Writing these files.
    Files(Vec<PathBuf>),
    /// What the call asked for, for other calls too.
    Extra(Extra),
    /// Typing into this running command.
    Typing(i32),
}

/// The person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This time.
    Once,
    /// This time, and what "always" says until the session ends, or for longer when the front end wrote it down.
    Always,
    /// This time, with this command in place of the model's.
    Edited(String),
    /// No, and what the person had to say to it.
    No(Option<String>),
    /// No, and the turn is being interrupted.
    NoAndStop,
    /// The person leaves with the question open, and the turn is being interrupted.
    Unanswered,
    /// There is nobody to ask.
    Nobody,
}
