//! `/skills`.

use super::memory::{done, wish};
use super::{Command, WhileBusy};
use crate::agent::ports::Clock as _;
use crate::evolution::account::list::{self, Wanted};
use crate::evolution::account::wish::grant;
use crate::evolution::account::{Account, why};
use crate::protocol::UserError;
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/skills",
    aliases: &[],
    argument: "[why|show|approve|reject|pin|unpin|revive|forget NAME]",
    help: "show learned skills, and decide about them",
    while_busy: WhileBusy::Runs,
    run: |console, argument| Box::pin(skills(console, argument)),
};

const USAGE: &str = "Usage: /skills · /skills why|show|approve|reject|pin|unpin|revive|forget NAME";

async fn skills(console: &mut Console, argument: &str) {
    match answer(console, argument) {
        Ok(text) => console.say(text.trim_end()),
        Err(error) => console.complain(&error),
    }
}

fn answer(console: &Console, argument: &str) -> Result<String, UserError> {
    let learning = console.runtime.learning();
    let store = learning.store.as_ref();
    let (what, name) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let name = name.trim();
    let text = match what {
        "" | "list" if name.is_empty() => listed(&Account::read(store)?),
        "why" if !name.is_empty() => why::why(&Account::read(store)?, name)?,
        "show" if !name.is_empty() => {
            let account = Account::read(store)?;
            let (scope, entry) = account.find(name)?;
            list::full(scope, entry)
        }
        _ => match wish(what).filter(|_| !name.is_empty()) {
            Some((wish, did)) => done(did, &grant(store, name, &wish, console.clock.unix_ms())?),
            None => USAGE.to_owned(),
        },
    };
    Ok(text)
}

fn listed(account: &Account<'_>) -> String {
    let wanted = Wanted { kind: Some("skill".to_owned()), ..Wanted::default() };
    let entries = list::entries(account, &wanted);
    match entries.is_empty() {
        true => "No skill was learned yet. One is drafted when the same kind of task went well twice.".to_owned(),
        false => list::lines(&entries),
    }
}
