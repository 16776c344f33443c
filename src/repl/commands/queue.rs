//! `/queue`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/queue",
    aliases: &[],
    argument: "TEXT",
    help: "send a message when the work is done",
    while_busy: WhileBusy::Runs,
    run: |console, text| Box::pin(queue(console, text)),
};

async fn queue(console: &mut Console, text: &str) {
    if text.is_empty() {
        return console.say("Usage: /queue TEXT");
    }
    console.enqueue(text.to_owned());
}
