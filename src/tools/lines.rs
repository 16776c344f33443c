//! Reads a file line by line, holding no more of a line than is shown of it, so that a file of any size and with lines
//! of any length takes little memory.

use std::borrow::Cow;
use std::io::{self, BufRead};

/// How many characters of a line are shown.
pub const LINE_CHARS: usize = 500;

/// The most bytes that many characters take.
const LINE_BYTES: usize = LINE_CHARS * 4;

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Without its line ending, cut to [`LINE_CHARS`].
    pub text: String,
    /// Whether the line goes on after `text`.
    pub cut: bool,
    /// Whether it holds bytes that are no text.
    pub binary: bool,
}

/// Lines of a file, in order.
pub struct Lines<R> {
    reader: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `reader`.
    pub fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// Passes over `count` lines and says how many there were.
    ///
    /// # Errors
    /// As the reader says.
    pub fn skip(&mut self, count: usize) -> io::Result<usize> {
        let mut skipped = 0;
        while skipped < count && self.reader.skip_until(b'\n')? > 0 {
            skipped += 1;
        }
        self.number += skipped;
        Ok(skipped)
    }

    /// The next line, `None` at the end.
    ///
    /// # Errors
    /// As the reader says.
    pub fn read(&mut self) -> io::Result<Option<Line>> {
        if self.at_end()? {
            return Ok(None);
        }
        let mut kept = Vec::new();
        let mut cut = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let newline = memchr::memchr(b'\n', buffer);
            let line = &buffer[..newline.unwrap_or(buffer.len())];
            // One byte more than is shown, so that a carriage return is told from a line that goes on.
            let room = LINE_BYTES + 1 - kept.len();
            kept.extend_from_slice(&line[..line.len().min(room)]);
            cut |= line.len() > room;
            let used = newline.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(used);
            if newline.is_some() {
                break;
            }
        }
        self.number += 1;
        Ok(Some(shown(self.number, &kept, cut)))
    }

    /// Whether there are no more lines.
    ///
    /// # Errors
    /// As the reader says.
    pub fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.reader.fill_buf()?.is_empty())
    }
}

fn shown(number: usize, bytes: &[u8], cut: bool) -> Line {
    let bytes = match std::str::from_utf8(bytes) {
        // The cut went through a character.
        Err(error) if cut && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ if cut => bytes,
        _ => bytes.strip_suffix(b"\r").unwrap_or(bytes),
    };
    let decoded = String::from_utf8_lossy(bytes);
    let binary = matches!(decoded, Cow::Owned(_)) || bytes.contains(&0);
    let (text, shortened) = cut_to(&decoded, LINE_CHARS);
    Line { number, text: text.into(), cut: cut || shortened, binary }
}

/// The first `chars` characters of `text`, and whether there are more.
#[must_use]
pub fn cut_to(text: &str, chars: usize) -> (&str, bool) {
    match text.char_indices().nth(chars) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Buffers of every small size, so that lines, characters and line endings fall on their edges.
    fn read_all(bytes: &[u8]) -> Vec<Line> {
        let read = |size| {
            let mut lines = Lines::new(BufReader::with_capacity(size, bytes));
            let mut all = Vec::new();
            while let Some(line) = lines.read().unwrap() {
                all.push(line);
            }
            all
        };
        let whole = read(1 << 20);
        for size in 1..9 {
            assert_eq!(read(size), whole, "buffers of {size} bytes");
        }
        whole
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        read_all(bytes).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_end_with_a_newline_a_carriage_return_and_newline_or_the_file() {
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"\n"), [""]);
        assert_eq!(texts(b"a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(texts(b"a\rb\r"), ["a\rb"]);
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        for (character, count, cut) in [("a", 500, false), ("é", 500, false), ("😀", 500, false), ("😀", 501, true)]
        {
            let mut bytes = character.repeat(count);
            bytes.push_str("\r\nnext\n");
            let lines = read_all(bytes.as_bytes());
            assert_eq!(lines[0].text, character.repeat(500));
            assert_eq!((lines[0].cut, lines[0].binary), (cut, false), "{character} {count}");
            assert_eq!((lines[1].number, lines[1].text.as_str()), (2, "next"));
        }
        let lines = read_all("aé".repeat(100_000).as_bytes());
        assert_eq!((lines.len(), lines[0].text.chars().count(), lines[0].cut, lines[0].binary), (1, 500, true, false));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_told() {
        let lines = read_all(b"ok\n\xff\xfebad\nnul\0\n");
        assert_eq!(lines.iter().map(|line| line.binary).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(lines[1].text, "\u{fffd}\u{fffd}bad");
    }

    #[test]
    fn skipping_counts_the_lines_there_were() {
        let mut lines = Lines::new(&b"1\n2\n3"[..]);
        assert_eq!(lines.skip(2).unwrap(), 2);
        assert_eq!(lines.read().unwrap().unwrap().number, 3);
        assert_eq!(lines.skip(5).unwrap(), 0);
        assert!(lines.at_end().unwrap());
    }
}
