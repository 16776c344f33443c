//! Finds the block of code around a line by indentation alone, which works for every language without knowing any.
//!
//! The block grows from an anchor line up to the line that opens it (its header, with the comments and attributes
//! above) and down to the line that closes it. The file streams by: only as many lines are held as may be shown.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::lines::{Line, Lines};

/// How much deeper a tab stands, and how many columns make a level.
const LEVEL: usize = 4;

/// What starts a line that belongs to the block it stands at the edge of: its end, or a further arm of it.
const CONTINUATIONS: &[&str] =
    &["else", "elif", "elsif", "except", "catch", "finally", "rescue", "ensure", "when", "end", "fi", "done", "esac"];

/// What starts a line that comments or marks the definition below it.
const HEADER_MARKS: &[&str] = &["#", "//", "--", "/*", "*", "@"];

/// Which block to show.
#[derive(Clone, Debug)]
pub struct Block {
    /// The line it is around, from 1.
    pub anchor: usize,
    /// How many levels of indentation to go up; 0 goes up to the outermost.
    pub levels: usize,
    /// Whether to take in what stands beside the block at the same indentation.
    pub siblings: bool,
    /// Whether to take in the comments above the header.
    pub header: bool,
    /// The most lines to show. At least 1.
    pub max_lines: usize,
}

/// The block's lines in order, or `None` when the file ends before the anchor.
///
/// # Errors
/// As the reader says.
pub fn read<R: BufRead>(lines: &mut Lines<R>, block: &Block) -> io::Result<Option<Vec<Line>>> {
    let mut above = VecDeque::new();
    let mut depth = 0;
    let anchor = loop {
        let Some(line) = lines.read()? else { return Ok(None) };
        let line = Placed::new(line, depth);
        depth = line.depth;
        if line.line.number == block.anchor {
            break line;
        }
        if above.len() == block.max_lines {
            above.pop_front();
        }
        above.push_back(line);
    };
    let floor = if block.levels == 0 { 0 } else { anchor.depth.saturating_sub(block.levels.saturating_mul(LEVEL)) };
    let up = reach_up(above.iter().rev(), &anchor, floor, block);
    let below = read_down(lines, depth, floor, block)?;
    let (up, down) = share(up, below.len(), block.max_lines - 1);
    let first = above.len() - up;
    let shown = above.into_iter().skip(first).chain([anchor]).chain(below.into_iter().take(down));
    Ok(Some(trim(shown.collect())))
}

/// A line and how deep it stands. A blank line stands as deep as the line before it, so that it parts no block.
struct Placed {
    line: Line,
    depth: usize,
    blank: bool,
}

impl Placed {
    fn new(line: Line, depth_before: usize) -> Self {
        let blank = line.text.trim().is_empty();
        let width = |character| match character {
            ' ' => Some(1),
            '\t' => Some(LEVEL),
            _ => None,
        };
        let depth = if blank { depth_before } else { line.text.chars().map_while(width).sum() };
        Self { line, depth, blank }
    }

    fn starts_with(&self, marks: &[&str]) -> bool {
        let text = self.line.text.trim_start();
        marks.iter().any(|mark| text.starts_with(mark))
    }

    /// Whether it opens a block with a brace alone; the header is above it.
    fn is_lone_brace(&self) -> bool {
        self.line.text.trim() == "{"
    }

    /// Whether it ends the block above it, or goes on with it at the same depth.
    fn continues_block(&self) -> bool {
        let text = self.line.text.trim_start();
        let word = text.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
        self.starts_with(&["}", ")", "]", "</"]) || CONTINUATIONS.contains(&word)
    }
}

/// How many of the lines `above` the anchor, nearest first, belong to the block. Blank lines at the far end do not.
fn reach_up<'a>(above: impl Iterator<Item = &'a Placed>, anchor: &Placed, floor: usize, block: &Block) -> usize {
    let mut header_found = anchor.depth == floor && !anchor.continues_block() && !anchor.is_lone_brace();
    let belongs = |line: &&Placed| {
        if line.depth < floor {
            return false;
        }
        if header_found && !block.siblings {
            return block.header && line.depth == floor && !line.blank && line.starts_with(HEADER_MARKS);
        }
        header_found |= line.depth == floor && !line.blank && !line.is_lone_brace() && !line.continues_block();
        true
    };
    let belonging: Vec<_> = above.take_while(belongs).collect();
    belonging.iter().rposition(|line| !line.blank).map_or(0, |last| last + 1)
}

