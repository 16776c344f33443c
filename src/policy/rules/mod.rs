//! Codex's `.rules` files: which commands a person allows, wants to be asked for, or forbids, by how they begin.
//!
//! [`read`] takes the part of Starlark that such files use: calls with named values, lists, strings, and names given to
//! them. Paths and reading files are the caller's.

mod file;

use std::fmt;

pub use file::{RuleError, read, render};

use super::readonly;
use super::shell::Word;
use super::through::{Found, Role, base};

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Run it, outside the sandbox.
    Allow,
    /// Ask first.
    Prompt,
    /// Never run it.
    Forbidden,
}

impl Decision {
    /// As in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Prompt => "prompt",
            Self::Forbidden => "forbidden",
        }
    }
}

/// One `prefix_rule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How the command begins: at every place the words that may stand there.
    pub pattern: Vec<Vec<String>>,
    /// What to do with it.
    pub decision: Decision,
    /// Why, in the words of whoever wrote it.
    pub justification: Option<String>,
    /// The file it stands in, as it was named to [`read`].
    pub file: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// The last day it counts, `YYYY-MM-DD`; `None` for good.
    pub until: Option<String>,
}

impl Rule {
    /// Whether words begin as the rule says. A word that is only known when it runs matches nothing.
    #[must_use]
    pub fn matches(&self, words: &[Word]) -> bool {
        words.len() >= self.pattern.len()
            && self.pattern.iter().zip(words).enumerate().all(|(at, (allowed, word))| {
                let text = if at == 0 && !allowed.contains(&word.text) { program(&word.text) } else { &word.text };
                word.fixed && allowed.iter().any(|one| one == text)
            })
    }

    /// Whether the rule names every word.
    #[must_use]
    pub fn is_exactly(&self, words: &[Word]) -> bool {
        self.pattern.len() == words.len() && words.iter().all(|word| word.fixed)
    }
}

/// A program in a folder of the system counts by its name, any other by its path.
fn program(text: &str) -> &str {
    const FOLDERS: &[&str] = &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/opt/homebrew/bin/"];
    FOLDERS.iter().find_map(|folder| text.strip_prefix(folder)).filter(|name| !name.contains('/')).unwrap_or(text)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.pattern.iter().map(|words| words.join("|")).collect();
        write!(f, "{}:{}: {} {}", self.file, self.line, self.decision.name(), words.join(" "))
    }
}

/// The rules that match, in their order.
pub fn matching<'a>(rules: &'a [Rule], words: &'a [Word]) -> impl Iterator<Item = &'a Rule> {
    rules.iter().filter(|rule| rule.matches(words))
}

/// What a rule that allows `found` from now on would be: the model's wish when it is sound, else the words of the command
/// that is not known to be harmless. `None` when one rule cannot do it.
#[must_use]
pub fn always(found: &Found, wish: Option<&[String]>) -> Option<Vec<String>> {
    let mut open = found
        .commands
        .iter()
        .filter(|command| found.unknown.is_none() && command.role != Role::Wrapper && !readonly::is_read_only(command));
    let (one, others) = (open.next()?, open.next());
    let words = &one.simple.words;
    if others.is_some() || !readonly::is_plain(&one.simple) || !words.iter().all(|word| word.fixed) {
        return None;
    }
    let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
    let sound = wish.filter(|wish| texts.starts_with(wish) && !is_too_broad(wish));
    sound.map(<[String]>::to_vec).or_else(|| (!is_too_broad(&texts)).then_some(texts))
}

/// Whether a prefix would allow next to anything.
fn is_too_broad(prefix: &[String]) -> bool {
    const ANYTHING: &[&str] = &[
        "bash",
        "sh",
        "zsh",
        "dash",
        "fish",
        "ksh",
        "python",
        "python3",
        "node",
        "deno",
        "bun",
        "perl",
        "ruby",
        "php",
        "lua",
        "git",
        "env",
        "sudo",
        "doas",
        "su",
        "xargs",
        "npx",
        "uvx",
        "ssh",
        "docker",
        "curl",
        "wget",
        "rm",
        "osascript",
    ];
    let Some(program) = prefix.first().map(|program| base(program)) else { return true };
    let only_options = prefix.iter().skip(1).all(|word| word.starts_with('-'));
    ANYTHING.contains(&program) && only_options || matches!(program, "sudo" | "doas" | "su")
}
