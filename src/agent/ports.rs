//! What the agent needs from the outside world.
//!
//! The traits live here, with their consumer; implementations are leaves that do not know each other. Each contract says
//! what happens on failure, because that is where implementations differ.

use futures_util::Stream;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::protocol::event::{Activity, Fallback, FileChange};
use crate::protocol::item::OutputPart;
use crate::protocol::trace::TurnTrace;
use crate::protocol::{
    Answer, Event, Extra, Item, ModelError, Prompt, Question, RolloutError, RolloutLine, ToolSpec, TurnId, Usage, Wish,
};
use crate::text::truncate::OutputLimit;

/// A boxed future, so that the ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One response as it streams in.
pub type ModelStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, ModelError>> + Send>>;

/// Streams responses of a model.
pub trait ModelClient: Send + Sync {
    /// Starts one response. Never panics; trouble is an `Err` item, after which the stream ends. A response that succeeds
    /// ends with [`ModelEvent::Completed`]. Attempts that got no stream are retried inside; a stream that broke is not,
    /// since only the caller knows what came of it. Deadlines for connecting, headers and silence are the implementer's.
    /// Dropping the stream cancels the request.
    fn stream(&self, prompt: Prompt) -> ModelStream;

    /// How many times a broken stream is tried again.
    fn stream_max_retries(&self) -> u32;

    /// How long to wait before the `attempt`th of those, from 1, when the server named no time.
    fn backoff(&self, attempt: u32) -> Duration;

    /// Has the next attempt made with another model, when one may answer where this one failed with `error`; `last_try`: it
    /// will not be asked again. `None` when there is none, and the failure stands.
    fn fall_back(&self, _error: &ModelError, _last_try: bool) -> Option<Fallback> {
        None
    }
}

/// Something a model's response said.
#[derive(Clone, Debug)]
pub enum ModelEvent {
    /// More of a message's text. For showing only.
    MessageDelta(String),
    /// More of a reasoning summary. For showing only.
    ReasoningDelta(String),
    /// An item is complete. The only source of history.
    ItemDone(Item),
    /// The server said something about itself that the person should know.
    Notice(String),
    /// The rate limits the response's headers told, in the form rollouts record them.
    RateLimits(serde_json::Value),
    /// The response is complete; the last event of a stream.
    Completed(Completion),
}

/// How a response ended.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The server's id of the response.
    pub response_id: String,
    /// Tokens; zeros when the server did not say.
    pub usage: Usage,
    /// `false` asks for another request in the same turn though no tool was called.
    pub end_turn: Option<bool>,
    /// The model that answered, when it is not the one that was asked for.
    pub model: Option<String>,
}

/// One tool the model can call.
pub trait Tool: Send + Sync {
    /// What the model is told of it, from `tools/<name>.json`.
    fn spec(&self) -> &ToolSpec;

    /// What a call is about to do, for people. Pure; called before `call`. Arguments that cannot be read still describe
    /// themselves somehow.
    fn activity(&self, input: &str, cwd: &Path) -> Activity;

    /// What a call will touch. Pure; `None` when the arguments cannot be read.
    fn access(&self, input: &str, cwd: &Path) -> Option<Access>;

    /// What a call asks for over what it may do anyway; `None` when it asks for nothing, or cannot be read.
    fn wish(&self, _input: &str, _cwd: &Path) -> Option<Wish> {
        None
    }

    /// All that a call would do, where its activity says it in short: a whole patch.
    fn details(&self, _input: &str) -> Option<String> {
        None
    }

    /// The call with another command in place of its own; `None` when it runs none.
    fn with_command(&self, _input: &str, _command: &str) -> Option<String> {
        None
    }

    /// Runs a call. `input` is the JSON text of a function call or the free text of a custom call, unchecked. A failure is
    /// an [`Output`] that says so; a tool cannot fail a turn. Returns soon after `cx.cancel`, with everything it started
    /// ended.
    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output>;
}

