//! Applies the chunks of an update to a document.
//!
//! All chunks are matched against the document as it was; the edits they come to are carried out together. Kept lines keep
//! the file's own bytes, also where the patch spells them differently. New lines end as the file's lines do. A file whose
//! last line has no ending keeps it that way, as far as that is possible without losing a line.

use super::closest;
use super::document::{Document, Ending, Line};
use super::parse::{Chunk, Mark};
use super::seek::Haystack;

/// Why an update does not fit a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was looked for.
    pub wanted: Wanted,
    /// Where the document comes closest and what differs there, in words.
    pub closest: String,
}

/// What a chunk looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The line of an `@@` header.
    Header(String),
    /// The lines that stay or go, joined by newlines.
    Lines(String),
}

/// Replaces `remove` lines from index `at` on.
#[derive(Debug)]
struct Edit<'a> {
    at: usize,
    remove: usize,
    insert: Vec<&'a str>,
}

impl<'a> Document<'a> {
    /// The document with an update's chunks applied.
    ///
    /// # Errors
    /// A chunk's lines are not where they should be.
    pub fn updated(&self, chunks: &[Chunk<'a>]) -> Result<Self, Mismatch> {
        let mut edits = find_edits(&self.lines, chunks)?;
        // Stable: chunks that insert at the same place do so in their own order.
        edits.sort_by_key(|edit| edit.at);
        Ok(self.carry_out(&edits))
    }

    fn carry_out(&self, edits: &[Edit<'a>]) -> Self {
        let ending = self.preferred_ending();
        let inserted: usize = edits.iter().map(|edit| edit.insert.len()).sum();
        let mut lines = Vec::with_capacity(self.lines.len() + inserted);
        let mut next = 0;
        for edit in edits {
            lines.extend_from_slice(&self.lines[next..edit.at]);
            lines.extend(edit.insert.iter().map(|text| Line { text, ending, origin: None }));
            next = edit.at + edit.remove;
        }
        lines.extend_from_slice(&self.lines[next..]);
        let mut updated = Self { lines, unterminated: self.unterminated };
        if updated.unterminated {
            updated.keep_unterminated(ending);
        }
        updated
    }

    /// Sees to the endings of a file that had none on its last line: lines in front of others need one, and a new last line
    /// takes over the lack of it. An empty last line cannot: without an ending it would not be there.
    fn keep_unterminated(&mut self, ending: Ending) {
        let Some((last, others)) = self.lines.split_last_mut() else { return };
        if let Some(line) = others.iter_mut().rfind(|line| line.ending == Ending::None) {
            *line = Line { text: line.text, ending, origin: None };
        }
        if last.origin.is_none() && !last.text.is_empty() {
            last.ending = Ending::None;
        }
    }
}

fn find_edits<'a>(lines: &[Line<'a>], chunks: &[Chunk<'a>]) -> Result<Vec<Edit<'a>>, Mismatch> {
    let haystack = Haystack::new(lines);
    let mut edits = Vec::with_capacity(chunks.len());
    let mut cursor = 0;
    for chunk in chunks {
        for header in &chunk.headers {
            let hit = haystack.seek(&[header], cursor).ok_or_else(|| Mismatch {
                wanted: Wanted::Header((*header).to_owned()),
                closest: closest::describe(&haystack, &[header], cursor, false),
            })?;
            cursor = hit + 1;
        }
        let old = old_lines(&chunk.lines);
        if old.is_empty() {
            // Lines that belong nowhere in particular go to the end, and say nothing about where the next chunk is.
            push_edits(&mut edits, &chunk.lines, lines.len());
        } else if let Some(hit) = find(&haystack, &old, cursor, chunk.at_end) {
            push_edits(&mut edits, &chunk.lines, hit);
            cursor = hit + old.len();
        } else if let Some((shorter, hit)) = find_without_blank_end(&haystack, &chunk.lines, &old, cursor, chunk.at_end)
        {
            push_edits(&mut edits, &shorter, hit);
            cursor = hit + old.len() - 1;
        } else {
            return Err(Mismatch {
                wanted: Wanted::Lines(old.join("\n")),
                closest: closest::describe(&haystack, &old, cursor, chunk.at_end),
            });
        }
    }
    Ok(edits)
}

fn old_lines<'a>(lines: &[(Mark, &'a str)]) -> Vec<&'a str> {
    lines.iter().filter(|(mark, _)| *mark != Mark::Insert).map(|(_, text)| *text).collect()
}

fn find(haystack: &Haystack<'_, '_>, old: &[&str], cursor: usize, at_end: bool) -> Option<usize> {
    let from = if at_end { cursor.max(haystack.lines().len().checked_sub(old.len())?) } else { cursor };
    haystack.seek(old, from)
}

