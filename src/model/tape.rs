//! Tapes: recorded or hand-written conversations with a model. The form is described in `docs/tapes.md`.
//!
//! Reading a tape turns it into what a server would send; [`super::replay`] sends it.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::record::{End, RequestSummary, VERSION};
use crate::protocol::provider::WireApi;
use crate::protocol::{ErrorKind, UserError};

/// A conversation to play.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// The format of the server that was recorded.
    pub wire: WireApi,
    /// The exchanges in order.
    pub exchanges: Vec<Exchange>,
}

/// One request and what it is answered with.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The calls a request must bring outputs for to fit here.
    pub answers: Vec<String>,
    /// The status of the answer.
    pub status: u16,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// What it says.
    pub content: Content,
    /// How it ends.
    pub end: End,
}

/// What an answer says.
#[derive(Clone, Debug)]
pub enum Content {
    /// Events, each with the time that passed before it.
    Events(Vec<(Duration, String)>),
    /// A body that is no stream.
    Body(String),
}

#[derive(Deserialize)]
struct Header {
    tape: u32,
    #[serde(default)]
    wire: WireApi,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    #[allow(dead_code, reason = "a remark for readers of the tape")]
    note: Value,
    #[serde(default)]
    request: RequestSummary,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    events: Option<Vec<Box<RawValue>>>,
    #[serde(default)]
    gaps_ms: Vec<u64>,
    items: Option<Vec<Value>>,
    usage: Option<Value>,
    body: Option<String>,
    #[serde(default)]
    end: End,
}

const fn ok() -> u16 {
    200
}

impl Tape {
    /// Reads the tape in the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read or is no tape; the message names the line.
    pub fn read(path: &Path) -> Result<Self, UserError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| {
                UserError::new(ErrorKind::Usage, format!("cannot read the tape {}: {error}", path.display()))
            })
            .map_err(|error| error.hint("give --replay a file that --record wrote; `hone demo` needs none"))?;
        Self::parse(&text)
            .map_err(|error| UserError { message: format!("{}:{}", path.display(), error.message), ..error })
    }

    /// Reads a tape.
    ///
    /// # Errors
    /// `text` is no tape; the message begins with the line's number.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let head = lines.next().map_or("", |(_, line)| line);
        let wire = match serde_json::from_str(head) {
            Ok(Header { tape: VERSION, wire }) => wire,
            Ok(Header { tape, .. }) => {
                return Err(bad(1, format!("this is a tape of version {tape}; {VERSION} can be played")));
            }
            Err(_) => return Err(bad(1, format!("a tape begins with the line {{\"tape\":{VERSION}}}"))),
        };
        let mut exchanges: Vec<Exchange> = Vec::new();
        for (index, line) in lines {
            let line: Line = serde_json::from_str(line).map_err(|error| bad(index + 1, error.to_string()))?;
            let number = exchanges.len() + 1;
            exchanges.push(exchange(line, number).map_err(|error| bad(index + 1, error))?);
        }
        if exchanges.is_empty() {
            Err(bad(1, "the tape holds no exchange".to_owned()))
        } else {
            Ok(Self { wire, exchanges })
        }
    }
}

fn bad(line: usize, what: String) -> UserError {
    UserError::new(ErrorKind::Usage, format!("{line}: {what}"))
        .hint("docs/tapes.md describes tapes; --record FILE writes one")
}

fn exchange(line: Line, number: usize) -> Result<Exchange, String> {
    let content = match (line.events, line.items, line.body) {
        (Some(events), None, None) => Content::Events(timed(events, &line.gaps_ms)?),
        (None, Some(items), None) => Content::Events(speak(items, line.usage, number)?),
        (None, None, Some(body)) => Content::Body(body),
        (None, None, None) if line.status != 200 => Content::Body(String::new()),
        _ => return Err("an exchange holds one of `events`, `items` and `body`".to_owned()),
    };
    http::StatusCode::from_u16(line.status).map_err(|_| format!("{} is no HTTP status", line.status))?;
    Ok(Exchange { answers: line.request.answers, status: line.status, headers: line.headers, content, end: line.end })
}

fn timed(events: Vec<Box<RawValue>>, gaps_ms: &[u64]) -> Result<Vec<(Duration, String)>, String> {
    let gaps = gaps_ms.iter().copied().chain(std::iter::repeat(0)).map(Duration::from_millis);
    let texts = events.iter().map(|event| match serde_json::from_str::<String>(event.get()) {
        Ok(text) => text,
        Err(_) => event.get().to_owned(),
    });
    Ok(gaps.zip(texts).collect())
}

/// How long a model pauses between words when nobody recorded one.
const WORD_GAP: Duration = Duration::from_millis(20);

