//! Keys that services mark by how they begin, so that they can be told from anything else.

use std::ops::Range;

use super::scan::run;

/// How a service's keys begin, and how many key characters follow at least.
struct Shape {
    prefix: &'static str,
    rest: usize,
}

const fn key(prefix: &'static str, rest: usize) -> Shape {
    Shape { prefix, rest }
}

#[rustfmt::skip]
const SHAPES: &[Shape] = &[
    // OpenAI, Anthropic, OpenRouter and others of that fashion; what only begins with `sk-` is looked at more closely.
    key("sk-proj-", 16), key("sk-ant-", 16), key("sk-or-", 16), key("sk-svcacct-", 16), key("sk-admin-", 16), key("sk-", 16),
    key("xai-", 20), key("gsk_", 20), key("nvapi-", 20), key("pplx-", 20), key("hf_", 30), key("r8_", 30),
    // Stripe.
    key("sk_live_", 10), key("sk_test_", 10), key("rk_live_", 10), key("rk_test_", 10), key("whsec_", 16),
    // GitHub, GitLab.
    key("ghp_", 20), key("gho_", 20), key("ghu_", 20), key("ghs_", 20), key("ghr_", 20), key("github_pat_", 20),
    key("glpat-", 16), key("gldt-", 16), key("glrt-", 16), key("glcbt-", 16), key("glptt-", 16), key("glsoat-", 16),
    // Slack.
    key("xoxb-", 10), key("xoxp-", 10), key("xoxa-", 10), key("xoxo-", 10), key("xoxr-", 10), key("xoxs-", 10),
    key("xoxe-", 10), key("xoxe.xoxp-", 10), key("xoxe.xoxb-", 10), key("xapp-", 10),
    // Google.
    key("AIza", 30), key("ya29.", 30), key("GOCSPX-", 20),
    // Registries of packages and images.
    key("npm_", 30), key("pypi-", 40), key("dckr_pat_", 20), key("rubygems_", 30), key("cio", 32),
    // Clouds, hosts, monitoring, shops, mail.
    key("dop_v1_", 30), key("doo_v1_", 30), key("dor_v1_", 30), key("hvs.", 24), key("hvb.", 24), key("SG.", 40),
    key("shpat_", 20), key("shpss_", 20), key("shpca_", 20), key("sntrys_", 20), key("sntryu_", 20), key("glsa_", 20),
    key("lin_api_", 20), key("figd_", 20), key("tskey-", 16), key("PMAK-", 20), key("ATATT3", 20), key("AGE-SECRET-KEY-1", 30),
];

/// Which two bytes a key may begin with: so that most words are looked at no further.
static BEGINS: [[bool; 128]; 128] = begins();

const fn begins() -> [[bool; 128]; 128] {
    let mut begins = [[false; 128]; 128];
    let mut at = 0;
    while at < SHAPES.len() {
        let prefix = SHAPES[at].prefix.as_bytes();
        begins[prefix[0] as usize][prefix[1] as usize] = true;
        at += 1;
    }
    begins[b'A' as usize][b'K' as usize] = true;
    begins[b'A' as usize][b'S' as usize] = true;
    begins[b'A' as usize][b'B' as usize] = true;
    begins[b'A' as usize][b'C' as usize] = true;
    begins[b'e' as usize][b'y' as usize] = true;
    let (mut first, mut second) = (b'0', b'0');
    while first <= b'9' {
        while second <= b'9' {
            begins[first as usize][second as usize] = true;
            second += 1;
        }
        (first, second) = (first + 1, b'0');
    }
    begins
}

/// At the end of a text that was cut there, this many characters behind a prefix of its own are enough.
const CUT_REST: usize = 6;

/// How AWS's access keys begin. Sixteen capitals and digits follow.
const AWS: &[&str] = &["AKIA", "ASIA", "ABIA", "ACCA"];
/// How far behind an access key its secret is looked for, in bytes.
const AWS_NEAR: usize = 256;
/// How long that secret is.
const AWS_SECRET: usize = 40;

