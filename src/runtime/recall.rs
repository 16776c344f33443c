//! Joins the index of past sessions with the session files: reads what is new of them, redacted, and finds in it.
//!
//! Putting sessions in never delays a turn: it is done by whoever reviews, while the person is idle or the model works, and by a
//! person's own question. A turn only looks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::agent::ports::{Recall, Recalled};
use crate::config::repo::Project;
use crate::history::prompts::is_prompt;
use crate::protocol::item::{ItemKind, Role};
use crate::protocol::{ErrorKind, Item, RolloutLine, UserError};
use crate::recall::Index;
use crate::recall::add::{Passage, Progress, Session};
use crate::recall::search::{ASKED, Hit, Question, UNASKED};
use crate::rollout::{Reader, list, read_meta};
use crate::text::{injected, redact, time};

/// The most of what somebody said that is kept, in characters.
const SAID: usize = 8_000;
/// The most of the begin and of the end of what a tool answered.
const ANSWERED: (usize, usize) = (3_000, 1_000);
/// How much more of it is looked at for secrets, at both ends.
const MARGIN: usize = 4_000;
/// How much may be more than that: what stands for what was left out.
const CUT: usize = 8;
/// The most of what was asked that goes along with everything else in the turn.
const AROUND: usize = 400;
/// How many passages are put in at once: what a crash undoes.
const BATCH: usize = 2_000;
/// The tool whose answers are recalled already.
const TOOL: &str = "recall";

/// The past sessions of a home.
#[derive(Clone)]
pub struct PastSessions {
    home: PathBuf,
    project: String,
    /// The conversation that asks, which knows what was said in it.
    except: Option<String>,
    secrets: Arc<[String]>,
}

/// What putting sessions in came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Session files that were read.
    pub read: usize,
    /// Session files that are still to be read.
    pub left: usize,
}

impl PastSessions {
    /// The sessions below `home`, seen from a project. Values that are `secrets` are never kept.
    #[must_use]
    pub fn new(home: &Path, project: &str, secrets: Arc<[String]>) -> Self {
        Self { home: home.to_owned(), project: project.to_owned(), except: None, secrets }
    }

    /// As a conversation sees them, which is not to be told what it said itself.
    #[must_use]
    pub fn seen_from(mut self, thread: &str) -> Self {
        self.except = Some(thread.to_owned());
        self
    }

    /// Puts in what is new, the newest sessions first, for about as long as it may take. What was not reached is left for the next
    /// time.
    ///
    /// # Errors
    /// The index cannot be written, or the folder of sessions not be read.
    pub fn refresh(&self, patience: Duration) -> Result<Refreshed, UserError> {
        let until = Instant::now().checked_add(patience);
        let mut index = Index::open(&self.home)?;
        let files = list::newest_first(&self.home)
            .map_err(|error| UserError::new(ErrorKind::Storage, format!("cannot look for sessions: {error}")))?;
        let projects = RefCell::new(HashMap::new());
        let mut done = Refreshed::default();
        for path in &files {
            if is_past(until) {
                let known = |path: &&PathBuf| self.is_current(&index, path).unwrap_or(true);
                done.left += usize::from(!known(&path));
                continue;
            }
            match self.put_in(&mut index, path, &projects, until) {
                Ok(Read::Nothing) => {}
                Ok(Read::All) => done.read += 1,
                Ok(Read::Part) => done.left += 1,
                // A file that is damaged or goes away meanwhile costs itself alone.
                Err(Trouble::File) => {}
                Err(Trouble::Index(error)) => return Err(error),
            }
        }
        if done.left == 0 {
            let mut gone = index.files()?.into_iter().filter(|path| !Path::new(path).exists());
            gone.try_for_each(|path| index.remove(Path::new(&path)))?;
        }
        Ok(done)
    }

    fn is_current(&self, index: &Index, path: &Path) -> Option<bool> {
        let (size, modified_ms) = stamp(path)?;
        let progress = index.progress(path).ok()??;
        Some(progress.size == size && progress.modified_ms == modified_ms)
    }

