//! What a turn did that could be done again: commands that passed and files it changed, without the looking around between them. And
//! whether the turn succeeded.

use std::fmt;
use std::path::{Component, Path};

use crate::evolution::outcomes::{self, Goal};
use crate::evolution::reaction::{Reaction, reaction};
use crate::protocol::learned::{CallRecord, TurnRecord, TurnStatus, Work};

/// The longest command that can be a step.
const LONGEST: usize = 300;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A command.
    Run {
        /// The folder it ran in, relative to the repository, when that is another.
        folder: Option<String>,
        /// Its words as they were written, quotation marks included.
        words: Vec<String>,
        /// It finds out whether something holds, and its exit status says so.
        is_check: bool,
    },
    /// A file that was changed.
    Edit {
        /// `add`, `update` or `delete`.
        change: String,
        /// Relative to the repository.
        path: String,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { folder: Some(folder), words, .. } => write!(f, "cd {folder} && {}", words.join(" ")),
            Self::Run { folder: None, words, .. } => f.write_str(&words.join(" ")),
            Self::Edit { path, .. } => f.write_str(path),
        }
    }
}

impl Act {
    /// The program it runs, by its name alone.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::Run { words, .. } => program(words).map(|(_, word)| word.rsplit('/').next().unwrap_or(word)),
            Self::Edit { .. } => None,
        }
    }
}

/// What `turn` did and what passed of it, in order.
#[must_use]
pub fn acts(turn: &TurnRecord, root: &Path) -> Vec<Act> {
    turn.calls
        .iter()
        .filter(|call| call.ok && call.exit_code.unwrap_or(0) == 0)
        .flat_map(|call| of_call(call, root))
        .collect()
}

/// What `turn` tried, whatever came of it.
#[must_use]
pub fn attempts(turn: &TurnRecord, root: &Path) -> Vec<Act> {
    turn.calls.iter().flat_map(|call| of_call(call, root)).collect()
}

/// Whether `turn` reached what it was for: by the exit status of its last check, or of its last command where it checked nothing, and
/// by what the person did next. `None` when nothing says.
#[must_use]
pub fn verdict(turn: &TurnRecord, next: Option<&TurnRecord>) -> Option<bool> {
    if turn.status != TurnStatus::Completed || matches!(reaction(turn, next), Reaction::Correction | Reaction::Repeat) {
        return Some(false);
    }
    let exits = || {
        turn.calls.iter().filter_map(|call| match &call.work {
            Work::Command { line, .. } => Some((line.as_str(), call.exit_code?)),
            Work::Edit | Work::Other { .. } => None,
        })
    };
    let check = exits().rfind(|(line, _)| is_check(line));
    check.or_else(|| exits().next_back()).map(|(_, exit)| exit == 0)
}

/// Whether a line's exit status says whether something holds.
fn is_check(line: &str) -> bool {
    // The exit status of a pipe is that of its last command.
    let checks = matches!(outcomes::goal(line), Some(Goal::Test | Goal::Build | Goal::Lint));
    checks && !line.contains('|') && !line.trim_end().ends_with('&')
}

fn of_call(call: &CallRecord, root: &Path) -> Vec<Act> {
    match &call.work {
        Work::Command { line, cwd } => match within(cwd, root) {
            Some(folder) => commands(line, folder),
            None => Vec::new(),
        },
        Work::Edit => {
            let files = call.files.iter().filter(|file| file.path.is_relative());
            let act = |path: String, change: &str| Act::Edit { change: change.to_owned(), path };
            files.map(|file| act(file.path.display().to_string(), &file.change)).collect()
        }
        Work::Other { .. } => Vec::new(),
    }
}

/// Where `folder` is in the repository; empty at its root, `None` when it is outside.
fn within(folder: &Path, root: &Path) -> Option<String> {
    Some(folder.strip_prefix(root).ok()?.display().to_string())
}

/// The commands of a line whose exit status proves that they passed: what is joined by `&&` up to its end. Nobody knows how what
/// stands before a semicolon ended.
fn commands(line: &str, mut folder: String) -> Vec<Act> {
    let Some(tokens) = tokens(line) else { return Vec::new() };
    let proven_from = tokens.iter().rposition(|token| token == ";").map_or(0, |at| at + 1);
    let (mut acts, mut start) = (Vec::new(), 0);
    for part in tokens.split(|token| matches!(token.as_str(), "&&" | ";")) {
        let words = undressed(part);
        match words.as_slice() {
            [cd, to] if cd == "cd" => match joined(&folder, to) {
                Some(to) => folder = to,
                None => return Vec::new(),
            },
            words if start >= proven_from && acts_on(words) => {
                let folder = (!folder.is_empty()).then(|| folder.clone());
                acts.push(Act::Run { folder, words: words.to_vec(), is_check: is_check(&part.join(" ")) });
            }
            _ => {}
        }
        start += part.len() + 1;
    }
    acts
}

