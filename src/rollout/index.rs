//! A list of all sessions, at once.
//!
//! Reading ten thousand files takes seconds, so what a list shows of them is kept in one file, which is never the truth: a
//! line of it counts only while its session file has the size and time it had. Whatever is missing, broken or outdated is
//! read again, and the whole is written anew beside the old one and renamed into its place, so that any number of
//! processes may do so at once. The file can be deleted at any time. Nothing fails when it cannot be written.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, BufWriter, Write as _};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::glimpse::{Glimpse, Problem};
use super::list::{FolderTest, visit};
use super::name::{ARCHIVED, SESSIONS};
use super::titles::titles;
use crate::protocol::{RolloutError, ThreadId};

/// Where it is, below `$CODEX_HOME`.
const INDEX: &str = "hone/sessions-index.jsonl";
/// Its first line. Another one means another version, whose lines may mean something else.
const HEADER: &str = "{\"sessions_index\":1}";
/// Fewer files than this are not worth another thread.
const WORTH_A_THREAD: usize = 128;
const MAX_THREADS: usize = 8;

/// What a list shows of a session.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// The conversation. Of a file that does not say, the one in its name.
    pub id: ThreadId,
    /// Its file.
    pub path: PathBuf,
    /// The folder it began in.
    pub cwd: PathBuf,
    /// The first thing the person wrote, at most some hundred characters of it.
    pub first_user_message: Option<String>,
    /// The name the person gave it.
    pub title: Option<String>,
    /// The model that was asked last.
    pub model: Option<String>,
    /// The provider's id.
    pub provider: Option<String>,
    /// The branch the repository was on.
    pub branch: Option<String>,
    /// When it began, RFC 3339 in UTC.
    pub created: String,
    /// When it was last written to.
    pub modified: SystemTime,
    /// How many turns began in it.
    pub turns: u32,
    /// Whether there may be more turns than that: a long file is not read whole.
    pub more_turns: bool,
    /// Whether it was put away.
    pub archived: bool,
    /// Its size.
    pub bytes: u64,
    /// What is wrong with its file.
    pub problem: Option<Problem>,
    /// Sub-agents have sessions too, which are not the person's.
    pub of_subagent: bool,
}

impl SessionSummary {
    /// Whether it can be resumed.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self.problem, None | Some(Problem::Torn))
    }
}

/// Which sessions are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Only those that began in this folder.
    pub cwd: Option<&'a Path>,
    /// Only those of this provider, and those that name none.
    pub provider: Option<&'a str>,
    /// Those put away instead of those in use.
    pub archived: bool,
}

impl Selection<'_> {
    /// Those of `all` that are the person's, can be used and are asked for.
    #[must_use]
    pub fn of(&self, all: Vec<SessionSummary>) -> Vec<SessionSummary> {
        let folder = self.cwd.map(FolderTest::new);
        let of_provider = |session: &SessionSummary| match (self.provider, &session.provider) {
            (Some(wanted), Some(provider)) => wanted == provider,
            _ => true,
        };
        let fits = |session: &SessionSummary| {
            session.is_usable()
                && !session.of_subagent
                && session.archived == self.archived
                && of_provider(session)
                && folder.as_ref().is_none_or(|folder| folder.is(&session.cwd))
        };
        all.into_iter().filter(fits).collect()
    }
}

/// Every session file there is.
#[derive(Debug)]
pub struct Scan {
    /// The one last written to first; those put away, those of sub-agents and those that cannot be used among them.
    pub sessions: Vec<SessionSummary>,
    /// How many files had to be opened to know.
    pub opened: usize,
}

/// The sessions that are asked for, the one last written to first.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn sessions(home: &Path, selection: Selection<'_>) -> Result<Vec<SessionSummary>, RolloutError> {
    Ok(selection.of(scan(home)?.sessions))
}

/// Looks at every session file.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn scan(home: &Path) -> Result<Scan, RolloutError> {
    let mut found = files(home)?;
    let mut known = read(&home.join(INDEX));
    let mut new = Vec::new();
    for entry in &mut found {
        match known.remove(entry.path.as_os_str()) {
            Some(old) if old.stamp() == entry.stamp() => entry.glimpse = old.glimpse,
            old => new.push((entry, old)),
        }
    }
    let opened = new.len();
    look_at(home, new);
    // A file that cannot be read may become readable without a trace in its time; it is looked at every time.
    let keepable = |entry: &&Entry| !matches!(entry.glimpse.problem, Some(Problem::Unreadable(_)));
    let unkept = found.iter().filter(|entry| !keepable(entry)).count();
    if opened > unkept || !known.is_empty() {
        write(&home.join(INDEX), found.iter().filter(keepable)).unwrap_or_default();
    }
    found.sort_unstable_by(|a, b| (b.modified, &b.path).cmp(&(a.modified, &a.path)));
    let mut titles = titles(home);
    let sessions = found.into_iter().map(|entry| entry.summary(home, &mut titles)).collect();
    Ok(Scan { sessions, opened })
}

