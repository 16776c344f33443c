//! `/title`.

use super::Command;
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/title",
    aliases: &["/rename"],
    argument: "[NAME]",
    help: "show or set the name of this session",
    not_while_busy: None,
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
