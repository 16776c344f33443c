//! Which session a person means: by its id or the begin of it, by its title, or by `last`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::index::{SessionSummary, scan};
use super::list::{Filter, find, latest, visit};
use super::name::{ARCHIVED, SESSIONS};
use crate::protocol::{ErrorKind, ThreadId, UserError};

/// Fewer characters of an id are a typing error rather than an id.
const MIN_PREFIX: usize = 4;
/// How many of the sessions that might be meant are named.
const NAMED: usize = 8;

/// The file of the session `text` means. `last` is the one of `filter` last written to; ids and titles are looked for
/// everywhere, those put away included.
///
/// # Errors
/// None is meant, or more than one.
pub fn resolve(home: &Path, text: &str, filter: Filter<'_>) -> Result<PathBuf, UserError> {
    if text == "last" {
        return last(home, filter);
    }
    if let Ok(id) = text.parse::<ThreadId>() {
        return find(home, id)?.ok_or_else(|| missing(format!("there is no session {id}"), home));
    }
    let by_id = with_prefix(home, text)?;
    match by_id.as_slice() {
        [(_, path)] => return Ok(path.clone()),
        [] => {}
        several => {
            let ids = several.iter().map(|(id, _)| id.to_string());
            return Err(ambiguous(text, "the ids of", ids.collect()));
        }
    }
    by_title(home, text)
}

/// The session last written to among those of `filter`.
///
/// # Errors
/// There is none.
pub fn last(home: &Path, filter: Filter<'_>) -> Result<PathBuf, UserError> {
    let usage = |message: String| UserError::new(ErrorKind::Usage, message);
    latest(home, filter)?.ok_or_else(|| match filter.cwd {
        Some(cwd) => usage(format!("there is no session of {}", cwd.display()))
            .hint("begin one, or add --all for sessions of other folders"),
        None => usage("there is no session yet".into()).hint("begin one: hone \"…\""),
    })
}

fn with_prefix(home: &Path, text: &str) -> Result<Vec<(ThreadId, PathBuf)>, UserError> {
    let prefix = text.to_ascii_lowercase();
    let is_one = prefix.len() >= MIN_PREFIX && prefix.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let mut found = Vec::new();
    for root in if is_one { &[SESSIONS, ARCHIVED][..] } else { &[] } {
        visit::<()>(&home.join(root), |name, entry| {
            if name.id.to_string().starts_with(&prefix) {
                found.push((name.id, entry.path()));
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

fn by_title(home: &Path, text: &str) -> Result<PathBuf, UserError> {
    let mut sessions = scan(home)?.sessions;
    let is_it = |session: &SessionSummary| {
        session.is_usable() && session.title.as_deref().is_some_and(|title| title.to_lowercase() == text.to_lowercase())
    };
    sessions.retain(is_it);
    match sessions.as_slice() {
        [session] => Ok(session.path.clone()),
        [] => Err(missing(format!("no session has the id or the title `{text}`"), home)),
        several => {
            Err(ambiguous(text, "the titles of", several.iter().map(|session| session.id.to_string()).collect()))
        }
    }
}

fn missing(message: String, home: &Path) -> UserError {
    UserError::new(ErrorKind::Usage, format!("{message} under {}", home.display()))
        .hint("`hone sessions list --all` shows what there is; check that CODEX_HOME is the one it was recorded in")
}

fn ambiguous(text: &str, what: &str, ids: Vec<String>) -> UserError {
    let more = if ids.len() > NAMED { ", …" } else { "" };
    let shown = ids[..ids.len().min(NAMED)].join(", ");
    UserError::new(ErrorKind::Usage, format!("`{text}` fits {what} {} sessions", ids.len()))
        .hint(format!("give more of the id: {shown}{more}"))
}
