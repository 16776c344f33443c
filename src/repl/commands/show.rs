//! `/show`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::repl::present::visible;

/// The command.
pub const COMMAND: Command = Command {
    name: "/show",
    aliases: &[],
    argument: "[N]",
    help: "show a folded output or paste in full; the last one without N",
    while_busy: WhileBusy::Runs,
    run: |console, number| Box::pin(show(console, number)),
};

async fn show(console: &mut Console, number: &str) {
    let Ok(number) = (if number.is_empty() { Ok(None) } else { number.trim_start_matches('#').parse().map(Some) })
    else {
        return console.say("Usage: /show [N]");
    };
    match console.page.folded().get(number) {
        Some((number, title, text)) => {
            let text = format!("#{number} {title}\n{}", visible(text.trim_end()));
            console.say(&text);
        }
        None => console.say("There is nothing folded under that number."),
    }
}
