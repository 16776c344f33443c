//! Finds lines of a patch in a document, forgiving what models get wrong: blanks at the end, indentation, typographic
//! punctuation.
//!
//! There are four passes, each over all the lines before the next begins, so that an exact match further down wins over a
//! similar one nearby. The exact pass compares texts in place and costs nothing up front. The others compare hashes that
//! are made once per document, when an exact pass has failed for the first time.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::document::Line;

/// How alike two lines must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Blanks at the end do not matter.
    Trailing,
    /// Blanks on both sides do not matter.
    Surrounding,
    /// Nor do typographic variants of dashes, quotes and spaces.
    Punctuation,
}

const FORGIVING: [Likeness; 3] = [Likeness::Trailing, Likeness::Surrounding, Likeness::Punctuation];

impl Likeness {
    /// What is left of a line once everything that does not matter is gone.
    #[must_use]
    pub fn essence(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Trailing => Cow::Borrowed(text.trim_end()),
            Self::Surrounding => Cow::Borrowed(text.trim()),
            Self::Punctuation => plain_punctuation(text.trim()),
        }
    }

    /// A number that like lines share.
    #[must_use]
    pub fn key(self, text: &str) -> u64 {
        // Fixed keys, so that a run is repeatable. Equal numbers are always checked against the texts.
        let mut hasher = DefaultHasher::new();
        self.essence(text).hash(&mut hasher);
        hasher.finish()
    }
}

fn plain_punctuation(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.chars().map(plain).collect()) }
}

const fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        _ => c,
    }
}

/// A document's lines to search in.
pub struct Haystack<'d, 'a> {
    lines: &'d [Line<'a>],
    keys: [OnceCell<Vec<u64>>; 3],
}

impl<'d, 'a> Haystack<'d, 'a> {
    /// Makes lines searchable.
    #[must_use]
    pub fn new(lines: &'d [Line<'a>]) -> Self {
        Self { lines, keys: Default::default() }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &'d [Line<'a>] {
        self.lines
    }

    /// Index of the first of `pattern`'s lines, at `from` or after it.
    #[must_use]
    pub fn seek(&self, pattern: &[&str], from: usize) -> Option<usize> {
        let starts = from..(self.lines.len() + 1).checked_sub(pattern.len())?;
        let exact = |start: &usize| pattern.iter().zip(&self.lines[*start..]).all(|(want, line)| *want == line.text);
        starts
            .clone()
            .find(exact)
            .or_else(|| FORGIVING.into_iter().find_map(|likeness| self.seek_like(pattern, starts.clone(), likeness)))
    }

    fn seek_like(&self, pattern: &[&str], mut starts: std::ops::Range<usize>, likeness: Likeness) -> Option<usize> {
        if starts.is_empty() {
            return None;
        }
        let keys = self.keys(likeness);
        let wanted: Vec<u64> = pattern.iter().map(|text| likeness.key(text)).collect();
        starts.find(|start| keys[*start..].starts_with(&wanted) && self.like(pattern, *start, likeness))
    }

    fn like(&self, pattern: &[&str], start: usize, likeness: Likeness) -> bool {
        pattern
            .iter()
            .zip(&self.lines[start..])
            .all(|(want, line)| likeness.essence(want) == likeness.essence(line.text))
    }

    /// Every line's [`Likeness::key`].
    #[must_use]
    pub fn keys(&self, likeness: Likeness) -> &[u64] {
        self.keys[likeness as usize].get_or_init(|| self.lines.iter().map(|line| likeness.key(line.text)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::document::Document;

    fn seek(text: &str, pattern: &[&str], from: usize) -> Option<usize> {
        Haystack::new(Document::read(text).lines()).seek(pattern, from)
    }

    #[test]
    fn an_exact_match_further_down_beats_a_similar_one_nearby() {
        assert_eq!(seek(" a\na \na\n", &["a"], 0), Some(2));
        assert_eq!(seek(" a\na \n", &["a"], 0), Some(1));
        assert_eq!(seek(" a\n", &["a"], 0), Some(0));
        assert_eq!(seek("“a”\u{a0}– b\n", &["\"a\" - b"], 0), Some(0));
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(seek("a\n", &["a", "b"], 0), None);
        assert_eq!(seek("a\nb\n", &["a", "b"], 0), Some(0));
        assert_eq!(seek("a\nb\n", &["b"], 1), Some(1));
        assert_eq!(seek("a\nb\n", &["b"], 2), None);
        assert_eq!(seek("a\nb\n", &["b"], 9), None);
        assert_eq!(seek("", &["b"], 0), None);
    }
}
