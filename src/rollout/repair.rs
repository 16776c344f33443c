//! Setting right what crashes and full disks left of session files.
//!
//! No byte that was there is lost: lines are only added at the end, and what cannot stay where it is gets another name
//! beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::glimpse::Problem;
use super::index::{SessionSummary, scan};
use super::lock::WriterLock;
use super::name::SessionName;
use super::reader::Reader;
use super::tail::{is_torn, last_ordinal};
use crate::agent::ports::Clock;
use crate::protocol::rollout_line::SessionMeta;
use crate::protocol::{RolloutError, RolloutLine};
use crate::text::time::rfc3339;

/// What became of a file that something was wrong with.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// The file.
    pub path: PathBuf,
    /// What was wrong.
    pub problem: Problem,
    /// What was done, in words; or why nothing was.
    pub done: Result<String, String>,
}

/// Looks at every session file, at those put away only with `archived`, and sets right what can be set right. Each file
/// that something is wrong with is in the answer once.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn repair(home: &Path, archived: bool, clock: &dyn Clock) -> Result<Vec<Repaired>, RolloutError> {
    let sessions = scan(home)?.sessions;
    let damaged = sessions.into_iter().filter(|session| archived || !session.archived);
    Ok(damaged.filter_map(|session| repair_one(home, session, clock)).collect())
}

fn repair_one(home: &Path, session: SessionSummary, clock: &dyn Clock) -> Option<Repaired> {
    let problem = session.problem?;
    let path = session.path;
    let done = match WriterLock::take(home, session.id) {
        Err(error) => Err(error.message),
        Ok(_lock) => set_right(&path, &problem, clock).map_err(|error| error.to_string()),
    };
    Some(Repaired { path, problem, done })
}

fn set_right(path: &Path, problem: &Problem, clock: &dyn Clock) -> io::Result<String> {
    match problem {
        Problem::Empty => {
            let aside = set_aside(path, "empty")?;
            Ok(format!("nothing was recorded in it; set aside as {}", name_of(&aside)))
        }
        Problem::Torn => end_last_line(path),
        Problem::Unnamed => name_it(path, clock),
        Problem::Unreadable(reason) => Err(io::Error::other(format!(
            "{reason}; left as it is: make it readable (chmod u+rw, or ask its owner), then repair again"
        ))),
    }
}

/// Ends the torn line, which stays as one that readers skip. A byte is added and none is touched, so there is nothing to keep.
fn end_last_line(path: &Path) -> io::Result<String> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let metadata = file.metadata()?;
    let len = metadata.len();
    if !is_torn(&file, len)? {
        return Ok("somebody else ended its last line meanwhile".into());
    }
    file.write_all(b"\n")?;
    file.sync_data()?;
    // Its session was not written to by this, only its file.
    file.set_modified(metadata.modified()?)?;
    Ok("its last line was never finished; it was ended, nothing was removed, and the session can be resumed".into())
}

/// Gives a file that holds a conversation, and does not say which, a description of its own; the file as it was is kept
/// beside it. A file without a conversation is set aside.
fn name_it(path: &Path, clock: &dyn Clock) -> io::Result<String> {
    let found = look_for_conversation(path)?;
    let name = path.file_name().and_then(|name| name.to_str()).and_then(SessionName::parse);
    let (Some(name), true) = (name, found.items > 0) else {
        let aside = set_aside(path, "unreadable")?;
        return Ok(format!("there is no conversation in it; set aside as {}", name_of(&aside)));
    };
    let meta = SessionMeta {
        id: name.id,
        timestamp: found.began.unwrap_or_else(|| rfc3339(clock.unix_ms())),
        cwd: found.cwd.unwrap_or_else(|| "/".into()),
        originator: "hone".into(),
        cli_version: env!("CARGO_PKG_VERSION").into(),
        source: "cli".into(),
        model_provider: None,
        base_instructions: None,
        git: None,
        forked_from_id: None,
        other: found.numbered.then(|| ("history_mode".to_owned(), "paginated".into())).into_iter().collect(),
    };
    let mut line = Vec::new();
    let timestamp = meta.timestamp.clone();
    RolloutLine::SessionMeta(Box::new(meta)).write_numbered(&timestamp, found.numbered.then_some(0), &mut line)?;
    let whole = path.with_extension("jsonl.unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&whole)?;
    file.write_all(&line)?;
    let mut old = File::open(path)?;
    let metadata = old.metadata()?;
    io::copy(&mut old, &mut file)?;
    if is_torn(&old, metadata.len())? {
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    file.set_modified(metadata.modified()?)?;
    let aside = set_aside(path, "unreadable")?;
    fs::rename(&whole, path)?;
    Ok(format!(
        "it did not say what session it is; a first line was made for it, the file as it was is {}",
        name_of(&aside)
    ))
}

/// What of a conversation a file without a description holds.
#[derive(Default)]
struct Found {
    items: u64,
    began: Option<String>,
    cwd: Option<PathBuf>,
    numbered: bool,
}

fn look_for_conversation(path: &Path) -> io::Result<Found> {
    let file = File::open(path)?;
    let numbered = last_ordinal(&file, file.metadata()?.len())?.is_some();
    let mut reader = Reader::new(file);
    let mut found = Found { numbered, ..Found::default() };
    while let Some(entry) = reader.next_line(|line| !matches!(line.kind, Some("event_msg" | "compacted")))? {
        found.began = found.began.or(entry.timestamp);
        match entry.line {
            RolloutLine::Item(_) => found.items += 1,
            RolloutLine::TurnContext(context) => _ = found.cwd.get_or_insert(context.cwd),
            _ => {}
        }
    }
    Ok(found)
}

/// Gives the file a name that is no session's, and that no other file has.
fn set_aside(path: &Path, why: &str) -> io::Result<PathBuf> {
    let mut aside = path.with_extension(format!("jsonl.{why}"));
    let mut more = 1;
    while aside.exists() {
        more += 1;
        aside = path.with_extension(format!("jsonl.{why}.{more}"));
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
