//! What the begin and the end of a session file tell of it.
//!
//! A list shows thousands of sessions, and one of them may have a gigabyte. So a short file is read whole, and of a long
//! one only its first lines, up to what the person said first, and its last ones. What lies between cannot be counted:
//! then the number of turns is a lower bound and says so.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::reader::{LineKind, Reader};
use super::tail::is_torn;
use crate::history::prompts::is_prompt;
use crate::protocol::rollout_line::{RolloutEvent, SessionMeta};
use crate::protocol::{RolloutLine, ThreadId};

/// Files up to this size are read whole.
const WHOLE: u64 = 512 << 10;
/// How far into a longer one its first lines can reach.
const HEAD: u64 = 1 << 20;
/// How much of its end is read.
const TAIL: u64 = 256 << 10;
/// What is kept of the person's first message, in characters.
const MESSAGE_CHARS: usize = 300;

/// What is wrong with a session file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// There is nothing in it.
    Empty,
    /// Its last line was never finished. It can be resumed without that line.
    Torn,
    /// Nothing near its begin says what session it is.
    Unnamed,
    /// It cannot be opened or read, for this reason.
    Unreadable(String),
}

/// What a file tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Glimpse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<ThreadId>,
    #[serde(default)]
    pub(super) cwd: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
    #[serde(default)]
    pub(super) created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    pub(super) turns: u32,
    /// Whether there may be more turns than were counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) more_turns: bool,
    /// Sub-agents have sessions too, which are not the person's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) of_subagent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<Problem>,
}

impl Glimpse {
    /// Looks at the file at `path`. Never fails: what is wrong with it is part of what it tells.
    pub(super) fn take(path: &Path) -> Self {
        look(path)
            .unwrap_or_else(|error| Self { problem: Some(Problem::Unreadable(error.to_string())), ..Self::default() })
    }
}

fn look(path: &Path) -> io::Result<Glimpse> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut seen = Seen::default();
    if len <= WHOLE {
        seen.read(&file, |_| false)?;
    } else {
        let begin = seen.read((&file).take(HEAD), Seen::knows_its_begin)?;
        file.seek(SeekFrom::Start(begin.max(len - TAIL)))?;
        seen.read(&file, |_| false)?;
        seen.glimpse.more_turns = true;
    }
    let mut glimpse = seen.finish();
    glimpse.problem = match glimpse.id {
        _ if len == 0 => Some(Problem::Empty),
        None => Some(Problem::Unnamed),
        Some(_) if is_torn(&file, len)? => Some(Problem::Torn),
        Some(_) => None,
    };
    Ok(glimpse)
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    glimpse: Glimpse,
    /// Turns that said so when they began.
    started: u32,
    /// Messages of the person before those, as events and as items: some programs write no other sign of a turn.
    messages: u32,
    prompts: u32,
}

impl Seen {
    /// Takes all lines of `input`, or those until `enough`. Returns how many bytes that were.
    fn read(&mut self, input: impl Read, enough: impl Fn(&Self) -> bool) -> io::Result<u64> {
        let mut reader = Reader::new(input);
        let mut end = 0;
        while !enough(self) {
            let entry = reader.next_line(|line| {
                end = line.end;
                self.wants(line)
            })?;
            let Some(entry) = entry else { break };
            self.line(entry.line);
        }
        Ok(end)
    }

    /// Whether a line must be decoded. Events that only count are counted by their name.
    fn wants(&mut self, line: &LineKind<'_>) -> bool {
        let Some(kind) = line.kind else { return true };
        match (kind, line.event) {
            ("session_meta", _) => self.glimpse.id.is_none(),
            ("turn_context", _) => true,
            ("response_item", _) => self.glimpse.message.is_none() || self.started + self.messages == 0,
            ("event_msg", Some("task_started")) => {
                self.started += 1;
                false
            }
            ("event_msg", Some("user_message")) => {
                self.messages += u32::from(self.started == 0);
                self.glimpse.message.is_none()
            }
            ("event_msg", event) => event.is_none_or(|event| event == "thread_name_updated"),
            _ => false,
        }
    }

    fn line(&mut self, line: RolloutLine) {
        let glimpse = &mut self.glimpse;
        match line {
            RolloutLine::SessionMeta(meta) if glimpse.id.is_none() => self.meta(*meta),
            RolloutLine::TurnContext(context) => glimpse.model = Some(context.model),
            RolloutLine::Item(item) if is_prompt(&item) => {
                self.prompts += u32::from(self.started == 0);
                self.message(&item.text());
            }
            RolloutLine::Event(RolloutEvent::UserMessage { message, .. }) => self.message(&message),
            RolloutLine::Event(RolloutEvent::ThreadNameUpdated { thread_name, .. }) => glimpse.title = thread_name,
            _ => {}
        }
    }

