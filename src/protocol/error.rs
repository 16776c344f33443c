//! What can go wrong, in words for people.
//!
//! Every error that reaches a person carries a kind, which decides the exit code, and where possible a hint, which says
//! what to do next.

use std::fmt;
use std::time::Duration;

/// What kind of trouble ended the run. The kind alone decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The turn could not be completed.
    Failed,
    /// Wrong usage or a configuration that cannot be used.
    Usage,
    /// No key, or one the provider refuses.
    Auth,
    /// A limit, quota or budget was reached.
    Limit,
    /// Sessions could not be read or written.
    Storage,
    /// The person interrupted.
    Interrupted,
}

impl ErrorKind {
    /// The process exit code of this kind.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::Limit => 4,
            Self::Storage => 5,
            Self::Interrupted => 130,
        }
    }
}

/// An error as a person sees it: what happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What happened, with the file, key or address it happened to.
    pub message: String,
    /// The next step, as an order the person can follow.
    pub hint: Option<String>,
}

impl UserError {
    /// An error without a hint.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UserError {}

/// Why a response of the model could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// Decides what the loop does with it and how it is recorded.
    pub cause: ModelErrorCause,
    /// What happened. The wording follows Codex, so that scripts which match on it keep working.
    pub message: String,
    /// Whether another attempt of the same request may succeed.
    pub retry: Retry,
}

/// Whether and when another attempt is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Another attempt cannot help.
    No,
    /// Try again after the usual backoff.
    Backoff,
    /// Try again after the time the server asked for.
    After(Duration),
}

/// The causes that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelErrorCause {
    /// The conversation no longer fits the model's window.
    ContextWindowExceeded,
    /// A plan's or account's quota is used up.
    UsageLimit,
    /// Too many requests.
    RateLimited,
    /// The provider is overloaded.
    Overloaded,
    /// No key, or one the provider refuses (401, 403).
    Auth,
    /// The model does not exist or is not offered to this account.
    ModelNotFound,
    /// The provider refuses the request as it is (400, 404, 413, …).
    BadRequest,
    /// The provider failed (5xx).
    Server,
    /// No connection, or it broke.
    Transport,
    /// Nothing came for as long as a first sign may take.
    NoFirstData,
    /// The response ended too early, stalled, or made no sense.
    Stream,
}

impl ModelErrorCause {
    /// The kind a person's exit code comes from.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::Auth => ErrorKind::Auth,
            Self::UsageLimit | Self::RateLimited => ErrorKind::Limit,
            _ => ErrorKind::Failed,
        }
    }

    /// What a person can do about it, where the message alone does not say.
    #[must_use]
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Auth => Some("set a key the provider takes, in the environment or in .env beside config.toml"),
            Self::ModelNotFound => Some("name another model with -m MODEL, or with model = \"…\" in config.toml"),
            Self::ContextWindowExceeded => {
                Some("send the message again: the next turn summarises the conversation first; or begin a new session")
            }
            _ => None,
        }
    }

    /// The name rollouts record, `codex_error_info` in Codex's files.
    #[must_use]
    pub const fn record_name(self) -> &'static str {
        match self {
            Self::ContextWindowExceeded => "context_window_exceeded",
            Self::UsageLimit => "usage_limit_exceeded",
            Self::RateLimited => "rate_limit_exceeded",
            Self::Overloaded => "server_overloaded",
            Self::ModelNotFound => "model_not_found",
            Self::Server => "internal_server_error",
            Self::Auth => "unauthorized",
            Self::BadRequest | Self::Transport | Self::NoFirstData | Self::Stream => "other",
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ModelError {}

impl From<ModelError> for UserError {
    fn from(error: ModelError) -> Self {
        let hint = error.cause.hint().map(str::to_owned);
        Self { kind: error.cause.kind(), message: error.message, hint }
    }
}

/// A session could not be read or written. It ends the turn: a turn that is not recorded must not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutError {
    /// What happened, with the path.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl fmt::Display for RolloutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RolloutError {}

impl From<RolloutError> for UserError {
    fn from(error: RolloutError) -> Self {
        Self { kind: ErrorKind::Storage, message: error.message, hint: error.hint }
    }
}
