//! What a response says, whatever format it came in.

use serde_json::Value;

/// One thing a response says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// More of the message's text.
    Text(String),
    /// More of the reasoning.
    Reasoning(String),
    /// A complete item in Responses form.
    Item(Value),
    /// The response is complete; nothing follows.
    Completed {
        /// The server's id of the response.
        id: String,
        /// Tokens, in Responses form.
        usage: Value,
        /// `false` asks for another request of the same turn.
        end_turn: Option<bool>,
    },
    /// The response failed; nothing follows. The code is one of the Responses API.
    Failed {
        /// What clients tell failures apart by.
        code: &'static str,
        /// What happened.
        message: String,
    },
    /// The response reached a limit; nothing follows. The reason is one of the Responses API.
    Incomplete(&'static str),
}

impl Said {
    /// A failure that another attempt may mend.
    #[must_use]
    pub fn broken(message: impl Into<String>) -> Self {
        Self::Failed { code: "server_error", message: message.into() }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed { .. } | Self::Incomplete(_))
    }
}