/// A line of the index.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Below `$CODEX_HOME`.
    path: PathBuf,
    /// Nanoseconds since the Unix epoch.
    modified: u64,
    bytes: u64,
    glimpse: Glimpse,
    /// The id in the file's name.
    name_id: ThreadId,
}

impl Entry {
    fn stamp(&self) -> (u64, u64) {
        (self.modified, self.bytes)
    }

    /// Looks at the file, knowing what was known before it changed.
    fn look(&mut self, home: &Path, old: Option<Self>) {
        self.glimpse = Glimpse::take(&home.join(&self.path));
        // A file only grows, and of a long one only begin and end are read: what was seen in between is still there.
        if let Some(old) = old.filter(|old| self.glimpse.more_turns && old.bytes <= self.bytes) {
            self.glimpse.turns = self.glimpse.turns.max(old.glimpse.turns);
            self.glimpse.title = self.glimpse.title.take().or(old.glimpse.title);
        }
    }

    fn summary(self, home: &Path, titles: &mut HashMap<ThreadId, String>) -> SessionSummary {
        let glimpse = self.glimpse;
        let id = glimpse.id.unwrap_or(self.name_id);
        SessionSummary {
            id,
            archived: self.path.starts_with(ARCHIVED),
            path: home.join(self.path),
            cwd: glimpse.cwd,
            first_user_message: glimpse.message,
            title: glimpse.title.or_else(|| titles.remove(&id)),
            model: glimpse.model,
            provider: glimpse.provider,
            branch: glimpse.branch,
            created: glimpse.created,
            modified: UNIX_EPOCH + Duration::from_nanos(self.modified),
            turns: glimpse.turns,
            more_turns: glimpse.more_turns,
            bytes: self.bytes,
            problem: glimpse.problem,
            of_subagent: glimpse.of_subagent,
        }
    }
}

/// Every session file with its stamp; nothing is opened.
fn files(home: &Path) -> Result<Vec<Entry>, RolloutError> {
    let mut found = Vec::new();
    for root in [SESSIONS, ARCHIVED] {
        visit::<()>(&home.join(root), |name, entry| {
            let path = entry.path();
            // A file that is gone by now is none.
            if let (Ok(metadata), Ok(path)) = (entry.metadata(), path.strip_prefix(home)) {
                found.push(Entry {
                    path: path.to_owned(),
                    modified: metadata.modified().map(nanoseconds).unwrap_or_default(),
                    bytes: metadata.len(),
                    glimpse: Glimpse::default(),
                    name_id: name.id,
                });
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn look_at(home: &Path, mut entries: Vec<(&mut Entry, Option<Entry>)>) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let share = entries.len().div_ceil(threads).max(WORTH_A_THREAD);
    let look = |entries: &mut [(&mut Entry, Option<Entry>)]| {
        entries.iter_mut().for_each(|(entry, old)| entry.look(home, old.take()));
    };
    if entries.len() <= share {
        return look(&mut entries);
    }
    thread::scope(|scope| {
        for part in entries.chunks_mut(share) {
            scope.spawn(move || look(part));
        }
    });
}

/// What the index knows; nothing when there is none, and nothing of lines that are broken.
fn read(path: &Path) -> HashMap<OsString, Entry> {
    let text = fs::read(path).unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n');
    if lines.next() != Some(HEADER.as_bytes()) {
        return HashMap::new();
    }
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    entries.map(|entry| (entry.path.clone().into_os_string(), entry)).collect()
}

fn write<'a>(path: &Path, entries: impl Iterator<Item = &'a Entry>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::with_capacity(256 << 10, file.as_file_mut());
    writeln!(out, "{HEADER}")?;
    for entry in entries {
        // A path that is no UTF-8 cannot be written; its file is read every time.
        if let Ok(line) = serde_json::to_vec(entry) {
            out.write_all(&line)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    drop(out);
    file.persist(path)?;
    Ok(())
}