/// Finds such keys.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let (mut at, mut run_end) = (0, 0);
    while at < bytes.len() {
        if run_end <= at {
            // Once for all that begin within it: a text of nothing but begins would take for ever.
            run_end = at + run(&bytes[at..], is_key);
        }
        let begins_word =
            bytes[at].is_ascii_alphanumeric() && !at.checked_sub(1).is_some_and(|before| is_word(bytes[before]));
        if !begins_word {
            at += 1;
            continue;
        }
        let key = starts(bytes, at).into_iter().flatten().find_map(|start| Some(start..end(bytes, start, run_end)?));
        let Some(key) = key else {
            at += 1;
            continue;
        };
        at = key.end;
        let is_aws = AWS.iter().any(|prefix| bytes[key.start..].starts_with(prefix.as_bytes()));
        found.push(key);
        if is_aws {
            found.extend(aws_secret(bytes, at));
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Where a key may begin when a word begins at `at`: there, or behind what an escape sequence puts before it.
fn starts(bytes: &[u8], at: usize) -> [Option<usize>; 2] {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    let hex = |count: usize| bytes.get(at + 1..at + 1 + count).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    let behind = match (before, bytes[at]) {
        // As JSON and shells write a new line, a tab, an unusual character.
        (Some(b'\\'), b'n' | b'r' | b't' | b'b' | b'f' | b'e') => Some(at + 1),
        (Some(b'\\'), b'u') if hex(4) => Some(at + 5),
        (Some(b'\\'), b'x') if hex(2) => Some(at + 3),
        // As addresses do.
        (Some(b'%'), first) if first.is_ascii_hexdigit() && hex(1) => Some(at + 2),
        // The end of a colour's sequence.
        (Some(b'[' | b';'), _) => {
            let digits = run(&bytes[at..bytes.len().min(at + 4)], |byte| byte.is_ascii_digit());
            (bytes.get(at + digits) == Some(&b'm')).then_some(at + digits + 1)
        }
        _ => None,
    };
    [Some(at), behind]
}

/// Where the key that begins at `start` ends, if one does. Letters, digits, `-` and `_` go on to `run_end`.
fn end(bytes: &[u8], start: usize, run_end: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let (first, second) = (*rest.first()?, *rest.get(1)?);
    if !(first.is_ascii() && second.is_ascii() && BEGINS[usize::from(first)][usize::from(second)]) {
        return None;
    }
    shape_end(bytes, start).or_else(|| {
        aws_end(rest)
            .or_else(|| token_end(rest, run_end.saturating_sub(start)))
            .or_else(|| bot_end(rest))
            .map(|length| start + length)
    })
}

fn shape_end(bytes: &[u8], start: usize) -> Option<usize> {
    let text = &bytes[start..];
    let shape = SHAPES.iter().find(|shape| text.starts_with(shape.prefix.as_bytes()))?;
    let rest = &text[shape.prefix.len()..];
    let dotted = shape.prefix.contains('.');
    let is_rest = |byte: u8| is_key(byte) || (dotted && byte == b'.');
    let near = run(&rest[..rest.len().min(shape.rest)], is_rest);
    let is_plain = shape.prefix == "sk-";
    let begins_name = start.checked_sub(1).is_none_or(|before| !matches!(bytes[before], b'-' | b'_'));
    if is_plain && !(begins_name && is_mixed(rest)) {
        return None;
    }
    let is_cut = !is_plain && near >= CUT_REST && (near == rest.len() || rest[near..].starts_with("…".as_bytes()));
    (near == shape.rest || is_cut).then(|| start + shape.prefix.len() + run(rest, is_rest))
}

const fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether there is a run of letters and digits that no word is. Looks at the begin alone.
fn is_mixed(rest: &[u8]) -> bool {
    let near = &rest[..run(&rest[..rest.len().min(64)], is_key)];
    near.split(|byte| !byte.is_ascii_alphanumeric())
        .any(|part| part.len() >= 12 && part.iter().any(u8::is_ascii_digit) && part.iter().any(u8::is_ascii_alphabetic))
}

fn aws_end(text: &[u8]) -> Option<usize> {
    AWS.iter().find(|prefix| text.starts_with(prefix.as_bytes()))?;
    let length = run(&text[..text.len().min(21)], |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (length == 20).then_some(length)
}

/// The secret beside an access key: forty characters, and no hash.
fn aws_secret(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let near = &bytes[..bytes.len().min(from + AWS_NEAR)];
    let mut at = from;
    while at < near.len() {
        let length = run(&near[at..], is_secret);
        let word = &near[at..at + length];
        let any = |such: fn(&u8) -> bool| word.iter().any(such);
        if length == AWS_SECRET && any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase) && any(u8::is_ascii_digit)
        {
            return Some(at..at + length);
        }
        at += length + 1;
    }
    None
}

/// A JSON web token: two objects in base64 and a signature, with dots between them.
fn token_end(text: &[u8], first: usize) -> Option<usize> {
    if !text.starts_with(b"eyJ") {
        return None;
    }
    let rest = text.get(first..)?.strip_prefix(b".")?;
    let second = run(&rest[..rest.len().min(10)], is_key);
    (first >= 10 && second == 10).then(|| run(text, |byte| is_key(byte) || byte == b'.'))
}

/// A Telegram bot's token: its number, a colon, 35 characters.
fn bot_end(text: &[u8]) -> Option<usize> {
    let digits = run(&text[..text.len().min(11)], |byte| byte.is_ascii_digit());
    let rest = text.get(digits..)?.strip_prefix(b":AA")?;
    let length = run(&rest[..rest.len().min(34)], is_key);
    ((8..=10).contains(&digits) && length == 33).then_some(digits + 3 + length)
}
