//! A text whose parts have looks. It is measured and broken as plain text; looks are added when a row is written.

use std::ops::Range;

use super::style::{Look, Style};
use super::width;

/// Text and the looks of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    text: String,
    /// Where each run ends, in bytes, and its look. Every byte belongs to one run.
    runs: Vec<(usize, Look)>,
}

impl Styled {
    /// `text` in one look.
    #[must_use]
    pub fn new(text: &str, look: Look) -> Self {
        let mut styled = Self::default();
        styled.push(text, look);
        styled
    }

    /// Appends `text` in `look`.
    pub fn push(&mut self, text: &str, look: Look) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some((end, last)) if *last == look => *end = self.text.len(),
            _ => self.runs.push((self.text.len(), look)),
        }
    }

    /// Appends another text with its looks.
    pub fn append(&mut self, other: &Self) {
        self.append_part(other, 0..other.text.len());
    }

    /// Appends the bytes `range` of another text with their looks.
    pub fn append_part(&mut self, other: &Self, range: Range<usize>) {
        other.each_run(range, |text, look| self.push(text, look));
    }

    /// The text without looks.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        width::width(&self.text)
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The bytes `range` as a terminal shall get them.
    #[must_use]
    pub fn paint_part(&self, range: Range<usize>, style: Style) -> String {
        let mut out = String::with_capacity(range.len() + 16);
        self.each_run(range, |text, look| style.write(&mut out, look, text));
        out
    }

    /// The whole as a terminal shall get it.
    #[must_use]
    pub fn paint(&self, style: Style) -> String {
        self.paint_part(0..self.text.len(), style)
    }

    /// As much as fits into `columns`, with `…` for the rest.
    #[must_use]
    pub fn fit(self, columns: usize) -> Self {
        let Some(end) = width::fitting(&self.text, columns) else { return self };
        let mut cut = Self::default();
        cut.append_part(&self, 0..end);
        if columns > 0 {
            cut.push("…", Look::DIM);
        }
        cut
    }

    fn each_run(&self, range: Range<usize>, mut visit: impl FnMut(&str, Look)) {
        let mut at = range.start;
        let first = self.runs.partition_point(|(end, _)| *end <= at);
        for &(end, look) in &self.runs[first..] {
            if at >= range.end {
                break;
            }
            let end = end.min(range.end);
            visit(&self.text[at..end], look);
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_looks() {
        let mut text = Styled::new("ab", Look::PLAIN);
        text.push("cd", Look::BOLD);
        text.push("ef", Look::BOLD);
        assert_eq!(text.paint(Style::COLORED), "ab\x1b[1mcdef\x1b[0m");
        assert_eq!(text.paint_part(1..3, Style::COLORED), "b\x1b[1mc\x1b[0m");
        assert_eq!(text.paint_part(3..3, Style::COLORED), "");
        assert_eq!(text.clone().fit(4).paint(Style::PLAIN), "abc…");
        assert_eq!(text.clone().fit(6), text);
    }
}
