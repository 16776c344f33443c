//! What of a message is the person's own words.
//!
//! A person pastes pages, logs and files, and nothing in them is the person's word. So whatever is fenced, quoted, indented,
//! looks like a document or is announced as somebody else's text is left out: better a statement missed than one that a
//! README made.

/// One sentence of the person's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// As it was written.
    pub text: &'a str,
    /// In lower case, without what is between quotation marks; `` `x` `` stands for each piece of code.
    pub bare: String,
}

impl Sentence<'_> {
    /// Whether it asks something.
    #[must_use]
    pub fn is_question(&self) -> bool {
        let text = self.text.trim_end();
        let asks =
            ["why ", "how ", "what ", "which ", "who ", "where ", "can ", "could ", "should ", "do ", "does ", "did "];
        let negated = self.bare.starts_with("do not ");
        text.ends_with(['?', '？', '吗', '呢']) || (!negated && asks.iter().any(|word| self.bare.starts_with(word)))
    }
}

/// The sentences of `said` that are the person's own.
#[must_use]
pub fn own(said: &str) -> Vec<Sentence<'_>> {
    let mut sentences = Vec::new();
    let mut fence: Option<&str> = None;
    for line in said.lines() {
        let trimmed = line.trim();
        if let Some(mark) = fence {
            fence = (!trimmed.starts_with(mark)).then_some(mark);
            continue;
        }
        fence = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        if fence.is_some() || is_quoted(line) {
            continue;
        }
        if begins_document(trimmed) {
            break;
        }
        split(trimmed, &mut sentences);
        if announces(trimmed) {
            break;
        }
    }
    sentences
}

fn is_quoted(line: &str) -> bool {
    line.starts_with("    ") || line.starts_with('\t') || line.trim_start().starts_with(['>', '|'])
}

/// Whether from here on it is a document, a log or a terminal's page.
fn begins_document(line: &str) -> bool {
    let marks = ["# ", "## ", "### ", "$ ", "% ", "diff --git", "<", "---", "===", "Traceback ", "{", "[{"];
    marks.iter().any(|mark| line.starts_with(mark))
}

/// Whether what follows is announced as somebody else's text.
fn announces(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "readme", "output", "log", "error", "says", "said", "file", "page", "paste", "doc", "content", "text",
        "message", "response", "result", "got", "prints", "issue", "comment", "输出", "日志", "报错", "文件", "内容",
        "粘贴", "文档", "网页", "返回", "如下", "结果",
    ];
    let lower = line.to_lowercase();
    line.ends_with([':', '：']) && WORDS.iter().any(|word| lower.contains(word))
}

fn split<'a>(line: &'a str, sentences: &mut Vec<Sentence<'a>>) {
    let tracks_code = line.matches('`').count().is_multiple_of(2);
    let (mut start, mut in_code) = (0, false);
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        in_code ^= c == '`' && tracks_code;
        let spaced = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        let ends = matches!(c, '。' | '！' | '？' | '；') || (matches!(c, '.' | '!' | '?' | ';') && spaced);
        if ends && !in_code {
            push(&line[start..at + c.len_utf8()], sentences);
            start = at + c.len_utf8();
        }
    }
    push(&line[start..], sentences);
}

fn push<'a>(text: &'a str, sentences: &mut Vec<Sentence<'a>>) {
    let text = text.trim().trim_start_matches(['-', '*', '•', '+']).trim_start();
    if text.chars().any(char::is_alphanumeric) {
        sentences.push(Sentence { text, bare: bare(text) });
    }
}

/// A text in lower case, without quotations, `` `x` `` for each piece of code.
#[must_use]
pub fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let close = match c {
            '`' => Some('`'),
            '"' => Some('"'),
            '“' => Some('”'),
            '「' => Some('」'),
            _ => None,
        };
        match close.and_then(|close| Some((close, after.find(close)?))) {
            Some((close, end)) => {
                out.push_str(if c == '`' { "`x`" } else { " " });
                rest = &after[end + close.len_utf8()..];
            }
            None => {
                out.extend(if c == '’' { '\'' } else { c }.to_lowercase());
                rest = after;
            }
        }
    }
    out
}

/// The pieces of code in a text, between backquotes.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    let whole = text.matches('`').count() / 2;
    text.split('`').skip(1).step_by(2).take(whole).map(str::trim).filter(|code| !code.is_empty())
}

/// Whether `text` holds `phrase` as words of their own. Scripts without spaces have no such bounds.
#[must_use]
pub fn holds(text: &str, phrase: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = phrase.starts_with(is_word);
    let ends = phrase.ends_with(is_word);
    text.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        !(begins && before.ends_with(is_word) || ends && after.starts_with(is_word))
    })
}

/// Whether `text` holds one of `phrases`.
#[must_use]
pub fn holds_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| holds(text, phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_not_said() {
        for (said, expected) in [
            ("Fix it. Never use npm!", vec!["Fix it.", "Never use npm!"]),
            ("See:\n```\nalways run x\n```\nthanks", vec!["See:", "thanks"]),
            ("> always run x\nno", vec!["no"]),
            ("ok\n    always run x", vec!["ok"]),
            ("The README says:\nalways run x", vec!["The README says:"]),
            ("输出如下：\n以后一律用 x", vec!["输出如下："]),
            ("look\n# Setup\nalways run x", vec!["look"]),
            ("```\nnever closed\nalways run x", vec![]),
            ("- use `a. b`; 以后用 b。好", vec!["use `a. b`;", "以后用 b。", "好"]),
            ("Conventions:\n- never use npm", vec!["Conventions:", "never use npm"]),
        ] {
            let found: Vec<&str> = own(said).iter().map(|sentence| sentence.text).collect();
            assert_eq!(found, expected, "{said}");
        }
    }

    #[test]
    fn quotations_and_code_are_not_words() {
        assert_eq!(bare("He wrote \"always\" and `never X`"), "he wrote   and `x`");
        assert_eq!(code("`a b` and `c` and ` lone").collect::<Vec<_>>(), ["a b", "c"]);
        assert!(holds("we never do", "never") && !holds("nevermore", "never") && holds("测试不要用", "不要"));
    }
}
