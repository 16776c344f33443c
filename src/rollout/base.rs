//! Where in a long file the history begins anew.
//!
//! A compaction records the history it leaves, so the items before the newest one need not be read at all. That is what
//! keeps a session of years quick to resume.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use memchr::memmem;

use super::envelope;
use super::lines::MAX_RECORD;
use crate::protocol::RolloutLine;

/// Shorter files are read whole in the time a look for the mark takes.
const WORTH_A_LOOK: u64 = 4 << 20;
const BLOCK: u64 = 1 << 20;
/// How far before the mark its line can begin.
const HEAD: u64 = 128;
/// Nothing inside a record looks like it: in a JSON string its quotes would be escaped.
const MARK: &[u8] = b"\"type\":\"compacted\",\"payload\":";

/// Where in the first `len` bytes the newest record begins that replaces the history, looked for from the end. `None` when
/// there is none, or none that is plainly one.
pub(super) fn newest_base(file: &File, len: u64) -> io::Result<Option<u64>> {
    if len < WORTH_A_LOOK { Ok(None) } else { look_back(file, len, BLOCK) }
}

fn look_back(file: &File, mut end: u64, block_len: u64) -> io::Result<Option<u64>> {
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(block_len);
        // A mark that lies across two blocks belongs to the earlier one.
        let read = (end - start) + MARK.len() as u64 - 1;
        block.clear();
        seek(file, start)?.take(read).read_to_end(&mut block)?;
        let marks: Vec<usize> = memmem::find_iter(&block, MARK).collect();
        for mark in marks.into_iter().rev() {
            if let Some(begin) = base_around(file, start + mark as u64)? {
                return Ok(Some(begin));
            }
        }
        end = start;
    }
    Ok(None)
}

/// The begin of the line around a mark, when the whole line is a record with a history in it.
fn base_around(file: &File, mark: u64) -> io::Result<Option<u64>> {
    let from = mark.saturating_sub(HEAD);
    let mut before = Vec::new();
    seek(file, from)?.take(mark - from).read_to_end(&mut before)?;
    let begin = match memchr::memrchr(b'\n', &before) {
        Some(newline) => from + newline as u64 + 1,
        None if from == 0 => 0,
        None => return Ok(None),
    };
    let mut line = Vec::new();
    BufReader::new(seek(file, begin)?).take(MAX_RECORD as u64).read_until(b'\n', &mut line)?;
    let Ok(record) = std::str::from_utf8(&line) else { return Ok(None) };
    let replaces = match envelope::decode(record, None) {
        Ok((_, RolloutLine::Compacted(compacted))) => compacted.replacement_history.is_some(),
        _ => false,
    };
    Ok(replaces.then_some(begin))
}

fn seek(mut file: &File, to: u64) -> io::Result<&File> {
    file.seek(SeekFrom::Start(to))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const BASE: &str = r#"{"timestamp":"t","type":"compacted","payload":{"message":"","replacement_history":[]}}"#;

    fn base_in(text: &str, block_len: u64) -> Option<u64> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        look_back(&file, text.len() as u64, block_len).unwrap()
    }

    #[test]
    fn the_newest_whole_base_is_found_wherever_the_blocks_begin() {
        let filler = format!("{}\n", "x".repeat(99)).repeat(3);
        let begin = (filler.len() + BASE.len() + 1 + filler.len()) as u64;
        let text = |newest: &str| format!("{filler}{BASE}\n{filler}{newest}\n{filler}");
        for block_len in 64..200 {
            assert_eq!(base_in(&text(BASE), block_len), Some(begin), "{block_len}");
            assert_eq!(base_in(&filler, block_len), None, "{block_len}");
        }
        assert_eq!(base_in(BASE, 64), Some(0));
    }

    #[test]
    fn what_only_looks_like_a_base_is_passed_over() {
        for not_one in [
            &BASE[..BASE.len() - 1],
            r#"{"timestamp":"t","type":"compacted","payload":{"message":"s"}}"#,
            r#"{"timestamp":"t","type":"response_item","payload":"\"type\":\"compacted\",\"payload\":"}"#,
        ] {
            assert_eq!(base_in(&format!("{BASE}\n{not_one}\n"), 100), Some(0), "{not_one}");
            assert_eq!(base_in(not_one, 100), None, "{not_one}");
        }
    }

    #[test]
    fn a_short_file_is_not_worth_a_look() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(BASE.as_bytes()).unwrap();
        assert_eq!(newest_base(&file, BASE.len() as u64).unwrap(), None);
    }
}
