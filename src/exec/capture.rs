//! What a process printed, in bounded memory: its first and its last 512 KiB.
//!
//! Output is read straight into its final place. Buffers are zeroed pages of the operating system, so a process that
//! prints little costs little.

use std::io;

/// How much of the beginning is kept, and how much of the end.
const HALF: usize = 512 * 1024;

/// Output that was not taken yet.
#[derive(Default)]
pub struct Capture {
    head: Vec<u8>,
    head_len: usize,
    /// A ring: the oldest byte is at `tail_len % HALF` once it has gone round.
    tail: Vec<u8>,
    /// Bytes that ever went into the ring.
    tail_len: u64,
}

/// Output that was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning; everything, unless `omitted` says otherwise.
    pub head: Vec<u8>,
    /// The end, when there was more than fits the beginning.
    pub tail: Vec<u8>,
    /// How many bytes between the two were let go.
    pub omitted: u64,
}

impl Capture {
    /// Lets `read` put bytes where the next ones belong; it says how many it put there.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        if self.head_len < HALF {
            grow(&mut self.head);
            let count = read(&mut self.head[self.head_len..])?;
            self.head_len += count;
            return Ok(count);
        }
        grow(&mut self.tail);
        let at = self.ring_position();
        let count = read(&mut self.tail[at..])?;
        self.tail_len += count as u64;
        Ok(count)
    }

    /// Takes what there is. Unless it is the `last` there will be, the beginning of a character whose rest has not come
    /// yet stays for the next time.
    pub fn take(&mut self, last: bool) -> Captured {
        let omitted = self.tail_len.saturating_sub(HALF as u64);
        let mut taken = Captured { head: self.head[..self.head_len].to_vec(), tail: self.unrolled_tail(), omitted };
        self.head_len = 0;
        self.tail = Vec::new();
        self.tail_len = 0;
        if !last {
            let end = if taken.tail.is_empty() { &mut taken.head } else { &mut taken.tail };
            let rest = end.split_off(end.len() - unfinished_character(end));
            self.head[..rest.len()].copy_from_slice(&rest);
            self.head_len = rest.len();
        }
        taken
    }

    fn ring_position(&self) -> usize {
        (self.tail_len % HALF as u64) as usize
    }

    fn unrolled_tail(&self) -> Vec<u8> {
        let at = self.ring_position();
        match self.tail_len > HALF as u64 {
            true => [&self.tail[at..], &self.tail[..at]].concat(),
            false if self.tail_len == HALF as u64 => self.tail.clone(),
            false => self.tail[..at].to_vec(),
        }
    }
}

impl Captured {
    /// How much was printed, in bytes.
    #[must_use]
    pub fn total(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.omitted
    }

    /// The output as text, the end right after the beginning. Bytes that are no UTF-8 become U+FFFD, unless it was letting
    /// go of the middle that cut a character.
    #[must_use]
    pub fn text(&self) -> String {
        if self.omitted == 0 {
            return match self.tail.is_empty() {
                true => String::from_utf8_lossy(&self.head).into_owned(),
                false => String::from_utf8_lossy(&[&*self.head, &self.tail].concat()).into_owned(),
            };
        }
        let head = &self.head[..self.head.len() - unfinished_character(&self.head)];
        let continued = self.tail.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(&self.tail[continued..]));
        head.into_owned() + &tail
    }
}

/// Gives a buffer its size at its first use.
fn grow(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        *buffer = vec![0; HALF];
    }
}

/// How many bytes at the end begin a character without ending it.
fn unfinished_character(bytes: &[u8]) -> usize {
    let Some(start) = bytes.iter().rev().take(3).position(|byte| byte & 0xC0 != 0x80) else { return 0 };
    let have = start + 1;
    let need = match bytes[bytes.len() - have] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    if have < need { have } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(capture: &mut Capture, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = capture
                .fill(|space| {
                    let count = space.len().min(bytes.len());
                    space[..count].copy_from_slice(&bytes[..count]);
                    Ok(count)
                })
                .unwrap();
            bytes = &bytes[count..];
        }
    }

    /// A byte that tells where it stood.
    fn stream(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn beginning_and_end_are_kept_and_everything_is_counted() {
        for len in [0, 1, HALF - 1, HALF, HALF + 1, 2 * HALF - 1, 2 * HALF, 2 * HALF + 1, 3 * HALF, 5 * HALF + 77] {
            let (mut capture, all) = (Capture::default(), stream(len));
            push(&mut capture, &all);
            let taken = capture.take(true);
            assert_eq!(taken.total(), len as u64);
            assert_eq!(taken.omitted, len.saturating_sub(2 * HALF) as u64);
            assert!(all.starts_with(&taken.head) && all.ends_with(&taken.tail), "{len}");
            assert_eq!(taken.head.len(), len.min(HALF));
        }
    }

    #[test]
    fn taking_starts_over() {
        let mut capture = Capture::default();
        push(&mut capture, &stream(3 * HALF));
        capture.take(true);
        push(&mut capture, b"next");
        assert_eq!(capture.take(true), Captured { head: b"next".to_vec(), ..Captured::default() });
        assert_eq!(capture.take(true), Captured::default());
    }

    #[test]
    fn a_character_is_not_cut_between_two_takes() {
        let mut capture = Capture::default();
        push(&mut capture, &"añ😀".as_bytes()[..6]);
        assert_eq!(capture.take(false).text(), "añ");
        push(&mut capture, &"añ😀".as_bytes()[6..]);
        assert_eq!(capture.take(false).text(), "😀");
        push(&mut capture, b"x\xF0");
        assert_eq!(capture.take(true).text(), "x\u{FFFD}");
    }

    #[test]
    fn the_gap_cuts_no_character() {
        let mut capture = Capture::default();
        push(&mut capture, b"x");
        push(&mut capture, "é".repeat(3 * HALF).as_bytes());
        let text = capture.take(true).text();
        assert!(!text.contains('\u{FFFD}'));
        assert!(text.starts_with("xéé") && text.ends_with("éé"));
        assert_eq!(text.len(), 2 * HALF - 1, "one byte was the beginning of a character that was let go");
    }
}
