//! `/resume`.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::history::turns;
use super::{Command, WhileBusy};
use crate::agent::Conversation;
use crate::history::compaction::current_plan;
use crate::repl::console::Console;
use crate::repl::screen::columns;
use crate::repl::scroll::Change;
use crate::rollout::index::{self, Selection, SessionSummary};
use crate::runtime::SessionStart;
use crate::text::width;
use crate::tools::update_plan;

/// The command.
pub const COMMAND: Command = Command {
    name: "/resume",
    aliases: &[],
    argument: "[N|ID|--last|--all]",
    help: "list earlier sessions, or go on with one",
    while_busy: WhileBusy::Shows("resume"),
    run: |console, argument| Box::pin(resume(console, argument)),
};

/// How many sessions are listed.
const LISTED: usize = 20;

async fn resume(console: &mut Console, argument: &str) {
    match argument {
        "" | "--all" => list(console, argument).await,
        "--last" => open(console, SessionStart::Last { all: false }).await,
        _ => match argument.parse::<usize>() {
            Ok(number) => {
                if console.listed.is_empty() {
                    console.listed = ids(&rows(console, false).await);
                }
                match number.checked_sub(1).and_then(|index| console.listed.get(index)).cloned() {
                    Some(id) => open(console, SessionStart::Resume { id }).await,
                    None => console.say(&format!("There is no session {number} in the list.")),
                }
            }
            Err(_) => open(console, SessionStart::Resume { id: argument.to_owned() }).await,
        },
    }
}

async fn open(console: &mut Console, start: SessionStart) {
    match console.open(&start).await {
        Ok(()) => {
            show_last_exchange(console).await;
            console.ask_what_was_left_open().await;
        }
        Err(error) => console.complain(&error),
    }
}

/// Shows what was said last, and the plan; the rest is for `/history`.
pub async fn show_last_exchange(console: &mut Console) {
    let look = |conversation: &Conversation| {
        let items = conversation.history.items();
        (turns(items), current_plan(items, |text| conversation.is_summary(text)))
    };
    let (turns, plan) = console.with_conversation(look).await.unwrap_or_default();
    let Some(last) = turns.last().cloned() else { return };
    if turns.len() > 1 {
        let style = console.page.style();
        console.say(&style.dim(&format!("{} earlier turns: /history", turns.len() - 1)));
    }
    console.echo(&last.prompt);
    if let Some(answer) = last.answer {
        console.show_message(&answer);
    }
    if let Some(event) = plan.as_deref().and_then(update_plan::shown) {
        console.show(&event);
    }
    console.screen.apply(vec![Change::Gap]);
}

/// Lists sessions to choose from: those of this folder first, or of all folders by time with `--all`.
pub async fn list(console: &mut Console, argument: &str) {
    let rows = rows(console, argument == "--all").await;
    console.listed = ids(&rows);
    if rows.is_empty() {
        return console.say("No resumable sessions found.");
    }
    let (folder, columns) = (console.folder(), columns());
    let lines =
        rows.iter().enumerate().map(|(index, row)| width::fit(&line(index + 1, row, &folder), columns).into_owned());
    let hint = console.page.style().dim("/resume N goes on with one; /resume --all lists all folders by time");
    console.say(&format!("{}\n{hint}", lines.collect::<Vec<_>>().join("\n")));
}

fn ids(rows: &[SessionSummary]) -> Vec<String> {
    rows.iter().map(|row| row.id.to_string()).collect()
}

async fn rows(console: &Console, all: bool) -> Vec<SessionSummary> {
    let (home, folder) = (console.runtime.loaded().home.dir().to_owned(), console.folder());
    let current = console.session.as_ref().map(|session| session.info().thread_id);
    let look = move || {
        let mut rows = collect(&home, &folder, all);
        rows.retain(|row| Some(row.id) != current);
        rows.truncate(LISTED);
        rows
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

fn collect(home: &Path, folder: &Path, all: bool) -> Vec<SessionSummary> {
    let everywhere = Selection { cwd: None, provider: None, archived: false };
    // A home without sessions, or one that cannot be read, has nothing to list.
    let mut found = index::sessions(home, everywhere).unwrap_or_default();
    found.retain(|summary| summary.first_user_message.is_some());
    if !all {
        // The sort keeps the order of time on both sides.
        found.sort_by_key(|summary| summary.cwd != folder);
    }
    found
}

fn line(number: usize, row: &SessionSummary, folder: &Path) -> String {
    let first = row.first_user_message.as_deref().unwrap_or_default();
    let first = width::one_line(first);
    let first = width::fit(&first, 72);
    let title = row.title.as_ref().map(|title| format!("{} · ", width::one_line(title))).unwrap_or_default();
    let place = if row.cwd == folder { String::new() } else { format!(" · {}", row.cwd.display()) };
    let model = row.model.as_deref().unwrap_or("?");
    let turns = match (row.turns, row.more_turns) {
        (1, false) => "1 turn".to_owned(),
        (turns, more) => format!("{turns}{} turns", if more { "+" } else { "" }),
    };
    format!("{number:>3}  {:>4}  {title}{first} · {model} · {turns}{place}", age(row.modified))
}

fn age(modified: SystemTime) -> String {
    in_words(SystemTime::now().duration_since(modified).unwrap_or_default())
}

fn in_words(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (7_200, "2h"), (200_000, "2d")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), text);
        }
    }
}
