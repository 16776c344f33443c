//! What happened in a turn: one line of `turns.jsonl`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::protocol::ids::{ThreadId, TurnId};

/// What is kept of a turn, however it ended. Texts are redacted and shortened before they get here; the whole is in the rollout,
/// where the turn's id leads to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// The turn. Of several records with the same id the first one counts.
    pub turn: TurnId,
    /// The conversation.
    pub thread: ThreadId,
    /// Who asked for it.
    pub kind: TurnKind,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended, likewise.
    pub ended_ms: u64,
    /// The folder it worked in.
    pub cwd: PathBuf,
    /// The model that answered.
    pub model: String,
    /// Where the conversation is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<PathBuf>,
    /// The person's words in order: what began the turn, then what joined it.
    pub said: Vec<String>,
    /// The last message of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// How it ended.
    pub status: TurnStatus,
    /// The tool calls in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallRecord>,
    /// The skills whose text the model was given in this turn, or read itself, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
}

/// Who asked for a turn. Only a person's turns are reviewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnKind {
    /// A person, in words.
    #[default]
    Person,
    /// A hook.
    Hook,
    /// Another agent.
    Agent,
    /// A timer.
    Scheduled,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// With an answer.
    Completed,
    /// Without one; why.
    Failed(String),
    /// The person interrupted it.
    Interrupted,
}

/// One tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The tool's name.
    pub tool: String,
    /// What it did.
    pub work: Work,
    /// Whether the tool did what it was asked to.
    pub ok: bool,
    /// A command's exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The begin and the end of what it answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// The files it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileTouched>,
}

/// What a call did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Ran a command.
    Command {
        /// As the model wrote it, without the shell around it.
        line: String,
        /// Where.
        cwd: PathBuf,
    },
    /// Changed files.
    Edit,
    /// Anything else, in a few words. What it answered came from outside: a file, the web, an MCP server.
    Other {
        /// Its arguments, shortened.
        summary: String,
    },
}

/// A file a call changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTouched {
    /// Where it is, relative to the repository when inside it.
    pub path: PathBuf,
    /// `add`, `update` or `delete`.
    pub change: String,
}