/// What a call will touch: what policy decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing outside the program.
    None,
    /// Reads files.
    Read,
    /// Writes these files.
    Write(Vec<PathBuf>),
    /// Starts this command.
    Exec(Vec<String>),
}

/// What a call is told of its surroundings.
#[derive(Clone)]
pub struct ToolCx {
    /// The call.
    pub call_id: String,
    /// The conversation.
    pub thread_id: String,
    /// The folder of the turn. Absolute; relative paths of the model start here.
    pub cwd: PathBuf,
    /// How much of an output the model may get.
    pub output_limit: OutputLimit,
    /// How far it may go.
    pub permit: Permit,
    /// Set when the person interrupts.
    pub cancel: CancellationToken,
    /// Where events of the tool's own go, such as a changed plan.
    pub events: Arc<dyn EventSink>,
}

/// How far a call may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Whether it stays in the sandbox.
    pub contained: bool,
    /// What it may touch there beyond what the mode allows.
    pub extra: Extra,
    /// Whether what it asked for holds for the session, and not for this turn alone.
    pub lasting: bool,
    /// What it may not read, as places links do not lead away from.
    pub hidden: Arc<[PathBuf]>,
}

impl Default for Permit {
    fn default() -> Self {
        Self { contained: true, extra: Extra::default(), lasting: false, hidden: Arc::default() }
    }
}

/// Asks the person whether a call may go on.
pub trait Approver: Send + Sync {
    /// Returns the answer. One question is asked at a time. When the turn is interrupted the future is dropped, and the
    /// question with it. Whoever cannot ask says [`Answer::Nobody`] at once; nothing here fails.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Answer>;
}

/// A tool's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What the model gets.
    pub parts: Vec<OutputPart>,
    /// Whether the tool did what it was asked to. The model sees only `parts`; people and statistics see this.
    pub ok: bool,
    /// A command's exit status.
    pub exit_code: Option<i32>,
    /// The number under which a command goes on running, or did until this call.
    pub session: Option<i32>,
    /// What people get to see of a command's output; empty when `parts` say it all.
    pub shown: String,
    /// Files it changed.
    pub changes: Vec<FileChange>,
}

impl Output {
    /// A tool did what it was asked to.
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self { parts: vec![OutputPart::Text(text.into())], ok: true, ..Self::default() }
    }

    /// A tool could not do it, and says why.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self { parts: vec![OutputPart::Text(text.into())], ..Self::default() }
    }
}

/// Takes events for a front end.
pub trait EventSink: Send + Sync {
    /// Cheap, and never waits. A slow front end may lose deltas, never state.
    fn emit(&self, event: Event);
}

/// Records a session.
pub trait Rollout: Send + Sync {
    /// Returns when the line is with the operating system.
    ///
    /// # Errors
    /// The line could not be written as a whole. The turn ends: what is not recorded must not go on.
    fn append(&self, line: &RolloutLine) -> Result<(), RolloutError>;

    /// Returns when everything appended so far is on disk.
    ///
    /// # Errors
    /// The operating system could not promise it.
    fn barrier(&self) -> Result<(), RolloutError>;
}

/// Keeps what files were like before a turn changed them, so that the person can take the turn back. Costs nothing in a turn
/// that writes nothing.
///
/// No failure here stops a turn. Functions that can fail return what the person should be warned of; the implementer says the
/// same trouble once in its life.
pub trait Checkpoints: Send + Sync {
    /// A call is about to write to these files, create, move or delete them. Returns when what is there is kept. Blocks.
    fn before_write(&self, turn: TurnId, paths: &[PathBuf]) -> Option<String>;

    /// The call has ended, whatever came of it. Blocks.
    fn after_write(&self, turn: TurnId, paths: &[PathBuf]) -> Option<String>;

    /// A command starts, and nobody knows what it will write.
    fn command_started(&self, turn: TurnId);

    /// The turn has ended, however it did. Blocks when it wrote something.
    fn turn_ended(&self, turn: TurnId) -> Option<String>;
}

