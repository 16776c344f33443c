//! `/fork`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::runtime::SessionStart;

/// The command.
pub const COMMAND: Command = Command {
    name: "/fork",
    aliases: &[],
    argument: "",
    help: "go on in a copy of this session; the original stays as it is",
    while_busy: WhileBusy::Refuses("fork"),
    run: |console, _| Box::pin(fork(console)),
};

async fn fork(console: &mut Console) {
    let Some(info) = console.session.as_ref().map(|session| session.info().clone()) else { return };
    if !info.rollout_path.is_some_and(|path| path.exists()) {
        return console.say("Nothing to fork: nothing is recorded yet.");
    }
    let title = console.title.clone();
    let start = SessionStart::Fork { id: Some(info.thread_id.to_string()), all: true };
    match console.open(&start).await {
        Ok(()) => {
            if let Some(error) = title.and_then(|title| console.rename(&title).err()) {
                console.complain(&error);
            }
            let id = console.session.as_ref().map(|session| session.info().thread_id.to_string()).unwrap_or_default();
            console.say(&format!("Forked session: {id}"));
        }
        Err(error) => console.complain(&error),
    }
}