/// The lines below the anchor that belong to the block. Blank lines at the end do not.
fn read_down<R: BufRead>(
    lines: &mut Lines<R>,
    mut depth: usize,
    floor: usize,
    block: &Block,
) -> io::Result<Vec<Placed>> {
    let mut below = Vec::new();
    while below.len() + 1 < block.max_lines {
        let Some(line) = lines.read()? else { break };
        let line = Placed::new(line, depth);
        depth = line.depth;
        let beside = depth == floor && !line.blank && !line.continues_block() && !line.is_lone_brace();
        if depth < floor || (beside && !block.siblings) {
            break;
        }
        below.push(line);
    }
    below.truncate(below.iter().rposition(|line| !line.blank).map_or(0, |last| last + 1));
    Ok(below)
}

/// How many of `up` and of `down` lines find room: half each, and what one side leaves free goes to the other.
fn share(up: usize, down: usize, room: usize) -> (usize, usize) {
    let up_first = up.min(room.div_ceil(2));
    let down = down.min(room - up_first);
    (up.min(room - down), down)
}

/// Without the blank lines at both ends.
fn trim(lines: Vec<Placed>) -> Vec<Line> {
    let first = lines.iter().position(|line| !line.blank).unwrap_or(0);
    let last = lines.iter().rposition(|line| !line.blank).map_or(lines.len(), |at| at + 1);
    lines.into_iter().take(last).skip(first).map(|line| line.line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "\
use std::fs;

/// Doubles.
#[inline]
fn double(x: i32) -> i32 {
    if x > 0 {
        // positive
        x * 2
    } else {
        0
    }
}

fn next() {
    todo()
}
";
    const PYTHON: &str = "\
class A:
    def one(self):
        x = 1

        return x
    def two(self):
        return 2
y = 3
";
    const C: &str = "\
int a;
int f()
{
\treturn 1;
}
int g()
{
}
";

    fn block(anchor: usize, levels: usize) -> Block {
        Block { anchor, levels, siblings: false, header: true, max_lines: 100 }
    }

    fn numbers(text: &str, block: &Block) -> Option<Vec<usize>> {
        let lines = read(&mut Lines::new(text.as_bytes()), block).unwrap()?;
        Some(lines.into_iter().map(|line| line.number).collect())
    }

    #[test]
    fn a_block_reaches_from_its_header_to_its_end() {
        for (text, anchor, levels, expected) in [
            (RUST, 8, 1, 6..=11),   // the `if` with its other arm
            (RUST, 8, 0, 3..=12),   // the function with what stands above it
            (RUST, 5, 0, 3..=12),   // from the header
            (RUST, 12, 0, 3..=12),  // from the closing brace
            (RUST, 15, 1, 14..=16), // the blank line above is left out
            (RUST, 1, 0, 1..=1),    // a statement of its own
            (PYTHON, 5, 1, 2..=5),  // no closing line, the next method follows at once
            (PYTHON, 7, 1, 6..=7),  // the method before is deeper, but another one
            (PYTHON, 3, 0, 1..=7),  // the whole class
            (C, 4, 1, 2..=5),       // the brace on its own line is not the header
            (C, 2, 0, 2..=5),       // from the header, over the brace
            (PYTHON, 8, 99, 8..=8), // more levels than there are
        ] {
            assert_eq!(numbers(text, &block(anchor, levels)), Some(expected.collect()), "line {anchor} of\n{text}");
        }
    }

    #[test]
    fn comments_above_and_siblings_are_a_choice() {
        let without_header = Block { header: false, ..block(8, 0) };
        assert_eq!(numbers(RUST, &without_header), Some((5..=12).collect()));
        let with_siblings = Block { siblings: true, ..block(3, 1) };
        assert_eq!(numbers(PYTHON, &with_siblings), Some((2..=7).collect()));
    }

    #[test]
    fn an_anchor_after_the_end_is_none() {
        assert_eq!(numbers(RUST, &block(17, 0)), None);
        assert_eq!(numbers("", &block(1, 0)), None);
    }

    #[test]
    fn the_lines_nearest_the_anchor_stay() {
        for (max_lines, expected) in [(1, 8..=8), (2, 7..=8), (3, 7..=9), (4, 6..=9), (100, 3..=12)] {
            assert_eq!(numbers(RUST, &Block { max_lines, ..block(8, 0) }), Some(expected.collect()), "{max_lines}");
        }
        assert_eq!(numbers(RUST, &Block { max_lines: 5, ..block(12, 0) }), Some((8..=12).collect()));
    }
}
