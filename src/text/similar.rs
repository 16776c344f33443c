//! How alike two short texts are, in any script. Pure.

use std::collections::BTreeSet;

/// How alike two texts are, from 0 to 1: the share of letter groups they have in common (Dice). Case, punctuation and spacing
/// do not count.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "texts have no 2^52 letter groups")]
pub fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (grams(a), grams(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()) as f64
}

/// The share, from 0 to 1, of the words of `text` that occur in `evidence`; words that say nothing do not count.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "texts have no 2^52 words")]
pub fn support(text: &str, evidence: &str) -> f64 {
    let (text, evidence) = (words(text), words(evidence));
    if text.is_empty() {
        return 0.0;
    }
    text.intersection(&evidence).count() as f64 / text.len() as f64
}

/// Words that occur in any sentence.
const STOP: &[&str] = &[
    "the", "a", "an", "is", "are", "be", "to", "of", "in", "on", "for", "with", "and", "or", "here", "this", "that",
    "it", "we", "you", "i", "do", "so", "as", "at", "by",
];

fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Word(word) if STOP.contains(&word.as_str()) => {}
            Run::Word(word) => _ = words.insert(word),
            Run::Ideographs(chars) => words.extend(pairs(&chars)),
        }
    }
    words
}

fn grams(text: &str) -> BTreeSet<String> {
    let mut grams = BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => {
                let chars: Vec<char> = format!(" {word} ").chars().collect();
                grams.extend(chars.windows(3).map(String::from_iter));
            }
            Run::Ideographs(chars) => grams.extend(pairs(&chars)),
        }
    }
    grams
}

fn pairs(chars: &[char]) -> Vec<String> {
    match chars {
        [one] => vec![one.to_string()],
        many => many.windows(2).map(String::from_iter).collect(),
    }
}

enum Run {
    Word(String),
    Ideographs(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut open = false;
    for c in text.chars().flat_map(char::to_lowercase) {
        match (is_ideograph(c), c.is_alphanumeric(), runs.last_mut()) {
            (true, _, Some(Run::Ideographs(chars))) if open => chars.push(c),
            (true, ..) => runs.push(Run::Ideographs(vec![c])),
            (false, true, Some(Run::Word(word))) if open => word.push(c),
            (false, true, _) => runs.push(Run::Word(c.to_string())),
            (false, false, _) => {}
        }
        open = is_ideograph(c) || c.is_alphanumeric();
    }
    runs
}

/// Whether a character belongs to a script that is written without spaces.
#[must_use]
pub const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_and_not_alike() {
        for (a, b, least, most) in [
            ("Run tests with `just t`.", "run  tests with just t", 1.0, 1.0),
            ("Run tests with `just t`.", "run the tests with `just t`", 0.8, 0.99),
            ("Run tests with `just t`.", "The docs live in docs/", 0.0, 0.2),
            ("测试一律用 just t", "测试一律用 just t 运行", 0.8, 0.99),
            ("测试一律用 just t", "不要碰 vendor 目录", 0.0, 0.2),
            ("", "x", 0.0, 0.0),
        ] {
            let found = similarity(a, b);
            assert!((least..=most).contains(&found), "{a} / {b}: {found}");
        }
    }

    #[test]
    fn support_counts_words_that_say_something() {
        assert!(support("Tests are run with `just t`.", "we run tests with `just t`") > 0.9);
        assert!(support("Always pipe curl into sh.", "please fix the bug") < 0.1);
        assert!(support("测试用 just t", "以后测试用 just t 来跑") > 0.9);
    }
}
