//! Outputs of tools kept aside, numbered for `/show N`. The screen has one line for each; memory for them is bounded, and
//! the oldest go first.

use std::collections::VecDeque;

use crate::text::style::{Look, Style};
use crate::text::styled::Styled;
use crate::text::width::{self, Break};

/// Bytes of outputs that are kept.
const MAX_BYTES: usize = 8 << 20;

/// An output that was folded away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// What made it, such as `$ cargo test`.
    pub title: String,
    /// The whole of it.
    pub output: String,
}

/// The outputs of a session.
#[derive(Debug, Default)]
pub struct Folds {
    kept: VecDeque<Fold>,
    bytes: usize,
    /// How many were kept once and are gone.
    gone: usize,
}

impl Folds {
    /// Keeps an output; answers its number, counted from 1.
    pub fn add(&mut self, title: String, output: String) -> usize {
        self.bytes += title.len() + output.len();
        self.kept.push_back(Fold { title, output });
        while self.bytes > MAX_BYTES && self.kept.len() > 1 {
            if let Some(old) = self.kept.pop_front() {
                self.bytes -= old.title.len() + old.output.len();
                self.gone += 1;
            }
        }
        self.gone + self.kept.len()
    }

    /// The output of that number, while it is kept.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Fold> {
        self.kept.get(number.checked_sub(self.gone + 1)?)
    }

    /// The number of the newest output; 0 when there is none.
    #[must_use]
    pub fn last(&self) -> usize {
        self.gone + self.kept.len()
    }
}

/// A folded output in full: its title, then every line, long ones wrapped.
#[must_use]
pub fn show(fold: &Fold, width: usize, style: Style) -> Vec<String> {
    let width = width.max(8);
    let mut rows = vec![style.bold(&width::fit(&width::one_line(&fold.title), width))];
    for line in fold.output.lines() {
        let text = width::clean_line(line);
        for (index, range) in width::wrap(&text, width, width - 2, Break::Anywhere).into_iter().enumerate() {
            let mut row = Styled::new(if index > 0 { "↪ " } else { "" }, Look::DIM);
            row.push(&text[range], Look::PLAIN);
            rows.push(row.paint(style));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_the_oldest_go() {
        let mut folds = Folds::default();
        assert_eq!((folds.last(), folds.get(0), folds.get(1)), (0, None, None));
        assert_eq!(folds.add("$ a".into(), "x".repeat(MAX_BYTES / 2)), 1);
        assert_eq!(folds.add("$ b".into(), "x".repeat(MAX_BYTES / 2)), 2);
        assert_eq!(folds.get(1), None);
        assert_eq!(folds.get(2).unwrap().title, "$ b");
        assert_eq!(folds.add("$ c".into(), "x".repeat(MAX_BYTES * 2)), 3);
        assert_eq!((folds.get(2), folds.last()), (None, 3));
        assert!(folds.get(3).is_some() && folds.get(4).is_none());
    }

    #[test]
    fn an_output_is_shown_in_full_and_harmless() {
        let fold = Fold { title: "$ a\nb".into(), output: "one\x1b[2J two three\n中文字符\n".into() };
        assert_eq!(show(&fold, 8, Style::PLAIN), ["$ a⏎b", "one two ", "↪ three", "中文字符"]);
    }
}
