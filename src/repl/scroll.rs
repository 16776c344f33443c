//! What is to be shown and was not written yet: finished rows, and below them the message of the model that still grows.
//!
//! Pure. The message is rendered as it comes, but the row at its end, which changes with every word, only when someone is
//! about to draw it.

use super::render::markdown::Stream;
use crate::text::style::Style;

/// A change of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Finished rows, each with its line feed. They go above a message that grows.
    Rows(String),
    /// A blank row, unless the last row is blank.
    Gap,
    /// More of the model's message; the first piece begins it.
    Grow(String),
    /// The message is over, complete or not.
    End,
    /// Finished rows that follow the message that grows, if there is one.
    After(String),
}

impl Change {
    /// `rows` as finished rows.
    #[must_use]
    pub fn rows(rows: &[String]) -> Self {
        Self::Rows(joined(rows))
    }
}

/// `rows` as one text, each with its line feed.
#[must_use]
pub fn joined(rows: &[String]) -> String {
    rows.iter().flat_map(|row| [row, "\n"]).collect()
}

/// The end of the page.
#[derive(Debug)]
pub struct Scroll {
    style: Style,
    /// Finished and not taken yet.
    rows: String,
    message: Option<Stream>,
    after: String,
    /// Whether the last row is blank. At the very top nothing needs to be set off.
    blank: bool,
}

impl Scroll {
    /// An empty page.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, rows: String::new(), message: None, after: String::new(), blank: true }
    }

    /// Makes a change, on a terminal of so many columns.
    pub fn apply(&mut self, change: Change, columns: usize) {
        match change {
            Change::Rows(text) => self.print(&text),
            Change::Gap if self.blank => {}
            Change::Gap => self.print("\n"),
            Change::Grow(delta) => {
                let message = self.message.get_or_insert_with(|| Stream::new(columns, self.style));
                message.set_width(columns);
                let rows = message.feed(&delta);
                self.print(&joined(&rows));
            }
            Change::End => {
                let rows = self.message.take().map(|mut message| message.finish()).unwrap_or_default();
                self.print(&joined(&rows));
                let after = std::mem::take(&mut self.after);
                self.print_apart(&after);
            }
            Change::After(text) if self.message.is_some() => self.after.push_str(&text),
            Change::After(text) => self.print_apart(&text),
        }
    }

    /// The finished rows that were not taken yet.
    pub fn take_rows(&mut self) -> String {
        std::mem::take(&mut self.rows)
    }

    /// The row that still grows, as wide as the terminal at most; empty when there is none.
    pub fn partial(&mut self, columns: usize) -> String {
        self.message.as_mut().map_or_else(String::new, |message| {
            message.set_width(columns);
            message.partial()
        })
    }

    fn print(&mut self, text: &str) {
        if !text.is_empty() {
            self.rows.push_str(text);
            self.blank = text == "\n" || text.ends_with("\n\n");
        }
    }

    fn print_apart(&mut self, text: &str) {
        if !text.is_empty() {
            self.print(if self.blank { "" } else { "\n" });
            self.print(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Change {
        Change::Rows(text.to_owned())
    }

    #[test]
    fn rows_go_above_the_message_and_what_shall_follow_waits_for_its_end() {
        let mut scroll = Scroll::new(Style::PLAIN);
        for change in [Change::Gap, rows("a\n"), Change::Gap, Change::Gap, Change::Grow("One **tw".into())] {
            scroll.apply(change, 20);
        }
        assert_eq!((scroll.take_rows().as_str(), scroll.partial(20).as_str()), ("a\n\n", "One **tw"));
        scroll.apply(Change::After("after\n".into()), 20);
        scroll.apply(rows("b\n"), 20);
        scroll.apply(Change::Grow("o**.".into()), 20);
        assert_eq!((scroll.take_rows().as_str(), scroll.partial(20).as_str()), ("b\n", "One two."));
        scroll.apply(Change::End, 20);
        assert_eq!((scroll.take_rows().as_str(), scroll.partial(20).as_str()), ("One two.\n\nafter\n", ""));
        scroll.apply(Change::After("at once\n".into()), 20);
        assert_eq!(scroll.take_rows(), "\nat once\n");
    }

    #[test]
    fn a_new_width_changes_what_comes_and_nothing_that_was_taken() {
        let mut scroll = Scroll::new(Style::PLAIN);
        scroll.apply(Change::Grow("one two three four five six seven eight ".into()), 20);
        let wide = scroll.take_rows();
        scroll.apply(Change::Grow("nine ten eleven twelve ".into()), 10);
        assert!(scroll.partial(10).chars().count() <= 10);
        scroll.apply(Change::End, 10);
        let narrow = scroll.take_rows();
        assert!(narrow.lines().all(|row| row.chars().count() <= 10), "{narrow}");
        let words: Vec<_> = wide.split_whitespace().chain(narrow.split_whitespace()).collect();
        assert_eq!(words.join(" "), "one two three four five six seven eight nine ten eleven twelve");
    }
}
