//! The lines of a rollout file.
//!
//! The format is Codex's JSONL in its legacy mode (no `history_mode`, no `ordinal`), so that Codex and this program resume
//! each other's sessions; `docs/rollout-format.md` lists every line. Items are written from the bytes they already are.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::Write as _;
use std::path::PathBuf;

use super::ids::{ThreadId, TurnId};
use super::item::Item;
use super::usage::Usage;

/// One line, without its timestamp.
#[derive(Clone, Debug)]
pub enum RolloutLine {
    /// The first line: what the session is.
    SessionMeta(Box<SessionMeta>),
    /// An item of the conversation.
    Item(Item),
    /// The settings of a turn.
    TurnContext(Box<TurnContext>),
    /// Something that happened, for readers that show the session.
    Event(RolloutEvent),
    /// History was replaced by a shorter one.
    Compacted(Compacted),
    /// A line this version does not use. It is never written.
    Unknown,
}

/// What a session is. Codex refuses a file whose first line lacks id, timestamp, cwd, originator or version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionMeta {
    /// The conversation.
    pub id: ThreadId,
    /// When it began, RFC 3339 in UTC.
    pub timestamp: String,
    /// The folder it began in.
    pub cwd: PathBuf,
    /// The program that began it.
    pub originator: String,
    /// That program's version.
    pub cli_version: String,
    /// How it was begun: `cli` or `exec`; other programs write objects here.
    #[serde(default)]
    pub source: Value,
    /// The provider's id. Codex resumes under the same provider only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    /// The base instructions the session was begun with; a resumed session keeps them, so that its prefix stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_instructions: Option<BaseInstructions>,
    /// The state of the repository at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitInfo>,
    /// The conversation this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from_id: Option<ThreadId>,
    /// Everything else a foreign writer put here, `history_mode` among it.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The base instructions of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BaseInstructions {
    /// Their text.
    pub text: String,
}

/// The state of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitInfo {
    /// The commit HEAD names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_hash: Option<String>,
    /// The branch HEAD is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The address of `origin`, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
}

/// The settings of a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TurnContext {
    /// The turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// The folder of the turn.
    pub cwd: PathBuf,
    /// The approval policy.
    #[serde(default)]
    pub approval_policy: Value,
    /// The sandbox.
    #[serde(default)]
    pub sandbox_policy: Value,
    /// The model's slug.
    pub model: String,
    /// `reasoning.effort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// `reasoning.summary`; Codex wants the field.
    #[serde(default)]
    pub summary: Value,
    /// Everything else a foreign writer put here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An event other programs read sessions by. Only the fields they need.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RolloutEvent {
    /// A turn began.
    TaskStarted {
        /// The turn.
        turn_id: String,
        /// Unix seconds.
        #[serde(default)]
        started_at: u64,
        /// The usable window.
        #[serde(default)]
        model_context_window: Option<u64>,
    },
    /// The person's message.
    UserMessage {
        /// Its text.
        message: String,
        /// `data:` URLs and addresses of images.
        #[serde(default)]
        images: Option<Vec<String>>,
        /// Image files.
        #[serde(default)]
        local_images: Vec<PathBuf>,
        /// Marked-up spans; always empty here.
        #[serde(default)]
        text_elements: Vec<Value>,
    },
    /// A message of the model.
    AgentMessage {
        /// Its text.
        message: String,
        /// `commentary` or `final_answer`, when the server says so.
        #[serde(default)]
        phase: Option<String>,
    },
    /// A reasoning summary.
    AgentReasoning {
        /// Its text.
        text: String,
    },
    /// Token counts after a response.
    TokenCount {
        /// The counts; null in lines other programs write for failed attempts.
        #[serde(default)]
        info: Option<TokenInfo>,
        /// Rate limits as the server's headers told them; null when they did not.
        #[serde(default)]
        rate_limits: Value,
        /// The model that answered, when it is not that of the turn's settings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
    /// A turn ended, well or not.
    TaskComplete {
        /// The turn.
        turn_id: String,
        /// The last message of the model.
        #[serde(default)]
        last_agent_message: Option<String>,
        /// Unix seconds.
        #[serde(default)]
        started_at: Option<u64>,
        /// Unix seconds.
        #[serde(default)]
        completed_at: Option<u64>,
        /// How long it took.
        #[serde(default)]
        duration_ms: Option<u64>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
    },
    /// A turn was interrupted.
    TurnAborted {
        /// The turn.
        #[serde(default)]
        turn_id: Option<String>,
        /// `interrupted` here; other programs know more reasons.
        reason: String,
        /// Unix seconds.
        #[serde(default)]
        started_at: Option<u64>,
        /// Unix seconds.
        #[serde(default)]
        completed_at: Option<u64>,
        /// How long it took.
        #[serde(default)]
        duration_ms: Option<u64>,
    },
    /// The last turns were taken back.
    ThreadRolledBack {
        /// How many.
        num_turns: u32,
    },
    /// The conversation was named.
    ThreadNameUpdated {
        /// Its name.
        #[serde(default)]
        thread_name: Option<String>,
    },
    /// An event this version does not use.
    #[serde(other)]
    Other,
}

