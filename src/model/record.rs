//! Writes a tape while a conversation happens. The form is described in `docs/tapes.md`; [`super::tape`] reads it.
//!
//! One line is written per HTTP exchange, refusals and broken streams among them, as soon as it is over. Keys never
//! get in: request headers are not recorded at all, and everything else passes through [`redact`]; what a model says bit by bit, once more
//! as a whole.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::provider::Secret;
use crate::protocol::item::{ItemKind, Role};
use crate::protocol::prompt::{Prompt, Purpose};
use crate::protocol::provider::WireApi;
use crate::text::redact::{redact, redact_pieces};

/// The version of the form, in the first line of a tape.
pub const VERSION: u32 = 1;

/// The response headers worth keeping: those that change what the client does or shows.
const HEADERS: &[&str] = &["content-type", "retry-after", "location", "openai-model", "x-request-id"];

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With everything said.
    #[default]
    Complete,
    /// The server closed the stream in good order, but too early.
    Closed,
    /// The connection broke.
    Broken,
    /// Nothing more came.
    Silent,
    /// The client wanted no more.
    Dropped,
}

/// What was asked, as far as a replay can check it and a reader may want to know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RequestSummary {
    /// The model's slug.
    #[serde(default)]
    pub model: String,
    /// How many items the conversation had.
    #[serde(default)]
    pub items: usize,
    /// The calls whose outputs the request brought, in order.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Whether it asked for a summary.
    #[serde(default)]
    pub compaction: bool,
}

/// An exchange as it is written.
#[derive(Serialize)]
struct Line<'a> {
    request: &'a RequestSummary,
    status: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    events: &'a [Box<RawValue>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gaps_ms: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    end: End,
}

/// A tape being written.
#[derive(Clone)]
pub struct Recorder {
    tape: Arc<TapeFile>,
    secret: Option<Secret>,
}

struct TapeFile {
    file: Mutex<File>,
    trouble: OnceLock<String>,
}

impl Recorder {
    /// Begins a new tape of a server that speaks `wire` at `path`, in place of a file that may be there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path, wire: WireApi) -> io::Result<Self> {
        let mut file = File::create(path)?;
        let made_by = env!("CARGO_PKG_VERSION");
        match wire {
            WireApi::Responses => writeln!(file, r#"{{"tape":{VERSION},"made_by":"hone {made_by}"}}"#)?,
            _ => writeln!(file, r#"{{"tape":{VERSION},"made_by":"hone {made_by}","wire":"{}"}}"#, wire.name())?,
        }
        let tape = TapeFile { file: Mutex::new(file), trouble: OnceLock::new() };
        Ok(Self { tape: Arc::new(tape), secret: None })
    }

    /// The same tape, with `secret` kept off it.
    #[must_use]
    pub fn hiding(self, secret: Option<Secret>) -> Self {
        Self { secret, ..self }
    }

    /// Why the tape is incomplete, if it is. A conversation does not end because its recording does.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.tape.trouble.get().map(String::as_str)
    }

    /// Records the attempts of the request made of `prompt`.
    #[must_use]
    pub fn of(&self, prompt: &Prompt) -> RequestRecorder {
        RequestRecorder { recorder: self.clone(), summary: Arc::new(summarise(prompt)) }
    }

    fn clean(&self, text: &str) -> String {
        let known: Vec<&str> = self.secret.iter().map(Secret::expose).collect();
        redact(text, &known).into_owned()
    }

    fn write(&self, line: &Line<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.tape.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&bytes)
    }
}

fn summarise(prompt: &Prompt) -> RequestSummary {
    let mut answers: Vec<String> = Vec::new();
    for item in prompt.items.iter().rev() {
        match item.kind() {
            ItemKind::Output { call_id, .. } => answers.push(call_id.to_string()),
            // What the person said meanwhile stands behind the outputs.
            ItemKind::Message(Role::User | Role::Developer) => {}
            _ => break,
        }
    }
    answers.reverse();
    let compaction = prompt.purpose != Purpose::Turn;
    RequestSummary { model: prompt.model.clone(), items: prompt.items.len(), answers, compaction }
}

/// Records the attempts of one request.
pub struct RequestRecorder {
    recorder: Recorder,
    summary: Arc<RequestSummary>,
}

