//! `/exit`.

use super::{Command, WhileBusy};

/// The command. The keyboard leaves the editor when it sees it; what is left to do is nothing.
pub const COMMAND: Command = Command {
    name: "/exit",
    aliases: &["/quit"],
    argument: "",
    help: "leave; the session is recorded",
    while_busy: WhileBusy::Runs,
    run: |_, _| Box::pin(async {}),
};
