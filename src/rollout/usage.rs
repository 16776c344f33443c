//! What sessions used, from the token counts in their files.
//!
//! A count is a running sum, so what was used between two of them is their difference: lines that say the same again, as
//! several programs write, add nothing. Of a file only the few lines that matter are decoded, and what was read is not read again.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memmem;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use super::list::visit;
use super::name::{ARCHIVED, SESSIONS};
use crate::protocol::{RolloutError, ThreadId, Usage};

/// A line says what it is within its first bytes.
const HEAD: usize = 256;

/// What one session used.
#[derive(Clone, Debug)]
pub struct SessionUsage {
    /// The conversation.
    pub id: ThreadId,
    /// By day, `YYYY-MM-DD` where the person is, and model.
    pub used: BTreeMap<(String, String), Usage>,
    path: PathBuf,
    read: u64,
    model: String,
    total: Usage,
    /// When a fork began: what its file says of before is its origin's.
    began: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    forked_from_id: Option<Cow<'a, str>>,
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    total_token_usage: Usage,
}

impl SessionUsage {
    fn new(id: ThreadId, path: PathBuf) -> Self {
        let (used, total) = (BTreeMap::new(), Usage::default());
        Self { id, used, path, read: 0, model: String::new(), total, began: None }
    }

    /// Reads what was written since the last time. A line that is being written is left for the next one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_on(&mut self, zone: &TimeZone) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &bytes) {
            self.line(&bytes[start..end], zone);
            start = end + 1;
        }
        self.read += start as u64;
        Ok(())
    }

    fn line(&mut self, line: &[u8], zone: &TimeZone) {
        let head = &line[..line.len().min(HEAD)];
        let is = |kind: &str| memmem::find(head, kind.as_bytes()).is_some();
        let (count, context) = (is("\"token_count\""), is("\"turn_context\""));
        if !count && !context && !is("\"session_meta\"") {
            return;
        }
        let Ok(Line { timestamp, payload }) = serde_json::from_slice::<Line<'_>>(line) else { return };
        let time = |text: Option<Cow<'_, str>>| text.and_then(|text| text.parse::<Timestamp>().ok());
        if context {
            self.model = payload.model.unwrap_or_default().into_owned();
        } else if count {
            let Some(Info { total_token_usage: total }) = payload.info else { return };
            let Some(at) = time(timestamp) else { return };
            let more = difference(&total, &self.total);
            self.total = total;
            if more == Usage::default() || self.began.is_some_and(|began| at < began) {
                return;
            }
            let day = at.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string();
            let model = payload.model.map_or_else(|| self.model.clone(), Cow::into_owned);
            *self.used.entry((day, model)).or_default() += more;
        } else if payload.forked_from_id.is_some() && self.began.is_none() {
            self.began = time(payload.timestamp);
        }
    }
}

/// What was used since `before`. A sum that is smaller than before began anew.
fn difference(total: &Usage, before: &Usage) -> Usage {
    if total.total_tokens < before.total_tokens {
        return *total;
    }
    Usage {
        input_tokens: total.input_tokens.saturating_sub(before.input_tokens),
        cached_input_tokens: total.cached_input_tokens.saturating_sub(before.cached_input_tokens),
        cache_write_input_tokens: total.cache_write_input_tokens.saturating_sub(before.cache_write_input_tokens),
        output_tokens: total.output_tokens.saturating_sub(before.output_tokens),
        reasoning_output_tokens: total.reasoning_output_tokens.saturating_sub(before.reasoning_output_tokens),
        total_tokens: total.total_tokens.saturating_sub(before.total_tokens),
    }
}

/// What the sessions used that were written to since `since`, put away or not. Keeps what it read, so that asking again costs
/// no more than what was written meanwhile.
#[derive(Debug, Default)]
pub struct UsageReader {
    sessions: BTreeMap<PathBuf, (u64, SessionUsage)>,
}

impl UsageReader {
    /// Reads on. A file that cannot be read counts as far as it was.
    ///
    /// # Errors
    /// A folder of sessions cannot be read.
    pub fn refresh(&mut self, home: &Path, since: SystemTime, zone: &TimeZone) -> Result<(), RolloutError> {
        let mut grown = Vec::new();
        for root in [SESSIONS, ARCHIVED] {
            visit::<()>(&home.join(root), |name, entry| {
                let Ok(metadata) = entry.metadata() else { return ControlFlow::Continue(()) };
                if metadata.modified().is_ok_and(|modified| modified >= since) {
                    let (path, len) = (entry.path(), metadata.len());
                    let known = self.sessions.remove(&path).unwrap_or_else(|| (0, SessionUsage::new(name.id, path)));
                    if known.0 == len {
                        self.sessions.insert(known.1.path.clone(), known);
                    } else {
                        grown.push((len, known.1));
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(grown.len());
        let (waiting, read) = (Mutex::new(grown), Mutex::new(Vec::new()));
        let take = || waiting.lock().ok()?.pop();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((len, mut session)) = take() {
                        session.read_on(zone).unwrap_or_default();
                        read.lock().into_iter().for_each(|mut read| read.push((len, session.clone())));
                    }
                });
            }
        });
        for (len, session) in read.into_inner().unwrap_or_default() {
            self.sessions.insert(session.path.clone(), (len, session));
        }
        Ok(())
    }

    /// What was read, session by session.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionUsage> {
        self.sessions.values().map(|(_, session)| session)
    }
}
