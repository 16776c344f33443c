//! One turn, from the person's message to the end of the answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::conversation::Conversation;
use super::decide::{self, Facts, Next};
use super::gate::Gate;
use super::inbox::Inbox;
use super::journal::Journal;
use super::ports::{Budget, Checkpoints, Clock, EventSink, ModelClient, Observer, Rollout};
use super::toolbox::Toolbox;
use super::trace::Trace;
use crate::context::Today;
use crate::protocol::error::ModelErrorCause;
use crate::protocol::event::TurnSummary;
use crate::protocol::op::UserInput;
use crate::protocol::{
    ErrorKind, Event, Item, ItemKind, ModelError, Role, RolloutError, TurnId, Usage, UserError, WebSearch,
};
use crate::text::truncate::estimate_tokens;

/// Runs turns. It holds no state of a conversation, so that one loop can serve many.
pub struct AgentLoop {
    /// Streams responses.
    pub model: Arc<dyn ModelClient>,
    /// What the model can call.
    pub tools: Arc<Toolbox>,
    /// Decides which of its calls may run.
    pub gate: Arc<Gate>,
    /// Records the session.
    pub rollout: Arc<dyn Rollout>,
    /// Keeps what files were like before a turn changed them.
    pub checkpoints: Arc<dyn Checkpoints>,
    /// What turns may use; `None` for as much as they like.
    pub budget: Option<Arc<dyn Budget>>,
    /// Learns of every turn that ended; `None` when nothing is learned.
    pub observer: Option<Arc<dyn Observer>>,
    /// Takes events for the front end.
    pub events: Arc<dyn EventSink>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub enum TurnEnd {
    /// With an answer; its text, if it had any.
    Completed(Option<Arc<str>>),
    /// Without one.
    Failed(UserError),
    /// The person interrupted it.
    Aborted,
}

/// Why a turn ends early.
pub enum Stop {
    /// The person interrupted.
    Interrupted,
    /// No response could be had.
    Model(ModelError),
    /// It cannot go on as it is; the error says what the person can do.
    Refused(UserError),
    /// The session could not be recorded. Nothing more is written.
    Storage(RolloutError),
}

impl From<RolloutError> for Stop {
    fn from(error: RolloutError) -> Self {
        Self::Storage(error)
    }
}

/// A turn that runs.
pub struct Turn<'a> {
    pub(super) agent: &'a AgentLoop,
    pub(super) conversation: &'a mut Conversation,
    pub(super) inbox: &'a Inbox,
    pub(super) cancel: CancellationToken,
    pub(super) journal: Journal<'a>,
    pub(super) id: TurnId,
    /// What the server wants to get back for the rest of this turn.
    pub(super) state: Arc<OnceLock<String>>,
    /// Tokens the turn used.
    pub(super) used: u64,
    /// How often this turn compacted the conversation.
    pub(super) compactions: u32,
    /// What happened so far, for the observer.
    pub(super) trace: Trace,
    pub(super) answer: Option<Arc<str>>,
    /// Whether the model was shown anything of this turn, and so is told when it is interrupted.
    opened: bool,
}

impl AgentLoop {
    /// Runs one turn to its end. Failure inside the turn is data: it is recorded, told to the front end and returned. Messages
    /// that arrive in `inbox` join the turn at its next safe point; `cancel` interrupts it.
    pub async fn run_turn(
        &self,
        conversation: &mut Conversation,
        input: UserInput,
        inbox: &Inbox,
        cancel: &CancellationToken,
    ) -> TurnEnd {
        let mut turn = match self.begin(conversation, inbox, cancel) {
            Ok(turn) => turn,
            Err(end) => return end,
        };
        let ended = turn.drive(input).await;
        turn.close(ended)
    }

    /// Begins a turn: tells the front end, and records it.
    pub(super) fn begin<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        inbox: &'a Inbox,
        cancel: &CancellationToken,
    ) -> Result<Turn<'a>, TurnEnd> {
        let id = TurnId::new();
        self.gate.turn_begins();
        self.events.emit(Event::TurnStarted { turn_id: id });
        let window = conversation.tokens.context_window;
        let journal = Journal::open(self.rollout.as_ref(), self.clock.as_ref(), id, window)
            .map_err(|error| self.fail(id, error.into()))?;
        // A token of the turn's own: a turn that fails ends its tools without interrupting anything else.
        let (cancel, state) = (cancel.child_token(), Arc::new(OnceLock::new()));
        let (used, compactions, answer, opened) = (0, 0, None, false);
        let (agent, trace) = (self, Trace::new(&self.events));
        Ok(Turn { agent, conversation, inbox, cancel, journal, id, state, used, compactions, trace, answer, opened })
    }

    fn fail(&self, turn_id: TurnId, error: UserError) -> TurnEnd {
        self.events.emit(Event::TurnFailed { turn_id, error: error.clone() });
        TurnEnd::Failed(error)
    }
}

