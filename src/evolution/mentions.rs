//! The commands, tools and paths a statement speaks of, and whether it is for or against each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::protocol::learned::About;

/// Tools whose name is no ordinary word, so that it counts without backquotes.
const TOOLS: &[&str] = &[
    "cargo", "npm", "pnpm", "yarn", "bun", "pip", "uv", "poetry", "pytest", "ruff", "eslint", "prettier", "docker",
    "podman", "gradle", "maven", "bazel", "cmake", "ninja", "nextest", "jest", "vitest", "tox", "deno", "npx", "tabs",
    "spaces", "unittest", "mypy", "clippy", "rustfmt", "gofmt", "biome",
];

/// What begins a part that speaks against something.
const AGAINST: &[&str] = &[
    "never",
    "not",
    "don't",
    "dont",
    "instead of",
    "rather than",
    "over",
    "avoid",
    "no longer",
    "without",
    "mustn't",
    "stop using",
    "不要",
    "别",
    "而不是",
    "不用",
    "不再",
    "禁止",
    "切勿",
    "不能",
    "不准",
    "严禁",
    "代替",
];

/// What ends it again.
const FOR: &[&str] = &["but", "always", "而是", "改用", "应该用", "now", ",", "，", ";", "；", ".", "。", ":", "："];

/// What a text is for and against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// What it is for.
    pub for_: BTreeSet<String>,
    /// What it is against.
    pub against: BTreeSet<String>,
}

impl Mentions {
    /// What `text` mentions.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut mentions = Self::default();
        let mut is_against = false;
        let mut rest = text;
        let mut at_word = true;
        while let Some(c) = rest.chars().next() {
            if let Some((code, after)) = rest.strip_prefix('`').and_then(|inner| inner.split_once('`')) {
                mentions.add(code.trim(), is_against);
                (rest, at_word) = (after, true);
                continue;
            }
            let lower = rest.get(..rest.len().min(24)).unwrap_or(rest).to_lowercase();
            if at_word || !c.is_ascii() {
                is_against = (is_against || begins_any(&lower, AGAINST)) && !begins_any(&lower, FOR);
            } else if begins_any(&lower, FOR) && !c.is_ascii_alphanumeric() && rest[1..].starts_with([' ', '\n']) {
                is_against = false;
            }
            let word = word(rest);
            if at_word && is_name(word) {
                mentions.add(word.trim_end_matches(['.', ',']), is_against);
            }
            let step = if at_word && !word.is_empty() { word.len() } else { c.len_utf8() };
            at_word = !rest[..step].ends_with(|c: char| c.is_ascii_alphanumeric());
            // A comma that ends a word ends the part too.
            is_against &= !rest[..step].ends_with([',', ';', ':']);
            rest = &rest[step..];
        }
        mentions
    }

    fn add(&mut self, name: &str, is_against: bool) {
        if !name.is_empty() {
            let side = if is_against { &mut self.against } else { &mut self.for_ };
            side.insert(name.to_owned());
        }
    }

    /// Whether nothing is mentioned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.for_.is_empty() && self.against.is_empty()
    }

    /// Whether one is for what the other is against.
    #[must_use]
    pub fn contradict(&self, other: &Self) -> bool {
        !self.for_.is_disjoint(&other.against) || !self.against.is_disjoint(&other.for_)
    }

    /// The same as what an entry is about.
    #[must_use]
    pub fn about(&self) -> About {
        let (paths, commands): (Vec<&String>, Vec<&String>) =
            self.for_.iter().chain(&self.against).partition(|name| is_path(name));
        About {
            commands: commands.into_iter().cloned().collect(),
            paths: paths.into_iter().map(|path| PathBuf::from(path.trim_end_matches('/'))).collect(),
        }
    }
}

fn begins_any(lower: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        lower.strip_prefix(phrase).is_some_and(|after| {
            !phrase.ends_with(|c: char| c.is_ascii_alphanumeric())
                || !after.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    })
}

fn word(rest: &str) -> &str {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-./,;:'".contains(c))).unwrap_or(rest.len());
    &rest[..end]
}

fn is_name(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', ';', ':']);
    TOOLS.contains(&word) || (word.len() > 2 && is_path(word) && !word.contains("//"))
}

fn is_path(name: &str) -> bool {
    let is_one = !name.contains(char::is_whitespace);
    let has_kind = name.rsplit_once('.').is_some_and(|(stem, kind)| {
        stem.len() > 1 && (1..=5).contains(&kind.len()) && kind.chars().all(|c| c.is_ascii_lowercase())
    });
    is_one && (name.contains('/') || has_kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_and_against() {
        for (text, for_, against) in [
            ("We run tests with `just t`, never `cargo test`.", "just t", "cargo test"),
            ("Use `a` instead of `b`.", "a", "b"),
            ("Never use npm, use pnpm.", "pnpm", "npm"),
            ("Prefer tabs over spaces", "tabs", "spaces"),
            ("Don't touch vendor/gen.", "", "vendor/gen"),
            ("测试一律用 `just t`，不要用 `cargo test`", "just t", "cargo test"),
            ("请用 pnpm 而不是 npm", "pnpm", "npm"),
            ("不要用 `a`，改用 `b`。", "b", "a"),
            ("Do not use `a` but `b`", "b", "a"),
        ] {
            let found = Mentions::of(text);
            let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("|");
            assert_eq!((join(&found.for_).as_str(), join(&found.against).as_str()), (for_, against), "{text}");
        }
    }

    #[test]
    fn commands_and_paths_are_told_apart() {
        let about = Mentions::of("Run `just t` before you change `src/gen/` or build.rs").about();
        assert_eq!(about.commands, ["just t"]);
        assert_eq!(about.paths, [PathBuf::from("build.rs"), PathBuf::from("src/gen")]);
    }
}
