//! From the lines of a rollout to the state a session goes on with. Lines are taken one by one, so a long file never has
//! to be held as lines.

use serde_json::json;

use super::History;
use super::prompts::{is_prompt, recent_prompts};
use crate::protocol::item::Item;
use crate::protocol::rollout_line::{Compacted, RolloutEvent, RolloutLine, SessionMeta, TokenInfo, TurnContext};

/// How much of the person's messages a compaction keeps that did not record what it keeps.
const KEPT_PROMPT_TOKENS: usize = 20_000;

/// What a rollout says, read to its end.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// What the session is; a forked session also holds the description of its origin, after its own.
    pub meta: Option<Box<SessionMeta>>,
    /// The conversation.
    pub history: History,
    /// The settings of the last turn.
    pub turn_context: Option<Box<TurnContext>>,
    /// The last counts of tokens.
    pub token_info: Option<TokenInfo>,
    /// The name the person gave the conversation.
    pub name: Option<String>,
    /// The first thing the person wrote.
    pub first_user_message: Option<String>,
    /// How often the history was replaced.
    pub compactions: u32,
    /// The text of the last summary, which a later compaction must not mistake for something the person wrote.
    pub summary: Option<String>,
    /// How many turns began.
    pub turns: u32,
    /// The turns that were not rolled back, oldest first.
    pub standing: Vec<AskedTurn>,
    /// Whether the last turn that began also ended: `false` when the program died in it.
    pub last_turn_complete: bool,
}

/// A turn, and how often the person spoke in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedTurn {
    /// Its id.
    pub id: String,
    /// How many messages of the person it holds: the one it began with, and those that joined it.
    pub prompts: usize,
}

impl Folded {
    /// How many messages of the person have to be rolled back for the turn `id`, the last one if `None`, to go with all that
    /// followed; 0 when it is gone already.
    #[must_use]
    pub fn prompts_since(&self, id: Option<&str>) -> usize {
        let from = match id {
            Some(id) => self.standing.iter().rposition(|turn| turn.id == id),
            None => self.standing.len().checked_sub(1),
        };
        from.map_or(0, |from| self.standing[from..].iter().map(|turn| turn.prompts).sum())
    }

    fn roll_back(&mut self, mut prompts: usize) {
        self.history.truncate_turns(prompts);
        while let Some(turn) = self.standing.last_mut().filter(|_| prompts > 0) {
            let taken = turn.prompts.min(prompts);
            turn.prompts -= taken;
            prompts -= taken;
            if turn.prompts == 0 {
                self.standing.pop();
            }
        }
    }
}

/// Takes lines in the order of the file.
#[derive(Debug)]
pub struct Fold {
    folded: Folded,
}

impl Default for Fold {
    fn default() -> Self {
        Self::new()
    }
}

