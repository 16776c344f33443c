//! A streamed answer in Markdown, rendered while it is written.
//!
//! Text comes in pieces of any size; rows leave as soon as nothing that follows can change them. Which rows leave is a
//! matter of the text alone, never of how it was cut into pieces, so a replay looks like the live answer. Every piece of
//! source is parsed a bounded number of times: a paragraph keeps only the source of rows it has not given away, code goes
//! line by line, and only a table waits for its end, because its last row may widen its first.

use std::borrow::Cow;

use super::block::{self, Marker, Start};
use super::highlight::Highlighter;
use super::inline;
use super::table::{self, Align};
use crate::text::style::{Color, Look, Style};
use crate::text::styled::Styled;
use crate::text::width::{self, Break};

/// A terminal narrower than this wraps what we send by itself.
const MIN_WIDTH: usize = 8;
/// A mark that found no partner within so many bytes counts as text, so that a stray `*` cannot hold back a long answer.
const MAX_OPEN: usize = 1000;
/// How much of a line is read before it is first asked whether it is running text.
const FIRST_LOOK: usize = 6;

/// What a piece of text changed on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Finished rows. They never change again.
    pub settled: Vec<String>,
    /// The row after them as far as it is known; it is replaced by the next update.
    pub partial: String,
}

/// One message of the model on its way to the screen.
#[derive(Debug)]
pub struct Stream {
    width: usize,
    style: Style,
    /// The line being received, as far as it is not text of the open paragraph already.
    line: String,
    /// The rest of the line goes straight to the open paragraph.
    flowing: bool,
    /// How long the pending source must be before it is looked at again.
    next_look: usize,
    containers: Vec<Container>,
    open: Open,
    /// A blank line stands between what was shown and what comes, within so many quotes.
    gap: Option<usize>,
    /// That blank line is the last row there is.
    gap_shown: bool,
    shown_any: bool,
    out: Vec<String>,
}

/// A block that holds other blocks.
#[derive(Debug)]
enum Container {
    Quote,
    Item {
        /// Leading columns that make a line part of this item, and how many of them are taken off.
        least: usize,
        content: usize,
        mark: Styled,
        /// The mark has not been shown yet.
        fresh: bool,
    },
}

/// The block whose lines are being read.
#[derive(Debug)]
enum Open {
    Nothing,
    Paragraph(Paragraph),
    Code { highlighter: Highlighter, mark: char, len: usize, indent: usize },
    Table { lines: Vec<String>, aligns: Vec<Align> },
}

#[derive(Debug, Default)]
struct Paragraph {
    /// The source of the rows not yet settled, without line feeds.
    source: String,
    /// Lines of source so far.
    lines: usize,
    /// Some rows have been settled.
    settled: bool,
}

impl Paragraph {
    /// Whether this may turn out to be the header of a table.
    fn may_be_header(&self) -> bool {
        self.lines == 1 && !self.settled && self.source.contains('|') && self.source.len() < MAX_OPEN
    }
}

impl Stream {
    /// An empty message for a terminal of `width` columns.
    #[must_use]
    pub fn new(width: usize, style: Style) -> Self {
        Self {
            width: width.max(MIN_WIDTH),
            style,
            line: String::new(),
            flowing: false,
            next_look: FIRST_LOOK,
            containers: Vec::new(),
            open: Open::Nothing,
            gap: None,
            gap_shown: false,
            shown_any: false,
            out: Vec::new(),
        }
    }

    /// The terminal has another width now. Rows that settled stay as they are.
    pub fn set_width(&mut self, width: usize) {
        self.width = width.max(MIN_WIDTH);
    }

    /// Takes more text; answers what is new on the screen.
    pub fn push(&mut self, delta: &str) -> Update {
        let settled = self.feed(delta);
        Update { settled, partial: self.partial() }
    }

