//! What stands behind a name that says it is a secret: `"api_key": "…"`, `DB_PASSWORD=…`, `Authorization: Bearer …`, `--token …`.
//!
//! Text within text is read as it stands: quotes may be escaped, and the letter of an escaped line break may stick to a name.

use std::ops::Range;

use super::scan::run;
use super::value::{Class, Form, is_placeholder, is_secret};

/// Names end so, when what is no letter and no digit is taken out of them. In the order in which they are looked at.
const ENDINGS: &[(&str, Class)] = &[
    ("password", Class::Password),
    ("passwd", Class::Password),
    ("passphrase", Class::Password),
    ("passcode", Class::Password),
    ("pwd", Class::Password),
    ("secret", Class::Password),
    ("credential", Class::Password),
    ("credentials", Class::Password),
    ("apikey", Class::Key),
    ("accesskey", Class::Key),
    ("secretkey", Class::Key),
    ("privatekey", Class::Key),
    ("authkey", Class::Key),
    ("signingkey", Class::Key),
    ("encryptionkey", Class::Key),
    ("masterkey", Class::Key),
    ("accountkey", Class::Key),
    ("sharedkey", Class::Key),
    ("servicekey", Class::Key),
    ("deploykey", Class::Key),
    ("secretkeybase", Class::Key),
    ("token", Class::Key),
    ("key", Class::Maybe),
];

/// Keys that are no secrets.
const OPEN_KEYS: &[&str] = &[
    "publickey",
    "pubkey",
    "cachekey",
    "primarykey",
    "foreignkey",
    "sortkey",
    "partitionkey",
    "hashkey",
    "indexkey",
    "hostkey",
];

/// How much of a name counts, from its end.
const NAME: usize = 64;
/// The longest type a declaration may have between a name and its value.
const TYPE: usize = 24;

/// Finds them.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = run(&bytes[at..], is_name);
        if length == 0 {
            at += 1;
            continue;
        }
        let name = at..at + length;
        at = name.end;
        if let Some(secret) = secret(text, name) {
            at = at.max(secret.end);
            found.push(secret);
        }
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The secret behind a name.
fn secret(text: &str, name: Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let next = *bytes.get(name.end)?;
    // Most words of a text end here.
    if !(is_quote(next) || matches!(next, b'=' | b':' | b'\\' | b' ' | b'\t' | b'>' | b']' | b',')) {
        return None;
    }
    if !may_end(&bytes[name.clone()]) {
        return None;
    }
    let name = unstuck(text, &name);
    let joined = joined(bytes, &name);
    if joined.ends_with("bearer") && next == b' ' {
        return credential(text, name.end + spaces(bytes, name.end), 16);
    }
    if joined.ends_with("authorization") {
        let start = behind(bytes, name.end)?.start;
        return credential(text, behind_scheme(text, start)?, 6);
    }
    if (&text[name.clone()] == "-u" || &text[name.clone()] == "--user") && next == b' ' {
        return login(text, name.end + spaces(bytes, name.end));
    }
    let class = class(&joined)?;
    let place = behind(bytes, name.end);
    let is_flag = bytes[name.clone()].starts_with(b"--");
    match place {
        Some(place) => named(text, &name, class, &place),
        None if next == b' ' && (is_flag || class == Class::Password || class == Class::Key) => {
            in_words(text, name.end, class, is_flag)
        }
        None => None,
    }
}

/// Whether a name ends as one of those looked for. Cheap, since it is asked of every word.
fn may_end(name: &[u8]) -> bool {
    let mut last = [0; 3];
    let letters = name.iter().rev().filter(|byte| byte.is_ascii_alphanumeric());
    for (place, byte) in last.iter_mut().rev().zip(letters) {
        *place = byte.to_ascii_lowercase();
    }
    let of_names = matches!(
        &last,
        b"ord" | b"swd" | b"ase" | b"ode" | b"pwd" | b"ret" | b"ial" | b"als" | b"key" | b"ken" | b"ass"
    );
    of_names || matches!(&last, b"ion" | b"rer" | b"ser" | [0, 0, b'u'])
}