    /// Reads one file from where it was left.
    fn put_in(
        &self,
        index: &mut Index,
        path: &Path,
        projects: &RefCell<HashMap<PathBuf, String>>,
        until: Option<Instant>,
    ) -> Result<Read, Trouble> {
        let (size, modified_ms) = stamp(path).ok_or(Trouble::File)?;
        let mut before = index.progress(path)?;
        if before.as_ref().is_some_and(|before| before.size == size && before.modified_ms == modified_ms) {
            return Ok(Read::Nothing);
        }
        // Session files grow. One that is shorter than what was read of it is another one.
        if before.as_ref().is_some_and(|before| size < before.offset) {
            index.remove(path)?;
            before = None;
        }
        let meta = read_meta(path).map_err(|_| Trouble::File)?;
        let (thread, cwd) = (meta.id.to_string(), meta.cwd.clone());
        let project = projects.borrow_mut().entry(cwd.clone()).or_insert_with(|| Project::of(&cwd).id).clone();
        let session = Session { path, thread: &thread, project: &project, cwd: &cwd };
        let mut file = File::open(path).map_err(|_| Trouble::File)?;
        let start = before.as_ref().map_or(0, |before| before.offset);
        file.seek(SeekFrom::Start(start)).map_err(|_| Trouble::File)?;
        let mut reading = Reading::after(before.clone().unwrap_or_default(), &self.secrets);
        let mut reader = Reader::new(file);
        let mut end = 0;
        loop {
            let wanted = |line: &crate::rollout::LineKind<'_>| {
                end = line.end;
                matches!(line.kind, Some("response_item") | None)
            };
            let entry = reader.next_line(wanted).map_err(|_| Trouble::File)?;
            let is_end = entry.is_none();
            if let Some(entry) = entry {
                let at_ms = entry.timestamp.as_deref().and_then(unix_ms).unwrap_or_default();
                if let RolloutLine::Item(item) = &entry.line {
                    reading.take(item, at_ms);
                }
            }
            if !is_end && reading.passages.len() < BATCH {
                continue;
            }
            let late = !is_end && is_past(until);
            let whole = if is_end { (size, modified_ms) } else { (0, 0) };
            let after = reading.progress(start + end, whole);
            let added = index.add(&session, before.as_ref(), &std::mem::take(&mut reading.passages), &after)?;
            if is_end || !added || late {
                return Ok(if is_end || !added { Read::All } else { Read::Part });
            }
            before = Some(after);
        }
    }

    /// What answers a question, in this project or in all of them.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn search(&self, text: &str, everywhere: bool, since_ms: u64, limit: usize) -> Result<Vec<Hit>, UserError> {
        let index = Index::open(&self.home)?;
        Ok(index.search(&self.question(text, everywhere, since_ms, limit, ASKED))?)
    }

    /// What clearly fits a message nobody asked this about. Only looks, and finds nothing when there is no index yet.
    #[must_use]
    pub fn fitting(&self, message: &str, limit: usize) -> Vec<Hit> {
        let Some(index) = Index::existing(&self.home) else { return Vec::new() };
        index.search(&self.question(message, false, 0, limit, UNASKED)).unwrap_or_default()
    }

    fn question<'a>(
        &'a self,
        text: &'a str,
        everywhere: bool,
        since_ms: u64,
        limit: usize,
        coverage: f64,
    ) -> Question<'a> {
        let project = (!everywhere).then_some(self.project.as_str());
        Question { text, project, except: self.except.as_deref(), since_ms, limit, coverage }
    }
}

impl Recall for PastSessions {
    fn recall(&self, question: &str, everywhere: bool, limit: usize) -> Result<Vec<Recalled>, UserError> {
        let hits = self.search(question, everywhere, 0, limit)?;
        Ok(hits.into_iter().map(|hit| recalled(&hit)).collect())
    }
}

/// A hit as a model is shown it.
#[must_use]
pub fn recalled(hit: &Hit) -> Recalled {
    Recalled {
        id: format!("{}:{}", hit.session, hit.turn),
        who: who(&hit.role).to_owned(),
        date: if hit.at_ms == 0 { "once".to_owned() } else { time::date(hit.at_ms) },
        text: match &hit.answer {
            Some(answer) => format!("{} → {answer}", hit.text),
            None => hit.text.clone(),
        },
    }
}

