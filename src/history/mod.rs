//! Floor 1: the conversation as the model sees it.
//!
//! [`History`] holds the items in order and keeps them sendable: a server refuses a call without an output and an output
//! without a call, so outputs nobody asked for are dropped when they arrive, and calls that never got an answer are answered
//! with `aborted` when a prompt is made. Everything is kept up to date as items arrive; no request scans the conversation
//! again. [`fold::Fold`] makes a history out of the lines of a rollout.

pub mod compaction;
pub mod estimate;
pub mod fold;
pub mod prompts;

mod pairing;

use crate::protocol::item::{Item, ItemKind, Role};

use estimate::item_tokens;
use pairing::OpenCalls;

/// The items of a conversation in order.
#[derive(Clone, Debug, Default)]
pub struct History {
    items: Vec<Item>,
    open: OpenCalls,
    tokens: usize,
    tokens_since_model: usize,
}

impl History {
    /// An empty conversation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item at the end and says whether it was taken. Refused are items of unknown type, messages of the system
    /// role, outputs that answer no open call, and so every second output of a call.
    pub fn push(&mut self, item: Item) -> bool {
        match item.kind() {
            ItemKind::Unknown | ItemKind::Message(Role::System) => return false,
            ItemKind::Call(call) => self.open.open(call.form, &call.call_id, self.items.len()),
            ItemKind::Output { form, call_id } if !self.open.close(*form, call_id) => return false,
            _ => {}
        }
        let tokens = item_tokens(&item);
        self.tokens += tokens;
        self.tokens_since_model = if is_model_made(&item) { 0 } else { self.tokens_since_model + tokens };
        self.items.push(item);
        true
    }

    /// The conversation as a request carries it: every call that has no output is followed at once by one that says
    /// `aborted`. The same history always gives the same bytes, so that the provider's prompt cache stays warm.
    #[must_use]
    pub fn for_prompt(&self) -> Vec<Item> {
        let mut prompt = Vec::with_capacity(self.items.len() + self.open.len());
        let mut done = 0;
        for index in self.open.indices() {
            prompt.extend_from_slice(&self.items[done..=index]);
            prompt.extend(pairing::aborted_output(&self.items[index]));
            done = index + 1;
        }
        prompt.extend_from_slice(&self.items[done..]);
        prompt
    }

    /// Puts `items` in place of the whole conversation, as compaction does. They pass the same checks as in [`push`]. Whoever
    /// replaces a history estimates its tokens anew, so nothing counts as added since the last count.
    ///
    /// [`push`]: Self::push
    pub fn replace(&mut self, items: Vec<Item>) {
        *self = Self { items: Vec::with_capacity(items.len()), ..Self::default() };
        for item in items {
            self.push(item);
        }
        self.tokens_since_model = 0;
    }

    /// Drops the `count` oldest items, but never the last one, and the outputs whose calls go with them.
    pub fn drop_oldest(&mut self, count: usize) {
        let count = count.min(self.items.len().saturating_sub(1));
        let kept = self.items.split_off(count);
        self.replace(kept);
    }

    /// Takes back the last `turns` prompts of the person with all that followed them, and the context that was shown right
    /// before them. What came before the first prompt always stays.
    pub fn truncate_turns(&mut self, turns: usize) {
        let prompts: Vec<usize> = self.indices(prompts::is_prompt).collect();
        let (Some(first), true) = (prompts.first().copied(), turns > 0) else { return };
        let mut cut = prompts[prompts.len().saturating_sub(turns)];
        while cut > first && prompts::is_context(&self.items[cut - 1]) {
            cut -= 1;
        }
        let mut kept = std::mem::take(&mut self.items);
        kept.truncate(cut);
        self.replace(kept);
    }

    /// How many items the conversation holds; answers made up for a prompt do not count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items as they came.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The calls nobody answered yet, oldest first.
    pub fn open_calls(&self) -> impl Iterator<Item = &Item> {
        self.open.indices().map(|index| &self.items[index])
    }

    /// The text of the model's last message that has any.
    #[must_use]
    pub fn last_agent_message(&self) -> Option<String> {
        let messages = self.items.iter().rev().filter(|item| item.is_message(Role::Assistant));
        messages.map(Item::text).find(|text| !text.is_empty())
    }

    /// Estimate of the tokens the items take.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Estimate of the tokens of the items after the last one the model made: what the server's last count of tokens does
    /// not yet hold.
    #[must_use]
    pub fn tokens_since_last_model_item(&self) -> usize {
        self.tokens_since_model
    }

    fn indices(&self, of: fn(&Item) -> bool) -> impl Iterator<Item = usize> {
        self.items.iter().enumerate().filter(move |(_, item)| of(item)).map(|(index, _)| index)
    }
}

/// Whether the item came out of a response.
fn is_model_made(item: &Item) -> bool {
    match item.kind() {
        ItemKind::Message(role) => *role == Role::Assistant,
        ItemKind::Reasoning | ItemKind::Call(_) | ItemKind::Hosted | ItemKind::Compaction => true,
        ItemKind::Output { .. } | ItemKind::Unknown => false,
    }
}

#[cfg(test)]
mod tests;
