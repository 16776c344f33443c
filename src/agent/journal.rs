//! What a turn writes to the rollout, and in which order.
//!
//! An item is recorded before it is shown or acted on: what a person has seen survives a crash, and a call that ran is known
//! to have run. Readers that show sessions go by the events beside the items.

use serde_json::{Value, json};

use super::conversation::Conversation;
use super::ports::{Clock, Rollout};
use crate::protocol::rollout_line::{Compacted, RolloutEvent, TokenInfo, TurnContext};
use crate::protocol::{Item, ModelError, RolloutError, RolloutLine, TurnId, UserError};
use crate::text::truncate::{self, OutputLimit};

/// What an event repeats of an item's text at most. The item beside it holds the whole; a reader that shows sessions is not
/// helped by megabytes.
const REPEATED: OutputLimit = OutputLimit::Bytes(1 << 20);

/// Writes the lines of one turn.
pub struct Journal<'a> {
    rollout: &'a dyn Rollout,
    clock: &'a dyn Clock,
    turn_id: TurnId,
    started_ms: u64,
}

impl<'a> Journal<'a> {
    /// Begins a turn's lines: the turn itself.
    ///
    /// # Errors
    /// See [`Rollout::append`]; the same holds for every function here.
    pub fn open(
        rollout: &'a dyn Rollout,
        clock: &'a dyn Clock,
        turn_id: TurnId,
        model_context_window: Option<u64>,
    ) -> Result<Self, RolloutError> {
        let started_ms = clock.unix_ms();
        let journal = Self { rollout, clock, turn_id, started_ms };
        journal.event(RolloutEvent::TaskStarted {
            turn_id: turn_id.to_string(),
            started_at: started_ms / 1000,
            model_context_window,
        })?;
        Ok(journal)
    }

    /// Milliseconds since the turn began.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        self.clock.unix_ms().saturating_sub(self.started_ms)
    }

    /// The settings the turn runs under.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn settings(&self, conversation: &Conversation) -> Result<(), RolloutError> {
        let model = &conversation.model;
        self.rollout.append(&RolloutLine::TurnContext(Box::new(TurnContext {
            turn_id: Some(self.turn_id),
            cwd: model.cwd.clone(),
            approval_policy: model.approval_policy.clone().into(),
            sandbox_policy: json!({"type": model.sandbox_mode}),
            model: model.slug.clone(),
            effort: model.effort.clone(),
            summary: model.summary.clone().unwrap_or_else(|| "auto".into()).into(),
            other: serde_json::Map::new(),
        })))
    }

    /// An item of the conversation.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn item(&self, item: &Item) -> Result<(), RolloutError> {
        self.rollout.append(&RolloutLine::Item(item.clone()))
    }

    /// A message of the model, as readers know it.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn agent_message(&self, text: &str, phase: Option<String>) -> Result<(), RolloutError> {
        self.event(RolloutEvent::AgentMessage { message: repeated(text), phase })
    }

    /// A reasoning summary, as readers know it.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn agent_reasoning(&self, text: &str) -> Result<(), RolloutError> {
        self.event(RolloutEvent::AgentReasoning { text: repeated(text) })
    }

    /// The person's own words, as readers know them.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn user_message(&self, text: &str) -> Result<(), RolloutError> {
        self.event(RolloutEvent::UserMessage {
            message: repeated(text),
            images: None,
            local_images: Vec::new(),
            text_elements: Vec::new(),
        })
    }

    /// Token counts after a response, and the model that gave it when that is not the turn's.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn tokens(
        &self,
        conversation: &Conversation,
        rate_limits: Value,
        model: Option<&str>,
    ) -> Result<(), RolloutError> {
        let tokens = &conversation.tokens;
        let info = TokenInfo {
            total_token_usage: tokens.total,
            last_token_usage: tokens.last,
            model_context_window: tokens.context_window,
        };
        self.event(RolloutEvent::TokenCount { info: Some(info), rate_limits, model: model.map(str::to_owned) })
    }

    /// The history was replaced.
    ///
    /// # Errors
    /// See [`Rollout::append`].
    pub fn compacted(&self, line: &Compacted) -> Result<(), RolloutError> {
        self.rollout.append(&RolloutLine::Compacted(line.clone()))
    }

    /// The turn ended with an answer, and all of it is on disk.
    ///
    /// # Errors
    /// See [`Rollout::append`] and [`Rollout::barrier`].
    pub fn complete(&self, last_agent_message: Option<&str>) -> Result<(), RolloutError> {
        self.end(last_agent_message.map(repeated), None)
    }

    /// The turn failed, and all of it is on disk.
    ///
    /// # Errors
    /// See [`Rollout::append`] and [`Rollout::barrier`].
    pub fn fail(&self, error: &ModelError) -> Result<(), RolloutError> {
        let error = json!({"message": error.message, "codex_error_info": error.cause.record_name()});
        self.end(None, Some(error))
    }

    /// The turn could not go on as it was, and all of it is on disk.
    ///
    /// # Errors
    /// See [`Rollout::append`] and [`Rollout::barrier`].
    pub fn refuse(&self, error: &UserError) -> Result<(), RolloutError> {
        self.end(None, Some(json!({"message": error.message, "codex_error_info": "other"})))
    }

    /// The turn was interrupted, and all of it is on disk.
    ///
    /// # Errors
    /// See [`Rollout::append`] and [`Rollout::barrier`].
    pub fn abort(&self) -> Result<(), RolloutError> {
        self.event(RolloutEvent::TurnAborted {
            turn_id: Some(self.turn_id.to_string()),
            reason: "interrupted".into(),
            started_at: Some(self.started_ms / 1000),
            completed_at: Some(self.clock.unix_ms() / 1000),
            duration_ms: Some(self.elapsed_ms()),
        })?;
        self.rollout.barrier()
    }

    fn end(&self, last_agent_message: Option<String>, error: Option<Value>) -> Result<(), RolloutError> {
        self.event(RolloutEvent::TaskComplete {
            turn_id: self.turn_id.to_string(),
            last_agent_message,
            started_at: Some(self.started_ms / 1000),
            completed_at: Some(self.clock.unix_ms() / 1000),
            duration_ms: Some(self.elapsed_ms()),
            error,
        })?;
        self.rollout.barrier()
    }

    fn event(&self, event: RolloutEvent) -> Result<(), RolloutError> {
        self.rollout.append(&RolloutLine::Event(event))
    }
}

fn repeated(text: &str) -> String {
    truncate::middle(text, REPEATED).into_owned()
}
