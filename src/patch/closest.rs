//! Says where a document comes closest to lines that were not found in it, and what differs there, so that a model can
//! mend its patch without reading the file again.

use std::collections::HashMap;

use super::seek::{Haystack, Likeness};

/// Longer lines are shown only around their first difference.
const SHOWN_LINE: usize = 240;
/// How much of a long line is shown in front of the difference.
const SHOWN_BEFORE: usize = 80;

/// Describes the closest place for `pattern`, which was looked for from line index `from` on, at the document's end if
/// `at_end`. Never ends with a newline.
#[must_use]
pub fn describe(haystack: &Haystack<'_, '_>, pattern: &[&str], from: usize, at_end: bool) -> String {
    if haystack.lines().is_empty() {
        return "The file is empty.".into();
    }
    let found_from = |start| haystack.seek(pattern, start).map(|hit| hit + 1);
    if let Some(line) = found_from(from).filter(|_| at_end) {
        return format!("They begin at line {line}, but more lines follow there, so `*** End of File` is not true.");
    }
    if let Some(line) = found_from(0) {
        return format!(
            "They begin at line {line}, above line {} where the search began: the chunks of a file have to be in its \
             order, after the lines that earlier chunks and `@@` headers name.",
            from + 1
        );
    }
    match closest_start(haystack, pattern, from) {
        Some(start) => describe_difference(haystack, pattern, start),
        None => "Nothing in the file is like them.".into(),
    }
}

fn describe_difference(haystack: &Haystack<'_, '_>, pattern: &[&str], start: usize) -> String {
    let lines = &haystack.lines()[start..];
    let essence = |text| Likeness::Punctuation.essence(text);
    let same = pattern.iter().zip(lines).take_while(|(want, line)| essence(want) == essence(line.text)).count();
    let place =
        if pattern.len() == 1 { String::new() } else { format!("The closest lines begin at line {}. ", start + 1) };
    // All lines alike cannot be: they would have been found.
    let want = pattern.get(same).copied().unwrap_or_default();
    match lines.get(same) {
        Some(line) => {
            let differs = first_difference(want, line.text);
            format!(
                "{place}The first difference is at line {}:\n  patch: {}\n  file:  {}",
                start + same + 1,
                excerpt(want, differs),
                excerpt(line.text, differs)
            )
        }
        None => format!(
            "{place}The file ends after line {}, where the patch goes on:\n  patch: {}",
            start + same,
            excerpt(want, 0)
        ),
    }
}

/// The start at which most text of the pattern agrees, below `from` if anything does there.
fn closest_start(haystack: &Haystack<'_, '_>, pattern: &[&str], from: usize) -> Option<usize> {
    let by_lines = most_equal_lines(haystack, pattern);
    let by_likeness = likest_line(haystack, pattern);
    let best = |from: usize| {
        by_lines
            .iter()
            .chain(&by_likeness)
            .filter(|(start, weight)| *start >= from && *weight > 0)
            // The first of the heaviest.
            .max_by(|(start, weight), (other, than)| weight.cmp(than).then(other.cmp(start)))
            .map(|(start, _)| *start)
    };
    best(from).or_else(|| best(0))
}

/// For every start how many characters of the pattern's lines stand where they should.
fn most_equal_lines(haystack: &Haystack<'_, '_>, pattern: &[&str]) -> Vec<(usize, usize)> {
    let mut wanted: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
    for (index, text) in pattern.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        wanted.entry(Likeness::Punctuation.key(text)).or_default().push((index, text.trim().len()));
    }
    let mut weights: Vec<(usize, usize)> = (0..haystack.lines().len()).map(|start| (start, 0)).collect();
    for (line, key) in haystack.keys(Likeness::Punctuation).iter().enumerate() {
        for (index, weight) in wanted.get(key).into_iter().flatten() {
            if let Some(start) = line.checked_sub(*index) {
                weights[start].1 += weight;
            }
        }
    }
    weights
}

/// For every line how many characters at both its ends are those of the pattern's first line with text; none where that is
/// less than half.
fn likest_line(haystack: &Haystack<'_, '_>, pattern: &[&str]) -> Vec<(usize, usize)> {
    let first = pattern.iter().enumerate().find(|(_, text)| !text.trim().is_empty());
    let Some((index, want)) = first.map(|(index, text)| (index, text.trim())) else { return Vec::new() };
    let likeness = |text: &str| {
        let ends = common_ends(want, text.trim());
        if ends * 2 >= want.len().max(text.trim().len()) { ends } else { 0 }
    };
    let lines = haystack.lines().iter().enumerate().skip(index);
    lines.map(|(line, found)| (line - index, likeness(found.text))).collect()
}

fn common_ends(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    head + tail
}

/// The byte at which two texts part, on a character's boundary in both.
fn first_difference(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

fn excerpt(text: &str, at: usize) -> String {
    if text.is_empty() {
        return "(an empty line)".into();
    }
    if text.len() <= SHOWN_LINE {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(at.saturating_sub(SHOWN_BEFORE));
    let end = text.floor_char_boundary((start + SHOWN_LINE).min(text.len()));
    let mark = |cut| if cut { "…" } else { "" };
    [mark(start > 0), &text[start..end], mark(end < text.len())].concat()
}
