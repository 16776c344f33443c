//! The end of a rollout: what a writer must know of it before it goes on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How much of the end is read at once.
const BLOCK: u64 = 64 << 10;

/// Whether the file's last line was never finished.
pub(super) fn is_torn(file: &File, len: u64) -> io::Result<bool> {
    let Some(last) = len.checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// How far into a line its number can stand. Of a line that is longer than a block nothing more is kept.
const HEAD: usize = 256;

/// The number of the last line that has one.
pub(super) fn last_ordinal(file: &File, len: u64) -> io::Result<Option<u64>> {
    let mut rest = Vec::new();
    let mut start = len;
    while start > 0 {
        let from = start.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(start - from).unwrap_or_default()];
        file.read_exact_at(&mut block, from)?;
        block.append(&mut rest);
        // The first line of the block may begin before it; it is left for the next round.
        let whole = if from == 0 { 0 } else { memchr::memchr(b'\n', &block).map_or(block.len(), |end| end + 1) };
        if let Some(ordinal) = block[whole..].rsplit(|byte| *byte == b'\n').find_map(ordinal) {
            return Ok(Some(ordinal));
        }
        block.truncate(whole.min(HEAD));
        rest = block;
        start = from;
    }
    Ok(None)
}

/// The number of a line, which stands at its begin.
fn ordinal(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"ordinal\":";
    let begin = &line[..line.len().min(HEAD)];
    let at = memchr::memmem::find(begin, KEY)?;
    if memchr::memmem::find(&begin[..at], b"\"payload\"").is_some() {
        return None;
    }
    let digits = line[at + KEY.len()..].trim_ascii_start();
    let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file(content: &str) -> (File, u64) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        (file, content.len() as u64)
    }

    #[test]
    fn a_line_without_its_end_is_torn() {
        for (content, torn) in [("", false), ("a\n", false), ("a", true), ("a\nb", true)] {
            let (file, len) = file(content);
            assert_eq!(is_torn(&file, len).unwrap(), torn, "{content:?}");
        }
    }

    #[test]
    fn the_last_number_is_found_behind_torn_and_huge_lines() {
        let line = |n: u64, text: &str| {
            format!("{{\"timestamp\":\"t\",\"ordinal\":{n},\"type\":\"x\",\"payload\":\"{text}\"}}\n")
        };
        let huge = "x".repeat(200_000);
        for (content, expected) in [
            (String::new(), None),
            ("{\"timestamp\":\"t\",\"type\":\"x\",\"payload\":{\"ordinal\":9}}\n".into(), None),
            (line(0, "a") + &line(7, "b"), Some(7)),
            (line(3, "a") + "{\"timestamp\":\"t\",\"ord", Some(3)),
            (line(3, "a") + &line(4, &huge), Some(4)),
            (line(5, "a") + &huge + "\n", Some(5)),
        ] {
            let (file, len) = file(&content);
            assert_eq!(last_ordinal(&file, len).unwrap(), expected, "{:.80}", content);
        }
    }
}
