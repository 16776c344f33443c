//! `/effort`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::runtime::Change;

/// The command.
pub const COMMAND: Command = Command {
    name: "/effort",
    aliases: &[],
    argument: "[LEVEL|default]",
    help: "show or change how hard the model thinks",
    while_busy: WhileBusy::Shows("change reasoning effort"),
    run: |console, level| Box::pin(effort(console, level)),
};

async fn effort(console: &mut Console, level: &str) {
    if level.contains(char::is_whitespace) {
        return console.say("Usage: /effort [LEVEL|default]");
    }
    if !level.is_empty() {
        console.change(Change::Effort((level != "default").then(|| level.to_owned()))).await;
    }
    let effort = console.session.as_ref().and_then(|session| session.info().effort.clone());
    console.say(&format!("Reasoning effort: {}", effort.as_deref().unwrap_or("provider default")));
}