/// The folder that `cd to` leads to from `folder`; `None` when nobody can say, or outside the repository.
fn joined(folder: &str, to: &str) -> Option<String> {
    if to.contains(['$', '~', '*']) || Path::new(to).is_absolute() {
        return None;
    }
    let mut parts: Vec<String> =
        Path::new(folder).components().map(|part| part.as_os_str().display().to_string()).collect();
    for part in Path::new(to.trim_matches(['"', '\''])).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = parts.pop()?,
            Component::Normal(name) => parts.push(name.display().to_string()),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The words and operators of a line as they were written; `None` when it is none that could be a step: it is long, writes a file out of
/// itself, goes on after a failure, or runs in the background.
fn tokens(line: &str) -> Option<Vec<String>> {
    if line.len() > LONGEST || line.contains("<<") || line.contains('`') {
        return None;
    }
    let mut tokens: Vec<String> = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    let mut chars = line.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) => {
                word.push(c);
                quote = (c != open).then_some(open);
            }
            (None, '\'' | '"') => {
                word.push(c);
                quote = Some(c);
            }
            (None, '&') if word.ends_with('>') || chars.peek() == Some(&'>') => word.push(c),
            (None, '&' | '|' | ';' | '\n') => {
                tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                let twice = c != '\n' && chars.next_if_eq(&c).is_some();
                match (c, twice) {
                    ('&', true) => tokens.push("&&".to_owned()),
                    ('|', false) => tokens.push("|".to_owned()),
                    (';', false) | ('\n', _) => tokens.push(";".to_owned()),
                    _ => return None,
                }
            }
            (None, c) if c.is_whitespace() => tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            (None, c) => word.push(c),
        }
    }
    tokens.extend((!word.is_empty()).then_some(word));
    while tokens.last().is_some_and(|token| token == ";") {
        tokens.pop();
    }
    quote.is_none().then_some(tokens)
}

/// A command without what only shortens its output.
fn undressed(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    while let Some(at) = words.iter().rposition(|word| word == "|") {
        if !words.get(at + 1).is_some_and(|word| matches!(word.as_str(), "tail" | "head" | "cat" | "less")) {
            break;
        }
        words.truncate(at);
    }
    while words.last().is_some_and(|word| word == "2>&1") {
        words.pop();
    }
    words
}

