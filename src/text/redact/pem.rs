//! Private keys in PEM: from their first line to their last, or as much of that as is there.

use std::ops::Range;

use super::scan::run;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
/// The kind of key is named in so many bytes.
const LABEL: usize = 40;

/// Finds them. A label without a key's body beside it is code that speaks of keys.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let labels = |mark: &'static str| {
        text.match_indices(mark).filter_map(move |(at, _)| Some(at..label(text, at + mark.len())?))
    };
    let mut ends = labels(END).peekable();
    let mut begins = labels(BEGIN).peekable();
    let mut covered = 0;
    let whole = |end: Range<usize>, covered: usize| {
        let begin = backwards(text, end.start, covered);
        (begin < end.start).then_some(begin..end.end)
    };
    while let Some(begin) = begins.next() {
        // What was cut at its front shows its end alone.
        while let Some(end) = ends.next_if(|end| end.start < begin.start) {
            if end.start >= covered {
                found.extend(whole(end, covered));
            }
        }
        let next = begins.peek().map_or(text.len(), |next| next.start);
        let body = forwards(text, begin.end);
        let mut is_mangled =
            || ends.peek().is_some_and(|end| end.start <= next && holds_key(&text[begin.end..end.start]));
        if begin.start >= covered && (body > begin.end || is_mangled()) {
            covered = ends.peek().map_or(body, |end| end.end);
            found.push(begin.start..covered);
        }
    }
    for end in ends.filter(|end| end.start >= covered) {
        found.extend(whole(end, covered));
    }
}

/// Where the line ends whose label begins at `start`, when it is one of a private key.
fn label(text: &str, start: usize) -> Option<usize> {
    let near = &text.as_bytes()[start..text.len().min(start + LABEL)];
    let length = run(near, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let is_private = text[start..start + length].trim_end_matches(" BLOCK").ends_with("PRIVATE KEY");
    let dashes = run(&text.as_bytes()[start + length..], |byte| byte == b'-');
    (is_private && dashes > 0).then_some(start + length + dashes.min(5))
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// How much of a line, between line breaks, is of a key's body: all of it, or what a cut left.
fn body(line: &[u8]) -> usize {
    if line.starts_with(b"Proc-Type:") || line.starts_with(b"DEK-Info:") {
        return line.len();
    }
    // Listings and diffs put a number or a sign before a line.
    let before = run(line, |byte| {
        byte.is_ascii_whitespace() || byte.is_ascii_digit() || matches!(byte, b'+' | b'|' | b'>' | b':')
    });
    let before = line[..before].iter().rposition(|byte| !is_base64(*byte)).map_or(0, |at| at + 1);
    let length = run(&line[before..], is_base64);
    let is_last = before + length == line.trim_ascii_end().len() && line[..before + length].ends_with(b"=");
    if length >= 16 || is_last { before + length } else { 0 }
}

/// How long the line break at `at` is, as it stands in text or within a string of JSON.
fn line_break(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\n' | b'\r' => Some(1),
        b'\\' => {
            let slashes = run(&bytes[at..], |byte| byte == b'\\');
            matches!(bytes.get(at + slashes), Some(b'n' | b'r')).then_some(slashes + 1)
        }
        _ => None,
    }
}

/// Whether there is something between labels that no word is, however its lines were joined.
fn holds_key(text: &str) -> bool {
    text.as_bytes().split(|byte| !is_base64(*byte)).any(|word| {
        let has = |such: fn(&u8) -> bool| word.iter().any(such);
        word.len() >= 20 && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
    })
}

/// How far the body of a key goes that begins at `from`.
fn forwards(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut end, mut line) = (from, from);
    while line < bytes.len() {
        if let Some(step) = line_break(bytes, line) {
            line += step;
            continue;
        }
        // A line of a body is base64; one that is not is looked at no further than it could matter.
        let length = run(&bytes[line..], |byte| is_base64(byte) || byte == b' ');
        let near = bytes.len().min(line + length + LABEL);
        let line_end = (line + length..near).find(|at| line_break(bytes, *at).is_some()).unwrap_or(near);
        let piece = &bytes[line..line_end];
        let of_body = body(piece);
        if of_body == 0 && !piece.trim_ascii().is_empty() {
            return end;
        }
        end = end.max(line + of_body);
        if of_body < piece.trim_ascii_end().len() {
            return end;
        }
        line = line_end;
    }
    end
}

/// Where the body of a key begins that ends at `to` and whose begin is not there; not before `least`.
fn backwards(text: &str, to: usize, least: usize) -> usize {
    let bytes = text.as_bytes();
    let mut begin = to;
    loop {
        // The break before the line that begins at `begin`, then that line.
        let is_escaped = begin >= least + 2 && matches!(bytes[begin - 1], b'n' | b'r') && bytes[begin - 2] == b'\\';
        let end = match begin.checked_sub(1) {
            Some(before) if before > least && bytes[before] == b'\n' && bytes[before - 1] == b'\r' => before - 1,
            Some(before) if before >= least && bytes[before] == b'\n' => before,
            _ if is_escaped => begin - 2,
            _ => return begin,
        };
        let length = bytes[least..end].iter().rev().take_while(|byte| is_base64(**byte)).count();
        // In a string of JSON the letter of the break before looks like one of the line.
        let start = end - length;
        let is_letter = start > least && bytes[start - 1] == b'\\' && length > 0;
        let start = if is_letter { start + 1 } else { start };
        if end - start < 16 && !(end > start && bytes[end - 1] == b'=') {
            return begin;
        }
        begin = start;
    }
}
