//! `/copy`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/copy",
    aliases: &[],
    argument: "",
    help: "copy the last answer to the clipboard",
    while_busy: WhileBusy::Refuses("copy"),
    run: |console, _| Box::pin(copy(console)),
};

/// What terminals take at least.
const MAX_BYTES: usize = 74_994;

async fn copy(console: &mut Console) {
    let answer = console.with_conversation(|conversation| conversation.history.last_agent_message()).await.flatten();
    match answer {
        None => console.say("There is no answer to copy yet."),
        Some(text) if text.len() > MAX_BYTES => console.say("The last answer is too long for a terminal's clipboard."),
        Some(text) => {
            // OSC 52 reaches the clipboard of the terminal the person sits at, over ssh too.
            console.screen.signal(format!("\x1b]52;c;{}\x07", STANDARD.encode(&text)));
            console.say(&format!("Copied {} characters.", text.chars().count()));
        }
    }
}
