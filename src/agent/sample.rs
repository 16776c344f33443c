//! One response of the model.
//!
//! Items are stored as they finish and their calls start at once. When the stream breaks, what has finished stays: the retry
//! waits for the calls that already run and asks again with their outputs, so that nothing runs twice. Text that was only
//! half streamed is dropped.

use futures_util::StreamExt;
use serde_json::Value;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::dispatch::{Dispatch, Keepers};
use super::ports::{Completion, ModelEvent, Permit, ToolCx};
use super::turn::{Stop, Turn};
use crate::protocol::error::{ModelErrorCause, Retry};
use crate::protocol::{Event, ModelError};

/// A response that was had.
pub struct Response {
    /// It asked for at least one tool.
    pub called_tools: bool,
    /// The server's own word on whether the turn is over.
    pub end_turn: Option<bool>,
}

/// What a stream said beside its items.
#[derive(Default)]
struct Heard {
    called_tools: bool,
    rate_limits: Value,
    /// `None` when the stream was cut because the person said something.
    completion: Option<Completion>,
}

impl Turn<'_> {
    /// Asks the model once, trying again while that may help, and answers the tool calls of the response.
    pub(super) async fn sample(&mut self) -> Result<Response, Stop> {
        let mut attempt = 0;
        loop {
            let mut dispatch = self.dispatch();
            let mut heard = Heard::default();
            let streamed = self.stream(&mut heard, &mut dispatch).await;
            if let Some(completion) = &heard.completion {
                self.conversation.tokens.last = completion.usage;
                self.pay(completion.usage, completion.model.as_deref());
            }
            if let Err(Stop::Storage(error)) = streamed {
                self.cancel.cancel();
                dispatch.join().await;
                return Err(Stop::Storage(error));
            }
            for output in dispatch.join().await {
                self.store(output)?;
            }
            if let Some(completion) = &heard.completion {
                let (limits, model) = (std::mem::take(&mut heard.rate_limits), completion.model.as_deref());
                self.journal.tokens(self.conversation, limits, model)?;
                self.agent.events.emit(Event::TokenCount(self.conversation.tokens));
            }
            match streamed {
                _ if self.cancel.is_cancelled() => return Err(Stop::Interrupted),
                Ok(()) => {
                    let end_turn = heard.completion.and_then(|completion| completion.end_turn);
                    return Ok(Response { called_tools: heard.called_tools, end_turn });
                }
                Err(Stop::Model(error)) => {
                    attempt = self.wait_to_retry(attempt + 1, error).await?;
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    async fn stream(&mut self, heard: &mut Heard, dispatch: &mut Dispatch) -> Result<(), Stop> {
        let prompt = self.conversation.prompt(self.id, self.agent.tools.offered(), &self.state);
        let mut stream = self.agent.model.stream(prompt);
        let cancel = self.cancel.clone();
        let interrupted = cancel.cancelled();
        let steered = self.inbox.arrival();
        tokio::pin!(interrupted, steered);
        loop {
            let event = tokio::select! {
                // What has arrived is taken first, which is cheapest; reading pauses often enough for the others to be heard.
                biased;
                event = stream.next() => event.unwrap_or_else(|| Err(closed_early())),
                () = &mut interrupted => return Err(Stop::Interrupted),
                // A call that runs is not cut off: its output belongs to this response.
                () = &mut steered, if !heard.called_tools => return Ok(()),
            };
            match event.map_err(Stop::Model)? {
                ModelEvent::MessageDelta(delta) => self.agent.events.emit(Event::MessageDelta(delta)),
                ModelEvent::ReasoningDelta(delta) => self.agent.events.emit(Event::ReasoningDelta(delta)),
                ModelEvent::Notice(notice) => self.agent.events.emit(Event::Warning(notice)),
                ModelEvent::RateLimits(limits) => heard.rate_limits = limits,
                ModelEvent::ItemDone(item) => {
                    self.store(item.clone())?;
                    heard.called_tools |= item.call().is_some();
                    dispatch.start(&item);
                }
                ModelEvent::Completed(completion) => {
                    heard.completion = Some(completion);
                    return Ok(());
                }
            }
        }
    }

    /// Waits before the `attempt`th retry and returns its number; 0 when it is the first of another model.
    pub(super) async fn wait_to_retry(&self, attempt: u32, error: ModelError) -> Result<u32, Stop> {
        let model = &self.agent.model;
        let max = model.stream_max_retries();
        let delay = match error.retry {
            Retry::Backoff if attempt <= max => Some(model.backoff(attempt)),
            Retry::After(delay) if attempt <= max => Some(delay),
            _ => None,
        };
        if let Some(fallback) = model.fall_back(&error, delay.is_none()) {
            self.agent.events.emit(Event::FellBack(fallback));
            return Ok(0);
        }
        let Some(delay) = delay else { return Err(Stop::Model(error)) };
        self.agent.events.emit(Event::Reconnecting { attempt, max, delay, detail: error.message });
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Interrupted),
            () = tokio::time::sleep(delay) => Ok(attempt),
        }
    }

    fn dispatch(&self) -> Dispatch {
        let cx = ToolCx {
            call_id: String::new(),
            thread_id: self.conversation.thread_id.to_string(),
            cwd: self.conversation.model.cwd.clone(),
            output_limit: self.conversation.model.output_limit,
            permit: Permit::default(),
            cancel: self.cancel.clone(),
            events: self.trace.events(),
        };
        let agent = self.agent;
        let checkpoint = Checkpoint::new(Arc::clone(&agent.checkpoints), self.id, Arc::clone(&agent.events));
        let lessons = self.conversation.context.lessons().cloned();
        let keepers = Keepers { gate: Arc::clone(&agent.gate), checkpoint };
        Dispatch::new(Arc::clone(&agent.tools), Arc::clone(&agent.clock), keepers, lessons, cx)
    }
}

/// A stream that ended before its response did.
pub(super) fn closed_early() -> ModelError {
    ModelError {
        cause: ModelErrorCause::Stream,
        message: "stream disconnected before completion: stream closed before response.completed".into(),
        retry: Retry::Backoff,
    }
}