/// The events with which a server would say `items`.
fn speak(items: Vec<Value>, usage: Option<Value>, number: usize) -> Result<Vec<(Duration, String)>, String> {
    let id = format!("resp_tape_{number}");
    let mut events = vec![json!({"type": "response.created", "response": {"id": id}})];
    let mut output_bytes = 0;
    for (index, item) in items.into_iter().enumerate() {
        let item = complete_item(item, &format!("{number}_{index}"))?;
        output_bytes += item.to_string().len();
        events.push(json!({"type": "response.output_item.added", "output_index": index, "item": &item}));
        events.extend(deltas(&item, index));
        events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
    }
    let spoken = output_bytes.div_ceil(4);
    let usage = usage.unwrap_or_else(|| json!({"input_tokens": 0, "output_tokens": spoken, "total_tokens": spoken}));
    events.push(json!({"type": "response.completed", "response": {"id": id, "usage": usage}}));
    let gap = |event: &Value| if event.get("delta").is_some() { WORD_GAP } else { Duration::ZERO };
    Ok(events.iter().map(|event| (gap(event), event.to_string())).collect())
}

/// Fills in what a hand-written item may leave out: a plain text is a message, arguments may be an object, ids are made.
fn complete_item(item: Value, suffix: &str) -> Result<Value, String> {
    let mut item = match item {
        Value::String(text) => return Ok(message(&text, suffix)),
        Value::Object(item) => item,
        other => return Err(format!("an item is an object or a text, not {other}")),
    };
    let kind = item.get("type").and_then(Value::as_str).ok_or("an item has no `type`")?.to_owned();
    let prefix = match kind.as_str() {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "custom_tool_call" => "ctc",
        _ => "item",
    };
    item.entry("id").or_insert_with(|| format!("{prefix}_tape_{suffix}").into());
    if kind.ends_with("_call") {
        item.entry("call_id").or_insert_with(|| format!("call_tape_{suffix}").into());
    }
    if let Some(arguments @ Value::Object(_)) = item.get("arguments") {
        let text = arguments.to_string();
        item.insert("arguments".to_owned(), text.into());
    }
    Ok(Value::Object(item))
}

fn message(text: &str, suffix: &str) -> Value {
    json!({
        "type": "message", "id": format!("msg_tape_{suffix}"), "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    })
}

/// The deltas that precede a finished item: words of messages and of reasoning summaries.
fn deltas(item: &Value, index: usize) -> Vec<Value> {
    let (parts, kind) = match item["type"].as_str() {
        Some("message") => (&item["content"], "response.output_text.delta"),
        Some("reasoning") => (&item["summary"], "response.reasoning_summary_text.delta"),
        _ => return Vec::new(),
    };
    let texts = parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    let words = texts.flat_map(|text| text.split_inclusive(' '));
    let delta = |word| {
        json!({
            "type": kind, "item_id": &item["id"], "output_index": index, "content_index": 0, "summary_index": 0, "delta": word,
        })
    };
    words.map(delta).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(exchange: &Exchange) -> Vec<Value> {
        match &exchange.content {
            Content::Events(events) => events.iter().map(|(_, data)| serde_json::from_str(data).unwrap()).collect(),
            Content::Body(body) => panic!("{body}"),
        }
    }

    #[test]
    fn items_become_the_events_a_server_sends() {
        let tape = Tape::parse(
            "{\"tape\":1}\n\n{\"items\":[\"Two words\",{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":{\"a\":1}}]}\n",
        );
        let events = events(&tape.unwrap().exchanges[0]);
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "response.created",
                "response.output_item.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_item.done",
                "response.output_item.added",
                "response.output_item.done",
                "response.completed"
            ]
        );
        assert_eq!(events[2]["delta"], "Two ");
        assert_eq!(
            events[6]["item"],
            json!({"type": "function_call", "name": "f", "arguments": "{\"a\":1}", "id": "fc_tape_1_1", "call_id": "call_tape_1_1"})
        );
    }

    #[test]
    fn recorded_events_keep_their_bytes_and_pace() {
        let tape =
            Tape::parse("{\"tape\":1}\n{\"events\":[{\"type\": \"x\"},\"[DONE]\"],\"gaps_ms\":[5],\"end\":\"broken\"}");
        let exchange = tape.unwrap().exchanges.remove(0);
        assert_eq!(exchange.end, End::Broken);
        match exchange.content {
            Content::Events(events) => assert_eq!(
                events,
                [(Duration::from_millis(5), "{\"type\": \"x\"}".to_owned()), (Duration::ZERO, "[DONE]".to_owned())]
            ),
            Content::Body(body) => panic!("{body}"),
        }
    }

    #[test]
    fn what_is_no_tape_says_where() {
        for (text, message) in [
            ("", "1: a tape begins with"),
            ("{\"tape\":2}", "1: this is a tape of version 2"),
            ("{\"tape\":1}", "1: the tape holds no exchange"),
            ("{\"tape\":1}\n{\"itms\":[]}", "2: unknown field `itms`"),
            ("{\"tape\":1}\n\n{\"items\":[7]}", "3: an item is an object or a text"),
            ("{\"tape\":1}\n{\"items\":[],\"body\":\"x\"}", "2: an exchange holds one of"),
            ("{\"tape\":1}\n{\"status\":1}", "2: 1 is no HTTP status"),
        ] {
            let error = Tape::parse(text).unwrap_err();
            assert!(error.message.starts_with(message), "{error}");
        }
    }
}
