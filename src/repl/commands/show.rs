//! `/show`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::repl::render::fold;
use crate::repl::screen::columns;
use crate::repl::scroll::joined;

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
    let folds = console.page.folds();
    let wanted = if number.is_empty() { Ok(folds.last()) } else { number.trim_start_matches('#').parse() };
    let Ok(wanted) = wanted else {
        return console.say("Usage: /show [N]");
    };
    match folds.get(wanted) {
        Some(fold) => console.say(&joined(&fold::show(fold, columns(), console.page.style()))),
        None => console.say("There is nothing folded under that number."),
    }
}
