//! `/new`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::runtime::SessionStart;

/// The command.
pub const COMMAND: Command = Command {
    name: "/new",
    aliases: &["/clear"],
    argument: "",
    help: "begin a new session",
    while_busy: WhileBusy::Refuses("begin a new session"),
    run: |console, _| Box::pin(new(console)),
};

async fn new(console: &mut Console) {
    if let Err(error) = console.open(&SessionStart::New).await {
        console.complain(&error);
    }
}
