//! Colours for code, one line at a time: comments, strings, numbers, keywords and types.
//!
//! A small tokenizer for what languages have in common, not a grammar. It forgets nothing but whether a comment or a
//! string is still open, so a line costs its length and code can be coloured while it is being written.

use super::languages::{Language, Quote, find};
use crate::text::style::{Color, Look};
use crate::text::styled::Styled;

const COMMENT: Look = Look::DIM;
const STRING: Look = Look::of(Color::Green);
const NUMBER: Look = Look::of(Color::Yellow);
const KEYWORD: Look = Look::of(Color::Magenta);
const TYPE: Look = Look::of(Color::Cyan);

/// Colours the lines of one piece of code in their order.
#[derive(Debug)]
pub struct Highlighter {
    language: Option<&'static Language>,
    /// What a comment or a string that is still open ends with.
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    end: &'static str,
    escapes: bool,
    look: Look,
}

impl Highlighter {
    /// For code of the language `name`, as fences and file extensions call it. Code of no known language stays plain.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { language: find(name), open: None }
    }

    /// The next line, coloured.
    pub fn line(&mut self, line: &str) -> Styled {
        let mut out = Styled::default();
        match self.language {
            None => out.push(line, Look::PLAIN),
            Some(language) if !language.line_marks.is_empty() => out.push(line, line_look(language, line)),
            Some(language) => self.tokens(language, line, &mut out),
        }
        out
    }

    fn tokens(&mut self, language: &Language, line: &str, out: &mut Styled) {
        let mut at = 0;
        while at < line.len() {
            let rest = &line[at..];
            let (len, look) = match self.open {
                Some(open) => self.closing(open, rest),
                None => self.token(language, line, at),
            };
            out.push(&rest[..len], look);
            at += len;
        }
    }

    /// How much of `rest` belongs to what is open.
    fn closing(&mut self, open: Open, rest: &str) -> (usize, Look) {
        match end_of(rest, open.end, open.escapes) {
            Some(len) => {
                self.open = None;
                (len, open.look)
            }
            None => (rest.len(), open.look),
        }
    }

    fn token(&mut self, language: &Language, line: &str, at: usize) -> (usize, Look) {
        let rest = &line[at..];
        let previous = line[..at].chars().next_back();
        if language.comments.iter().any(|mark| rest.starts_with(mark) && comment_may_start(mark, previous)) {
            return (rest.len(), COMMENT);
        }
        for (start, end) in language.block_comments {
            if let Some(body) = rest.strip_prefix(start) {
                return self.opened(start.len(), body, Open { end, escapes: false, look: COMMENT }, true);
            }
        }
        for quote in language.quotes {
            if let Some(body) = rest.strip_prefix(quote.start)
                && !(quote.is_char && is_lifetime(body))
            {
                let open = Open { end: quote.end, escapes: quote.escapes, look: STRING };
                let (len, look) = self.opened(quote.start.len(), body, open, quote.spans_lines);
                return (len, string_look(language, quote, &rest[len..], look));
            }
        }
        word_or_sign(language, rest, previous)
    }

    fn opened(&mut self, start: usize, body: &str, open: Open, spans_lines: bool) -> (usize, Look) {
        if let Some(len) = end_of(body, open.end, open.escapes) {
            return (start + len, open.look);
        }
        if spans_lines {
            self.open = Some(open);
        }
        (start + body.len(), open.look)
    }
}

/// A line of a diff or its like, whose first characters say everything.
fn line_look(language: &Language, line: &str) -> Look {
    let mark = language.line_marks.iter().find(|(mark, _)| line.starts_with(mark));
    mark.map_or(Look::PLAIN, |(_, color)| Look::of(*color))
}

/// Where `end` ends in `text`, escaped characters skipped.
fn end_of(text: &str, end: &str, escapes: bool) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(end) {
            return Some(at + end.len());
        }
        let mut chars = rest.chars();
        at += chars.next().map_or(1, char::len_utf8);
        if escapes && rest.starts_with('\\') {
            at += chars.next().map_or(0, char::len_utf8);
        }
    }
    None
}

/// In shells and YAML `#` begins a comment only where a word could begin.
fn comment_may_start(mark: &str, previous: Option<char>) -> bool {
    mark != "#" || previous.is_none_or(|c| c.is_whitespace() || matches!(c, ';' | ')' | '(' | ',' | '{' | '}' | ']'))
}