    fn meta(&mut self, meta: SessionMeta) {
        self.glimpse.of_subagent = meta.source.get("subagent").is_some();
        self.glimpse.id = Some(meta.id);
        self.glimpse.cwd = meta.cwd;
        self.glimpse.provider = meta.model_provider;
        self.glimpse.branch = meta.git.and_then(|git| git.branch);
        self.glimpse.created = meta.timestamp;
    }

    fn message(&mut self, text: &str) {
        if self.glimpse.message.is_none() && !text.trim().is_empty() {
            self.glimpse.message = Some(text.trim().chars().take(MESSAGE_CHARS).collect());
        }
    }

    fn knows_its_begin(&self) -> bool {
        self.glimpse.id.is_some() && self.glimpse.message.is_some() && self.glimpse.model.is_some()
    }

    fn finish(mut self) -> Glimpse {
        self.glimpse.turns = self.started + self.messages.max(self.prompts);
        self.glimpse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const META: &str = r#"{"timestamp":"t","type":"session_meta","payload":{"id":"01a1fca9-d543-7ab3-bf63-8f9139ad288a","timestamp":"2026","cwd":"/a","originator":"o","cli_version":"1","source":"cli","model_provider":"p"}}"#;

    fn glimpse(text: &str) -> Glimpse {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, text).unwrap();
        Glimpse::take(&path)
    }

    fn line(kind: &str, payload: &str) -> String {
        format!("{{\"timestamp\":\"t\",\"type\":\"{kind}\",\"payload\":{payload}}}\n")
    }

    fn turn(n: u32, filler: usize) -> String {
        let text =
            format!(r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"ask {n}"}}]}}"#);
        line("event_msg", r#"{"type":"task_started","turn_id":"t"}"#)
            + &line("turn_context", &format!(r#"{{"cwd":"/a","model":"m{n}"}}"#))
            + &line("response_item", &text)
            + &line("world_state", &format!("\"{}\"", "x".repeat(filler)))
    }

    #[test]
    fn a_short_file_is_known_to_its_last_turn() {
        let name = line("event_msg", r#"{"type":"thread_name_updated","thread_name":"named"}"#);
        let seen = glimpse(&format!("{META}\n{}{name}{}", turn(1, 9), turn(2, 9)));
        assert_eq!((seen.turns, seen.more_turns, seen.problem), (2, false, None));
        assert_eq!(seen.message.as_deref(), Some("ask 1"));
        assert_eq!(seen.title.as_deref(), Some("named"));
        assert_eq!(seen.model.as_deref(), Some("m2"));
        assert_eq!(seen.provider.as_deref(), Some("p"));
    }

    #[test]
    fn of_a_long_file_only_begin_and_end_are_read() {
        let middle: String = (2..40).map(|n| turn(n, 100_000)).collect();
        let name = line("event_msg", r#"{"type":"thread_name_updated","thread_name":"late"}"#);
        let seen = glimpse(&format!("{META}\n{}{middle}{}{name}", turn(1, 9), turn(40, 9)));
        assert!(seen.more_turns && seen.turns >= 3 && seen.turns < 10, "{}", seen.turns);
        assert_eq!(seen.message.as_deref(), Some("ask 1"));
        assert_eq!(seen.title.as_deref(), Some("late"));
        assert_eq!(seen.model.as_deref(), Some("m40"));
    }

    #[test]
    fn turns_are_counted_whatever_a_program_records() {
        let prompt = |n| line("response_item", &format!(r#"{{"type":"message","role":"user","content":"{n}"}}"#));
        let event = |n| line("event_msg", &format!(r#"{{"type":"user_message","message":"{n}"}}"#));
        assert_eq!(glimpse(&format!("{META}\n{}{}", prompt(1), prompt(2))).turns, 2);
        assert_eq!(glimpse(&format!("{META}\n{}{}{}{}", event(1), prompt(1), event(2), prompt(2))).turns, 2);
        assert_eq!(glimpse(&format!("{META}\n{}{}{}", event(1), prompt(1), turn(2, 9))).turns, 2);
    }

    #[test]
    fn problems_are_told_apart() {
        for (text, problem) in [
            (String::new(), Some(Problem::Empty)),
            (format!("{META}\n{{\"timest"), Some(Problem::Torn)),
            (turn(1, 0), Some(Problem::Unnamed)),
            ("\0\0\0\0".into(), Some(Problem::Unnamed)),
            (format!("{META}\n"), None),
        ] {
            assert_eq!(glimpse(&text).problem, problem, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Glimpse::take(folder.path()).problem, Some(Problem::Unreadable(_))));
    }
}