/// Who said something, for people.
#[must_use]
pub fn who(role: &str) -> &'static str {
    match role {
        "user" => "the person",
        "assistant" => "the model",
        _ => "a tool",
    }
}

enum Read {
    Nothing,
    Part,
    All,
}

enum Trouble {
    File,
    Index(UserError),
}

impl From<crate::recall::RecallError> for Trouble {
    fn from(error: crate::recall::RecallError) -> Self {
        Self::Index(error.into())
    }
}

/// What is read of a file and not put in yet.
struct Reading<'a> {
    turn: u32,
    asked: String,
    passages: Vec<Passage>,
    /// Calls whose answers are not kept.
    passed_over: Vec<String>,
    secrets: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    fn after(before: Progress, secrets: &'a [String]) -> Self {
        let secrets = secrets.iter().map(String::as_str).collect();
        Self { turn: before.turn, asked: before.asked, passages: Vec::new(), passed_over: Vec::new(), secrets }
    }

    fn progress(&self, offset: u64, (size, modified_ms): (u64, u64)) -> Progress {
        Progress { size, modified_ms, offset, turn: self.turn, asked: self.asked.clone() }
    }

    fn take(&mut self, item: &Item, at_ms: u64) {
        match item.kind() {
            ItemKind::Message(Role::User) if is_prompt(item) => {
                self.turn += 1;
                self.asked = String::new();
                let text = self.kept(&item.text(), SAID);
                self.put("user", at_ms, text.clone());
                self.asked = text.chars().take(AROUND).collect();
            }
            ItemKind::Message(Role::Assistant) => {
                let text = self.kept(&item.text(), SAID);
                self.put("assistant", at_ms, text);
            }
            ItemKind::Call(call) if *call.name == *TOOL => self.passed_over.push(call.call_id.to_string()),
            ItemKind::Call(_) => {
                let text = self.kept(&item.call_input().unwrap_or_default(), ANSWERED.1);
                self.put("tool", at_ms, text);
            }
            ItemKind::Output { call_id, .. } if !self.passed_over.iter().any(|passed| **passed == **call_id) => {
                // What is cut away is looked at first, as far as a secret may reach into what is kept.
                let near = both_ends(&output_text(item), MARGIN);
                let text = both_ends(&self.clean(&near), 0);
                self.put("tool", at_ms, text);
            }
            _ => {}
        }
    }

    /// A text as it may be kept: without what was injected, and without secrets.
    fn kept(&self, text: &str, most: usize) -> String {
        self.clean(text).chars().take(most).collect()
    }

    fn clean(&self, text: &str) -> String {
        let text = injected::without(text);
        redact::redact(&text, &self.secrets).trim().to_owned()
    }

    fn put(&mut self, role: &'static str, at_ms: u64, text: String) {
        if !text.is_empty() {
            self.passages.push(Passage { turn: self.turn, role, at_ms, text, around: self.asked.clone() });
        }
    }
}

/// The begin and the end of a long text: what was run and how it went.
fn both_ends(text: &str, margin: usize) -> String {
    let count = text.chars().count();
    let (first, last) = (ANSWERED.0 + margin, ANSWERED.1 + margin);
    if count <= first + last + CUT {
        return text.to_owned();
    }
    let begin: String = text.chars().take(first).collect();
    let end: String = text.chars().skip(count - last).collect();
    format!("{begin}\n…\n{end}")
}

/// What a tool answered.
fn output_text(item: &Item) -> String {
    let value = item.to_value();
    match &value["output"] {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        // Codex wraps what old tools answered.
        other => other["content"].as_str().unwrap_or_default().to_owned(),
    }
}

fn is_past(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

fn stamp(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    let since: Duration = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

fn unix_ms(timestamp: &str) -> Option<u64> {
    let timestamp: jiff::Timestamp = timestamp.parse().ok()?;
    u64::try_from(timestamp.as_millisecond()).ok()
}
