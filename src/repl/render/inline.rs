//! Text within a block: emphasis, code, links. Parsed by pulldown-cmark, one piece of a paragraph at a time.
//!
//! A paragraph is shown while it is written, so this also tells where its source may be cut: rows before such a place
//! look the same whatever follows.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::text::style::{Color, Look, Style};
use crate::text::styled::Styled;
use crate::text::width;

/// Stands before the source so that it always parses as a paragraph, never as a list or a heading. Punctuation, because
/// emphasis may begin right after it.
const GUARD: &str = "(";

/// A piece of text with its looks, and the way back to its source.
#[derive(Debug)]
pub struct Inline {
    /// What is shown.
    pub text: Styled,
    anchors: Vec<Anchor>,
    /// Where in the source something begins that what follows may still change.
    open_from: usize,
}

/// Shown bytes that are the same bytes in the source; a `len` of 0 is the beginning of something else.
#[derive(Debug)]
struct Anchor {
    shown: usize,
    len: usize,
    source: usize,
}

impl Inline {
    /// The place in the source of byte `shown` of the text, if the source may be cut there. With `force`, whatever is
    /// still open counts as text.
    #[must_use]
    pub fn source_at(&self, shown: usize, force: bool) -> Option<usize> {
        let index = self.anchors.partition_point(|anchor| anchor.shown <= shown).checked_sub(1)?;
        let anchor = &self.anchors[index];
        let source = anchor.source + (shown - anchor.shown);
        (shown - anchor.shown <= anchor.len.saturating_sub(1) && (force || source <= self.open_from)).then_some(source)
    }
}

/// Parses `source`, a text without line feeds. In plain style, code keeps its marks.
#[must_use]
pub fn parse(source: &str, base: Look, style: Style) -> Inline {
    let guarded = [GUARD, source].concat();
    let mut writer = Writer {
        source,
        style,
        text: Styled::default(),
        anchors: Vec::new(),
        open_from: source.len(),
        looks: vec![base],
        outermost: 0,
        links: Vec::new(),
    };
    for (event, range) in Parser::new_ext(&guarded, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        let (event, range) = if range.start == 0 { unguard(event, range) } else { (event, range) };
        writer.take(event, range.start.saturating_sub(GUARD.len())..range.end.saturating_sub(GUARD.len()));
    }
    Inline { text: writer.text, anchors: writer.anchors, open_from: writer.open_from }
}

/// Takes the guard off the first text.
fn unguard(event: Event<'_>, range: Range<usize>) -> (Event<'_>, Range<usize>) {
    match event {
        Event::Text(text) if text.starts_with(GUARD) => {
            (Event::Text(CowStr::from(text[GUARD.len()..].to_owned())), GUARD.len()..range.end)
        }
        other => (other, range),
    }
}

struct Writer<'a> {
    source: &'a str,
    style: Style,
    text: Styled,
    anchors: Vec<Anchor>,
    open_from: usize,
    /// The look of the text around, and of everything entered.
    looks: Vec<Look>,
    /// Where in the source the outermost thing begins that is entered.
    outermost: usize,
    /// Addresses of links entered, and where their text begins.
    links: Vec<(String, usize)>,
}

impl Writer<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            Event::Start(tag) => self.enter(tag, &range),
            Event::End(tag) => self.leave(tag),
            Event::Text(text) => self.write_text(&text, &range),
            Event::Code(code) => self.write_code(&code, &range),
            Event::InlineHtml(html) | Event::Html(html) if is_break(&html) => self.write(&"\n", &range),
            Event::InlineHtml(html) | Event::Html(html) => self.write(&html, &range),
            Event::SoftBreak | Event::HardBreak => self.write(&" ", &range),
            _ => {}
        }
    }

    fn look(&self) -> Look {
        self.looks.last().copied().unwrap_or_default()
    }

    fn anchor(&mut self, len: usize, source: usize) {
        if self.looks.len() == 1 {
            self.anchors.push(Anchor { shown: self.text.text().len(), len: len.max(1), source });
        }
    }

    fn enter(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        self.anchor(0, range.start);
        if self.looks.len() == 1 {
            self.outermost = range.start;
        }
        let look = self.look();
        self.looks.push(match tag {
            Tag::Emphasis => Look { italic: true, ..look },
            Tag::Strong => look.bold(),
            Tag::Strikethrough => Look { strike: true, ..look },
            Tag::Link { dest_url, .. } => {
                self.links.push((width::clean(&dest_url).into_owned(), self.text.text().len()));
                Look { underline: true, color: Color::Blue, ..look }
            }
            Tag::Image { dest_url, .. } => {
                self.links.push((width::clean(&dest_url).into_owned(), self.text.text().len()));
                self.text.push("image: ", Look { dim: true, ..look });
                look
            }
            _ => look,
        });
    }

    fn leave(&mut self, tag: TagEnd) {
        self.looks.pop();
        if matches!(tag, TagEnd::Link | TagEnd::Image)
            && let Some((url, from)) = self.links.pop()
        {
            let shown = &self.text.text()[from..];
            // A bare address, or one that is its own text, need not be said twice.
            if shown != url && Some(shown) != url.strip_prefix("mailto:") && !url.is_empty() {
                let look = Look { dim: true, ..self.look() };
                self.text.push(&format!(" ({})", url.replace(['\n', '\t'], " ")), look);
            }
        }
    }

    fn write_text(&mut self, text: &str, range: &Range<usize>) {
        if self.source.get(range.clone()) == Some(text) {
            self.note_open(range);
        }
        self.write(&text, range);
    }

    fn write_code(&mut self, code: &str, range: &Range<usize>) {
        self.anchor(0, range.start);
        let look = Look { color: Color::Cyan, ..self.look() };
        let code = width::clean(code).replace('\t', " ");
        if self.style.color {
            self.text.push(&code, look);
        } else {
            self.text.push(&format!("`{code}`"), look);
        }
    }

    /// Entities can name any character, so text is cleaned here once more.
    fn write(&mut self, text: &impl AsRef<str>, range: &Range<usize>) {
        let text = width::clean(text.as_ref()).replace('\t', " ");
        let same = self.source.get(range.clone()).is_some_and(|source| source.len() == text.len());
        self.anchor(if same { text.len() } else { 0 }, range.start);
        let look = self.look();
        self.text.push(&text, look);
    }

    /// Remembers the first mark in this text that could still find its partner.
    fn note_open(&mut self, range: &Range<usize>) {
        let found = range.clone().find(|at| may_open(self.source, *at));
        if let Some(at) = found {
            let from = if self.looks.len() == 1 { at } else { self.outermost };
            self.open_from = self.open_from.min(from);
        }
    }
}

