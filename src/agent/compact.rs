//! Compaction: a conversation that has grown too long is replaced by a summary of it.
//!
//! Nothing is lost before something stands in its place: the history changes only after the line that replaces it is recorded,
//! and a compaction that fails, or wins too little, leaves everything as it was. It cannot go on for ever either: a turn
//! compacts at most twice, each time the conversation must become clearly shorter, and otherwise the turn ends with a choice.

use futures_util::StreamExt;
use serde_json::Value;

use super::conversation::{Conversation, SUMMARY_PREFIX};
use super::inbox::Inbox;
use super::ports::{Completion, ModelEvent};
use super::sample::closed_early;
use super::turn::{AgentLoop, Stop, Turn, TurnEnd};
use crate::history::compaction::{
    COMPACTION_TRIGGER, current_plan, is_worth_it, replacement, summary_text, tokens, user_message,
};
use crate::protocol::error::{ModelErrorCause, Retry};
use crate::protocol::event::CompactionReason;
use crate::protocol::prompt::Purpose;
use crate::protocol::rollout_line::Compacted;
use crate::protocol::{ErrorKind, Event, Item, ItemKind, ModelError, Role, Usage, UserError};
use tokio_util::sync::CancellationToken;

/// What the model is asked for when the person asks for nothing else.
const PROMPT: &str = include_str!("../../prompts/compact.md");
/// How often one turn compacts.
const MOST_PER_TURN: u32 = 2;

/// What stands for the conversation from now on.
struct Summary {
    /// The last item of the new history.
    item: Item,
    /// The message of the `compacted` line.
    message: String,
    /// What the model answered, for the record.
    answer: Option<Item>,
}

/// One answer to a request for a summary.
struct Answer {
    items: Vec<Item>,
    usage: Usage,
    rate_limits: Value,
    model: Option<String>,
}

impl AgentLoop {
    /// Compacts the conversation in a turn of its own, because the person wants it; `keep` says what the summary must keep.
    pub async fn run_compaction(
        &self,
        conversation: &mut Conversation,
        keep: Option<&str>,
        inbox: &Inbox,
        cancel: &CancellationToken,
    ) -> TurnEnd {
        let mut turn = match self.begin(conversation, inbox, cancel) {
            Ok(turn) => turn,
            Err(end) => return end,
        };
        let ended = turn.compact(CompactionReason::UserRequested, keep).await;
        turn.close(ended)
    }

    /// Takes the newest compaction back, in a turn of its own. `items` is the history as it would be without it.
    pub fn run_undo(
        &self,
        conversation: &mut Conversation,
        items: Result<Vec<Item>, UserError>,
        inbox: &Inbox,
        cancel: &CancellationToken,
    ) -> TurnEnd {
        let mut turn = match self.begin(conversation, inbox, cancel) {
            Ok(turn) => turn,
            Err(end) => return end,
        };
        let ended = items.map_err(Stop::Refused).and_then(|items| turn.undo_compaction(items));
        turn.close(ended)
    }
}