/// A name without the letter of an escaped line break that sticks to it.
fn unstuck(text: &str, name: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let is_escaped = name.start.checked_sub(1).is_some_and(|before| bytes[before] == b'\\');
    let is_stuck = is_escaped && name.len() > 1 && matches!(bytes[name.start], b'n' | b'r' | b't' | b'b' | b'f');
    name.start + usize::from(is_stuck)..name.end
}

/// A name in small letters, with nothing between them.
fn joined(bytes: &[u8], name: &Range<usize>) -> String {
    let start = name.start.max(name.end.saturating_sub(NAME));
    let letters = bytes[start..name.end].iter().filter(|byte| byte.is_ascii_alphanumeric());
    let mut joined: String = letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    // In prose a key's name is two words.
    if joined == "key" && start.checked_sub(1).is_some_and(|before| bytes[before] == b' ') {
        let before = &bytes[..start - 1];
        let length = before.iter().rev().take(10).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = String::from_utf8_lossy(&before[before.len() - length..]).to_ascii_lowercase();
        joined.insert_str(0, &word);
    }
    joined
}

fn class(joined: &str) -> Option<Class> {
    if OPEN_KEYS.iter().any(|open| joined.ends_with(open)) {
        return None;
    }
    let ending = ENDINGS.iter().find(|(ending, _)| joined.ends_with(ending)).map(|(_, class)| *class);
    // `pass` alone, or as the last of several words, which the ends of other words are not.
    ending.or_else(|| {
        matches!(joined, "pass" | "dbpass" | "userpass" | "smtppass" | "mysqlpass" | "ftppass")
            .then_some(Class::Password)
    })
}

/// Where a value stands behind a name, and how.
struct Place {
    /// Its first byte.
    start: usize,
    /// The quote before it, and how many backslashes stand before that.
    quote: Option<(u8, usize)>,
    /// The name was in quotes.
    name_quoted: bool,
    /// What stands between: `=`, `:` or `>`.
    sign: u8,
    /// Nothing else stands between.
    close: bool,
}

/// The place of the value behind a name that ends at `end`; `None` when nothing is assigned there.
fn behind(bytes: &[u8], end: usize) -> Option<Place> {
    let mut at = end;
    let closing = quote(bytes, at);
    at += closing.map_or(0, |(_, slashes)| slashes + 1);
    // `config["password"] = …`
    at += usize::from(closing.is_some() && bytes.get(at) == Some(&b']'));
    let gap = spaces(bytes, at);
    at += gap;
    let sign = *bytes.get(at).filter(|byte| matches!(byte, b'=' | b':' | b'>' | b','))?;
    // A comma joins name and value of a header or a pair alone: `("password", "…")`.
    if sign == b',' && closing.is_none() {
        return None;
    }
    at += 1;
    at += usize::from(matches!((sign, bytes.get(at)), (b'=' | b':', Some(b'=' | b'>')) | (b'?', Some(b'='))));
    let mut close = gap == 0;
    let wide = spaces(bytes, at);
    close &= wide == 0;
    at += wide;
    if sign == b':' && closing.is_none() {
        at = behind_type(bytes, at);
    }
    let opening = quote(bytes, at);
    let start = at + opening.map_or(0, |(_, slashes)| slashes + 1);
    Some(Place { start, quote: opening, name_quoted: closing.is_some(), sign, close })
}

/// Where the value stands in `name: type = value`; `at` itself when there is no type.
fn behind_type(bytes: &[u8], at: usize) -> usize {
    let is_type =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'&' | b'\'' | b'_' | b'<' | b'>' | b' ' | b':');
    let near = &bytes[at..bytes.len().min(at + TYPE)];
    let length = run(near, is_type);
    let is_assigned = length > 1 && near.get(length) == Some(&b'=') && near[length - 1] == b' ';
    if is_assigned { at + length + 1 + spaces(bytes, at + length + 1) } else { at }
}

fn spaces(bytes: &[u8], at: usize) -> usize {
    run(&bytes[at.min(bytes.len())..bytes.len().min(at + 8)], |byte| matches!(byte, b' ' | b'\t'))
}