fn is_break(html: &str) -> bool {
    matches!(html.trim_start_matches('<').trim_end_matches(['>', '/', ' ']), "br" | "BR")
}

/// Whether the byte at `at`, which is text so far, may turn out to begin something when more text follows.
fn may_open(source: &str, at: usize) -> bool {
    let mark = source.as_bytes()[at];
    if !matches!(mark, b'`' | b'*' | b'_' | b'~' | b'[' | b'<') {
        return false;
    }
    let (before, rest) = (&source[..at], &source[at..]);
    if before.ends_with('\\') {
        return false;
    }
    let next = rest.trim_start_matches(char::from(mark)).chars().next();
    let opens = next.is_none_or(|c| !c.is_whitespace());
    match mark {
        b'`' => true,
        b'_' => opens && !before.ends_with(char::is_alphanumeric),
        b'[' => !is_closed_text(rest),
        b'<' => {
            !rest.contains('>') && rest[1..].chars().next().is_none_or(|c| c.is_ascii_alphabetic() || "/!?".contains(c))
        }
        _ => opens,
    }
}

/// Whether brackets close again, and are no link.
fn is_closed_text(text: &str) -> bool {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text[at + 1..].chars().next().is_some_and(|c| c != '(');
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, style: Style) -> String {
        parse(source, Look::PLAIN, style).text.paint(style)
    }

    #[test]
    fn marks_become_looks() {
        for (source, expected) in [
            ("a **b** c", "a \u{1b}[1mb\u{1b}[0m c"),
            ("_a_ *b* ~~c~~", "\u{1b}[3ma\u{1b}[0m \u{1b}[3mb\u{1b}[0m \u{1b}[9mc\u{1b}[0m"),
            ("`x < y`", "\u{1b}[36mx < y\u{1b}[0m"),
            ("[t](http://u)", "\u{1b}[4;34mt\u{1b}[0m\u{1b}[2m (http://u)\u{1b}[0m"),
            ("<http://u>", "\u{1b}[4;34mhttp://u\u{1b}[0m"),
            ("![alt](u.png)", "\u{1b}[2mimage: \u{1b}[0malt\u{1b}[2m (u.png)\u{1b}[0m"),
            ("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
            (r"\*no\*", "*no*"),
            ("a &lt; b<br>c", "a < b\nc"),
            ("Vec<T>", "Vec<T>"),
            ("- no list", "- no list"),
            ("# no heading", "# no heading"),
            ("1. no list", "1. no list"),
            ("**中文**，", "\u{1b}[1m中文\u{1b}[0m，"),
            ("", ""),
        ] {
            assert_eq!(shown(source, Style::COLORED), expected, "{source:?}");
        }
        assert_eq!(shown("`x` **b**", Style::PLAIN), "`x` b");
    }

    #[test]
    fn entities_and_addresses_bring_no_escapes() {
        for source in ["&#27;[31m", "`\u{1b}[31m`", "[a](<\u{1b}]0;x>)", "[a](&#27;c)", "&#x9b;31m", "<http://a&#7;>"] {
            assert!(!shown(source, Style::PLAIN).chars().any(char::is_control), "{source:?}");
        }
    }

    #[test]
    fn the_source_is_cut_only_before_what_is_still_open() {
        let parsed = parse("one two **three** four", Look::PLAIN, Style::PLAIN);
        assert_eq!(parsed.text.text(), "one two three four");
        assert_eq!(parsed.source_at(4, false), Some(4));
        assert_eq!(parsed.source_at(8, false), Some(8), "before the bold word");
        assert_eq!(parsed.source_at(10, false), None, "within it");
        assert_eq!(parsed.source_at(14, false), Some(18));
        for (source, safe) in [
            ("one **two three", 4),
            ("one `two three", 4),
            ("one [two three", 4),
            ("one [two](thr ee", 4),
            ("one *two `three* four", 4),
        ] {
            let parsed = parse(source, Look::PLAIN, Style::PLAIN);
            let last = parsed.text.text().rfind(' ').unwrap() + 1;
            assert_eq!(parsed.source_at(last, false), None, "{source:?}");
            assert_eq!(parsed.source_at(safe, false), Some(safe), "{source:?}");
        }
        for source in ["a[0] is 2 * 3", "snake_case a", "x < y z", r"\*a b"] {
            let parsed = parse(source, Look::PLAIN, Style::PLAIN);
            let last = parsed.text.text().rfind(' ').unwrap() + 1;
            assert_eq!(parsed.source_at(last, false), Some(source.rfind(' ').unwrap() + 1), "{source:?}");
        }
    }
}
