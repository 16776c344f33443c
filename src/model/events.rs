//! The events of a Responses stream: JSON in, [`ModelEvent`] out.
//!
//! What an event is, its JSON `type` says; the event's name in the framing does not matter. Events that cannot be read or
//! mean nothing here are skipped, as Codex does: providers add new ones all the time.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::{limits, retry};
use crate::agent::ports::{Completion, ModelEvent};
use crate::protocol::item::ItemKind;
use crate::protocol::{Item, ModelError, Usage};

/// The parts of an event that are looked at, unread: a delta is read only if it is of a kind that shows.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary_index: Option<&'a RawValue>,
}

/// How by far the most events begin. They are read in one pass.
const TEXT_DELTA: &str = r#"{"type":"response.output_text.delta","#;

#[derive(Deserialize)]
struct Delta {
    delta: String,
}

#[derive(Deserialize)]
struct Completed {
    id: String,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    end_turn: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Failed {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    incomplete_details: Value,
}

/// What an event says, if anything. `data` is the event's whole text; a finished item goes on living in it.
#[must_use]
pub fn read(data: String) -> Option<Result<ModelEvent, ModelError>> {
    if data.starts_with(TEXT_DELTA) {
        let Delta { delta } = serde_json::from_str(&data).ok()?;
        return Some(Ok(ModelEvent::MessageDelta(delta)));
    }
    let envelope: Envelope<'_> = serde_json::from_str(&data).ok()?;
    match envelope.kind.as_ref() {
        "response.output_text.delta" => text(envelope.delta).map(ModelEvent::MessageDelta).map(Ok),
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
            text(envelope.delta).map(ModelEvent::ReasoningDelta).map(Ok)
        }
        "response.reasoning_summary_part.added" => {
            // Parts of a summary are paragraphs; the first needs nothing in front.
            let first = envelope.summary_index.is_none_or(|index| index.get() == "0");
            (!first).then(|| Ok(ModelEvent::ReasoningDelta("\n\n".to_owned())))
        }
        "response.output_item.done" => {
            let json = envelope.item?.get();
            let start = json.as_ptr() as usize - data.as_ptr() as usize;
            let range = start..start + json.len();
            item(data, range).map(ModelEvent::ItemDone).map(Ok)
        }
        "response.completed" => Some(completed(envelope.response).map(ModelEvent::Completed)),
        "response.failed" => Some(Err(retry::response_failed(&failed(envelope.response).error))),
        "response.incomplete" => {
            let details = failed(envelope.response).incomplete_details;
            let reason = details.get("reason").and_then(Value::as_str).unwrap_or("unknown");
            Some(Err(retry::response_incomplete(reason)))
        }
        "codex.rate_limits" => {
            let event: Value = serde_json::from_str(&data).ok()?;
            limits::from_event(&event).map(ModelEvent::RateLimits).map(Ok)
        }
        _ => None,
    }
}

fn text(delta: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(delta?.get()).ok()
}

/// The item at `range` of an event's text, sharing the text's memory. Items of unknown kinds are dropped: they could
/// neither be acted on nor be sent back.
fn item(data: String, range: std::ops::Range<usize>) -> Option<Item> {
    // Events grow by doubling while they are read; what history keeps should not hold twice its size.
    let data = Bytes::from(data.into_boxed_str().into_boxed_bytes());
    let item = Item::from_server(data.slice(range)).ok()?;
    (*item.kind() != ItemKind::Unknown).then_some(item)
}

fn completed(response: Option<&RawValue>) -> Result<Completion, ModelError> {
    let json = response.map_or("{}", RawValue::get);
    let completed: Completed = serde_json::from_str(json)
        .map_err(|error| retry::disconnected(&format!("failed to parse ResponseCompleted: {error}")))?;
    let Completed { id, usage, end_turn } = completed;
    Ok(Completion { response_id: id, usage: read_usage(&usage), end_turn, model: None })
}

/// Zeros for whatever a server does not tell.
pub(super) fn read_usage(usage: &Value) -> Usage {
    let count = |path: &[&str]| path.iter().try_fold(usage, |value, name| value.get(name)).and_then(Value::as_u64);
    let (input_tokens, output_tokens) = (count(&["input_tokens"]).unwrap_or(0), count(&["output_tokens"]).unwrap_or(0));
    Usage {
        input_tokens,
        cached_input_tokens: count(&["input_tokens_details", "cached_tokens"]).unwrap_or(0),
        cache_write_input_tokens: count(&["input_tokens_details", "cache_write_tokens"]).unwrap_or(0),
        output_tokens,
        reasoning_output_tokens: count(&["output_tokens_details", "reasoning_tokens"]).unwrap_or(0),
        total_tokens: count(&["total_tokens"]).unwrap_or(input_tokens + output_tokens),
    }
}