/// The quote at `at`, and how many backslashes stand before it.
fn quote(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let slashes = run(&bytes[at.min(bytes.len())..bytes.len().min(at + 8)], |byte| byte == b'\\');
    bytes.get(at + slashes).filter(|byte| is_quote(**byte)).map(|byte| (*byte, slashes))
}

/// The value at a place, when it is a secret.
fn named(text: &str, name: &Range<usize>, class: Class, place: &Place) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let span = match place.quote {
        Some(quote) => place.start..quoted_end(bytes, place.start, quote)?,
        None => place.start..place.start + bare(&bytes[place.start..]),
    };
    let last = text[name.clone()].rsplit(['.', '-']).next().unwrap_or_default();
    let capital =
        !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let form = if place.sign == b'=' && place.close && capital {
        Form::Environment
    } else if place.quote.is_some() && place.name_quoted {
        Form::Data
    } else if place.quote.is_some() {
        Form::Quoted
    } else {
        Form::Bare
    };
    let is_call = place.quote.is_none() && matches!(bytes.get(span.end), Some(b'(' | b'[' | b'{' | b'!'));
    (!is_call && is_secret(&text[span.clone()], class, form)).then_some(span)
}

/// Where a quoted value ends: at the same quote with as many backslashes before it. One that does not end in its line is none.
fn quoted_end(bytes: &[u8], start: usize, (quote, slashes): (u8, usize)) -> Option<usize> {
    let mut before = 0;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match *byte {
            b'\\' => before += 1,
            byte if byte == quote && before <= slashes => return Some(at - before),
            b'\n' | b'\r' => return None,
            // A text that was cut ends without its quote; so does anything that is too long to be a secret.
            _ => before = 0,
        }
    }
    Some(bytes.len())
}

/// How long a value without quotes is.
fn bare(bytes: &[u8]) -> usize {
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || is_quote(byte)
            || matches!(byte, b',' | b';' | b')' | b'(' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'\\' | b'|' | b'&')
    };
    let length = run(bytes, |byte| !ends(byte));
    // The end of a sentence is none of it.
    let word = &bytes[..length];
    length - word.iter().rev().take_while(|byte| matches!(byte, b'.' | b':' | b'!' | b'?')).count()
}

/// Where a header's credential begins: behind the scheme, if there is one.
fn behind_scheme(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let length = run(&bytes[start..bytes.len().min(start + 24)], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let scheme = text.get(start..start + length)?.to_ascii_lowercase();
    let known = ["bearer", "basic", "token", "apikey", "api-key", "key", "digest", "negotiate", "sso-key"];
    let gap = spaces(bytes, start + length);
    Some(if known.contains(&scheme.as_str()) && gap > 0 { start + length + gap } else { start })
}

/// A credential that begins at `start` and has at least `least` bytes.
fn credential(text: &str, start: usize, least: usize) -> Option<Range<usize>> {
    let length = bare(text.as_bytes().get(start..)?);
    let value = text.get(start..start + length)?;
    let has = |such: fn(&u8) -> bool| value.as_bytes().iter().any(such);
    let is_made =
        has(u8::is_ascii_digit) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && length >= 12);
    (length >= least && is_made && !is_placeholder(value) && !value.contains("://")).then_some(start..start + length)
}

/// The password of `-u name:password`.
fn login(text: &str, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = start + usize::from(bytes.get(start).is_some_and(|byte| is_quote(*byte)));
    let length = run(bytes.get(start..)?, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
    let word = text.get(start..start + length)?;
    let colon = word.find(':')?;
    is_secret(&word[colon + 1..], Class::Password, Form::Words).then_some(start + colon + 1..start + length)
}

/// `--token value`, `the password is value`.
fn in_words(text: &str, end: usize, class: Class, is_flag: bool) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = end + spaces(bytes, end);
    if !is_flag {
        let verb = ["is ", "was ", "=> ", "为 ", "是 "].into_iter().find(|verb| text[start..].starts_with(verb))?;
        start += verb.len();
    }
    let opening = quote(bytes, start);
    let span = match opening {
        Some(quote) => start + quote.1 + 1..quoted_end(bytes, start + quote.1 + 1, quote)?,
        None => start..start + bare(&bytes[start..]),
    };
    is_secret(text.get(span.clone())?, class, Form::Words).then_some(span)
}
