//! `sed` and `awk`: small languages in which one can also write and run things.

use super::shell::Word;

/// Whether `sed` with these arguments only prints. Knows `p`, `d`, `q`, `=` behind lines or patterns, and `s` without the
/// flags that write and run.
#[must_use]
pub fn sed_reads_only(args: &[Word]) -> bool {
    const OPTIONS: &[&str] =
        &["-n", "-E", "-r", "-s", "-z", "-u", "--quiet", "--silent", "--regexp-extended", "--posix"];
    let mut scripts = Vec::new();
    let mut expects_script = false;
    let has_script_option = args.iter().any(|word| word.text == "-e" || word.text == "-ne");
    for word in args {
        if word.may_be_option {
            return false;
        }
        let text = word.text.as_str();
        if std::mem::take(&mut expects_script) {
            scripts.push(word);
        } else if text == "-e" || text == "-ne" {
            expects_script = true;
        } else if text.starts_with('-') && text.len() > 1 {
            if !OPTIONS.contains(&text) {
                return false;
            }
        } else if !has_script_option && scripts.is_empty() {
            scripts.push(word);
        }
    }
    !expects_script && !scripts.is_empty() && scripts.iter().all(|word| word.fixed && sed_script(&word.text))
}

fn sed_script(script: &str) -> bool {
    !script.contains(['\n', '{', '}']) && script.split(';').all(|command| sed_command(command.trim()))
}

fn sed_command(command: &str) -> bool {
    if let Some(rest) = command.strip_prefix('s') {
        return substitutes(rest);
    }
    let Some(behind) = addresses(command) else { return false };
    match behind.trim_start().strip_prefix('!').unwrap_or(behind.trim_start()) {
        "p" | "d" | "q" | "=" | "P" | "D" => true,
        other => other.strip_prefix('s').is_some_and(substitutes),
    }
}

/// What stands behind the addresses of a command.
fn addresses(command: &str) -> Option<&str> {
    let mut rest = command;
    for number in 0..2 {
        if number == 1 {
            match rest.strip_prefix(',') {
                Some(second) => rest = second.trim_start_matches(['+', '~']),
                None => return Some(rest),
            }
        }
        if let Some(pattern) = rest.strip_prefix('/') {
            let end = pattern.find('/')?;
            // A pattern with a backslash or a bracket may end elsewhere.
            if pattern[..end].contains(['\\', '[']) {
                return None;
            }
            rest = &pattern[end + 1..];
        } else {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$');
        }
    }
    Some(rest)
}

/// `/a/b/flags`, with nothing in it that could end it elsewhere.
fn substitutes(rest: &str) -> bool {
    let Some(mark) = rest.chars().next().filter(|c| matches!(c, '/' | '|' | '#' | ',' | ':' | '@' | '!')) else {
        return false;
    };
    let parts: Vec<&str> = rest.split(mark).collect();
    let [_, pattern, with, flags] = parts[..] else { return false };
    let ends_here = |part: &str| !part.ends_with('\\');
    // Within brackets a mark ends nothing.
    ends_here(pattern)
        && !pattern.contains('[')
        && ends_here(with)
        && flags.chars().all(|c| matches!(c, 'g' | 'p' | 'i' | 'I') || c.is_ascii_digit())
}

/// Whether `awk` with these arguments only prints: its program has nothing that could name a file or a command.
#[must_use]
pub fn awk_reads_only(args: &[Word]) -> bool {
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        if word.may_be_option {
            return false;
        }
        match word.text.as_str() {
            "-F" | "-v" => {
                if rest.next().is_none_or(|value| value.may_be_option) {
                    return false;
                }
            }
            text if text.starts_with("-F") && word.fixed => {}
            text if text.starts_with('-') => return false,
            program => {
                let acts = ["system", "getline", "close", "fflush", "printf -", "load", "include"];
                let plain = word.fixed && !program.contains(['>', '|', '@', '`']);
                // What comes behind is files, but gawk takes options there, too.
                return plain
                    && !acts.iter().any(|act| program.contains(act))
                    && rest.all(|word| !word.may_be_option && !word.text.starts_with('-'));
            }
        }
    }
    false
}
