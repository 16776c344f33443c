//! The words of a text that say what it is about. Chinese, Japanese and Korean have no spaces: pairs of characters stand for
//! their words.

/// Words that are in every text and about nothing.
const STOP: &[&str] = &[
    "about", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been", "but", "by", "can",
    "could", "do", "does", "for", "from", "get", "had", "has", "have", "here", "how", "if", "in", "into", "is", "it",
    "its", "just", "like", "make", "me", "more", "my", "need", "no", "not", "now", "of", "on", "one", "only", "or",
    "our", "please", "should", "so", "some", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "to", "up", "us", "use", "was", "we", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you", "your",
];

/// The terms of `text` in order, in lower case, without stop words.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    for c in text.chars().flat_map(char::to_lowercase).chain([' ']) {
        let wide = is_wide(c);
        if c.is_alphanumeric() && !wide {
            word.push(c);
        } else if !word.is_empty() {
            let word = std::mem::take(&mut word);
            if word.len() > 1 && STOP.binary_search(&word.as_str()).is_err() {
                terms.push(stem(word));
            }
        }
        if let (Some(before), true) = (before, wide) {
            terms.push([before, c].iter().collect());
        }
        before = wide.then_some(c);
    }
    terms
}

/// The same word in the plural is the same word.
fn stem(mut word: String) -> String {
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && word.is_ascii() {
        word.pop();
    }
    word
}

const fn is_wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// How much two texts have in common: shared terms by all terms, from 0 to 1.
#[must_use]
pub fn overlap(one: &str, other: &str) -> f64 {
    use std::collections::BTreeSet;
    let (one, other): (BTreeSet<String>, BTreeSet<String>) =
        (terms(one).into_iter().collect(), terms(other).into_iter().collect());
    let all = one.union(&other).count();
    if all == 0 { 0.0 } else { count(one.intersection(&other).count()) / count(all) }
}

/// A number of terms as a number to reckon with.
#[must_use]
pub fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_terms_in_every_script() {
        assert!(STOP.is_sorted());
        for (text, expected) in [
            ("Run the tests with `just t`!", vec!["run", "test"]),
            ("src/lib.rs", vec!["src", "lib", "rs"]),
            ("运行测试", vec!["运行", "行测", "测试"]),
            ("用just运行", vec!["运行"]),
            ("to be or not to be", vec![]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
        assert!(overlap("we run tests with just t", "Tests run with just t.") > 0.9);
        assert!(overlap("we run tests with just t", "deploy on Friday") < 0.1);
        assert!(overlap("", "") < 0.1);
    }
}
