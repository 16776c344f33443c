//! What one line of Markdown begins: the structure of blocks is decided line by line, so that an answer can be shown
//! while it is written.

/// What a line begins, once the containers it continues are taken off it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A block quote; what follows the mark.
    Quote(&'a str),
    /// An item of a list.
    Item(Marker<'a>),
    /// A fenced code block.
    Fence(Fence<'a>),
    /// A heading of a level from 1 to 6.
    Heading(usize, &'a str),
    /// A thematic break.
    Rule,
    /// Text.
    Text(&'a str),
}

/// The mark of a list item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker<'a> {
    /// Columns before the mark.
    pub indent: usize,
    /// Columns before the item's content.
    pub content: usize,
    /// The number as written, such as `12.`; `None` for a bullet.
    pub number: Option<&'a str>,
    /// Whether a task is done; `None` when the item is none.
    pub task: Option<bool>,
    /// What follows the mark.
    pub rest: &'a str,
}

/// The opening of a fenced code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// Spaces before it, which are taken off its content too.
    pub indent: usize,
    /// The character the fence is made of, and how many.
    pub mark: char,
    /// How many marks there are.
    pub len: usize,
    /// The language, or whatever else stands there.
    pub info: &'a str,
}

/// What `line` begins. Text of a paragraph that is open already may not begin just any list.
#[must_use]
pub fn start(line: &str, in_paragraph: bool) -> Start<'_> {
    let indent = indent(line);
    let text = line[indent..].trim_end();
    if let Some(rest) = text.strip_prefix('>') {
        return Start::Quote(rest.strip_prefix(' ').unwrap_or(rest));
    }
    if let Some(fence) = fence(indent, text) {
        return Start::Fence(fence);
    }
    if let Some((level, title)) = heading(text) {
        return Start::Heading(level, title);
    }
    if is_rule(text) {
        return Start::Rule;
    }
    match marker(indent, &line[indent..]) {
        Some(marker) if !in_paragraph || interrupts(&marker) => Start::Item(marker),
        _ => Start::Text(&line[indent..]),
    }
}

/// Leading spaces. Tabs were expanded before.
#[must_use]
pub fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a paragraph that is open makes way: a number in running text that fell to the start of a line begins no list.
fn interrupts(marker: &Marker<'_>) -> bool {
    !marker.rest.is_empty() && marker.number.is_none_or(|number| matches!(number, "1." | "1)"))
}

fn fence(indent: usize, text: &str) -> Option<Fence<'_>> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let len = text.len() - text.trim_start_matches(mark).len();
    let info = text[len..].trim();
    (len >= 3 && !(mark == '`' && info.contains('`'))).then_some(Fence { indent, mark, len, info })
}

/// Whether `line` closes a fence of `len` times `mark`.
#[must_use]
pub fn closes_fence(line: &str, mark: char, len: usize) -> bool {
    let text = line.trim();
    text.len() >= len && text.chars().all(|c| c == mark)
}

fn heading(text: &str) -> Option<(usize, &str)> {
    let level = text.len() - text.trim_start_matches('#').len();
    let title = &text[level..];
    if !(1..=6).contains(&level) || !(title.is_empty() || title.starts_with(' ')) {
        return None;
    }
    let title = title.trim();
    let bare = title.trim_end_matches('#');
    // Marks at the end are decoration only after a space: `# C#` keeps its own.
    Some((level, if bare.is_empty() || bare.ends_with(' ') { bare.trim_end() } else { title }))
}

fn is_rule(text: &str) -> bool {
    let mark = text.chars().next().filter(|c| matches!(c, '-' | '*' | '_'));
    mark.is_some_and(|mark| {
        text.chars().all(|c| c == mark || c == ' ') && text.chars().filter(|c| *c == mark).count() >= 3
    })
}

/// The level of the heading that an underline makes of the paragraph above it.
#[must_use]
pub fn underline(line: &str) -> Option<usize> {
    let text = line.trim();
    let all = |mark: char| !text.is_empty() && text.chars().all(|c| c == mark);
    if all('=') { Some(1) } else { all('-').then_some(2) }
}

