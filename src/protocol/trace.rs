//! What happened in a turn, as the turn hands it to whoever learns from it.
//!
//! Words are as they were said: whoever keeps any of it shortens and redacts it first.

use std::path::PathBuf;
use std::sync::Arc;

use super::event::{Activity, ToolResult};
use super::ids::{ThreadId, TurnId};

/// What happened in a turn that has ended.
#[derive(Clone, Debug)]
pub struct TurnTrace {
    /// The turn.
    pub turn: TurnId,
    /// The conversation.
    pub thread: ThreadId,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended, likewise.
    pub ended_ms: u64,
    /// The folder it worked in.
    pub cwd: PathBuf,
    /// The model that answered.
    pub model: String,
    /// The person's words in order.
    pub said: Vec<String>,
    /// The model's last message.
    pub answer: Option<Arc<str>>,
    /// How it ended.
    pub ended: Ended,
    /// The tool calls in the order they began.
    pub calls: Vec<CallTrace>,
    /// The `SKILL.md` of each skill that was given to the model.
    pub skills: Vec<PathBuf>,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an answer.
    Completed,
    /// Without one; why.
    Failed(String),
    /// The person interrupted it.
    Interrupted,
}

/// One tool call.
#[derive(Clone, Debug)]
pub struct CallTrace {
    /// The call's id.
    pub id: String,
    /// What it was about to do.
    pub activity: Activity,
    /// How it ended; `None` when it did not.
    pub result: Option<ToolResult>,
}
