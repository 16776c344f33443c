//! The conversation as it was before its newest compaction: a rollout is only ever appended to, so the lines a compaction
//! replaced are still there.

use std::fs::File;
use std::io;
use std::path::Path;

use super::failure::storage_error;
use super::load::matters;
use super::reader::{LineKind, Reader};
use crate::history::fold::Fold;
use crate::protocol::{Item, Role, RolloutError, RolloutLine};

/// What the history of the session at `path` would be had its newest compaction never been, with all that was said since;
/// `None` when there is no compaction that was not undone.
///
/// # Errors
/// The file cannot be read.
pub fn history_without_newest_compaction(path: &Path) -> Result<Option<Vec<Item>>, RolloutError> {
    let read = || -> io::Result<Option<Vec<Item>>> {
        let Some(first) = newest_standing(path)? else { return Ok(None) };
        unfold(path, first).map(Some)
    };
    read().map_err(|error| storage_error("read the session file", path, &error))
}

/// Which of the file's compactions is the newest that was not undone. All behind it were, or are the undoing.
fn newest_standing(path: &Path) -> io::Result<Option<usize>> {
    let mut reader = Reader::new(File::open(path)?);
    let mut standing = Vec::new();
    let mut count = 0;
    while let Some(entry) = reader.next_line(|line: &LineKind<'_>| line.kind.is_none_or(|kind| kind == "compacted"))? {
        let RolloutLine::Compacted(compacted) = entry.line else { continue };
        if compacted.is_undo() {
            standing.pop();
        } else {
            standing.push(count);
        }
        count += 1;
    }
    Ok(standing.pop())
}

/// Reads the file without its compactions from the `first` on.
fn unfold(path: &Path, first: usize) -> io::Result<Vec<Item>> {
    let mut reader = Reader::new(File::open(path)?);
    let mut fold = Fold::new();
    let mut count = 0;
    // Held back until it is known not to be the summary, which is recorded right before the line that uses it.
    let mut held: Option<RolloutLine> = None;
    while let Some(entry) = reader.next_line(matters)? {
        match entry.line {
            RolloutLine::Compacted(compacted) => {
                count += 1;
                if let Some(line) = held.take().filter(|line| !is_summary(line, &compacted.message)) {
                    fold.push(line);
                }
                if count <= first {
                    fold.push(RolloutLine::Compacted(compacted));
                }
            }
            line @ RolloutLine::Item(_) => held.replace(line).into_iter().for_each(|line| fold.push(line)),
            RolloutLine::Event(event) if held.is_some() && !event.changes_history() => {}
            line => {
                held.take().into_iter().for_each(|line| fold.push(line));
                fold.push(line);
            }
        }
    }
    held.into_iter().for_each(|line| fold.push(line));
    Ok(fold.finish().history.items().to_vec())
}

/// Whether `line` holds the model's answer that became the summary in `message`.
fn is_summary(line: &RolloutLine, message: &str) -> bool {
    let RolloutLine::Item(item) = line else { return false };
    let text = item.text();
    item.is_message(Role::Assistant) && !text.trim().is_empty() && message.contains(text.trim())
}