/// The place of the program among the words of a command.
pub(super) fn program(words: &[String]) -> Option<(usize, &str)> {
    let is_ahead = |word: &str| {
        matches!(word, "sudo" | "time" | "env" | "exec" | "nice")
            || word.split_once('=').is_some_and(|(name, _)| is_name(name))
    };
    words.iter().enumerate().map(|(at, word)| (at, word.as_str())).find(|(_, word)| !is_ahead(word))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a command does something, instead of looking at what is there or being made up for once.
fn acts_on(words: &[String]) -> bool {
    const LOOKS: &[&str] = &[
        "ls",
        "cat",
        "head",
        "tail",
        "less",
        "more",
        "bat",
        "grep",
        "egrep",
        "rg",
        "ag",
        "fd",
        "tree",
        "wc",
        "pwd",
        "echo",
        "printf",
        "which",
        "type",
        "file",
        "stat",
        "du",
        "df",
        "test",
        "[",
        "true",
        "false",
        "sleep",
        "date",
        "man",
        "ps",
        "jq",
        "sort",
        "uniq",
        "diff",
        "nl",
        "cd",
        "whoami",
        "uname",
        "id",
        "history",
        "set",
        "export",
        "hone",
        "codex",
        "apply_patch",
        "awk",
        "cut",
        "seq",
        "for",
        "while",
        "if",
        "do",
        "done",
        "then",
        "fi",
        "bash",
        "sh",
        "zsh",
        "eval",
        "read",
        "source",
        ".",
    ];
    const GIT_LOOKS: &[&str] = &[
        "status",
        "diff",
        "log",
        "show",
        "blame",
        "branch",
        "rev-parse",
        "ls-files",
        "grep",
        "remote",
        "describe",
        "config",
        "restore",
        "stash",
    ];
    let Some((at, program)) = program(words) else { return false };
    let name = program.rsplit('/').next().unwrap_or(program);
    let rest = &words[at + 1..];
    let has = |flag: &str| rest.iter().any(|word| word == flag || word.starts_with(&format!("{flag}=")));
    match name {
        _ if program.starts_with(['-', '$', '(', '{', '!']) => false,
        "git" => rest.first().is_some_and(|word| !GIT_LOOKS.contains(&word.as_str())),
        "sed" | "perl" => rest.iter().any(|word| word.starts_with("-i")),
        "find" => has("-delete") || has("-exec"),
        // A script written on the command line was written for once.
        "python" | "python3" | "node" | "ruby" | "deno" => {
            !has("-c") && !has("-e") && !rest.is_empty() && rest[0] != "-"
        }
        name => {
            let asks_for_help = rest.len() == 1 && matches!(rest[0].as_str(), "--version" | "--help" | "-h" | "-V");
            !LOOKS.contains(&name) && !asks_for_help
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::stage::tests::{run, turn};
    use crate::protocol::learned::FileTouched;

    fn shown(line: &str) -> Vec<String> {
        let turn = turn(1, "go", vec![run(line, 0, "")]);
        acts(&turn, Path::new("/repo")).iter().map(Act::to_string).collect()
    }

    #[test]
    fn what_could_be_done_again_is_kept_and_looking_around_is_not() {
        for (line, expected) in [
            ("./new-migration users", vec!["./new-migration users"]),
            ("ls -la && cat x | head -3", vec![]),
            ("cd web && npm run build 2>&1 | tail -n 20", vec!["cd web && npm run build"]),
            ("cd web/../api && just gen && just t", vec!["cd api && just gen", "cd api && just t"]),
            ("cd /elsewhere && just gen", vec![]),
            ("cd ../.. && just gen", vec![]),
            ("just gen; just t", vec!["just t"]),
            ("just gen\njust fmt && just t\n", vec!["just fmt", "just t"]),
            ("just gen || true", vec![]),
            ("server &", vec![]),
            ("cat > x <<'E'\nrm -rf /\nE", vec![]),
            ("psql -f 'a b.sql' < seed.sql", vec!["psql -f 'a b.sql' < seed.sql"]),
            ("FOO=1 sudo make install 2>&1", vec!["FOO=1 sudo make install"]),
            ("git status && git commit -m \"add; it\"", vec!["git commit -m \"add; it\""]),
            ("sed -n 1,5p x", vec![]),
            ("sed -i s/a/b/ x", vec!["sed -i s/a/b/ x"]),
            ("python3 -c 'print(1)'", vec![]),
            ("echo \"unfinished", vec![]),
            ("cargo --version", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
        assert_eq!(shown(&format!("make {}", "x".repeat(400))), [""; 0]);
    }

    #[test]
    fn only_what_passed_is_an_act_and_edits_are() {
        let mut edit = run("", 0, "");
        (edit.work, edit.exit_code) = (Work::Edit, None);
        edit.files = vec![
            FileTouched { path: "src/a.rs".into(), change: "add".to_owned() },
            FileTouched { path: "/etc/x".into(), change: "add".to_owned() },
        ];
        let mut elsewhere = run("just gen", 0, "");
        elsewhere.work = Work::Command { line: "just gen".to_owned(), cwd: "/other".into() };
        let mut below = run("just gen", 0, "");
        below.work = Work::Command { line: "just gen".to_owned(), cwd: "/repo/web".into() };
        let turn = turn(1, "go", vec![run("just t", 1, ""), edit, elsewhere, below]);
        let texts = |acts: Vec<Act>| acts.iter().map(Act::to_string).collect::<Vec<_>>();
        assert_eq!(texts(acts(&turn, Path::new("/repo"))), ["src/a.rs", "cd web && just gen"]);
        assert_eq!(texts(attempts(&turn, Path::new("/repo")))[0], "just t");
    }

    #[test]
    fn success_is_judged_by_status_and_exit_codes() {
        let of = |calls: &[(&str, i32)]| {
            turn(1, "build the parser", calls.iter().map(|(line, exit)| run(line, *exit, "")).collect())
        };
        for (calls, expected) in [
            (vec![], None),
            (vec![("just gen", 0)], Some(true)),
            (vec![("just gen", 2)], Some(false)),
            (vec![("just t", 1), ("just t", 0), ("git status", 128)], Some(true)),
            (vec![("just t", 0), ("just t", 1), ("git commit", 0)], Some(false)),
            // What a pipe ends with says nothing of the check before it.
            (vec![("just t", 1), ("just t | tail", 0)], Some(false)),
        ] {
            assert_eq!(verdict(&of(&calls), None), expected, "{calls:?}");
        }
        let good = of(&[("just t", 0)]);
        assert_eq!(verdict(&good, Some(&turn(2, "no, that is wrong", vec![]))), Some(false));
        assert_eq!(verdict(&good, Some(&turn(2, "build the parser!", vec![]))), Some(false));
        assert_eq!(verdict(&good, Some(&turn(2, "now the docs", vec![]))), Some(true));
        for status in [TurnStatus::Interrupted, TurnStatus::Failed("x".to_owned())] {
            assert_eq!(verdict(&TurnRecord { status, ..good.clone() }, None), Some(false));
        }
    }
}