impl Fold {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self { folded: Folded { last_turn_complete: true, ..Folded::default() } }
    }

    /// What was read so far.
    #[must_use]
    pub fn so_far(&self) -> &Folded {
        &self.folded
    }

    /// Takes the next line.
    pub fn push(&mut self, line: RolloutLine) {
        let folded = &mut self.folded;
        match line {
            RolloutLine::SessionMeta(meta) => _ = folded.meta.get_or_insert(meta),
            RolloutLine::Item(item) => self.item(item),
            RolloutLine::TurnContext(context) => folded.turn_context = Some(context),
            RolloutLine::Event(event) => self.event(event),
            RolloutLine::Compacted(compacted) => self.compact(compacted),
            RolloutLine::Unknown => {}
        }
    }

    /// What all lines said.
    #[must_use]
    pub fn finish(self) -> Folded {
        self.folded
    }

    fn item(&mut self, item: Item) {
        if self.folded.first_user_message.is_none() && is_prompt(&item) {
            self.folded.first_user_message = Some(item.text()).filter(|text| !text.is_empty());
        }
        self.folded.history.push(item);
    }

    fn event(&mut self, event: RolloutEvent) {
        let folded = &mut self.folded;
        match event {
            RolloutEvent::TaskStarted { turn_id, .. } => {
                folded.standing.push(AskedTurn { id: turn_id, prompts: 0 });
                folded.turns += 1;
                folded.last_turn_complete = false;
            }
            RolloutEvent::TaskComplete { .. } | RolloutEvent::TurnAborted { .. } => folded.last_turn_complete = true,
            RolloutEvent::TokenCount { info: Some(info), .. } => folded.token_info = Some(info),
            RolloutEvent::ThreadRolledBack { num_turns } => {
                folded.roll_back(usize::try_from(num_turns).unwrap_or(usize::MAX));
            }
            RolloutEvent::ThreadNameUpdated { thread_name } => folded.name = thread_name,
            RolloutEvent::UserMessage { message, .. } => {
                if let Some(turn) = folded.standing.last_mut() {
                    turn.prompts += 1;
                }
                if !message.is_empty() {
                    folded.first_user_message.get_or_insert(message);
                }
            }
            _ => {}
        }
    }

    fn compact(&mut self, compacted: Compacted) {
        let items = match compacted.replacement_history {
            Some(items) => items,
            None => self.rebuilt_history(&compacted.message),
        };
        self.folded.compactions += 1;
        self.folded.history.replace(items);
        self.folded.summary = Some(compacted.message).filter(|summary| !summary.is_empty());
    }

    /// What a compaction leaves when it did not record it: the person's latest messages, then the summary.
    fn rebuilt_history(&self, summary: &str) -> Vec<Item> {
        let is_summary = |text: &str| self.folded.summary.as_deref() == Some(text);
        let mut items = recent_prompts(self.folded.history.items(), KEPT_PROMPT_TOKENS, is_summary);
        // Without an id, so that every reading of the file gives the same bytes.
        let content = json!([{"type": "input_text", "text": summary}]);
        let message = json!({"type": "message", "role": "user", "content": content});
        items.extend(Item::parse(message.to_string()));
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Role;

    fn user(text: &str) -> Item {
        Item::message(Role::User, &[text])
    }

    fn fold(lines: Vec<RolloutLine>) -> Folded {
        let mut fold = Fold::new();
        lines.into_iter().for_each(|line| fold.push(line));
        fold.finish()
    }

    fn texts(folded: &Folded) -> Vec<String> {
        folded.history.items().iter().map(Item::text).collect()
    }

    fn event(json: &str) -> RolloutLine {
        RolloutLine::Event(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_newest_replacement_history_is_the_base() {
        let compacted = |texts: &[&str]| {
            let items = texts.iter().map(|text| user(text)).collect();
            RolloutLine::Compacted(Compacted { message: "m".into(), replacement_history: Some(items) })
        };
        let folded = fold(vec![
            RolloutLine::Item(user("one")),
            compacted(&["a", "b"]),
            RolloutLine::Item(user("two")),
            compacted(&["c"]),
            RolloutLine::Item(user("three")),
        ]);
        assert_eq!(texts(&folded), ["c", "three"]);
        assert_eq!(folded.compactions, 2);
        assert_eq!(folded.first_user_message.as_deref(), Some("one"));
    }

    #[test]
    fn a_compaction_without_a_history_keeps_prompts_and_summary() {
        let compacted =
            |text: &str| RolloutLine::Compacted(Compacted { message: text.into(), replacement_history: None });
        let lines = || {
            vec![
                RolloutLine::Item(user("<environment_context>x</environment_context>")),
                RolloutLine::Item(user("one")),
                RolloutLine::Item(Item::message(Role::Assistant, &["answer"])),
                compacted("SUM 1"),
                RolloutLine::Item(user("two")),
                compacted("SUM 2"),
            ]
        };
        assert_eq!(texts(&fold(lines())), ["one", "two", "SUM 2"]);
        let summary = |folded: Folded| folded.history.items().last().unwrap().json().clone();
        assert_eq!(summary(fold(lines())), summary(fold(lines())));
    }

    #[test]
    fn rolled_back_turns_are_gone() {
        let folded = fold(vec![
            RolloutLine::Item(user("<environment_context>x</environment_context>")),
            RolloutLine::Item(user("one")),
            RolloutLine::Item(user("two")),
            event(r#"{"type":"thread_rolled_back","num_turns":1}"#),
            RolloutLine::Item(user("three")),
        ]);
        assert_eq!(texts(&folded), ["<environment_context>x</environment_context>", "one", "three"]);
    }

    #[test]
    fn a_turn_goes_with_every_message_that_joined_it_and_all_turns_after_it() {
        let start = |id: &str| event(&format!(r#"{{"type":"task_started","turn_id":"{id}"}}"#));
        let said = || event(r#"{"type":"user_message","message":"x"}"#);
        let back = |turns: usize| event(&format!(r#"{{"type":"thread_rolled_back","num_turns":{turns}}}"#));
        let mut lines = vec![start("a"), said(), start("b"), said(), said(), start("failed"), start("c"), said()];
        let folded = fold(lines.clone());
        let since = |id| folded.prompts_since(id);
        assert_eq!(
            [since(None), since(Some("c")), since(Some("b")), since(Some("a")), since(Some("x"))],
            [1, 1, 3, 4, 0]
        );
        lines.push(back(3));
        let folded = fold(lines.clone());
        assert_eq!([folded.prompts_since(None), folded.prompts_since(Some("b"))], [1, 0]);
        lines.extend([start("d"), said(), said(), back(1)]);
        assert_eq!(fold(lines).prompts_since(None), 1);
    }

    #[test]
    fn a_turn_that_began_and_never_ended_is_seen() {
        let start = || event(r#"{"type":"task_started","turn_id":"t"}"#);
        assert!(fold(vec![]).last_turn_complete);
        assert!(!fold(vec![start()]).last_turn_complete);
        assert!(fold(vec![start(), event(r#"{"type":"task_complete","turn_id":"t"}"#)]).last_turn_complete);
        let aborted = event(r#"{"type":"turn_aborted","reason":"interrupted"}"#);
        assert!(fold(vec![start(), aborted.clone()]).last_turn_complete);
        let folded = fold(vec![start(), aborted, start()]);
        assert!(!folded.last_turn_complete);
        assert_eq!(folded.turns, 2);
    }

    #[test]
    fn the_last_word_on_tokens_and_name_holds() {
        let counts = |n: u64| {
            event(&format!(
                r#"{{"type":"token_count","info":{{"total_token_usage":{{"total_tokens":{n}}},"last_token_usage":{{}}}}}}"#
            ))
        };
        let name = |name: &str| event(&format!(r#"{{"type":"thread_name_updated","thread_name":"{name}"}}"#));
        let failed = event(r#"{"type":"token_count","info":null}"#);
        let folded = fold(vec![counts(1), name("a"), counts(2), failed, name("b")]);
        assert_eq!(folded.token_info.unwrap().total_token_usage.total_tokens, 2);
        assert_eq!(folded.name.as_deref(), Some("b"));
    }
}