    /// Takes more text; answers the rows that settled. Who draws seldom asks for [`Stream::partial`] only then.
    pub fn feed(&mut self, delta: &str) -> Vec<String> {
        let clean = width::clean(delta);
        let mut rest: &str = &clean;
        while !rest.is_empty() {
            let line_end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            let room = self.next_look.saturating_sub(self.pending_len()).max(1);
            let taken = if room < line_end { rest.ceil_char_boundary(room) } else { line_end };
            self.pending().push_str(&rest[..taken]);
            rest = &rest[taken..];
            if self.pending_len() >= self.next_look {
                self.look();
            }
            if let Some(next) = rest.strip_prefix('\n') {
                rest = next;
                self.end_line();
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Ends the message; answers its last rows.
    pub fn finish(&mut self) -> Vec<String> {
        if self.flowing || !self.line.is_empty() {
            self.end_line();
        }
        self.close();
        self.leave_to(0);
        std::mem::take(&mut self.out)
    }

    /// The row being written: at most as wide as the terminal, empty when there is nothing to show.
    #[must_use]
    pub fn partial(&self) -> String {
        let limit = self.width;
        match &self.open {
            Open::Paragraph(paragraph) => {
                let source = match self.line.trim() {
                    "" => Cow::Borrowed(paragraph.source.as_str()),
                    line => Cow::Owned([&paragraph.source, " ", line].concat()),
                };
                let (first, rest) = self.prefixes();
                let text = inline::parse(&source, Look::PLAIN, self.style).text;
                let rows = width::wrap(text.text(), limit - first.width(), limit - rest.width(), Break::Words);
                let mut row = if rows.len() == 1 { first } else { rest };
                if let Some(range) = rows.last() {
                    row.append_part(&text, range.clone());
                }
                row.paint(self.style)
            }
            Open::Code { .. } => {
                let (_, mut row) = self.prefixes();
                let line = width::expand_tabs(width::tail(&self.line, limit));
                let room = limit - row.width();
                row.push(width::tail(&line, room), Look::PLAIN);
                row.paint(self.style)
            }
            _ => {
                let line = width::expand_tabs(width::tail(&self.line, limit));
                self.style.paint(Look::DIM, width::tail(&line, limit))
            }
        }
    }

    /// Where the text being received goes.
    fn pending(&mut self) -> &mut String {
        match &mut self.open {
            Open::Paragraph(paragraph) if self.flowing => &mut paragraph.source,
            _ => &mut self.line,
        }
    }

    fn pending_len(&self) -> usize {
        match &self.open {
            Open::Paragraph(paragraph) if self.flowing => paragraph.source.len(),
            _ => self.line.len(),
        }
    }

    /// Looks at an unfinished line: settles rows, or finds that it is running text.
    fn look(&mut self) {
        if self.flowing {
            self.settle_rows();
        } else if self.may_flow() && block::is_surely_text(&self.line) {
            let line = std::mem::take(&mut self.line);
            self.take_line(&line);
            self.flowing = matches!(self.open, Open::Paragraph(_));
        }
        let len = self.pending_len();
        // Growing steps keep a line that is looked at in vain from being read over and over.
        let step = if self.flowing { (len / 4).max(8) } else { (len / 2).max(FIRST_LOOK) };
        let least = if self.flowing { self.width + 1 } else { 0 };
        self.next_look = (len + step).max(least);
    }

    /// Whether running text may begin here, rather than a line of code or of a table.
    fn may_flow(&self) -> bool {
        match self.open {
            Open::Paragraph(_) => true,
            Open::Nothing => {
                let (matched, rest) = self.enter(&self.line);
                matched > 0 || !rest.starts_with(['\t', ' ']) || block::indent(rest) < 4 && !rest.contains('\t')
            }
            _ => false,
        }
    }

    fn end_line(&mut self) {
        if self.flowing {
            self.flowing = false;
            self.end_text_line();
        } else {
            let line = std::mem::take(&mut self.line);
            self.take_line(&line);
            if matches!(self.open, Open::Paragraph(_)) && !line.trim().is_empty() {
                self.end_text_line();
            }
        }
        self.next_look = FIRST_LOOK;
    }

    /// A line of a paragraph is complete: it may end in a hard break, and its rows may settle.
    fn end_text_line(&mut self) {
        let Open::Paragraph(paragraph) = &mut self.open else { return };
        let by_mark = paragraph.source.ends_with('\\');
        let hard = by_mark || paragraph.source.ends_with("  ");
        if by_mark {
            paragraph.source.pop();
        }
        paragraph.source.truncate(paragraph.source.trim_end().len());
        if hard && !paragraph.may_be_header() {
            self.end_rows();
        } else if paragraph.source.len() > self.width {
            self.settle_rows();
        }
    }

    /// Takes a line, or the part of one that settles what it is.
    fn take_line(&mut self, line: &str) {
        let line = &*expand_indent(line);
        let (matched, rest) = self.enter(line);
        let all = matched == self.containers.len();
        if matches!(self.open, Open::Code { .. }) {
            if all || rest.trim().is_empty() {
                self.code_line(rest);
                return;
            }
            self.close();
        }
        if rest.trim().is_empty() {
            self.close();
            let quotes =
                self.containers.iter().skip(matched).position(|container| matches!(container, Container::Quote));
            self.leave_to(quotes.map_or(self.containers.len(), |index| matched + index));
            self.gap = self.wants_gap();
            return;
        }
        if self.continue_leaf(rest, all) {
            return;
        }
        self.close();
        self.leave_to(matched);
        self.begin(rest);
    }

    /// Walks into the containers that `line` continues; answers how many and what is left of the line.
    fn enter<'a>(&self, line: &'a str) -> (usize, &'a str) {
        let mut rest = line;
        for (index, container) in self.containers.iter().enumerate() {
            let indent = block::indent(rest);
            match container {
                Container::Quote => match rest[indent..].strip_prefix('>') {
                    Some(inner) => rest = inner.strip_prefix(' ').unwrap_or(inner),
                    None => return (index, rest),
                },
                Container::Item { .. } if rest.trim().is_empty() => {}
                Container::Item { least, content, .. } if indent >= *least => rest = &rest[indent.min(*content)..],
                Container::Item { .. } => return (index, rest),
            }
        }
        (self.containers.len(), rest)
    }

    /// Whether the line belongs to the paragraph or the table that is open, and was taken.
    fn continue_leaf(&mut self, rest: &str, all: bool) -> bool {
        match &mut self.open {
            Open::Table { lines, .. } if all && rest.contains('|') => {
                lines.push(rest.to_owned());
                true
            }
            Open::Paragraph(paragraph) => {
                if all
                    && paragraph.may_be_header()
                    && let Some(aligns) = table::alignments(rest)
                    && aligns.len() == table::cells(&paragraph.source).len()
                {
                    let lines = vec![std::mem::take(&mut paragraph.source)];
                    self.open = Open::Table { lines, aligns };
                    return true;
                }
                if all
                    && !paragraph.settled
                    && let Some(level) = block::underline(rest)
                {
                    let title = std::mem::take(&mut paragraph.source);
                    self.open = Open::Nothing;
                    self.heading(level, &title);
                    return true;
                }
                let Start::Text(text) = block::start(rest, all) else { return false };
                if !paragraph.source.is_empty() {
                    paragraph.source.push(' ');
                }
                paragraph.source.push_str(text);
                paragraph.lines += 1;
                true
            }
            _ => false,
        }
    }

    /// Opens the containers and the block that `rest` begins.
    fn begin(&mut self, rest: &str) {
        let mut rest = rest;
        loop {
            if rest.trim().is_empty() {
                return;
            }
            match block::start(rest, false) {
                Start::Quote(inner) => {
                    self.containers.push(Container::Quote);
                    rest = inner;
                }
                Start::Item(marker) => {
                    rest = marker.rest;
                    self.containers.push(item(&marker, self.style));
                }
                Start::Fence(fence) => {
                    let label = Styled::new(&format!("```{}", width::clean_line(fence.info)), Look::DIM);
                    self.emit_fitted(label);
                    let highlighter = Highlighter::new(fence.info);
                    self.open = Open::Code { highlighter, mark: fence.mark, len: fence.len, indent: fence.indent };
                    return;
                }
                Start::Heading(level, title) => return self.heading(level, title),
                Start::Rule => {
                    let room = self.room();
                    return self.emit(Styled::new(&"─".repeat(room.min(40)), Look::DIM));
                }
                Start::Text(_) if block::indent(rest) >= 4 && self.containers.is_empty() => {
                    return self.emit_code(Styled::new(&width::expand_tabs(&rest[4..]), Look::PLAIN));
                }
                Start::Text(text) => {
                    // Now rather than with the first row, which would jump down when it settles.
                    self.emit_gap();
                    self.open = Open::Paragraph(Paragraph { source: text.to_owned(), lines: 1, settled: false });
                    return;
                }
            }
        }
    }

    fn heading(&mut self, level: usize, title: &str) {
        self.gap = self.gap.or(self.wants_gap());
        let look = Look { underline: level == 1, italic: level > 3, ..Look::BOLD };
        let mut text = Styled::default();
        if !self.style.color {
            text.push(&format!("{} ", "#".repeat(level)), look);
        }
        text.append(&inline::parse(title, look, self.style).text);
        self.emit_wrapped(&text);
    }

    fn code_line(&mut self, line: &str) {
        let Open::Code { highlighter, mark, len, indent } = &mut self.open else { return };
        if block::closes_fence(line, *mark, *len) {
            self.close();
            return;
        }
        let line = &line[block::indent(line).min(*indent)..];
        let text = highlighter.line(&width::expand_tabs(line));
        self.emit_code(text);
    }

    /// Ends the block that is open.
    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Paragraph(paragraph) => {
                self.open = Open::Paragraph(paragraph);
                self.end_rows();
                self.open = Open::Nothing;
            }
            Open::Code { .. } => self.emit(Styled::new("```", Look::DIM)),
            Open::Table { lines, aligns } => {
                for row in table::render(&lines, &aligns, self.room(), self.style) {
                    self.emit_fitted(row);
                }
            }
        }
    }

