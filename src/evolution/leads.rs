//! What people say before they say how things are done: "remember that …", "from now on, …", "请记住，…". Pure.

use super::words::bare;
use crate::text::similar::is_ideograph;

/// What a person begins with before the statement itself; longest first where one begins another.
const LEADS: &[&str] = &[
    "please remember that ",
    "please remember: ",
    "please remember ",
    "remember that ",
    "remember: ",
    "remember, ",
    "remember to ",
    "remember ",
    "from now on, ",
    "from now on ",
    "note that ",
    "please note that ",
    "please ",
    "also, ",
    "also ",
    "and ",
    "but ",
    "no, ",
    "nope, ",
    "wrong, ",
    "ok, ",
    "okay, ",
    "so ",
    "by the way, ",
    "btw ",
    "next time, ",
    "next time ",
    "in future, ",
    "in the future, ",
    "请记住，",
    "请记住：",
    "请记住",
    "记住，",
    "记住：",
    "记住:",
    "记住",
    "请",
    "以后，",
    "不对，",
    "不是，",
    "错了，",
    "另外，",
    "顺便说一下，",
];

/// A clause, in small letters, without what leads up to it.
#[must_use]
pub fn strip_leads(clause: &str) -> &str {
    let mut clause = clause.trim();
    while let Some(rest) = LEADS.iter().find_map(|lead| clause.strip_prefix(lead)) {
        clause = rest.trim_start();
    }
    clause
}

/// The sentence without what leads up to it, as one to stand alone.
#[must_use]
pub fn tidy(text: &str) -> String {
    let mut text = text.trim();
    // The lead is cut off the text as it is written, so only a lead of the same length in lower case will do.
    while let Some(rest) = LEADS.iter().find_map(|lead| {
        let begin = text.get(..lead.len())?;
        (begin.to_lowercase() == *lead).then(|| text[lead.len()..].trim_start())
    }) {
        text = rest;
    }
    let text = text.trim_end_matches(['.', '!', '。', '！', ';', '；', ',', '，']).trim_end();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase().to_string()).unwrap_or_default();
    let end = if bare(text).chars().any(is_ideograph) { "。" } else { "." };
    let lasts = chars.as_str();
    format!("{first}{lasts}{end}")
}
