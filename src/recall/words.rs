//! Texts and questions as the words they are found by.
//!
//! Words are lower case and cut to their stem in a simple way that is the same on both sides. Names of code count whole and in parts:
//! `parseHttpUrl`, `parse_http_url` and `parse-http-url` are found by each of their words. Chinese, Japanese and Korean have no spaces:
//! single characters and pairs of them stand for their words, which beats dictionaries (measured).

use std::fmt::Write as _;

/// Words that are in every text and about nothing. A question of these alone is about nothing.
const STOP: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "but", "by", "can", "could", "did", "do", "does", "done", "for", "from", "get", "go", "got",
    "had", "has", "have", "he", "hello", "help", "her", "here", "hi", "him", "his", "how", "i", "if", "in", "into",
    "is", "it", "its", "just", "last", "let", "like", "made", "make", "me", "more", "much", "my", "need", "no", "not",
    "now", "of", "ok", "on", "one", "only", "or", "our", "please", "really", "said", "say", "she", "should", "so",
    "some", "such", "than", "thank", "thanks", "that", "the", "their", "them", "then", "there", "these", "they",
    "thing", "this", "those", "time", "to", "too", "up", "us", "use", "used", "very", "want", "was", "we", "were",
    "what", "when", "where", "which", "who", "why", "will", "with", "would", "yes", "you", "your",
];

/// Characters that are in every Chinese text and about nothing.
const WIDE_STOP: &[char] = &[
    '为', '的', '了', '是', '在', '我', '你', '他', '她', '它', '们', '这', '那', '有', '和', '与', '就', '也', '都',
    '很', '吗', '呢', '吧', '啊', '把', '被', '给', '请', '么', '什', '怎', '样', '一', '个', '不', '要', '会', '能',
    '到', '说', '上', '下', '来', '去',
];

/// The longest word that is kept; longer ones are hashes and data, which nobody types.
const LONGEST: usize = 40;

/// The words of a text with spaces between, as the index takes them.
#[must_use]
pub fn of_text(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + text.len() / 4);
    visit(text, |word| {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    });
    words
}

/// One word of a question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub String);

/// The words of a question that are about something, each once, in order.
#[must_use]
pub fn of_question(question: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    visit(question, |word| {
        let mut chars = word.chars();
        let (first, second) = (chars.next(), chars.next());
        let is_about = match (first, second) {
            // A pair says more than its characters, which are left to texts.
            (Some(first), None) if is_wide(first) => false,
            (Some(first), Some(second)) if is_wide(first) => {
                !(WIDE_STOP.contains(&first) && WIDE_STOP.contains(&second))
            }
            (Some(first), None) => first.is_ascii_digit(),
            _ => STOP.binary_search(&word).is_err(),
        };
        let term = Term(word.to_owned());
        if is_about && !terms.contains(&term) {
            terms.push(term);
        }
    });
    if terms.is_empty() {
        // A single Chinese character is a question of its own.
        let mut wide = question.chars().filter(|c| is_wide(*c) && !WIDE_STOP.contains(c));
        if let (Some(only), None) = (wide.next(), wide.next()) {
            terms.push(Term(only.to_string()));
        }
    }
    terms
}

/// A question as the index is asked it: any of its words, in the words of `project` or in all. Words hold letters and digits
/// alone, so nothing in a question can be taken for an operator.
#[must_use]
pub fn expression(terms: &[&Term], project: Option<&str>) -> String {
    let mut any = String::new();
    for Term(word) in terms {
        _ = write!(any, "{}\"{word}\"", if any.is_empty() { "" } else { " OR " });
    }
    match project {
        Some(project) => format!("(project : \"{}\") AND ({{words around}} : ({any}))", mark(project)),
        None => format!("{{words around}} : ({any})"),
    }
}

/// A project's name as one word of the index.
#[must_use]
pub fn mark(project: &str) -> String {
    project.bytes().fold("p".to_owned(), |mut mark, byte| {
        _ = write!(mark, "{byte:02x}");
        mark
    })
}

/// Shows `take` every word of a text, in order.
pub fn visit(text: &str, mut take: impl FnMut(&str)) {
    let mut word = String::new();
    let mut before: Option<char> = None;
    for c in text.chars().chain([' ']) {
        let wide = is_wide(c);
        if c.is_alphanumeric() && !wide || c == '_' {
            word.push(c);
        } else if !word.is_empty() {
            parts(&word, &mut take);
            word.clear();
        }
        if wide {
            let mut pair = String::with_capacity(8);
            if let Some(before) = before {
                pair.extend([before, c]);
                take(&pair);
            }
            pair.clear();
            pair.push(c);
            take(&pair);
        }
        before = wide.then_some(c);
    }
}

