//! Cutting a rollout's bytes into records.
//!
//! A record is normally one line. Files also hold records printed over many lines, several records in one line, and
//! records a dying program never finished. So a record that is not plainly one line is followed brace by brace to its end;
//! when there is none, its first line is given up and the next begin of a record is looked for.

use memchr::memmem;
use std::io::{self, BufRead, BufReader, Read};

/// A record longer than this is skipped, so that no file can take all memory.
pub(super) const MAX_RECORD: usize = 256 << 20;

/// How every program begins a record. Nothing inside a record looks like it: in a JSON string its quotes would be escaped.
const BEGIN: &[u8] = b"{\"timestamp\"";

/// Nothing that can be decoded is nested deeper.
const MAX_DEPTH: usize = 128;

const BUFFER: usize = 256 << 10;
/// A record buffer that grew over this for one long record is given back.
const KEPT_BUFFER: usize = 1 << 20;

/// Reads records from `input`, holding one at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// What is read and not yet cut off, from `at` on.
    text: Vec<u8>,
    at: usize,
    place: Place,
    max_record: usize,
}

/// How far the input is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Lines so far: the number of the last one, from 1.
    pub(super) line: u64,
    /// Bytes so far.
    pub(super) offset: u64,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A record, by all appearances.
    Record {
        /// Its bytes.
        bytes: &'a [u8],
        /// The end of the line it ends in.
        place: Place,
    },
    /// Something that is no record.
    Junk {
        /// The end of the line it ends in.
        place: Place,
    },
}

/// Where the object that some bytes begin with ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After this many bytes.
    At(usize),
    /// Nowhere: a string is broken by a line's end, or the braces nest too deep.
    Broken,
    /// Not yet.
    Open,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self::with_max_record(input, MAX_RECORD)
    }

    pub(super) fn with_max_record(input: R, max_record: usize) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            text: Vec::new(),
            at: 0,
            place: Place::default(),
            max_record,
        }
    }

    /// The next piece; `None` at the end of the input.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.skip_space();
        while self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            if self.text.capacity() > KEPT_BUFFER {
                self.text = Vec::new();
            }
            if !self.read_line()? {
                return Ok(None);
            }
            self.skip_space();
        }
        let start = self.at;
        let is_record = self.find_end()?;
        let place = self.place;
        let bytes = &self.text[start..self.at];
        Ok(Some(if is_record { Piece::Record { bytes, place } } else { Piece::Junk { place } }))
    }

    /// Moves `at` behind the piece it stands before, and says whether that piece is a record.
    fn find_end(&mut self) -> io::Result<bool> {
        if self.is_plain_line() {
            self.at = self.text.len();
            return Ok(true);
        }
        let mut scan = Scan::default();
        let mut seen = 0;
        loop {
            let rest = &self.text[self.at..];
            let end = if rest.first() == Some(&b'{') { scan.go_on(rest, seen) } else { End::Broken };
            seen = rest.len();
            match end {
                End::At(end) if !swallows_another(&rest[..end]) => {
                    self.at += end;
                    return Ok(true);
                }
                // More of an unfinished record can only be in the next line, unless that one plainly begins another.
                End::Open if seen <= self.max_record && !self.next_line_begins_record()? && self.read_line()? => {}
                _ => {
                    self.give_up_to_next_begin();
                    return Ok(false);
                }
            }
        }
    }

    /// Whether the text is one line with one record in it, as nearly all are.
    fn is_plain_line(&self) -> bool {
        let rest = self.text[self.at..].trim_ascii_end();
        rest.starts_with(BEGIN)
            && rest.ends_with(b"}")
            && memchr::memchr(b'\n', rest).is_none()
            && memmem::find(&rest[1..], BEGIN).is_none()
    }

    /// Moves `at` to where the next record may begin: in the same line, or at the next one.
    fn give_up_to_next_begin(&mut self) {
        let rest = &self.text[self.at..];
        let line_end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let begin = rest.get(1..line_end).and_then(|line| memmem::find(line, BEGIN));
        self.at += begin.map_or(line_end, |begin| begin + 1);
    }

    fn next_line_begins_record(&mut self) -> io::Result<bool> {
        Ok(self.text.ends_with(b"\n") && self.input.fill_buf()?.starts_with(BEGIN))
    }

    /// Appends a line to the text, newline included; of a line over the limit only what is over the limit is left out,
    /// which makes it unreadable as a record. `false` at the end of the input.
    fn read_line(&mut self) -> io::Result<bool> {
        let limit = self.max_record as u64 + 1;
        let mut read = (&mut self.input).take(limit).read_until(b'\n', &mut self.text)?;
        if read as u64 == limit && !self.text.ends_with(b"\n") {
            read += self.input.skip_until(b'\n')?;
        }
        if self.place.offset == 0 && self.text.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        self.place.line += 1;
        self.place.offset += read as u64;
        Ok(read > 0)
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
    }
}

