//! `/stop`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/stop",
    aliases: &[],
    argument: "[ID]",
    help: "end a process the model left running; all of them without ID",
    while_busy: WhileBusy::Runs,
    run: |console, id| Box::pin(stop(console, id)),
};

async fn stop(console: &mut Console, id: &str) {
    let Ok(wanted) = (if id.is_empty() { Ok(None) } else { id.parse::<i32>().map(Some) }) else {
        return console.say("Usage: /stop [ID]");
    };
    let processes = console.runtime.processes();
    let ids: Vec<_> = processes.running().into_iter().map(|process| process.id).collect();
    let ended: Vec<_> = ids.into_iter().filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect();
    for id in &ended {
        processes.kill(*id);
    }
    match ended.len() {
        0 => console.say("No such process runs."),
        1 => console.say("Ended 1 process."),
        count => console.say(&format!("Ended {count} processes.")),
    }
}
