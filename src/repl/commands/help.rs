//! `/help`.

use super::{COMMANDS, Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/help",
    aliases: &["/?"],
    argument: "",
    help: "show the commands and keys",
    while_busy: WhileBusy::Runs,
    run: |console, _| Box::pin(help(console)),
};

/// Keys with a meaning of their own, and what they do.
pub const KEYS: &[(&str, &str)] = &[
    ("Enter", "send; while it works: steer"),
    ("Alt-Enter", "send when it is done"),
    ("Ctrl-J", "a new line"),
    ("Esc, Ctrl-C", "interrupt; twice Ctrl-C or Ctrl-D: leave"),
    ("Ctrl-R", "search what you typed before"),
    ("Ctrl-X Ctrl-E", "go on in your editor"),
    ("Tab", "complete /commands and @files"),
    ("!COMMAND", "run it in your shell; the model sees what came of it"),
];

async fn help(console: &mut Console) {
    let commands = COMMANDS.iter().map(|command| {
        let name = [&[command.name], command.aliases].concat().join(", ");
        row(format!("{name} {}", command.argument).trim_end(), command.help)
    });
    let keys = KEYS.iter().map(|(key, help)| row(key, help));
    let rows: Vec<_> = commands.chain([String::new()]).chain(keys).collect();
    console.say(&rows.join("\n"));
}

fn row(name: &str, help: &str) -> String {
    format!("  {name:<30} {help}")
}