/// Whether what looks like a record is a torn one that runs into the next: both have strings, and the braces may match by
/// chance, but then it is no JSON.
fn swallows_another(record: &[u8]) -> bool {
    memmem::find(&record[1..], BEGIN).is_some() && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_err()
}

/// Follows braces and strings, so that text that comes in pieces is looked at once.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// A scan that starts inside of `depth` open braces.
    pub(super) fn inside(depth: usize) -> Self {
        Self { depth, ..Self::default() }
    }

    /// Looks on from `seen` for the brace that closes the first one.
    pub(super) fn go_on(&mut self, bytes: &[u8], seen: usize) -> End {
        for (index, byte) in bytes.iter().enumerate().skip(seen) {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'\n' if self.in_string => return End::Broken,
                _ if self.in_string => {}
                b'{' if self.depth == MAX_DEPTH => return End::Broken,
                b'{' => self.depth += 1,
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return End::At(index + 1);
                    }
                }
                _ => {}
            }
        }
        End::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records as text, junk as `!`.
    fn pieces(input: &str, max_record: usize) -> Vec<String> {
        let mut lines = Lines::with_max_record(input.as_bytes(), max_record);
        let mut found = Vec::new();
        while let Some(piece) = lines.next().unwrap() {
            found.push(match piece {
                Piece::Record { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned(),
                Piece::Junk { .. } => "!".to_owned(),
            });
        }
        found
    }

    #[test]
    fn records_are_found_whatever_lies_between_them() {
        const A: &str = r#"{"timestamp":"a","payload":{"x":"}{"}}"#;
        const B: &str = r#"{"timestamp":"b","payload":{}}"#;
        const PRETTY: &str = "{\n  \"timestamp\": \"p\",\n  \"payload\": {\n    \"x\": \"\\\"{\"\n  }\n}";
        let cases = [
            (format!("{A}\n{B}\n"), vec![A, B]),
            (format!("\u{feff}{A}\r\n\n  \n{B}"), vec![A, B]),
            (format!("{A}{B}\n"), vec![A, B]),
            (format!("{A} {B}{A}"), vec![A, B, A]),
            (format!("{PRETTY}\n{PRETTY}{A}\n"), vec![PRETTY, PRETTY, A]),
            (format!("garbage\n{A}\n[1,2]\n{B}\n"), vec!["!", A, "!", B]),
            (format!("{{\"timestamp\":\"t\",\"type\":\"resp\n{A}\n"), vec!["!", A]),
            (format!("{{\"timestamp\":\"t\",\"payload\":\n{A}\n"), vec!["!", A]),
            (format!("{{\"timestamp\":\"t\",\"type\":\"resp{A}\n{B}\n"), vec!["!", A, B]),
            (format!("{{\"a\":\n{A}\n{B}\n"), vec!["!", A, B]),
            (format!("{A}\n{{\"timestamp\":\"t\",\"pay"), vec![A, "!"]),
        ];
        for (input, expected) in cases {
            assert_eq!(pieces(&input, MAX_RECORD), expected, "{input}");
        }
    }

    #[test]
    fn a_record_over_the_limit_is_junk_and_the_next_one_is_not() {
        let long = format!(r#"{{"timestamp":"{}"}}"#, "x".repeat(100));
        let short = r#"{"timestamp":"s"}"#;
        assert_eq!(pieces(&format!("{long}\n{short}\n"), 50), ["!", short]);
        let pretty = format!("{{\n{}}}", "\"k\":1,\n".repeat(100));
        assert_eq!(pieces(&format!("{short}\n{pretty}\n{short}\n"), 50).last().unwrap(), short);
    }

    #[test]
    fn a_record_over_many_lines_is_read_in_linear_time() {
        let pretty = format!("{{\n\"a\":[\n{}0]\n}}\n", "0,\n".repeat(300_000));
        assert_eq!(pieces(&pretty, MAX_RECORD).len(), 1);
    }
}