impl RolloutEvent {
    /// Whether the event takes something out of the history; all others are for readers.
    #[must_use]
    pub const fn changes_history(&self) -> bool {
        matches!(self, Self::ThreadRolledBack { .. })
    }
}

/// The counts of a `token_count` event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Sum over the thread.
    pub total_token_usage: Usage,
    /// The last response alone.
    pub last_token_usage: Usage,
    /// The usable window.
    #[serde(default)]
    pub model_context_window: Option<u64>,
}

/// History was replaced.
#[derive(Clone, Debug)]
pub struct Compacted {
    /// The summary.
    pub message: String,
    /// The new history; when a foreign writer left it out, the user's messages and the summary stand for it.
    pub replacement_history: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct CompactedPayload<'a> {
    #[serde(default)]
    message: String,
    #[serde(borrow, default)]
    replacement_history: Option<Vec<&'a RawValue>>,
}

impl RolloutLine {
    /// Appends the line to `out`, its newline included. `timestamp` is RFC 3339 in UTC.
    ///
    /// # Errors
    /// A value cannot be written as JSON.
    pub fn write(&self, timestamp: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        self.write_numbered(timestamp, None, out)
    }

    /// Like [`Self::write`], with the line's number, which every line of a `paginated` file must carry.
    ///
    /// # Errors
    /// A value cannot be written as JSON.
    pub fn write_numbered(
        &self,
        timestamp: &str,
        ordinal: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let kind = match self {
            Self::SessionMeta(_) => "session_meta",
            Self::Item(_) => "response_item",
            Self::TurnContext(_) => "turn_context",
            Self::Event(_) => "event_msg",
            Self::Compacted(_) => "compacted",
            Self::Unknown => return Ok(()),
        };
        let io = serde_json::Error::io;
        write!(out, r#"{{"timestamp":"{timestamp}","#).map_err(io)?;
        if let Some(ordinal) = ordinal {
            write!(out, r#""ordinal":{ordinal},"#).map_err(io)?;
        }
        write!(out, r#""type":"{kind}","payload":"#).map_err(io)?;
        match self {
            Self::SessionMeta(meta) => serde_json::to_writer(&mut *out, meta)?,
            Self::Item(item) => out.extend_from_slice(item.json()),
            Self::TurnContext(context) => serde_json::to_writer(&mut *out, context)?,
            Self::Event(event) => serde_json::to_writer(&mut *out, event)?,
            Self::Compacted(compacted) => compacted.write(out)?,
            Self::Unknown => {}
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    /// Reads one JSON value as a line, with its timestamp. Types, events and items this version does not know come back as
    /// [`RolloutLine::Unknown`].
    ///
    /// # Errors
    /// `json` is not a JSON object of the envelope's shape.
    pub fn parse(json: &[u8]) -> Result<(Option<String>, Self), serde_json::Error> {
        let envelope: Envelope<'_> = serde_json::from_slice(json)?;
        let payload = envelope.payload.get();
        let line = match envelope.kind.as_ref() {
            "session_meta" => serde_json::from_str(payload).map(|meta| Self::SessionMeta(Box::new(meta)))?,
            "response_item" => Item::parse(Bytes::copy_from_slice(payload.as_bytes())).map(Self::Item)?,
            "turn_context" => serde_json::from_str(payload).map_or(Self::Unknown, |c| Self::TurnContext(Box::new(c))),
            "event_msg" => serde_json::from_str(payload).map_or(Self::Unknown, Self::Event),
            "compacted" => Compacted::parse(payload).map_or(Self::Unknown, Self::Compacted),
            _ => Self::Unknown,
        };
        Ok((envelope.timestamp.map(Cow::into_owned), line))
    }
}

impl Compacted {
    /// The message of a line that takes the newest compaction back: its `replacement_history` is what there was before, with
    /// what was said since. Programs that do not know it see a compaction like any other, and go on with the same history.
    pub const UNDONE: &str = "<compaction_undone>";

    /// Whether the line takes a compaction back.
    #[must_use]
    pub fn is_undo(&self) -> bool {
        self.message == Self::UNDONE
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        out.extend_from_slice(br#"{"message":"#);
        serde_json::to_writer(&mut *out, &self.message)?;
        if let Some(items) = &self.replacement_history {
            out.extend_from_slice(br#","replacement_history":["#);
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(item.json());
            }
            out.push(b']');
        }
        out.push(b'}');
        Ok(())
    }

    fn parse(payload: &str) -> Result<Self, serde_json::Error> {
        let payload: CompactedPayload<'_> = serde_json::from_str(payload)?;
        let items = payload.replacement_history.map(|items| {
            let items = items.into_iter().map(|item| Item::parse(Bytes::copy_from_slice(item.get().as_bytes())));
            items.filter_map(Result::ok).collect()
        });
        Ok(Self { message: payload.message, replacement_history: items })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_line_holds_the_item_byte_for_byte() {
        let json = r#"{"type":"reasoning","id":"rs_1","summary":[],"extra":{"b":1,"a":2}}"#;
        let mut out = Vec::new();
        RolloutLine::Item(Item::parse(json).unwrap()).write("2026-01-02T03:04:05.678Z", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            format!("{{\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"type\":\"response_item\",\"payload\":{json}}}\n")
        );
        let (timestamp, line) = RolloutLine::parse(text.as_bytes()).unwrap();
        assert_eq!(timestamp.as_deref(), Some("2026-01-02T03:04:05.678Z"));
        assert!(matches!(line, RolloutLine::Item(item) if item.json() == json));
    }

    #[test]
    fn foreign_lines_and_events_are_unknown_not_errors() {
        for (json, event) in [
            (r#"{"type":"world_state","payload":{"full":true}}"#, false),
            (r#"{"type":"event_msg","payload":{"type":"thread_settings_applied","x":1}}"#, true),
        ] {
            let (_, line) = RolloutLine::parse(json.as_bytes()).unwrap();
            match line {
                RolloutLine::Unknown => assert!(!event),
                RolloutLine::Event(RolloutEvent::Other) => assert!(event),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_replacement_history_survives_the_round_trip() {
        let items = vec![Item::message(Role::User, &["hello"])];
        let line = RolloutLine::Compacted(Compacted { message: "s".into(), replacement_history: Some(items.clone()) });
        let mut out = Vec::new();
        line.write("t", &mut out).unwrap();
        let (_, line) = RolloutLine::parse(&out).unwrap();
        assert!(matches!(line, RolloutLine::Compacted(c) if c.replacement_history.as_ref() == Some(&items)));
    }

    use crate::protocol::Role;
}
