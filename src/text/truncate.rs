//! Shortening what the model gets to see. The head and the tail are kept, the middle gives way to a marker, because a
//! command says what it does first and how it ended last. Texts and marks follow Codex, which models are used to.

use std::borrow::Cow;

/// The most an output may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputLimit {
    /// In tokens, estimated as four bytes each.
    Tokens(usize),
    /// In bytes.
    Bytes(usize),
}

impl OutputLimit {
    /// The limit in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Tokens(tokens) => tokens.saturating_mul(4),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The smaller of this limit and `tokens`.
    #[must_use]
    pub fn at_most_tokens(self, tokens: usize) -> Self {
        if tokens.saturating_mul(4) < self.bytes() { Self::Tokens(tokens) } else { self }
    }
}

/// The estimate of tokens used everywhere: a quarter of the bytes, rounded up.
#[must_use]
pub const fn estimate_tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

/// `text`, or its head and tail around a marker such as `…512 tokens truncated…` when it is over `limit`. Cuts fall on
/// character boundaries.
#[must_use]
pub fn middle(text: &str, limit: OutputLimit) -> Cow<'_, str> {
    cut(text, limit, 0)
}

/// [`middle`] of a text from whose middle `omitted` bytes are missing already.
fn cut(text: &str, limit: OutputLimit, omitted: usize) -> Cow<'_, str> {
    let budget = limit.bytes();
    if text.len() <= budget {
        return Cow::Borrowed(text);
    }
    let head = &text[..text.floor_char_boundary(budget / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - budget / 2)..];
    let marker = match limit {
        OutputLimit::Tokens(tokens) => format!("…{} tokens truncated…", estimate_tokens(text.len() + omitted) - tokens),
        OutputLimit::Bytes(_) => {
            let removed = &text[head.len()..text.len() - tail.len()];
            format!("…{} chars truncated…", removed.chars().count() + omitted)
        }
    };
    Cow::Owned([head, &marker, tail].concat())
}

/// Like [`middle`], with a header in front that says how long the whole was.
#[must_use]
pub fn with_header(text: &str, limit: OutputLimit) -> Cow<'_, str> {
    match middle(text, limit) {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        Cow::Owned(cut) => {
            let tokens = estimate_tokens(text.len());
            let lines = text.lines().count();
            Cow::Owned(format!(
                "Warning: truncated output (original token count: {tokens})\nTotal output lines: {lines}\n\n{cut}"
            ))
        }
    }
}

/// [`with_header`] for a text from whose middle `omitted` bytes are missing already, because nobody kept them.
#[must_use]
pub fn with_omission(text: &str, omitted: usize, limit: OutputLimit) -> Cow<'_, str> {
    if omitted == 0 {
        return with_header(text, limit);
    }
    let tokens = estimate_tokens(text.len() + omitted);
    let cut = cut(text, limit, omitted);
    Cow::Owned(format!(
        "Warning: truncated output (original token count: {tokens})\n... {omitted} bytes omitted ...\n\n{cut}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_left_alone() {
        assert!(matches!(with_header("abc", OutputLimit::Tokens(1)), Cow::Borrowed("abc")));
    }

    #[test]
    fn ten_thousand_tokens_come_to_the_length_codex_makes_of_them() {
        let text = "123456\n".repeat(60_000);
        let cut = with_header(&text, OutputLimit::Tokens(10_000));
        assert!(cut.starts_with(
            "Warning: truncated output (original token count: 105000)\nTotal output lines: 60000\n\n123456\n"
        ));
        assert!(cut.contains("…95000 tokens truncated…"));
    }

    #[test]
    fn what_nobody_kept_is_counted() {
        let text = "x".repeat(1 << 20);
        let cut = with_omission(&text, 1_951_424, OutputLimit::Tokens(10_000));
        assert!(cut.starts_with(
            "Warning: truncated output (original token count: 750000)\n... 1951424 bytes omitted ...\n\nxxx"
        ));
        assert!(cut.contains("…740000 tokens truncated…"));
        assert_eq!(with_omission("abc", 0, OutputLimit::Tokens(1)), "abc");
    }

    #[test]
    fn cuts_fall_between_characters() {
        let text = "é".repeat(100);
        let cut = middle(&text, OutputLimit::Bytes(9));
        assert_eq!(cut, "éé…96 chars truncated…éé");
        assert_eq!(middle(&text, OutputLimit::Tokens(0)), "…50 tokens truncated…");
    }
}
