//! What a record is, seen from its first bytes, and its decoding.
//!
//! Most of a long file is items and records nobody asks for. The first are scanned once, the second not at all: that works
//! because every writer begins a record with time, number, type and payload, in this order. Any other order is read as
//! well, only more slowly.

use bytes::Bytes;
use memchr::memmem;
use serde_json::{Map, Value};

use super::lines::{End, Scan};
use crate::protocol::{Item, RolloutLine};

/// What is known of a record before it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) timestamp: &'a str,
    pub(super) kind: &'a str,
    /// Where the payload begins.
    pub(super) payload: usize,
}

/// Reads the first bytes of a record; `None` when they are in another order.
pub(super) fn head(record: &str) -> Option<Head<'_>> {
    let rest = key(record, "{\"timestamp\":")?;
    let (timestamp, mut rest) = string(rest)?;
    if let Some(ordinal) = key(rest, ",\"ordinal\":") {
        rest = ordinal.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let (kind, rest) = string(key(rest, ",\"type\":")?)?;
    let payload = key(rest, ",\"payload\":")?;
    Some(Head { timestamp, kind, payload: record.len() - payload.len() })
}

/// The event's name, when it is the first thing in the payload.
pub(super) fn event_name(payload: &str) -> Option<&str> {
    string(key(payload, "{\"type\":")?).map(|(name, _)| name)
}

/// Takes `literal` off, allowing the spaces some writers set after a comma or colon.
fn key<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let text = match literal.strip_prefix(',') {
        Some(literal) => text.strip_prefix(',')?.trim_start_matches(' ').strip_prefix(literal)?,
        None => text.strip_prefix(literal)?,
    };
    Some(text.trim_start_matches(' '))
}

/// A short string without escapes.
fn string(text: &str) -> Option<(&str, &str)> {
    let (string, rest) = text.strip_prefix('"')?.split_once('"')?;
    (!string.contains('\\')).then_some((string, rest))
}

/// Decodes a record. Times come back as the record has them.
pub(super) fn decode(
    record: &str,
    head: Option<&Head<'_>>,
) -> Result<(Option<String>, RolloutLine), serde_json::Error> {
    let Some(head) = head.filter(|head| head.kind == "response_item") else {
        let (timestamp, line) = RolloutLine::parse(record.as_bytes())?;
        return Ok((timestamp, for_the_wire(line)));
    };
    let bytes = &record.as_bytes()[head.payload..];
    let (item, end) = Item::parse_prefix(bytes, without_foreign_metadata)?;
    let tail = bytes[end..].trim_ascii_end();
    if Scan::inside(1).go_on(tail, 0) != End::At(tail.len()) {
        return Err(serde::de::Error::custom("the record is torn"));
    }
    Ok((Some(head.timestamp.to_owned()), RolloutLine::Item(item)))
}

fn for_the_wire(line: RolloutLine) -> RolloutLine {
    let strip = |item: Item| {
        let json = without_foreign_metadata(item.json());
        if json.len() == item.json().len() { item } else { Item::parse(json).unwrap_or(item) }
    };
    match line {
        RolloutLine::Item(item) => RolloutLine::Item(strip(item)),
        RolloutLine::Compacted(mut compacted) => {
            compacted.replacement_history =
                compacted.replacement_history.map(|items| items.into_iter().map(strip).collect());
            RolloutLine::Compacted(compacted)
        }
        line => line,
    }
}

/// A key Codex adds to the items it stores and takes off again when it sends them; other servers would refuse it.
const FOREIGN_KEY: &str = "internal_chat_message_metadata_passthrough";

