//! `hone recall`: what was said and done in past sessions.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::args::{Options, RecallOptions};
use super::terminal;
use crate::agent::ports::Clock as _;
use crate::config::clock::SystemClock;
use crate::evolution::Mode;
use crate::protocol::{ErrorKind, UserError};
use crate::recall::Index;
use crate::recall::search::Hit;
use crate::runtime::recall::who;
use crate::runtime::{Learning, Setup};
use crate::text::time;

/// How long a question may wait for sessions to be put in; a whole run takes as long as it takes.
const PATIENCE: Duration = Duration::from_secs(5);
const DAY_MS: u64 = 24 * 60 * 60_000;

/// Searches, and prints what is found as Markdown or JSON. Returns 0 when something was found, 1 when not.
///
/// # Errors
/// Learning is off, or the index or the session files cannot be read.
pub fn run(options: &Options, asked: &RecallOptions) -> Result<u8, UserError> {
    let setup = options.setup()?;
    let (learning, now_ms) = learning(&setup)?;
    let past = learning.past_sessions();
    if asked.rebuild {
        drop(Index::rebuild(learning.store.home())?);
    }
    let everything = asked.rebuild || asked.index;
    let refreshed = past.refresh(if everything { Duration::MAX } else { PATIENCE })?;
    if refreshed.left > 0 {
        let left = refreshed.left;
        terminal::print_error(&format!(
            "note: {left} sessions are not searched yet; `hone recall --index` reads them all\n"
        ));
    }
    if everything {
        terminal::print_error(&format!("{} sessions were read\n", refreshed.read));
    }
    if asked.query.is_empty() {
        return Ok(0);
    }
    let since_ms = asked.since.map_or(0, |days| now_ms.saturating_sub(days.saturating_mul(DAY_MS)));
    let hits = past.search(&asked.query.join(" "), asked.all, since_ms, asked.limit)?;
    if asked.json {
        let text = serde_json::to_string_pretty(&hits)
            .map_err(|error| UserError::new(ErrorKind::Failed, format!("this has no form in JSON: {error}")))?;
        terminal::print(&(text + "\n"));
    } else if hits.is_empty() {
        let wider = if asked.all { "" } else { "; `--all` looks in all repositories" };
        terminal::print_error(&format!("nothing in past sessions clearly answers this{wider}\n"));
    } else {
        terminal::print(&markdown(&hits));
    }
    Ok(u8::from(hits.is_empty()))
}

fn learning(setup: &Setup) -> Result<(Learning, u64), UserError> {
    let loaded = setup.load()?;
    let clock = Arc::new(SystemClock::new(&loaded.env));
    let now_ms = clock.unix_ms();
    let learning = Learning::at(&loaded, &setup.cwd, clock).filter(|learning| learning.settings.mode > Mode::Off);
    let off = || {
        UserError::new(ErrorKind::Usage, "nothing is kept of past sessions, since learning is off")
            .hint("set `mode = \"observe\"` or more under [evolution] in config.toml")
    };
    learning.map(|learning| (learning, now_ms)).ok_or_else(off)
}

fn markdown(hits: &[Hit]) -> String {
    let mut text = String::new();
    for hit in hits {
        let date = if hit.at_ms == 0 { "once".to_owned() } else { time::date(hit.at_ms) };
        _ = writeln!(text, "**{date}, {}** in {}", who(&hit.role), hit.folder);
        _ = writeln!(text, "> {}", hit.text);
        if let Some(answer) = &hit.answer {
            _ = writeln!(text, ">\n> → {answer}");
        }
        _ = writeln!(text, "`hone resume {}` (turn {})\n", hit.session, hit.turn);
    }
    text
}
