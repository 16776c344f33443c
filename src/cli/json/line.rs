//! One line of the event stream, as Codex writes it: names and order of the fields are Codex's.

use serde::Serialize;
use serde_json::Value;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Line {
    /// The conversation, new or resumed: the first line.
    #[serde(rename = "thread.started")]
    ThreadStarted {
        /// Resumes it.
        thread_id: String,
    },
    /// A turn began.
    #[serde(rename = "turn.started")]
    TurnStarted {},
    /// The turn ended with an answer.
    #[serde(rename = "turn.completed")]
    TurnCompleted {
        /// Tokens of the whole conversation so far.
        usage: Usage,
    },
    /// The turn ended without an answer.
    #[serde(rename = "turn.failed")]
    TurnFailed {
        /// Why.
        error: Failure,
    },
    /// Something began.
    #[serde(rename = "item.started")]
    ItemStarted {
        /// What.
        item: Item,
    },
    /// Something changed.
    #[serde(rename = "item.updated")]
    ItemUpdated {
        /// What.
        item: Item,
    },
    /// Something is done.
    #[serde(rename = "item.completed")]
    ItemCompleted {
        /// What.
        item: Item,
    },
    /// The turn cannot go on, or a request is about to be tried again.
    #[serde(rename = "error")]
    Error {
        /// What happened.
        message: String,
    },
}

/// Tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// What the requests held.
    pub input_tokens: u64,
    /// The part of it the provider read from its prompt cache.
    pub cached_input_tokens: u64,
    /// The part of it the provider wrote to its prompt cache.
    pub cache_write_input_tokens: u64,
    /// What the model wrote.
    pub output_tokens: u64,
    /// The part of it that was reasoning.
    pub reasoning_output_tokens: u64,
}

/// Why a turn failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// In words.
    pub message: String,
}

/// Something that happens in a turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// `item_0`, `item_1` and so on, in the order things begin.
    pub id: String,
    /// What it is.
    #[serde(flatten)]
    pub details: Details,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Details {
    /// The model says something.
    AgentMessage {
        /// All of it.
        text: String,
    },
    /// The model's reasoning, as far as it is told.
    Reasoning {
        /// Its summary.
        text: String,
    },
    /// A command runs.
    CommandExecution {
        /// With its shell, quoted for one.
        command: String,
        /// What it printed so far.
        aggregated_output: String,
        /// Its exit code, once it ended.
        exit_code: Option<i32>,
        /// How far it is.
        status: Status,
    },
    /// Files change.
    FileChange {
        /// Which, sorted by their path.
        changes: Vec<Change>,
        /// How far it is.
        status: Status,
    },
    /// The provider searches the web. Codex writes a second `id` into this item, the provider's; most readers take the last
    /// one of a name.
    WebSearch {
        /// The provider's id.
        id: String,
        /// What for.
        query: String,
        /// `search`, `open_page` or `find_in_page` with what belongs to it.
        action: Value,
    },
    /// The model's plan. It is completed when the turn ends.
    TodoList {
        /// The steps.
        items: Vec<Todo>,
    },
    /// Something to know, though the turn goes on.
    Error {
        /// What.
        message: String,
    },
}

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It goes on.
    InProgress,
    /// It went well.
    Completed,
    /// It did not.
    Failed,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Absolute.
    pub path: String,
    /// How.
    pub kind: ChangeKind,
}

/// How a file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// It is gone.
    Delete,
    /// It has another content, or another place.
    Update,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Todo {
    /// What is to be done.
    pub text: String,
    /// Whether it is.
    pub completed: bool,
}