fn failed(response: Option<&RawValue>) -> Failed {
    response.and_then(|response| serde_json::from_str(response.get()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::{ModelErrorCause, Retry};

    fn event(json: &str) -> Option<Result<ModelEvent, ModelError>> {
        read(json.to_owned())
    }

    #[test]
    fn deltas_are_read_by_kind() {
        for (json, shown) in [
            (r#"{"type":"response.output_text.delta","delta":"a\né"}"#, Some("M a\né")),
            (r#"{"delta":"a","type":"response.output_text.delta"}"#, Some("M a")),
            (r#"{"type":"response.reasoning_summary_text.delta","delta":"t","summary_index":0}"#, Some("R t")),
            (r#"{"type":"response.reasoning_text.delta","delta":"t"}"#, Some("R t")),
            (r#"{"type":"response.reasoning_summary_part.added","summary_index":0}"#, None),
            (r#"{"type":"response.reasoning_summary_part.added","summary_index":1}"#, Some("R \n\n")),
            (r#"{"type":"response.function_call_arguments.delta","delta":"x"}"#, None),
            (r#"{"type":"response.output_text.delta","delta":{"odd":1}}"#, None),
            (r#"{"type":"response.output_text.delta"}"#, None),
            (r#"{"type":"response.brand_new","delta":"x"}"#, None),
            (r#"{"type":"error","message":"x"}"#, None),
            (r#"{"type":7}"#, None),
            ("[DONE]", None),
            ("{\"type\":\"response.out", None),
        ] {
            let read = match event(json) {
                Some(Ok(ModelEvent::MessageDelta(text))) => Some(format!("M {text}")),
                Some(Ok(ModelEvent::ReasoningDelta(text))) => Some(format!("R {text}")),
                None => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(read.as_deref(), shown, "{json}");
        }
    }

    #[test]
    fn an_item_keeps_its_bytes() {
        let item = r#"{"type":"reasoning", "id":"rs_1","summary":[],"new_field":{"b":1,"a":[2]}}"#;
        let json = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item} ,"x":1}}"#);
        match event(&json) {
            Some(Ok(ModelEvent::ItemDone(read))) => assert_eq!(read.json(), item),
            other => panic!("{other:?}"),
        }
        for item in [r#"{"type":"brand_new"}"#, "7", "null", r#"{"type":"function_call"}"#] {
            assert!(event(&format!(r#"{{"type":"response.output_item.done","item":{item}}}"#)).is_none());
        }
    }

    #[test]
    fn completion_tells_usage_as_far_as_it_is_known() {
        let usage = Usage {
            input_tokens: 10,
            cached_input_tokens: 4,
            cache_write_input_tokens: 0,
            output_tokens: 5,
            reasoning_output_tokens: 3,
            total_tokens: 15,
        };
        for (json, expected, end_turn) in [
            (
                r#"{"id":"r","usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15}}"#,
                usage,
                None,
            ),
            (r#"{"id":"r","usage":null}"#, Usage::default(), None),
            (r#"{"id":"r","end_turn":false}"#, Usage::default(), Some(false)),
            (
                r#"{"id":"r","usage":{"input_tokens":1,"input_tokens_details":null,"output_tokens":2}}"#,
                Usage { input_tokens: 1, output_tokens: 2, total_tokens: 3, ..Usage::default() },
                None,
            ),
        ] {
            match event(&format!(r#"{{"type":"response.completed","response":{json}}}"#)) {
                Some(Ok(ModelEvent::Completed(completion))) => {
                    assert_eq!(completion.usage, expected, "{json}");
                    assert_eq!(completion.end_turn, end_turn, "{json}");
                    assert_eq!(completion.response_id, "r");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_completion_without_id_is_a_broken_stream() {
        for json in [r#"{"type":"response.completed","response":{}}"#, r#"{"type":"response.completed"}"#] {
            let error = event(json).unwrap().unwrap_err();
            assert!(error.message.contains("failed to parse ResponseCompleted: missing field `id`"), "{error}");
            assert_eq!((error.cause, error.retry), (ModelErrorCause::Stream, Retry::Backoff));
        }
    }

    #[test]
    fn failures_are_errors() {
        for (json, message) in [
            (
                r#"{"type":"response.failed","response":{"error":{"code":"x","message":"m"}}}"#,
                "stream disconnected before completion: m",
            ),
            (
                r#"{"type":"response.failed","response":null}"#,
                "stream disconnected before completion: response.failed event received",
            ),
            (
                r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#,
                "Incomplete response returned, reason: max_output_tokens",
            ),
            (
                r#"{"type":"response.incomplete"}"#,
                "stream disconnected before completion: Incomplete response returned, reason: unknown",
            ),
        ] {
            assert_eq!(event(json).unwrap().unwrap_err().message, message);
        }
    }
}
