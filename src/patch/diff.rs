//! Shows what became of a file as the hunks of a unified diff, without `---` and `+++` lines: the path is known beside it.
//!
//! A [`Document`] remembers which of its lines are the file's, so this takes one pass over both and compares no texts.

use std::fmt::Write;
use std::iter::Peekable;
use std::ops::Range;

use super::document::{Document, Ending, split_lines};

const CONTEXT: usize = 3;
const NO_NEWLINE: &str = "\n\\ No newline at end of file\n";

/// Lines of the file, and the lines of the document that took their place.
#[derive(Clone, Debug)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// The diff from `before`, the file's text, to `after`, or nothing when it would be longer than `limit` bytes. `after` is
/// either read from `before` or has no line of it.
#[must_use]
pub fn unified(before: &str, after: &Document<'_>, limit: usize) -> String {
    let changes = changes(before, after);
    let lines: usize = changes.iter().map(|change| change.old.len() + change.new.len()).sum();
    if lines > limit {
        return String::new();
    }
    let mut text = String::new();
    let mut old_lines = split_lines(before).enumerate().peekable();
    for group in changes.chunk_by(|a, b| b.old.start - a.old.end <= 2 * CONTEXT) {
        write_hunk(&mut text, group, after, &mut old_lines);
        if text.len() > limit {
            return String::new();
        }
    }
    text
}

fn changes(before: &str, after: &Document<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut next_old, mut next_new) = (0, 0);
    let mut close = |old: Range<usize>, new: Range<usize>| {
        if !old.is_empty() || !new.is_empty() {
            changes.push(Change { old, new });
        }
    };
    for (index, line) in after.lines().iter().enumerate() {
        if let Some(origin) = line.origin {
            close(next_old..origin as usize, next_new..index);
            (next_old, next_new) = (origin as usize + 1, index + 1);
        }
    }
    close(next_old..split_lines(before).count(), next_new..after.lines().len());
    changes
}

fn write_hunk<'a>(
    text: &mut String,
    group: &[Change],
    after: &Document<'_>,
    old_lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>,
) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let lead = first.old.start.min(CONTEXT);
    let trail = CONTEXT.min(after.lines().len() - last.new.end);
    let old = first.old.start - lead..last.old.end + trail;
    let new = first.new.start - lead..last.new.end + trail;
    write_header(text, &old, &new);
    let mut next_new = new.start;
    for change in group {
        write_new(text, ' ', after, next_new..change.new.start);
        while old_lines.next_if(|(index, _)| *index < change.old.start).is_some() {}
        while let Some((_, line)) = old_lines.next_if(|(index, _)| *index < change.old.end) {
            text.push('-');
            text.push_str(line);
            text.push_str(match line.bytes().last() {
                Some(b'\n') => "",
                Some(b'\r') => "\n",
                _ => NO_NEWLINE,
            });
        }
        write_new(text, '+', after, change.new.clone());
        next_new = change.new.end;
    }
    write_new(text, ' ', after, next_new..new.end);
}

fn write_new(text: &mut String, sign: char, after: &Document<'_>, range: Range<usize>) {
    for line in &after.lines()[range] {
        text.push(sign);
        text.push_str(line.text);
        text.push_str(match line.ending {
            Ending::None => NO_NEWLINE,
            Ending::Cr => "\r\n",
            ending => ending.as_str(),
        });
    }
}

/// `@@ -first,count +first,count @@`. A count of 1 is left out; an empty range names the line before it.
fn write_header(text: &mut String, old: &Range<usize>, new: &Range<usize>) {
    let side = |range: &Range<usize>| match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        len => format!("{},{len}", range.start + 1),
    };
    // Writing to a string cannot fail.
    writeln!(text, "@@ -{} +{} @@", side(old), side(new)).unwrap_or_default();
}
