//! `/init`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/init",
    aliases: &[],
    argument: "",
    help: "let the model write an AGENTS.md for this project",
    while_busy: WhileBusy::Refuses("write AGENTS.md"),
    run: |console, _| Box::pin(init(console)),
};

const PROMPT: &str = include_str!("../../../prompts/init.md");

async fn init(console: &mut Console) {
    if console.folder().join("AGENTS.md").exists() {
        return console.say("There is an AGENTS.md already. Ask the model to change it, or remove it first.");
    }
    console.say("Asking the model to write AGENTS.md.");
    console.send(PROMPT.trim_end().to_owned());
}
