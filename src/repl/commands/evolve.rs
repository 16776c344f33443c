//! `/evolve`.

use super::{Command, WhileBusy};
use crate::agent::ports::Clock as _;
use crate::evolution::account::take_back::{Which, take_back};
use crate::evolution::account::{Account, log, status, title};
use crate::evolution::ports::Store;
use crate::evolution::run;
use crate::protocol::UserError;
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/evolve",
    aliases: &[],
    argument: "[log|undo [OP]|run]",
    help: "show how learning stands; take back what was learned; review now",
    while_busy: WhileBusy::Shows("review or undo"),
    run: |console, argument| Box::pin(evolve(console, argument)),
};

/// How many changes are shown.
const MOST: usize = 15;

const USAGE: &str = "Usage: /evolve · /evolve log · /evolve undo [OP] · /evolve run";

async fn evolve(console: &mut Console, argument: &str) {
    let answer = match argument {
        "run" => Ok(review(console).await),
        _ => answer(console, argument),
    };
    match answer {
        Ok(text) => console.say(text.trim_end()),
        Err(error) => console.complain(&error),
    }
}

fn answer(console: &Console, argument: &str) -> Result<String, UserError> {
    let learning = console.runtime.learning();
    let (store, now_ms): (&dyn Store, u64) = (learning.store.as_ref(), console.clock.unix_ms());
    let (what, id) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let text = match (what, id.trim()) {
        ("" | "status", "") => status::status(&Account::read(store)?, &learning.settings, now_ms)?,
        ("log", "") => {
            let account = Account::read(store)?;
            let mut changes = log::changes(&account);
            changes.truncate(MOST);
            if changes.is_empty() { "Nothing was learned here yet.".to_owned() } else { log::lines(&changes) }
        }
        ("undo", "" | "last") => taken_back(store, &Which::Last, now_ms)?,
        ("undo", id) => taken_back(store, &Which::Operation(id.to_owned()), now_ms)?,
        _ => USAGE.to_owned(),
    };
    Ok(text)
}

fn taken_back(store: &dyn Store, which: &Which, now_ms: u64) -> Result<String, UserError> {
    let taken_back = take_back(store, which, now_ms)?;
    let entries = taken_back.iter().flat_map(|(_, operation)| operation.edits.iter().filter_map(|edit| edit.entry()));
    let titles: Vec<String> = entries.map(title).collect();
    Ok(format!("Took back: {}", titles.join(" · ")))
}

async fn review(console: &Console) -> String {
    let Some(pass) = console.runtime.review_now().await else {
        return "Nothing is learned in this mode, or in a session that is not recorded.".to_owned();
    };
    if pass.fresh.is_empty() {
        return "No turn waits for a review.".to_owned();
    }
    let learned: Vec<String> =
        run::learned(&pass).into_iter().map(|(_, text, _)| format!("  learned: {text}")).collect();
    let turns = crate::evolution::account::count(pass.fresh.len(), "turn");
    if learned.is_empty() {
        format!("Reviewed {turns}; nothing new was learned.")
    } else {
        format!("Reviewed {turns}.\n{}", learned.join("\n"))
    }
}
