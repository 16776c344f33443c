//! What a front end sees of a running turn.
//!
//! Events are for showing. Deltas may be lost by a slow front end; all other events are state and must arrive. The model
//! never sees an event, and history never comes from one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::UserError;
use super::ids::{ThreadId, TurnId};
use super::usage::Usage;
use super::web_search::WebSearch;

/// Something a person may want to see.
#[derive(Clone, Debug)]
pub enum Event {
    /// A session is ready: sent once, before anything else.
    SessionReady(SessionInfo),
    /// A turn has begun.
    TurnStarted {
        /// The turn.
        turn_id: TurnId,
    },
    /// More of the answer that is being streamed.
    MessageDelta(String),
    /// More of the reasoning summary that is being streamed.
    ReasoningDelta(String),
    /// A message of the model is complete.
    Message {
        /// Its whole text.
        text: Arc<str>,
    },
    /// A reasoning item is complete.
    Reasoning {
        /// Its summary; empty when the provider gives none.
        text: String,
        /// The parts the summary came in.
        parts: Vec<String>,
    },
    /// A tool call starts to run.
    ToolStarted {
        /// Pairs this with its `ToolEnded`.
        call_id: String,
        /// What runs, for people.
        activity: Activity,
    },
    /// A tool call ended.
    ToolEnded {
        /// Pairs this with its `ToolStarted`.
        call_id: String,
        /// How it ended, for people.
        result: ToolResult,
    },
    /// The provider searched the web by itself, on behalf of the model.
    WebSearch(WebSearch),
    /// The model set its plan.
    PlanUpdated {
        /// Why it changed, in the model's words.
        explanation: Option<String>,
        /// The steps in order.
        steps: Vec<PlanStep>,
    },
    /// A user's message that came during a turn waits for the next safe point.
    SteerQueued {
        /// The message.
        text: String,
    },
    /// A user's message that came during a turn has joined it.
    SteerInserted {
        /// The message.
        text: String,
    },
    /// The stream broke and the request is tried again.
    Reconnecting {
        /// The attempt about to be made, from 1.
        attempt: u32,
        /// How many attempts are made at most.
        max: u32,
        /// How long it waits first.
        delay: Duration,
        /// What broke.
        detail: String,
    },
    /// A model could not answer, and another one is asked.
    FellBack(Fallback),
    /// The conversation is about to be replaced by a summary of it.
    CompactionStarted {
        /// Why.
        reason: CompactionReason,
    },
    /// The conversation was replaced by a shorter one.
    Compacted {
        /// Tokens before.
        before: u64,
        /// Tokens after, estimated.
        after: u64,
    },
    /// The newest compaction was taken back.
    CompactionUndone {
        /// Tokens before.
        before: u64,
        /// Tokens after, estimated.
        after: u64,
    },
    /// Token counts changed.
    TokenCount(TokenCount),
    /// Something the person should know, though the turn goes on.
    Warning(String),
    /// A review of earlier turns found something worth keeping. Comes between turns.
    Learned(Vec<Lesson>),
    /// The turn ended with an answer.
    TurnCompleted(TurnSummary),
    /// The turn ended without one.
    TurnFailed {
        /// The turn.
        turn_id: TurnId,
        /// Why.
        error: UserError,
    },
    /// The turn was interrupted.
    TurnAborted {
        /// The turn.
        turn_id: TurnId,
    },
}

/// Another model is asked in place of one that could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Who could not answer, for people: its slug, and its provider when that is not the chosen one.
    pub from: String,
    /// Who is asked now.
    pub to: String,
    /// How long the first one is left alone.
    pub cooldown: Duration,
    /// Why it could not.
    pub detail: String,
}

impl std::fmt::Display for Fallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Falling back: {} -> {}: {}", self.from, self.to, self.detail)
    }
}

/// Why a conversation is compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactionReason {
    /// It has grown to its limit.
    ContextLimit,
    /// The person asked for it.
    UserRequested,
}

/// What is fixed for a session.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// The conversation.
    pub thread_id: ThreadId,
    /// The model's slug.
    pub model: String,
    /// The provider's id.
    pub provider: String,
    /// The folder commands run in.
    pub cwd: PathBuf,
    /// What contains commands, such as `read-only, by landlock`; `None` when they run with the person's permissions.
    pub sandbox: Option<String>,
    /// Where the session is recorded; `None` for an ephemeral one.
    pub rollout_path: Option<PathBuf>,
    /// Configured reasoning effort.
    pub effort: Option<String>,
    /// Whether an earlier session goes on, and how many items its history holds.
    pub resumed_items: Option<usize>,
    /// The name the person gave the conversation.
    pub title: Option<String>,
}

/// What a tool is doing, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A command runs.
    Exec {
        /// The command as the model wrote it.
        command: String,
        /// The same as it is started: a shell and its script, or a program and its arguments. Empty when it cannot be read.
        argv: Vec<String>,
        /// Where it runs.
        cwd: PathBuf,
    },
    /// Files are changed.
    Patch {
        /// The files named in the patch.
        paths: Vec<PathBuf>,
    },
    /// Any other tool.
    Other {
        /// The tool's name.
        tool: String,
        /// Its arguments in a few words.
        summary: String,
    },
}

/// How a tool call ended, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolResult {
    /// Whether the tool did what it was asked to.
    pub ok: bool,
    /// A command's exit status; `None` while it still runs, and for tools that are no command.
    pub exit_code: Option<i32>,
    /// The number under which a command goes on running, or did until now.
    pub session: Option<i32>,
    /// How long it ran.
    pub duration: Duration,
    /// What it printed or answered, shortened as for the model.
    pub output: String,
    /// Files it changed.
    pub changes: Vec<FileChange>,
}

/// A file a tool changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The absolute path before the change.
    pub path: PathBuf,
    /// What happened to it.
    pub kind: FileChangeKind,
    /// The change as a unified diff; empty when it is too large to show.
    pub diff: String,
}

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChangeKind {
    /// It is new, or was replaced as a whole.
    Add,
    /// It is gone.
    Delete,
    /// Its content changed, and perhaps its place.
    Update {
        /// Where it is now, when it moved.
        moved_to: Option<PathBuf>,
    },
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// What is to be done.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Being done.
    InProgress,
    /// Done.
    Completed,
}

/// Tokens of the thread so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Sum over the thread.
    pub total: Usage,
    /// The last response alone.
    pub last: Usage,
    /// The usable context window, when known.
    pub context_window: Option<u64>,
}

/// Something that was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Whether it waits for the person's approval.
    pub waits: bool,
}

/// How a completed turn ended.
#[derive(Clone, Debug)]
pub struct TurnSummary {
    /// The turn.
    pub turn_id: TurnId,
    /// The last message of the model that has text.
    pub last_message: Option<Arc<str>>,
    /// Sum over the thread.
    pub total_usage: Usage,
    /// How long the turn took.
    pub duration: Duration,
}
