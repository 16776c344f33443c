//! Reading a rollout line by line.
//!
//! Reading never fails on what a file holds: whatever is no record is skipped and counted. Lines the caller does not want
//! are not decoded.

use std::borrow::Cow;
use std::io::{self, Read};

use super::envelope::{self, Head};
use super::lines::{Lines, Piece, Place};
use crate::protocol::RolloutLine;

/// Reads a rollout from anything that gives bytes.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    skipped: Skipped,
}

/// What a line is, before it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineKind<'a> {
    /// `response_item`, `event_msg`, …; `None` when only decoding tells.
    pub kind: Option<&'a str>,
    /// The event's name, for `event_msg`.
    pub event: Option<&'a str>,
    /// The line of the file it ends in, from 1.
    pub line: u64,
    /// Where in the file that line ends.
    pub end: u64,
}

/// A decoded line.
#[derive(Debug)]
pub struct Entry {
    /// When it was written, as the line says.
    pub timestamp: Option<String>,
    /// What it says.
    pub line: RolloutLine,
}

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many records, or lines that are none.
    pub count: u64,
    /// The line of the file the first of them ends in.
    pub first_line: Option<u64>,
}

impl<R: Read> Reader<R> {
    /// Reads from `input`, which needs no buffering of its own.
    pub fn new(input: R) -> Self {
        Self { lines: Lines::new(input), skipped: Skipped::default() }
    }

    /// The next line that `wanted` wants and that can be decoded; `None` at the end.
    ///
    /// # Errors
    /// `input` cannot be read; what it holds is never the reason.
    pub fn next_line(&mut self, mut wanted: impl FnMut(&LineKind<'_>) -> bool) -> io::Result<Option<Entry>> {
        while let Some(piece) = self.lines.next()? {
            let (bytes, place) = match piece {
                Piece::Record { bytes, place } => (bytes, place),
                Piece::Junk { place } => {
                    self.skipped.add(place.line);
                    continue;
                }
            };
            // Damaged letters in a text are no reason to lose the text; the model is sent valid UTF-8 only.
            let record = match std::str::from_utf8(bytes) {
                Ok(record) => Cow::Borrowed(record),
                Err(_) => String::from_utf8_lossy(bytes),
            };
            let head = envelope::head(&record);
            if !wanted(&line_kind(&record, head.as_ref(), place)) {
                continue;
            }
            match envelope::decode(&record, head.as_ref()) {
                Ok((timestamp, line)) => return Ok(Some(Entry { timestamp, line })),
                Err(_) => self.skipped.add(place.line),
            }
        }
        Ok(None)
    }

    /// What could not be read so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }
}

impl Skipped {
    fn add(&mut self, line: u64) {
        self.count += 1;
        self.first_line.get_or_insert(line);
    }
}

fn line_kind<'a>(record: &'a str, head: Option<&Head<'a>>, place: Place) -> LineKind<'a> {
    let event =
        head.filter(|head| head.kind == "event_msg").and_then(|head| envelope::event_name(&record[head.payload..]));
    LineKind { kind: head.map(|head| head.kind), event, line: place.line, end: place.offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> (Vec<RolloutLine>, Skipped) {
        let mut reader = Reader::new(input);
        let mut lines = Vec::new();
        while let Some(entry) = reader.next_line(|_| true).unwrap() {
            lines.push(entry.line);
        }
        (lines, reader.skipped())
    }

    fn item(text: &str) -> String {
        format!(
            r#"{{"timestamp":"t","type":"response_item","payload":{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}}}"#
        )
    }

    #[test]
    fn what_cannot_be_read_is_counted_with_its_line() {
        let input = format!("{}\nnot json\n{}\n{}\n", item("a"), r#"{"timestamp":"t","payload":5}"#, item("b"));
        let (lines, skipped) = read(input.as_bytes());
        assert_eq!(lines.len(), 2);
        assert_eq!(skipped, Skipped { count: 2, first_line: Some(2) });
    }

    #[test]
    fn damaged_letters_do_not_lose_the_text() {
        let mut input = item("grXn").into_bytes();
        let at = input.iter().position(|byte| *byte == b'X').unwrap();
        input[at] = 0xFC;
        let (lines, skipped) = read(&input);
        let [RolloutLine::Item(item)] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(item.text(), "gr\u{FFFD}n");
        assert_eq!(skipped.count, 0);
    }

    #[test]
    fn keys_in_any_order_are_read() {
        let input = r#"{"payload":{"role":"user","content":"hi","type":"message"},"type":"response_item"}"#;
        let (lines, _) = read(input.as_bytes());
        assert!(matches!(&lines[..], [RolloutLine::Item(item)] if item.text() == "hi"));
    }

    #[test]
    fn lines_nobody_wants_are_not_decoded() {
        let input = [
            r#"{"timestamp":"t","type":"world_state","payload":{broken}}"#,
            r#"{"timestamp":"t","type":"event_msg","payload":{"type":"item_completed",broken}}"#,
            r#"{"timestamp":"t","type":"event_msg","payload":{"type":"agent_reasoning","text":"x"}}"#,
        ];
        let mut reader = Reader::new(input[0].as_bytes().chain(b"\n".as_slice()).chain(input[1].as_bytes()));
        assert!(reader.next_line(|_| false).unwrap().is_none());
        assert_eq!(reader.skipped().count, 0);
        let joined = input.join("\n");
        let mut reader = Reader::new(joined.as_bytes());
        let mut seen = Vec::new();
        let wanted = |kind: &LineKind<'_>| {
            seen.push((kind.kind.map(str::to_owned), kind.event.map(str::to_owned), kind.line));
            kind.event == Some("agent_reasoning")
        };
        assert!(reader.next_line(wanted).unwrap().is_some());
        let event = |name: &str, line| (Some("event_msg".to_owned()), Some(name.to_owned()), line);
        assert_eq!(
            seen,
            [(Some("world_state".into()), None, 1), event("item_completed", 2), event("agent_reasoning", 3)]
        );
    }
}
