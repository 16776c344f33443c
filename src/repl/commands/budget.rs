//! `/budget`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/budget",
    aliases: &[],
    argument: "[off|on]",
    help: "show the limits of tokens and cost, or lift them for this session",
    while_busy: WhileBusy::Runs,
    run: |console, word| Box::pin(budget(console, word)),
};

async fn budget(console: &mut Console, word: &str) {
    let budget = console.runtime.budget();
    match word {
        "" => {}
        "off" => budget.lift(true),
        "on" => budget.lift(false),
        _ => return console.say("Usage: /budget [off|on]"),
    }
    let limits = budget.limits();
    let turn = limits.tokens_per_turn.map_or("no limit".to_owned(), |limit| format!("{limit} tokens"));
    let day = limits.cost_per_day.map_or("no limit".to_owned(), |limit| format!("${limit}"));
    let spent = budget.spent_today().map_or("an unknown sum".to_owned(), |spent| format!("${spent:.2}"));
    let lifted = if budget.is_lifted() { "\nBoth are lifted for this session; /budget on puts them back." } else { "" };
    console
        .say(&format!("A turn: {turn}. A day: {day}; {spent} were spent today, as far as prices are known.{lifted}"));
}
