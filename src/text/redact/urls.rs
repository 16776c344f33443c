//! Passwords within addresses: `scheme://user:password@host`, and addresses that are a secret themselves.

use std::ops::Range;

use super::scan::run;
use super::value;

/// How long a name and a password may be.
const LOGIN: usize = 512;

/// Addresses whose last part lets whoever has it write.
const HOOKS: &[&str] = &["hooks.slack.com/services/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/"];

/// Finds them.
pub fn find(text: &str, found: &mut Vec<Range<usize>>) {
    found.extend(text.match_indices("://").filter_map(|(at, mark)| password(text, at, at + mark.len())));
    for hook in HOOKS {
        found.extend(text.match_indices(hook).filter_map(|(at, hook)| {
            let start = at + hook.len();
            let length = run(&text.as_bytes()[start..], |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_')
            });
            (length >= 20).then_some(start..start + length)
        }));
    }
}

fn password(text: &str, scheme_end: usize, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let has_scheme = scheme_end.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
    let rest = &bytes[start..bytes.len().min(start + LOGIN)];
    let word = &rest
        [..run(rest, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\'))];
    let host_end = word.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(word.len());
    let colon = word[..host_end].iter().position(|byte| *byte == b':')?;
    // A careless password holds what would have to be encoded, even a slash; a port holds digits alone.
    let within = word[..host_end].iter().rposition(|byte| *byte == b'@').filter(|at| *at > colon);
    let is_port = word[colon + 1..host_end].iter().all(u8::is_ascii_digit);
    let beyond = || word.iter().position(|byte| *byte == b'@').filter(|at| *at > host_end && !is_port);
    let at = within.or_else(beyond)?;
    let password = text.get(start + colon + 1..start + at)?;
    (has_scheme && word[0] != b'[' && !value::is_placeholder(password)).then_some(start + colon + 1..start + at)
}