    /// Settles every row of the paragraph that text to come cannot change.
    fn settle_rows(&mut self) {
        let Open::Paragraph(paragraph) = &self.open else { return };
        if paragraph.may_be_header() {
            return;
        }
        let force = paragraph.source.len() > MAX_OPEN;
        let parsed = inline::parse(&paragraph.source, Look::PLAIN, self.style);
        let (first, rest) = self.prefixes();
        let rows = width::wrap(parsed.text.text(), self.width - first.width(), self.width - rest.width(), Break::Words);
        let cut = (1..rows.len()).rev().find_map(|row| Some((row, parsed.source_at(rows[row].start, force)?)));
        let Some((count, source)) = cut else { return };
        for range in &rows[..count] {
            let mut part = Styled::default();
            part.append_part(&parsed.text, range.clone());
            self.emit(part);
        }
        if let Open::Paragraph(paragraph) = &mut self.open {
            paragraph.source.drain(..source);
            paragraph.settled = true;
        }
    }

    /// Settles all rows of the paragraph so far.
    fn end_rows(&mut self) {
        let Open::Paragraph(paragraph) = &mut self.open else { return };
        paragraph.settled = true;
        let source = std::mem::take(&mut paragraph.source);
        if !source.is_empty() {
            let text = inline::parse(&source, Look::PLAIN, self.style).text;
            self.emit_wrapped(&text);
        }
    }

