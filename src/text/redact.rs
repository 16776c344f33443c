//! Takes secrets out of text that leaves the program: tapes, reports.
//!
//! Two nets: secrets the program knows word for word, and shapes that well-known services give their keys. The second
//! is a net with holes by nature, so whoever shares a text should still read it.

use std::borrow::Cow;

/// What stands where a secret stood.
pub const MARK: &str = "[redacted]";

/// A shape of secret: how it begins, and how many key characters must follow at least.
struct Shape {
    prefix: &'static str,
    min_rest: usize,
    keeps_prefix: bool,
}

const fn key(prefix: &'static str, min_rest: usize) -> Shape {
    Shape { prefix, min_rest, keeps_prefix: false }
}

const SHAPES: &[Shape] = &[
    key("sk-", 16),
    key("ghp_", 20),
    key("gho_", 20),
    key("ghu_", 20),
    key("ghs_", 20),
    key("ghr_", 20),
    key("github_pat_", 20),
    key("glpat-", 16),
    key("AKIA", 16),
    key("ASIA", 16),
    key("AIza", 30),
    key("xoxb-", 10),
    key("xoxp-", 10),
    key("npm_", 30),
    key("hf_", 30),
    Shape { prefix: "Bearer ", min_rest: 16, keeps_prefix: true },
    Shape { prefix: "bearer ", min_rest: 16, keeps_prefix: true },
];

/// `text` without `known` secrets and without anything that has the shape of a key.
#[must_use]
pub fn redact<'a>(text: &'a str, known: &[&str]) -> Cow<'a, str> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    // A known secret of a few letters would black out half the text and is no secret anyway.
    for secret in known.iter().filter(|secret| secret.len() >= 6) {
        spans.extend(text.match_indices(secret).map(|(start, found)| (start, start + found.len())));
    }
    for shape in SHAPES {
        spans.extend(text.match_indices(shape.prefix).filter_map(|(start, _)| shape.span(text, start)));
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_unstable();
    Cow::Owned(cover(text, &spans))
}

impl Shape {
    fn span(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        let before = &text[..start];
        let begins_word = !before.ends_with(is_key_char) || ends_with_escape(before);
        let rest_start = start + self.prefix.len();
        let rest = &text[rest_start..];
        let rest_len = rest.find(|c| !is_key_char(c)).unwrap_or(rest.len());
        let from = if self.keeps_prefix { rest_start } else { start };
        (begins_word && rest_len >= self.min_rest).then_some((from, rest_start + rest_len))
    }
}

/// Whether `text` ends with a JSON escape such as `\\n`, whose letter is none of a word.
fn ends_with_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let short = matches!(bytes, [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f']);
    short || matches!(bytes, [.., b'\\', b'u', _, _, _, _])
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '=')
}

fn cover(text: &str, spans: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for &(start, end) in spans {
        if start >= at {
            out.push_str(&text[at..start]);
            out.push_str(MARK);
        }
        at = at.max(end);
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, clean) in [
            ("nothing to see", "nothing to see"),
            ("key sk-proj-abcdefghij0123456789, ok", "key [redacted], ok"),
            ("task-abcdefghij0123456789 is no key", "task-abcdefghij0123456789 is no key"),
            ("sk-short", "sk-short"),
            ("\"ghp_0123456789abcdefghijklmnop\"", "\"[redacted]\""),
            ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            ("authorization: Bearer abcdef0123456789abcdef", "authorization: Bearer [redacted]"),
            ("Bearer of bad news", "Bearer of bad news"),
            ("my-own-pass and my-own-pass", "[redacted] and [redacted]"),
            (r#"{"a":"x\nsk-abcdefghij0123456789\n"}"#, r#"{"a":"x\n[redacted]\n"}"#),
            (r#""\u003cAKIAIOSFODNN7EXAMPLE""#, r#""\u003c[redacted]""#),
            ("é sk-ééééééééééééééééé é", "é sk-ééééééééééééééééé é"),
        ] {
            assert_eq!(redact(text, &["my-own-pass", "ad"]), clean);
        }
    }

    #[test]
    fn overlapping_secrets_leave_one_mark() {
        let secret = "sk-abcdefghij0123456789";
        assert_eq!(redact(&format!("Bearer {secret}!"), &[secret, "abcdefghij"]), "Bearer [redacted]!");
    }
}