/// What was learned before, for the turns of one conversation. Reads little and never waits; what cannot be read is not shown.
/// Whatever it gives counts as shown: the implementer writes that down when the turn ends.
pub trait Lessons: Send + Sync {
    /// What a conversation that begins with `message` should know from the start, most important first.
    fn at_start(&self, message: &str) -> Vec<Lesson>;

    /// Those of `ids`, shown earlier in the conversation, that no longer hold.
    fn withdrawn(&self, ids: &[&str]) -> Vec<String>;

    /// What fits `message`, most fitting first, without what the conversation was shown before.
    fn with_message(&self, message: &str, was_shown: &dyn Fn(&str) -> bool) -> Vec<Lesson>;

    /// What is known of a call that is about to run. The same is told once.
    fn with_call(&self, activity: &Activity) -> Option<Lesson>;

    /// Whether the skill with this id was learned where the conversation works, and is in use.
    fn offers_skill(&self, id: &str) -> bool;

    /// The model is offered these skills by name.
    fn skills_listed(&self, names: &[&str]);

    /// The model is given the whole text of a skill.
    fn skill_given(&self, name: &str);

    /// The turn has ended, and its end is not recorded yet. Blocks when something was shown in it. What the person should know
    /// of trouble is returned, once.
    fn turn_ended(&self, turn: TurnId) -> Option<String>;
}

/// Something that was learned, as the model is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Where it comes from: the id of an entry, or of a turn of an earlier session.
    pub id: String,
    /// What it says.
    pub text: String,
    /// What it rests on and since when, in a few words.
    pub source: String,
}

/// What was said and done in past sessions.
pub trait Recall: Send + Sync {
    /// What answers a question, in this repository's sessions or in those of all, best first; nothing when nothing clearly does.
    ///
    /// # Errors
    /// What is kept of them cannot be read.
    fn recall(
        &self,
        question: &str,
        everywhere: bool,
        limit: usize,
    ) -> Result<Vec<Recalled>, crate::protocol::UserError>;
}

/// A passage of a past session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// The conversation and the turn.
    pub id: String,
    /// Who said it, in words.
    pub who: String,
    /// When, in words.
    pub date: String,
    /// What was said, or done.
    pub text: String,
}

/// What turns may use.
pub trait Budget: Send + Sync {
    /// A response of `model` used this.
    fn used(&self, model: &str, usage: &Usage);

    /// Whether a turn that used so many tokens may ask for another response. Blocks for the milliseconds it takes to look.
    ///
    /// # Errors
    /// A limit was reached; the error says which, and how to go on.
    fn allows(&self, turn_tokens: u64) -> Result<(), crate::protocol::UserError>;
}

/// Learns of every turn that ended, however it ended.
pub trait Observer: Send + Sync {
    /// Takes what happened in a turn, before its end is told to anyone. Blocks for the few milliseconds that keeping it takes.
    /// No failure here fails the turn: what the person should know of it is returned, once for the same trouble.
    fn turn_ended(&self, trace: TurnTrace) -> Option<String>;
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> u64;
    /// The date where the person is, `YYYY-MM-DD`.
    fn local_date(&self) -> String;
    /// The person's time zone by its IANA name, `Etc/UTC` when unknown.
    fn time_zone(&self) -> String;
}

/// Reads the files that shape the context: AGENTS.md, skills. Floor 2 decides what to read; this reads it.
pub trait Files: Send + Sync {
    /// The file's whole content.
    ///
    /// # Errors
    /// As the operating system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// What tells whether a file or folder changed since it was last read; `None` when there is none.
    fn stamp(&self, path: &Path) -> Option<Stamp>;

    /// Names and kinds of a folder's entries, sorted by name; symbolic links are followed.
    ///
    /// # Errors
    /// As the operating system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, EntryKind)>>;
}

/// What tells two versions of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Nanoseconds since the Unix epoch of the last change.
    pub modified_ns: i128,
    /// Its size in bytes.
    pub len: u64,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// Anything else.
    Other,
}
