//! How many columns a text takes on a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns of one line of text; colours and other sequences take none.
#[must_use]
pub fn width(text: &str) -> usize {
    if !text.contains('\x1b') {
        return text.width();
    }
    let mut chars = text.chars();
    let mut columns = 0;
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // `ESC [ … letter` is all that is written here.
            chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            columns += c.width().unwrap_or(0);
        }
    }
    columns
}

/// The longest beginning of `text` that fits into `columns`, in bytes. At least one character, so that there is progress.
#[must_use]
pub fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns && at > 0 {
            return at;
        }
    }
    text.len()
}

/// `text` cut to `columns`, with a mark when something was cut.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let at = fitting(text, columns.saturating_sub(1));
    format!("{}…", &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_and_colours_are_counted_right() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("日本"), 4);
        assert_eq!(width("\x1b[1;31mred\x1b[0m"), 3);
        assert_eq!(fitting("日本語", 5), 6);
        assert_eq!(fitting("日", 1), 3);
        assert_eq!(shorten("abcdef", 4), "abc…");
    }
}