    /// Leaves all containers but the outer `depth`. An item nothing was written into is shown as its mark.
    fn leave_to(&mut self, depth: usize) {
        while self.containers.len() > depth {
            if matches!(self.containers.last(), Some(Container::Item { fresh: true, .. })) {
                self.emit(Styled::default());
            }
            self.containers.pop();
        }
    }

    /// What stands before the next row, and before the rows after it. Deep nesting gives up its outer columns when the
    /// terminal has too few.
    fn prefixes(&self) -> (Styled, Styled) {
        let (mut first, mut rest) = (Styled::default(), Styled::default());
        let mut left = self.width / 2;
        let mut skip = self.containers.len();
        while let Some(container) = skip.checked_sub(1).map(|index| &self.containers[index]) {
            let Some(remaining) = left.checked_sub(container.columns()) else { break };
            (left, skip) = (remaining, skip - 1);
        }
        for container in &self.containers[skip..] {
            match container {
                Container::Quote => {
                    first.push("│ ", Look::DIM);
                    rest.push("│ ", Look::DIM);
                }
                Container::Item { mark, fresh, .. } => {
                    let blank = " ".repeat(mark.width());
                    if *fresh {
                        first.append(mark);
                    } else {
                        first.push(&blank, Look::PLAIN);
                    }
                    rest.push(&blank, Look::PLAIN);
                }
            }
        }
        (first, rest)
    }