/// Models like to end a chunk with an empty line that the file does not have. So a chunk whose last old line is empty gets
/// a second chance without it, and without its last new line if that is empty too.
fn find_without_blank_end<'a>(
    haystack: &Haystack<'_, '_>,
    lines: &[(Mark, &'a str)],
    old: &[&str],
    cursor: usize,
    at_end: bool,
) -> Option<(Vec<(Mark, &'a str)>, usize)> {
    let (last_old, shorter_old) = old.split_last()?;
    if !last_old.is_empty() {
        return None;
    }
    // Nothing is found wherever the search begins, also where the end of the file is asked for.
    let hit = if shorter_old.is_empty() { cursor } else { find(haystack, shorter_old, cursor, at_end)? };
    let mut lines = lines.to_vec();
    forget_last(&mut lines, Mark::Insert);
    let last_new = lines.iter().rfind(|(mark, _)| *mark != Mark::Remove);
    if last_new.is_some_and(|(_, text)| text.is_empty()) {
        forget_last(&mut lines, Mark::Remove);
    }
    Some((lines, hit))
}

/// Takes the last line that is not marked `other` off its side, old or new. A kept line is on both sides: of it the part on
/// the other side stays.
fn forget_last(lines: &mut Vec<(Mark, &str)>, other: Mark) {
    let Some(index) = lines.iter().rposition(|(mark, _)| *mark != other) else { return };
    if lines[index].0 == Mark::Keep {
        lines[index].0 = other;
    } else {
        lines.remove(index);
    }
}

fn push_edits<'a>(edits: &mut Vec<Edit<'a>>, lines: &[(Mark, &'a str)], hit: usize) {
    let mut at = hit;
    for run in lines.chunk_by(|(a, _), (b, _)| (*a == Mark::Keep) == (*b == Mark::Keep)) {
        if run[0].0 == Mark::Keep {
            at += run.len();
            continue;
        }
        let insert: Vec<&str> = run.iter().filter(|(mark, _)| *mark == Mark::Insert).map(|(_, text)| *text).collect();
        let remove = run.len() - insert.len();
        edits.push(Edit { at, remove, insert });
        at += remove;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::parse::{Hunk, parse};

    fn updated(text: &str, body: &str) -> Result<String, Mismatch> {
        let patch = format!("*** Begin Patch\n*** Update File: f\n{body}\n*** End Patch");
        let patch = parse(&patch).unwrap();
        let [Hunk::Update { chunks, .. }] = patch.hunks.as_slice() else { panic!("{patch:?}") };
        Document::read(text).updated(chunks).map(|document| document.text())
    }

    #[test]
    fn updates_give_what_they_say() {
        for (text, body, after) in [
            // Anchors, one after the other, tell places apart.
            ("A\nx\nB\nx\n", "@@ B\n-x\n+y", "A\nx\nB\ny\n"),
            ("A\nf\nx\nB\nf\nx\n", "@@ B\n@@ f\n-x\n+y", "A\nf\nx\nB\nf\ny\n"),
            ("x\nx\nx\n", "@@\n-x\n+1\n@@\n-x\n+2", "1\n2\nx\n"),
            // The end of the file.
            ("x\ny\nx\n", "-x\n+z\n*** End of File", "x\ny\nz\n"),
            ("x\n", "+y", "x\ny\n"),
            ("", "+y", "y\n"),
            ("x\n", "-x", ""),
            // A blank line too many.
            ("x\n", " x\n+y\n", "x\ny\n"),
            ("x\n", " x\n\n+y", "x\n\ny\n"),
            ("x\n", " x\n+y\n \n+", "x\ny\n\n"),
            // Kept lines keep their own bytes.
            ("“x”  \n\ty\n", " \"x\"\n-y\n+z", "“x”  \nz\n"),
            // Endings: the file's own, also where they are mixed.
            ("x\r\ny\r\n", " x\n-y\n+z\n+w", "x\r\nz\r\nw\r\n"),
            ("x\ny\r\n", " x\n+z\n y", "x\nz\ny\r\n"),
            ("x\ry\r", "-y\n+z", "x\rz\r"),
            // No ending on the last line.
            ("x\ny", "-x\n+z", "z\ny"),
            ("x\ny", "-y\n+z", "x\nz"),
            ("x\ny", " y\n+z", "x\ny\nz"),
            ("x\r\ny", " y\n+z", "x\r\ny\r\nz"),
            ("x\ny", "-y", "x\n"),
            ("x", " x\n+", "x\n\n"),
            ("x", "-x", ""),
        ] {
            assert_eq!(updated(text, body).as_deref(), Ok(after), "{text:?} with\n{body}");
        }
    }

    #[test]
    fn what_is_not_found_is_explained() {
        let file = "fn a() {\n    one();\n    two();\n}\nfn b() {\n    one();\n    2();\n}\n";
        for (body, closest) in [
            (
                " fn b() {\n     one();\n-    two();\n }",
                "The closest lines begin at line 5. The first difference is at line 7:\n  patch:     two();\n  file:      2();",
            ),
            ("-    two( );", "The first difference is at line 3:\n  patch:     two( );\n  file:      two();"),
            ("@@ fn bb() {\n+x", "The first difference is at line 5:\n  patch: fn bb() {\n  file:  fn b() {"),
            ("@@ fn b() {\n-    two();", "They begin at line 3, above line 6 where the search began:"),
            ("-    one();\n*** End of File", "They begin at line 2, but more lines follow there,"),
            (
                "     2();\n }\n-more",
                "The closest lines begin at line 7. The file ends after line 8, where the patch goes on:\n  patch: more",
            ),
            ("-nothing of the kind", "Nothing in the file is like them."),
        ] {
            let mismatch = updated(file, body).unwrap_err();
            assert!(mismatch.closest.starts_with(closest), "{body}\n{}", mismatch.closest);
        }
        assert_eq!(updated("", "-x").unwrap_err().closest, "The file is empty.");
    }

    #[test]
    fn a_long_line_is_shown_around_its_difference() {
        let line = |middle: &str| format!("{}{middle}{}", "é".repeat(500), "ü".repeat(500));
        let text = line("old");
        let mismatch = updated(&text, &format!("-{}", line("new"))).unwrap_err();
        assert!(mismatch.closest.contains("old") && mismatch.closest.contains("new"), "{}", mismatch.closest);
        assert!(mismatch.closest.len() < 700);
    }
}