impl Turn<'_> {
    /// Compacts when the conversation, with `coming` tokens about to be added, has grown to its limit.
    pub(super) async fn compact_if_full(&mut self, coming: u64) -> Result<(), Stop> {
        let limit = self.conversation.model.compaction.limit;
        if self.conversation.history.is_empty() || self.conversation.used_tokens() + coming < limit {
            return Ok(());
        }
        if self.compactions == MOST_PER_TURN {
            return Err(refused(&format!(
                "the conversation was compacted {MOST_PER_TURN} times in this turn and is full again (the limit is {limit} tokens)"
            )));
        }
        self.compactions += 1;
        self.compact(CompactionReason::ContextLimit, None).await
    }

    async fn compact(&mut self, reason: CompactionReason, keep: Option<&str>) -> Result<(), Stop> {
        self.agent.events.emit(Event::CompactionStarted { reason });
        if self.conversation.history.is_empty() {
            return Err(refused("there is nothing to compact yet"));
        }
        let summary = self.summary(keep).await?;
        let items = self.compacted_items(summary.item);
        let (before, after) = (self.conversation.history.tokens(), tokens(&items));
        if !is_worth_it(before, after) {
            return Err(refused(&format!(
                "the compacted conversation would take {after} tokens instead of {before}, which wins too little; \
                 it was left as it is"
            )));
        }
        let used = self.conversation.used_tokens();
        if let Some(answer) = &summary.answer {
            self.journal.item(answer)?;
        }
        self.journal.tokens(self.conversation, Value::Null, None)?;
        self.replace_history(summary.message, items)?;
        let after = self.conversation.used_tokens();
        self.agent.events.emit(Event::Compacted { before: used, after });
        Ok(())
    }

    fn undo_compaction(&mut self, items: Vec<Item>) -> Result<(), Stop> {
        let before = self.conversation.used_tokens();
        self.replace_history(Compacted::UNDONE.to_owned(), items)?;
        let (after, limit) = (self.conversation.used_tokens(), self.conversation.model.compaction.limit);
        self.agent.events.emit(Event::CompactionUndone { before, after });
        if after >= limit {
            self.agent.events.emit(Event::Warning(format!(
                "the whole conversation is over its limit of {limit} tokens, so the next turn compacts it again; \
                 `/compact` with what to keep does so your way"
            )));
        }
        Ok(())
    }

    /// Has the conversation summarised, by the server in its own form where it knows one.
    async fn summary(&mut self, keep: Option<&str>) -> Result<Summary, Stop> {
        if self.conversation.model.compaction.remote && keep.is_none() {
            if let Some(item) = self.remote_summary().await? {
                return Ok(Summary { item, message: String::new(), answer: None });
            }
            self.conversation.model.compaction.remote = false;
        }
        let compaction = &self.conversation.model.compaction;
        let asked = compaction.prompt.as_deref().unwrap_or(PROMPT).trim_end();
        let wish = keep.map(|keep| format!("\n\nThe person asks you to keep above all: {keep}"));
        let request = user_message(&[asked, wish.as_deref().unwrap_or_default()].concat());
        let answer = self.ask(Purpose::Compaction, &request).await?;
        self.count(&answer)?;
        let message = answer.items.into_iter().rev().find(|item| item.is_message(Role::Assistant));
        let (text, answer) = match message.map(|item| (item.text(), item)) {
            Some((text, item)) if !text.trim().is_empty() => (text, item),
            _ => return Err(refused("the model gave no summary; the conversation was left as it is")),
        };
        let history = self.conversation.history.items();
        let plan = current_plan(history, |text| self.conversation.is_summary(text));
        let message = summary_text(SUMMARY_PREFIX, &text, plan.as_deref());
        Ok(Summary { item: Item::message(Role::User, &[&message]), message, answer: Some(answer) })
    }

    /// The server's own form of the conversation; `None` when the server does not know how, or does not want to.
    async fn remote_summary(&mut self) -> Result<Option<Item>, Stop> {
        let Ok(trigger) = Item::parse(COMPACTION_TRIGGER) else { return Ok(None) };
        let answer = match self.ask(Purpose::RemoteCompaction, &trigger).await {
            Ok(answer) => answer,
            Err(Stop::Model(error)) if is_refusal(&error) => return Ok(None),
            Err(stop) => return Err(stop),
        };
        self.count(&answer)?;
        Ok(answer.items.into_iter().find(|item| matches!(item.kind(), ItemKind::Compaction)))
    }

    /// Asks for a summary of the conversation, with `request` behind it. Where not even that fits the window, the oldest
    /// items are left out, twice as many each time; the person's messages among them are kept without the summary's help.
    async fn ask(&mut self, purpose: Purpose, request: &Item) -> Result<Answer, Stop> {
        let mut shown = self.conversation.history.clone();
        let (mut attempt, mut left_out) = (0, 1);
        loop {
            let mut prompt = self.conversation.prompt(self.id, self.agent.tools.offered(), &self.state);
            prompt.purpose = purpose;
            prompt.items = shown.for_prompt();
            prompt.items.push(request.clone());
            match self.listen(prompt).await {
                Err(Stop::Model(error)) if error.cause == ModelErrorCause::ContextWindowExceeded => {
                    if shown.len() <= 1 {
                        return Err(refused("not even the last item of the conversation fits the model's window"));
                    }
                    shown.drop_oldest(left_out);
                    (attempt, left_out) = (0, left_out * 2);
                }
                Err(Stop::Model(error)) => {
                    attempt = self.wait_to_retry(attempt + 1, error).await?;
                }
                heard => return heard,
            }
        }
    }

    async fn listen(&self, prompt: crate::protocol::Prompt) -> Result<Answer, Stop> {
        let mut answer = Answer { items: Vec::new(), usage: Usage::default(), rate_limits: Value::Null, model: None };
        let mut stream = self.agent.model.stream(prompt);
        loop {
            let event = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Stop::Interrupted),
                event = stream.next() => event.unwrap_or_else(|| Err(closed_early())),
            };
            match event.map_err(Stop::Model)? {
                ModelEvent::MessageDelta(_) | ModelEvent::ReasoningDelta(_) => {}
                ModelEvent::Notice(notice) => self.agent.events.emit(Event::Warning(notice)),
                ModelEvent::RateLimits(limits) => answer.rate_limits = limits,
                ModelEvent::ItemDone(item) => answer.items.push(item),
                ModelEvent::Completed(Completion { usage, model, .. }) => {
                    (answer.usage, answer.model) = (usage, model);
                    return Ok(answer);
                }
            }
        }
    }

    /// What a summary cost belongs to the thread's sum, even if nothing comes of it; it says nothing of the history's size.
    fn count(&mut self, answer: &Answer) -> Result<(), Stop> {
        self.pay(answer.usage, answer.model.as_deref());
        self.journal.tokens(self.conversation, answer.rate_limits.clone(), answer.model.as_deref())?;
        Ok(())
    }

    fn compacted_items(&mut self, rest: Item) -> Vec<Item> {
        let today = self.today();
        self.conversation.context.adopt(&[]);
        let context = self.conversation.context.context_items(&today);
        // What was just told counts only once it is part of the history.
        self.adopt_history();
        let limit = self.conversation.model.compaction.limit;
        replacement(self.conversation.history.items(), &context, &rest, limit, |text| {
            self.conversation.is_summary(text)
        })
    }

    /// Records `items` as the history from now on, then makes them so.
    fn replace_history(&mut self, message: String, items: Vec<Item>) -> Result<(), Stop> {
        let line = Compacted { message, replacement_history: Some(items) };
        self.journal.compacted(&line)?;
        let conversation = &mut *self.conversation;
        conversation.history.replace(line.replacement_history.unwrap_or_default());
        conversation.summary = Some(line.message).filter(|message| !message.is_empty());
        conversation.window += 1;
        conversation.tokens.last = Usage { total_tokens: conversation.estimated_tokens(), ..Usage::default() };
        self.adopt_history();
        self.journal.settings(self.conversation)?;
        self.journal.tokens(self.conversation, Value::Null, None)?;
        self.agent.events.emit(Event::TokenCount(self.conversation.tokens));
        Ok(())
    }

    fn adopt_history(&mut self) {
        let Conversation { context, history, .. } = &mut *self.conversation;
        context.adopt(history.items());
    }
}

/// Whether the server says that it cannot do what it was asked, rather than that it cannot do it now.
fn is_refusal(error: &ModelError) -> bool {
    use ModelErrorCause::{BadRequest, ModelNotFound, Server};
    error.retry == Retry::No && matches!(error.cause, BadRequest | ModelNotFound | Server)
}

/// The end of a turn that cannot go on, with what the person can do.
fn refused(message: &str) -> Stop {
    let hint = "say what matters with `/compact WHAT TO KEEP`, begin a new session, or choose a model with a larger window \
                (`-m`, or `model_context_window` if yours is larger than it is taken for)";
    Stop::Refused(UserError::new(ErrorKind::Failed, message).hint(hint))
}