fn marker(indent: usize, text: &str) -> Option<Marker<'_>> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = text[digits..].chars().next()?;
    let number = match mark {
        '-' | '*' | '+' if digits == 0 => None,
        '.' | ')' if (1..=9).contains(&digits) => Some(&text[..=digits]),
        _ => return None,
    };
    let after = &text[digits + 1..];
    if !(after.is_empty() || after.starts_with(' ')) {
        return None;
    }
    let spaces = self::indent(after);
    // Far indented content would be indented code, which nobody writes in a list; it is one space and then text.
    let gap = if (1..=4).contains(&spaces) { spaces } else { 1 };
    let rest = after.trim_start();
    let (task, rest) = match rest.get(..4).or(rest.get(..3)) {
        Some("[ ] " | "[ ]") => (Some(false), rest[3..].trim_start()),
        Some("[x] " | "[X] " | "[x]" | "[X]") => (Some(true), rest[3..].trim_start()),
        _ => (None, rest),
    };
    Some(Marker { indent, content: indent + digits + 1 + gap, number, task, rest })
}

/// Whether the unfinished `line` can be nothing but running text, perhaps in a quote or an item, however it goes on.
#[must_use]
pub fn is_surely_text(line: &str) -> bool {
    let decided = |c: char| !matches!(c, ' ' | '>' | '-' | '*' | '_' | '+' | '.' | ')' | '=' | '0'..='9');
    let Some(at) = line.find(decided) else { return false };
    let text = &line[at..];
    let mark = text.chars().next().unwrap_or_default();
    match mark {
        '#' | '|' | ':' => false,
        '`' | '~' => !text.starts_with(&[mark; 3][..].iter().collect::<String>()) && text.len() > 2,
        // A task's box is text only once something follows it.
        '[' => text.trim_end().len() > 4,
        _ => !line.contains('|'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_what_its_first_characters_say() {
        let item = |indent, content, number, task, rest| Start::Item(Marker { indent, content, number, task, rest });
        for (line, expected) in [
            ("text", Start::Text("text")),
            ("> quoted", Start::Quote("quoted")),
            (">quoted", Start::Quote("quoted")),
            ("# Title", Start::Heading(1, "Title")),
            ("### C# ##", Start::Heading(3, "C#")),
            ("# C#", Start::Heading(1, "C#")),
            ("#tag", Start::Text("#tag")),
            ("####### seven", Start::Text("####### seven")),
            ("---", Start::Rule),
            ("* * *", Start::Rule),
            ("--", Start::Text("--")),
            ("- a", item(0, 2, None, None, "a")),
            ("  12)  a", item(2, 7, Some("12)"), None, "a")),
            ("- [ ] a", item(0, 2, None, Some(false), "a")),
            ("* [X] a", item(0, 2, None, Some(true), "a")),
            ("- [link](x)", item(0, 2, None, None, "[link](x)")),
            ("-", item(0, 2, None, None, "")),
            ("-a", Start::Text("-a")),
            ("1.5 is a number", Start::Text("1.5 is a number")),
            ("```rust", Start::Fence(Fence { indent: 0, mark: '`', len: 3, info: "rust" })),
            ("~~~~", Start::Fence(Fence { indent: 0, mark: '~', len: 4, info: "" })),
            ("```a``` b", Start::Text("```a``` b")),
            ("- 中文", item(0, 2, None, None, "中文")),
        ] {
            assert_eq!(start(line, false), expected, "{line:?}");
        }
        assert_eq!(start("1984. A year", true), Start::Text("1984. A year"));
        assert_eq!(underline("==="), Some(1));
        assert_eq!(underline(" --- "), Some(2));
        assert_eq!(underline("-="), None);
    }

    #[test]
    fn only_text_that_cannot_become_anything_else_is_sure() {
        for line in ["Hello", "- item", "12. it", "> a", "**Bo", "`code", "- [ ] x", "中文字"] {
            assert!(is_surely_text(line), "{line:?}");
        }
        for line in ["", "- ", "---", "# T", "| a", "```", "``", "~~~", "a | b", "12.", "- [ ", "- [x] ", "***", ":--"]
        {
            assert!(!is_surely_text(line), "{line:?}");
        }
    }
}