    fn quotes(&self) -> usize {
        self.containers.iter().take_while(|container| matches!(container, Container::Quote)).count()
    }

    /// Columns beside the prefix.
    fn room(&self) -> usize {
        self.width - self.prefixes().1.width()
    }

    fn emit_wrapped(&mut self, text: &Styled) {
        let room = self.room();
        for range in width::wrap(text.text(), room, room, Break::Words) {
            let mut part = Styled::default();
            part.append_part(text, range);
            self.emit(part);
        }
    }

    fn emit_fitted(&mut self, text: Styled) {
        let room = self.room();
        self.emit(text.fit(room));
    }

    /// A line of code keeps all its characters; what does not fit goes on in the next row, visibly.
    fn emit_code(&mut self, text: Styled) {
        let room = self.room();
        for (index, range) in width::wrap(text.text(), room, room - 2, Break::Anywhere).into_iter().enumerate() {
            let mut part = Styled::new(if index > 0 { "↪ " } else { "" }, Look::DIM);
            part.append_part(&text, range);
            self.emit(part);
        }
    }

    /// A blank line between what was shown and what comes, unless there is one.
    fn wants_gap(&self) -> Option<usize> {
        (self.shown_any && !self.gap_shown).then(|| self.quotes())
    }

    fn emit_gap(&mut self) {
        if let Some(quotes) = self.gap.take() {
            let marks = "│ ".repeat(quotes.min(self.width / 4));
            self.out.push(self.style.dim(marks.trim_end()));
            self.gap_shown = true;
        }
    }

    /// Settles one row: the prefix, then `text`.
    fn emit(&mut self, text: Styled) {
        self.emit_gap();
        self.gap_shown = false;
        let (mut row, _) = self.prefixes();
        for container in &mut self.containers {
            if let Container::Item { fresh, .. } = container {
                *fresh = false;
            }
        }
        row.append(&text);
        let end = row.text().trim_end().len();
        self.out.push(row.paint_part(0..end, self.style));
        self.shown_any = true;
    }
}

impl Container {
    fn columns(&self) -> usize {
        match self {
            Self::Quote => 2,
            Self::Item { mark, .. } => mark.width(),
        }
    }
}

fn item(marker: &Marker<'_>, style: Style) -> Container {
    let mut mark = match marker.number {
        Some(number) => Styled::new(&format!("{number} "), Look::of(Color::Cyan)),
        None => Styled::new(if style.color { "• " } else { "- " }, Look::of(Color::Cyan)),
    };
    if let Some(done) = marker.task {
        let look = if done { Look::of(Color::Green) } else { Look::PLAIN };
        mark.push(if done { "[x] " } else { "[ ] " }, look);
    }
    // Models indent what belongs to `1.` by two spaces as often as by three.
    let least = marker.content.min(marker.indent + 2);
    Container::Item { least, content: marker.content, mark, fresh: true }
}

/// `line` with leading tabs as spaces. Tabs further on belong to the text.
fn expand_indent(line: &str) -> Cow<'_, str> {
    let end = line.len() - line.trim_start_matches([' ', '\t']).len();
    match width::expand_tabs(&line[..end]) {
        Cow::Borrowed(_) => Cow::Borrowed(line),
        Cow::Owned(indent) => Cow::Owned(indent + &line[end..]),
    }
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