/// A copy of an item's JSON without Codex's metadata.
fn without_foreign_metadata(json: &[u8]) -> Bytes {
    const MEMBER: &[u8] = b",\"internal_chat_message_metadata_passthrough\":";
    let Some(first) = memmem::find(json, &MEMBER[1..]) else { return Bytes::copy_from_slice(json) };
    // Codex writes it last, where it is cut off without parsing. The comma tells an opening quote from a closing one.
    let start = first.saturating_sub(1);
    let ends_item = |value: &[u8]| Scan::default().go_on(value, 0) == End::At(value.len().saturating_sub(1));
    if json[start..].strip_prefix(MEMBER).is_some_and(|value| value.starts_with(b"{") && ends_item(value)) {
        return Bytes::from([&json[..start], b"}"].concat());
    }
    let rewritten = serde_json::from_slice::<Map<String, Value>>(json).and_then(|mut members| {
        members.shift_remove(FOREIGN_KEY);
        serde_json::to_vec(&members)
    });
    rewritten.map_or_else(|_| Bytes::copy_from_slice(json), Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_every_writer_are_read() {
        for record in [
            r#"{"timestamp":"t","type":"k","payload":{}}"#,
            r#"{"timestamp":"t","ordinal":17,"type":"k","payload":{},"metadata":{}}"#,
            r#"{"timestamp": "t", "ordinal": 17, "type": "k", "payload": {}}"#,
        ] {
            let head = head(record).unwrap();
            assert_eq!((head.timestamp, head.kind), ("t", "k"));
            assert!(record[head.payload..].starts_with("{}"), "{record}");
        }
        for record in [r#"{"type":"k","payload":{}}"#, r#"{"timestamp":"t\"","type":"k","payload":{}}"#, "{}", ""] {
            assert_eq!(head(record), None, "{record}");
        }
    }

    #[test]
    fn an_item_is_taken_only_from_a_whole_record() {
        const ITEM: &str = r#"{"type":"message","role":"user","content":[]}"#;
        for (tail, whole) in [
            ("}", true),
            (r#","metadata":{"a":{"b":1}}}"#, true),
            ("} \r\n", true),
            ("", false),
            (r#","metadata":{"a":{"b":1}"#, false),
            (r#","metadata":{"a":{"b":1}}"#, false),
            ("}}", false),
        ] {
            let record = format!(r#"{{"timestamp":"t","type":"response_item","payload":{ITEM}{tail}"#);
            let decoded = decode(&record, head(&record).as_ref());
            match decoded {
                Ok((timestamp, RolloutLine::Item(item))) => {
                    assert!(whole, "{record}");
                    assert_eq!(item.json(), ITEM);
                    assert_eq!(timestamp.as_deref(), Some("t"));
                }
                other => assert!(!whole, "{record}: {other:?}"),
            }
        }
    }

    #[test]
    fn codex_metadata_stays_in_the_file() {
        let strip = |json: &str| String::from_utf8(without_foreign_metadata(json.as_bytes()).to_vec()).unwrap();
        for (json, expected) in [
            (r#"{"type":"m","internal_chat_message_metadata_passthrough":{"a":"}\"","b":{}}}"#, r#"{"type":"m"}"#),
            (r#"{"internal_chat_message_metadata_passthrough":{"a":1},"type":"m"}"#, r#"{"type":"m"}"#),
            (r#"{"type":"m","internal_chat_message_metadata_passthrough":null}"#, r#"{"type":"m"}"#),
            (
                r#"{"t":"\"internal_chat_message_metadata_passthrough\""}"#,
                r#"{"t":"\"internal_chat_message_metadata_passthrough\""}"#,
            ),
        ] {
            assert_eq!(strip(json), expected);
        }
    }

    #[test]
    fn replaced_histories_lose_the_metadata_too() {
        let record = r#"{"timestamp":"t","type":"compacted","payload":{"message":"","replacement_history":[{"type":"message","role":"user","content":[],"internal_chat_message_metadata_passthrough":{}}]}}"#;
        let (_, line) = decode(record, head(record).as_ref()).unwrap();
        let RolloutLine::Compacted(compacted) = line else { panic!("{line:?}") };
        let items = compacted.replacement_history.unwrap();
        assert_eq!(items[0].json(), r#"{"type":"message","role":"user","content":[]}"#);
    }
}
