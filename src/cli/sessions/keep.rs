//! `hone sessions rename`, `archive`, `unarchive`, `delete` and `repair`.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;

use super::place::Place;
use super::words::{age, one_line};
use crate::agent::ports::Clock;
use crate::cli::terminal;
use crate::config::clock::SystemClock;
use crate::protocol::{ErrorKind, UserError};
use crate::rollout::{Problem, repair, shelf};

pub(super) fn rename(place: &Place, id: &str, title: &str) -> Result<u8, UserError> {
    let title = title.trim();
    if title.is_empty() {
        return Err(
            UserError::new(ErrorKind::Usage, "a title needs at least one letter").hint("hone sessions rename ID TITLE")
        );
    }
    let path = place.resolve(id)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(&place.env));
    shelf::rename(&place.home, &path, title, &clock)?;
    terminal::print(&format!("named: {}\n", one_line(title)));
    Ok(0)
}

pub(super) fn archive(place: &Place, id: &str) -> Result<u8, UserError> {
    let to = shelf::archive(&place.home, &place.resolve(id)?)?;
    terminal::print(&format!("archived: {}\n", to.display()));
    Ok(0)
}

pub(super) fn unarchive(place: &Place, id: &str) -> Result<u8, UserError> {
    let to = shelf::unarchive(&place.home, &place.resolve(id)?)?;
    terminal::print(&format!("taken out of the archive: {}\n", to.display()));
    Ok(0)
}

pub(super) fn delete(place: &Place, id: &str, yes: bool) -> Result<u8, UserError> {
    let session = place.summary(&place.resolve(id)?)?;
    let name = session.title.as_deref().or(session.first_user_message.as_deref()).unwrap_or("nothing said yet");
    let what = format!("{} ({}, {} turns, {})", session.id, one_line(name), session.turns, age(session.modified));
    if !yes && !confirmed(&what)? {
        terminal::print_error("nothing was deleted\n");
        return Ok(ErrorKind::Interrupted.exit_code());
    }
    shelf::delete(&place.home, &session.path)?;
    terminal::print(&format!("deleted: {what}\n"));
    Ok(0)
}

/// Asks the person; where there is none, nothing is deleted.
fn confirmed(what: &str) -> Result<bool, UserError> {
    if !io::stdin().is_terminal() {
        return Err(UserError::new(ErrorKind::Usage, format!("not deleted, since nobody can be asked: {what}"))
            .hint("add --yes to delete it without a question; `hone sessions archive` only puts it away"));
    }
    terminal::print_error(&format!("Delete session {what} for good? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| {
        UserError::new(ErrorKind::Usage, format!("the answer cannot be read: {error}")).hint("add --yes")
    })?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Says of each file that something is wrong with what was done. When something is left to do, the exit code says so.
pub(super) fn repair(place: &Place, all: bool) -> Result<u8, UserError> {
    let clock = SystemClock::new(&place.env);
    let repaired = repair::repair(&place.home, all, &clock)?;
    let mut text = String::new();
    for file in &repaired {
        let (state, done) = match &file.done {
            Ok(done) => ("repaired", done),
            Err(reason) => ("not repaired", reason),
        };
        let problem = match &file.problem {
            Problem::Empty => "empty",
            Problem::Torn => "torn",
            Problem::Unnamed => "no session",
            Problem::Unreadable(_) => "unreadable",
        };
        writeln!(text, "{}\n  {problem}, {state}: {done}", file.path.display()).unwrap_or_default();
    }
    if repaired.is_empty() {
        text.push_str("nothing is wrong with the session files\n");
    }
    terminal::print(&text);
    let left = repaired.iter().any(|file| file.done.is_err());
    Ok(if left { ErrorKind::Storage.exit_code() } else { 0 })
}
