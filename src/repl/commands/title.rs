//! `/title`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/title",
    aliases: &["/rename"],
    argument: "[NAME]",
    help: "show or set the name of this session",
    while_busy: WhileBusy::Runs,
    run: |console, name| Box::pin(title(console, name)),
};

async fn title(console: &mut Console, name: &str) {
    if !name.is_empty()
        && let Err(error) = console.rename(name.lines().next().unwrap_or_default())
    {
        return console.complain(&error);
    }
    console.say(&format!("Session: {}", console.title.as_deref().unwrap_or("untitled")));
}
