//! `/history`.

use super::{Command, WhileBusy};
use crate::history::prompts::is_prompt;
use crate::protocol::{Item, Role};
use crate::repl::console::Console;
use crate::text::width;

/// The command.
pub const COMMAND: Command = Command {
    name: "/history",
    aliases: &[],
    argument: "",
    help: "show the conversation so far",
    while_busy: WhileBusy::Refuses("show history"),
    run: |console, _| Box::pin(history(console)),
};

async fn history(console: &mut Console) {
    let turns = console.with_conversation(|conversation| turns(conversation.history.items())).await.unwrap_or_default();
    if turns.is_empty() {
        return console.say("No history yet.");
    }
    let title = console.title.as_deref().unwrap_or("untitled");
    let lines = turns.iter().enumerate().map(|(index, turn)| {
        let answer = turn.answer.as_ref().map(|text| format!("\n[{}]A> {text}", index + 1)).unwrap_or_default();
        format!("[{}]U> {}{answer}", index + 1, turn.prompt)
    });
    console.say(&width::clean(&format!("Session: {title}\n{}", lines.collect::<Vec<_>>().join("\n"))));
}

/// What the person said, and the last thing the model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The person's message.
    pub prompt: String,
    /// The model's last message with text.
    pub answer: Option<String>,
}

/// The exchanges of a conversation in order.
#[must_use]
pub fn turns(items: &[Item]) -> Vec<Exchange> {
    let mut turns: Vec<Exchange> = Vec::new();
    for item in items {
        if is_prompt(item) {
            turns.push(Exchange { prompt: item.text(), answer: None });
        } else if item.is_message(Role::Assistant)
            && let Some(turn) = turns.last_mut()
        {
            let text = item.text();
            turn.answer = Some(text).filter(|text| !text.is_empty()).or(turn.answer.take());
        }
    }
    turns
}