impl RequestRecorder {
    /// Begins an attempt.
    #[must_use]
    pub fn begin(&self) -> Recording {
        Recording {
            recorder: self.recorder.clone(),
            summary: Arc::clone(&self.summary),
            status: None,
            headers: BTreeMap::new(),
            events: Vec::new(),
            gaps_ms: Vec::new(),
            last: Instant::now(),
            body: None,
            end: None,
        }
    }
}

/// Records one exchange, and writes it when dropped. An attempt that was never answered leaves nothing.
pub struct Recording {
    recorder: Recorder,
    summary: Arc<RequestSummary>,
    status: Option<StatusCode>,
    headers: BTreeMap<String, String>,
    events: Vec<Box<RawValue>>,
    gaps_ms: Vec<u64>,
    last: Instant,
    body: Option<String>,
    end: Option<End>,
}

impl Recording {
    /// The answer's head came.
    pub fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        let kept = headers.iter().filter(|(name, _)| is_kept(name.as_str()));
        let texts = kept.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?)));
        self.headers = texts.map(|(name, value)| (name, self.recorder.clean(value))).collect();
    }

    /// An event came.
    pub fn event(&mut self, data: &str) {
        let clean = self.recorder.clean(data);
        // A single line of JSON is kept as it is, so that tapes can be read; anything else becomes a string.
        let raw = if clean.contains(['\n', '\r']) { None } else { RawValue::from_string(clean.clone()).ok() };
        if let Some(raw) = raw.or_else(|| to_raw_value(&clean).ok()) {
            self.events.push(raw);
            let gap = self.last.elapsed();
            self.last += gap;
            self.gaps_ms.push(u64::try_from(gap.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// The answer is no stream but this.
    pub fn body(&mut self, body: &str) {
        self.body = Some(self.recorder.clean(body));
        self.end = Some(End::Complete);
    }

    /// Takes out secrets that are spread over the deltas of one item.
    fn clean_deltas(&mut self) {
        let known: Vec<&str> = self.recorder.secret.iter().map(Secret::expose).collect();
        let mut items: BTreeMap<Said, Vec<(usize, String)>> = BTreeMap::new();
        for (index, event) in self.events.iter().enumerate() {
            if let Some((said, delta)) = delta(event.get()) {
                items.entry(said).or_default().push((index, delta));
            }
        }
        for deltas in items.values() {
            let pieces: Vec<&str> = deltas.iter().map(|(_, delta)| delta.as_str()).collect();
            for ((index, was), clean) in deltas.iter().zip(redact_pieces(&pieces, &known).into_iter().flatten()) {
                if *was != clean {
                    let event = serde_json::from_str(self.events[*index].get()).map(|mut event: serde_json::Value| {
                        event["delta"] = clean.into();
                        event
                    });
                    // What cannot be written without the secret is not written.
                    let event = event.unwrap_or_default();
                    self.events[*index] = to_raw_value(&event).unwrap_or_default();
                }
            }
        }
    }

    /// How the exchange ended.
    pub fn ended(&mut self, end: End) {
        self.end = Some(end);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(status) = self.status else { return };
        self.clean_deltas();
        let line = Line {
            request: &self.summary,
            status: status.as_u16(),
            headers: &self.headers,
            events: &self.events,
            gaps_ms: &self.gaps_ms,
            body: self.body.as_deref(),
            end: self.end.unwrap_or(End::Dropped),
        };
        if let Err(error) = self.recorder.write(&line) {
            self.recorder.tape.trouble.get_or_init(|| format!("the tape is incomplete: {error}"));
        }
    }
}

/// Which text a delta goes on with: the kind of event, the item, the part of it.
type Said = (String, String, u64);

fn delta(event: &str) -> Option<(Said, String)> {
    if !event.contains("\"delta\"") {
        return None;
    }
    let event: serde_json::Value = serde_json::from_str(event).ok()?;
    let text = |name: &str| event.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let number = |name: &str| event.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default();
    let part = number("content_index") + number("summary_index");
    let item = text("item_id").unwrap_or_else(|| number("output_index").to_string());
    Some(((text("type")?, item, part), text("delta")?))
}

fn is_kept(header: &str) -> bool {
    // The turn state is a token of somebody's session; limits are numbers.
    HEADERS.contains(&header) || (header.starts_with("x-codex-") && header != super::request::TURN_STATE)
}
