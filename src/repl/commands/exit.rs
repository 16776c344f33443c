//! `/exit`.

use super::Command;

/// The command. The keyboard leaves the editor when it sees it; what is left to do is nothing.
pub const COMMAND: Command = Command {
    name: "/exit",
    aliases: &["/quit"],
    argument: "",
    help: "leave; the session is recorded",
    not_while_busy: None,
    run: |_, _| Box::pin(async {}),
};
