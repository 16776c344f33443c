//! `/ps`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::repl::render::lines::seconds;
use crate::text::width;

/// The command.
pub const COMMAND: Command = Command {
    name: "/ps",
    aliases: &[],
    argument: "",
    help: "list the processes the model left running",
    while_busy: WhileBusy::Runs,
    run: |console, _| Box::pin(ps(console)),
};

async fn ps(console: &mut Console) {
    let running = console.runtime.processes().running();
    if running.is_empty() {
        return console.say("No process runs.");
    }
    let lines = running.iter().map(|process| {
        let command = width::one_line(&process.command);
        format!("  {}  {:>8}  {command}", process.id, seconds(process.runtime))
    });
    console.say(&lines.collect::<Vec<_>>().join("\n"));
}
