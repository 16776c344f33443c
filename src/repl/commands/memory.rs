//! `/memory`.

use super::{Command, WhileBusy};
use crate::agent::ports::Clock as _;
use crate::evolution::account::list::{self, Wanted};
use crate::evolution::account::wish::{Granted, Wish, grant, write_down};
use crate::evolution::account::{Account, title, why, why_not};
use crate::protocol::UserError;
use crate::protocol::learned::{Entry, Scope};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/memory",
    aliases: &[],
    argument: "[why|show|approve|reject|pin|unpin|revive|forget ID]",
    help: "show what was learned, and decide about it; also add TEXT, edit ID TEXT, why-not WORDS",
    while_busy: WhileBusy::Runs,
    run: |console, argument| Box::pin(memory(console, argument)),
};

const USAGE: &str = "Usage: /memory · /memory why|show|approve|reject|pin|unpin|revive|forget ID · /memory edit ID TEXT · /memory add TEXT · \
                     /memory why-not WORDS";

async fn memory(console: &mut Console, argument: &str) {
    match answer(console, argument) {
        Ok(text) => console.say(text.trim_end()),
        Err(error) => console.complain(&error),
    }
}

fn answer(console: &Console, argument: &str) -> Result<String, UserError> {
    let learning = console.runtime.learning();
    let (store, now_ms) = (learning.store.as_ref(), console.clock.unix_ms());
    let (what, rest) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let rest = rest.trim();
    let text = match (what, rest) {
        ("" | "list", "") => listed(&Account::read(store)?),
        ("why", id) if !id.is_empty() => why::why(&Account::read(store)?, id)?,
        ("why-not", words) if !words.is_empty() => why_not::why_not(&Account::read(store)?, words)?,
        ("show", id) if !id.is_empty() => {
            let account = Account::read(store)?;
            let (scope, entry) = account.find(id)?;
            list::full(scope, entry)
        }
        ("add", text) if !text.is_empty() => done("Added", &write_down(store, Scope::Repo, text, now_ms)?),
        ("edit", rest) => match rest.split_once(char::is_whitespace) {
            Some((id, text)) => done("Changed", &grant(store, id, &Wish::Edit(text.to_owned()), now_ms)?),
            None => USAGE.to_owned(),
        },
        (word, id) => match wish(word).filter(|_| !id.is_empty()) {
            Some((wish, did)) => done(did, &grant(store, id, &wish, now_ms)?),
            None => USAGE.to_owned(),
        },
    };
    Ok(text)
}

/// What a word asks for, and the word for having done it.
pub(super) fn wish(word: &str) -> Option<(Wish, &'static str)> {
    let wish = match word {
        "approve" => (Wish::Approve, "Approved"),
        "reject" => (Wish::Reject, "Rejected"),
        "pin" => (Wish::Pin, "Pinned"),
        "unpin" => (Wish::Unpin, "Unpinned"),
        "revive" => (Wish::Revive, "Revived"),
        "forget" => (Wish::Forget, "Forgotten"),
        _ => return None,
    };
    Some(wish)
}

/// What was done, and how it is taken back.
pub(super) fn done(did: &str, granted: &Granted) -> String {
    let id = granted.operation.id.0.trim_start_matches("op-");
    format!("{did}: {} · /evolve undo {} takes it back", title(&granted.entry), list::short(id))
}

fn listed(account: &Account<'_>) -> String {
    let mut entries = list::entries(account, &Wanted::default());
    entries.retain(|(_, entry)| matches!(entry, Entry::Memory(_)));
    match entries.is_empty() {
        true => "Nothing was learned here yet. /memory add TEXT writes something down.".to_owned(),
        false => list::lines(&entries),
    }
}