/// Whether what follows a single quote is a lifetime or a label and no character.
fn is_lifetime(body: &str) -> bool {
    let mut chars = body.chars();
    let first = chars.next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_') && chars.next() != Some('\'')
}

/// Keys look like types where strings name things.
fn string_look(language: &Language, quote: &Quote, after: &str, look: Look) -> Look {
    let is_key = language.keys && quote.start == "\"" && after.trim_start().starts_with(':');
    if is_key { TYPE } else { look }
}

fn word_or_sign(language: &Language, rest: &str, previous: Option<char>) -> (usize, Look) {
    let first = rest.chars().next().unwrap_or_default();
    let inside_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if first.is_ascii_digit() && !inside_word {
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        // `0..10` is two numbers and a range.
        let len = rest[..len].find("..").unwrap_or(len);
        return (len, NUMBER);
    }
    if first.is_alphabetic() || first == '_' {
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        return (len, word_look(language, &rest[..len], &rest[len..]));
    }
    (first.len_utf8(), Look::PLAIN)
}

fn word_look(language: &Language, word: &str, after: &str) -> Look {
    let is_keyword = if language.any_case {
        language.keywords.contains(&word.to_ascii_lowercase().as_str())
    } else {
        language.keywords.contains(&word)
    };
    let is_key = language.keys && after.trim_start().starts_with([':', '=']);
    if is_keyword {
        KEYWORD
    } else if is_key || language.types && word.starts_with(char::is_uppercase) {
        TYPE
    } else {
        Look::PLAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::style::Style;

    fn marked(language: &str, code: &str) -> String {
        let mut highlighter = Highlighter::new(language);
        let lines: Vec<_> = code.lines().map(|line| highlighter.line(line).paint(Style::COLORED)).collect();
        let mut text = lines.join("\n");
        for (code, mark) in [("2", "C"), ("32", "S"), ("33", "N"), ("35", "K"), ("36", "T"), ("31", "R")] {
            text = text.replace(&format!("\x1b[{code}m"), &format!("<{mark}:"));
        }
        text.replace("\x1b[0m", ">")
    }

    #[test]
    fn tokens_are_told_apart() {
        for (language, code, expected) in [
            ("rust", "let x: &'a Vec<u8> = 'c'; // \"no\"", "<K:let> x: &'a <T:Vec><u8> = <S:'c'>; <C:// \"no\">"),
            ("rs", "/* a\nb */ fn f() {0..10}", "<C:/* a>\n<C:b */> <K:fn> f() {<N:0>..<N:10>}"),
            ("rust", r#"r"\" + "a\"b" x2"#, r#"r<S:"\" + ">a\<S:"b"> x2"#),
            ("python", "x = '''a\nb''' # c", "x = <S:'''a>\n<S:b'''> <C:# c>"),
            ("js", "const a = `x\n${b}` // c", "<K:const> a = <S:`x>\n<S:${b}`> <C:// c>"),
            ("sh", "echo $# \"a # b\" # c", "<K:echo> $# <S:\"a # b\"> <C:# c>"),
            (
                "json",
                r#"{"a": "b", "n": 1.5e3, "t": true}"#,
                r#"{<T:"a">: <S:"b">, <T:"n">: <N:1.5e3>, <T:"t">: <K:true>}"#,
            ),
            ("toml", "a = 1 # c", "<T:a> = <N:1> <C:# c>"),
            ("yaml", "key: \"v\" # c\nurl: http://x#y", "<T:key>: <S:\"v\"> <C:# c>\n<T:url>: <T:http>://x#y"),
            ("SQL", "SELECT 'a' FROM t -- c", "<K:SELECT> <S:'a'> <K:FROM> t <C:-- c>"),
            ("diff", "+a\n-b\n c\n@@ 1", "<S:+a>\n<R:-b>\n c\n<T:@@ 1>"),
            ("go", "func f() { return nil }", "<K:func> f() { <K:return> <K:nil> }"),
            ("cpp", "#include <a>\nint x = 0x1F; /* c */", "#<K:include> <a>\n<K:int> x = <N:0x1F>; <C:/* c */>"),
            ("java", "class A extends B {}", "<K:class> <T:A> <K:extends> <T:B> {}"),
            ("nosuch", "let x = 1;", "let x = 1;"),
            ("rust", "\"中文\" \"open", "<S:\"中文\"> <S:\"open>"),
        ] {
            assert_eq!(marked(language, code), expected, "{language}");
        }
    }
}