/// A run of letters, digits and underscores: its parts, and the whole when there is more than one.
fn parts(run: &str, take: &mut impl FnMut(&str)) {
    let mut pieces: Vec<String> = vec![String::new()];
    let mut before: Option<char> = None;
    let mut chars = run.chars().peekable();
    while let Some(c) = chars.next() {
        let after_small = before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit());
        // The last capital of a row begins a word: `HTTPServer`.
        let begins_word =
            before.is_some_and(char::is_uppercase) && chars.peek().is_some_and(|next| next.is_lowercase());
        if c == '_' || (c.is_uppercase() && (after_small || begins_word)) {
            pieces.push(String::new());
        }
        if c != '_'
            && let Some(piece) = pieces.last_mut()
        {
            piece.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    pieces.retain(|piece| !piece.is_empty());
    if pieces.len() > 1 {
        give(pieces.concat(), take);
    }
    for piece in pieces {
        give(piece, take);
    }
}

fn give(word: String, take: &mut impl FnMut(&str)) {
    if word.len() <= LONGEST {
        take(&stem(word));
    }
}

/// Plurals, `-ed` and `-ing` are the same word.
fn stem(mut word: String) -> String {
    if !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    let cut = |word: &mut String, end: &str, rest: usize| {
        let fits = word.len() >= end.len() + rest && word.ends_with(end);
        if fits {
            word.truncate(word.len() - end.len());
        }
        fits
    };
    if cut(&mut word, "ies", 3) {
        word.push('y');
    } else if !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is") {
        _ = cut(&mut word, "s", 3);
    }
    let has_vowel =
        |end: &str| word.strip_suffix(end).is_some_and(|rest| rest.contains(['a', 'e', 'i', 'o', 'u', 'y']));
    let (ing, ed) = (has_vowel("ing"), has_vowel("ed"));
    if ing && cut(&mut word, "ing", 3) || ed && cut(&mut word, "ed", 3) {
        // `stopped` and `stop`: of a doubled letter one goes.
        let bytes = word.as_bytes();
        if let [.., one, other] = bytes
            && one == other
            && !matches!(one, b'l' | b's' | b'e' | b'o')
        {
            word.pop();
        }
    }
    if word.len() > 4 && word.ends_with('e') {
        word.pop();
    }
    word
}

/// Whether a script has no spaces between its words.
#[must_use]
pub const fn is_wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str) -> Vec<String> {
        of_question(question).into_iter().map(|term| term.0).collect()
    }

    #[test]
    fn texts_are_split_in_every_script() {
        assert!(STOP.is_sorted());
        for (text, words) in [
            ("Fixing the flaky tests", "fix the flaky test"),
            ("parseHTTPUrl", "parsehttpurl pars http url"),
            ("snake_case_name __init__", "snakecasenam snak case name init"),
            ("src/lib.rs:42", "src lib rs 42"),
            ("运行测试", "运 运行 行 行测 测 测试 试"),
            ("a string of things", "a string of thing"),
            ("用cargo编译", "用 cargo 编 编译 译"),
            ("stopped stopping stops stop", "stop stop stop stop"),
            ("E0308", "e0308"),
        ] {
            assert_eq!(of_text(text), words, "{text}");
        }
    }

    #[test]
    fn a_question_of_stop_words_is_about_nothing() {
        for question in ["", "what is it?", "how do I do this", "!!! ??? --", "的了吗", "hello", "\" OR *"] {
            assert_eq!(asked(question), [""; 0], "{question}");
        }
        assert_eq!(asked("为什么测试失败"), ["么测", "测试", "试失", "失败"]);
        assert_eq!(asked("the flaky flaky test"), ["flaky", "test"]);
        assert_eq!(asked("锁"), ["锁"]);
    }

    #[test]
    fn nothing_in_a_question_is_an_operator() {
        let terms = of_question("NEAR(a b) \"x* AND -y: {z} ^q OR");
        let terms: Vec<&Term> = terms.iter().collect();
        let expression = expression(&terms, Some("a-b"));
        assert!(expression.starts_with("(project : \"p612d62\") AND ({words around} : (\"near\""), "{expression}");
    }
}
