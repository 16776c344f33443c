//! What something was learned from.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::{ThreadId, TurnId};

/// A quotation that code has found, word for word, in the turn it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The conversation.
    pub thread: ThreadId,
    /// The turn.
    pub turn: TurnId,
    /// Where in the turn.
    pub source: Source,
    /// The words, or `exit 0: COMMAND` for an exit status.
    pub quote: String,
}

/// Where words come from. It decides what they may teach: see [`Source::may_instruct`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person's own words.
    Said,
    /// A command's exit status: what the machine did, not what something said.
    Exit,
    /// The model's words.
    Answer,
    /// What a command printed.
    Output,
    /// What a file held.
    File,
    /// A page of the web.
    Web,
    /// An MCP server's answer.
    Mcp,
    /// Text that was learned or recalled before and shown again. Never evidence for anything new.
    Injected,
    /// A memory another program kept, which the person imported.
    Import,
}

impl Source {
    /// Whether this source alone may become a rule, a preference or a skill. Everything else needs one of these beside it.
    #[must_use]
    pub const fn may_instruct(self) -> bool {
        matches!(self, Self::Said | Self::Exit | Self::Import)
    }
}