impl Turn<'_> {
    async fn drive(&mut self, input: UserInput) -> Result<(), Stop> {
        self.compact_if_full(estimate_tokens(input.text.len()) as u64).await?;
        self.open(&input)?;
        self.stay_in_budget()?;
        loop {
            self.insert_steers()?;
            let response = match self.sample().await {
                Err(Stop::Model(error)) if error.cause == ModelErrorCause::ContextWindowExceeded => {
                    self.note_full_window()?;
                    return Err(Stop::Model(error));
                }
                sampled => sampled?,
            };
            let facts = Facts {
                called_tools: response.called_tools,
                end_turn: response.end_turn,
                steer_waiting: !self.inbox.is_empty(),
            };
            match decide::next(facts) {
                Next::Again => {
                    self.stay_in_budget()?;
                    self.compact_if_full(0).await?;
                }
                Next::Done => return Ok(()),
            }
        }
    }

    /// Counts what a response used towards the turn and the conversation.
    pub(super) fn pay(&mut self, usage: Usage, model: Option<&str>) {
        self.used += usage.input_tokens.saturating_add(usage.output_tokens).max(usage.total_tokens);
        self.conversation.tokens.total += usage;
        if let Some(budget) = &self.agent.budget {
            budget.used(model.unwrap_or(&self.conversation.model.slug), &usage);
        }
    }

    fn stay_in_budget(&self) -> Result<(), Stop> {
        self.agent.budget.as_ref().map_or(Ok(()), |budget| budget.allows(self.used)).map_err(Stop::Refused)
    }

    /// Records what the model is shown before its first response: changed context, then the person's message.
    fn open(&mut self, input: &UserInput) -> Result<(), Stop> {
        let today = self.today();
        let opening = self.conversation.context.open_turn(input, &today);
        for warning in opening.warnings {
            self.agent.events.emit(Event::Warning(warning));
        }
        self.journal.settings(self.conversation)?;
        self.opened = true;
        self.trace.said(&input.text, &opening.items);
        for item in opening.items {
            self.store(item)?;
        }
        self.journal.user_message(&input.text)?;
        Ok(())
    }

    pub(super) fn today(&self) -> Today {
        let clock = &self.agent.clock;
        Today { date: clock.local_date(), time_zone: clock.time_zone() }
    }

    /// The server refused the conversation as too long, whatever was counted: the next turn must begin with a compaction.
    fn note_full_window(&mut self) -> Result<(), RolloutError> {
        let tokens = &mut self.conversation.tokens;
        let full = tokens.context_window.unwrap_or(0).max(self.conversation.model.compaction.limit);
        tokens.last = Usage { total_tokens: full, ..Usage::default() };
        self.journal.tokens(self.conversation, serde_json::Value::Null, None)
    }

    fn insert_steers(&mut self) -> Result<(), Stop> {
        for input in self.inbox.take() {
            let items = self.conversation.context.steer(&input);
            self.trace.said(&input.text, &items);
            for item in items {
                self.store(item)?;
            }
            self.journal.user_message(&input.text)?;
            self.agent.events.emit(Event::SteerInserted { text: input.text });
        }
        Ok(())
    }

    /// Records an item, then makes it part of history, then shows it: in this order, so that whatever a person saw is still
    /// there after a crash.
    pub(super) fn store(&mut self, item: Item) -> Result<(), RolloutError> {
        self.journal.item(&item)?;
        match item.kind() {
            ItemKind::Message(Role::Assistant) => {
                let text: Arc<str> = item.text().into();
                self.journal.agent_message(&text, item.phase().map(str::to_owned))?;
                if !text.is_empty() {
                    self.answer = Some(Arc::clone(&text));
                    self.agent.events.emit(Event::Message { text });
                }
            }
            ItemKind::Reasoning => {
                let parts = item.reasoning_parts();
                let text = parts.join("\n\n");
                if !text.is_empty() {
                    self.journal.agent_reasoning(&text)?;
                }
                self.agent.events.emit(Event::Reasoning { text, parts });
            }
            ItemKind::Hosted => {
                if let Some(search) = WebSearch::of(&item) {
                    self.agent.events.emit(Event::WebSearch(search));
                }
            }
            _ => {}
        }
        self.conversation.history.push(item);
        Ok(())
    }

    pub(super) fn close(mut self, ended: Result<(), Stop>) -> TurnEnd {
        let shown = self.conversation.context.turn_ended(self.id);
        let warnings = [self.agent.checkpoints.turn_ended(self.id), shown, self.observe(&ended)];
        for warning in warnings.into_iter().flatten() {
            self.agent.events.emit(Event::Warning(warning));
        }
        let recorded = match &ended {
            Ok(()) => self.journal.complete(self.answer.as_deref()),
            Err(Stop::Interrupted) if !self.opened => self.journal.abort(),
            Err(Stop::Interrupted) => {
                let marker = self.conversation.context.turn_aborted();
                self.store(marker).and_then(|()| self.journal.abort())
            }
            Err(Stop::Model(error)) => self.journal.fail(error),
            Err(Stop::Refused(error)) => self.journal.refuse(error),
            Err(Stop::Storage(error)) => Err(error.clone()),
        };
        if let Err(error) = recorded {
            return self.agent.fail(self.id, error.into());
        }
        match ended {
            Ok(()) => {
                self.agent.events.emit(Event::TurnCompleted(TurnSummary {
                    turn_id: self.id,
                    last_message: self.answer.clone(),
                    total_usage: self.conversation.tokens.total,
                    duration: Duration::from_millis(self.journal.elapsed_ms()),
                }));
                TurnEnd::Completed(self.answer)
            }
            Err(Stop::Interrupted) => {
                self.agent.events.emit(Event::TurnAborted { turn_id: self.id });
                TurnEnd::Aborted
            }
            Err(Stop::Model(error)) => self.agent.fail(self.id, error.into()),
            Err(Stop::Refused(error)) => self.agent.fail(self.id, error),
            Err(Stop::Storage(error)) => self.agent.fail(self.id, error.into()),
        }
    }
}

impl TurnEnd {
    /// The process exit code of a run that ends with this turn.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Completed(_) => 0,
            Self::Failed(error) => error.kind.exit_code(),
            Self::Aborted => ErrorKind::Interrupted.exit_code(),
        }
    }
}
