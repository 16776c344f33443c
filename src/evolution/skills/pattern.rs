//! Steps as they are written, with `<name>` for an input, and what was done: whether the one is the other.

use std::path::Path;

use super::procedure::{Act, acts};
use crate::evolution::words;
use crate::protocol::learned::{Skill, TurnRecord};

/// Whether `line` is what `step` says, with something in place of each input.
#[must_use]
pub fn covers(step: &str, line: &str) -> bool {
    let parts = literals(step);
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return step == line;
    }
    let Some(mut rest) = line.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    for part in &parts[1..parts.len() - 1] {
        // An input is never empty.
        let Some(at) = rest.char_indices().skip(1).find_map(|(at, _)| rest[at..].starts_with(part).then_some(at))
        else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    !rest.is_empty()
}

/// What stands between the inputs of a step.
fn literals(step: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(open) = step[from..].find('<').map(|at| from + at) {
        let name = step[open + 1..].split('>').next().unwrap_or_default();
        let is_input = !name.is_empty()
            && step[open + 1 + name.len()..].starts_with('>')
            && name.chars().all(|c| c.is_alphanumeric() || c == '-');
        if is_input {
            parts.push(&step[start..open]);
            start = open + name.len() + 2;
        }
        from = if is_input { start } else { open + 1 };
    }
    parts.push(&step[start..]);
    parts
}

/// Whether a step leaves something open.
#[must_use]
pub fn has_input(step: &str) -> bool {
    literals(step).len() > 1
}

/// The steps of a skill as acts: its commands, and the files its words name.
#[must_use]
pub fn steps(skill: &Skill) -> Vec<Act> {
    let of = |step: &crate::protocol::learned::Step| match &step.command {
        Some(command) => {
            let words = command.split_whitespace().map(str::to_owned).collect();
            Some(Act::Run { folder: None, words, is_check: false })
        }
        None => {
            let path = words::code(&step.text).find(|code| !code.contains(char::is_whitespace))?;
            Some(Act::Edit { change: String::new(), path: path.to_owned() })
        }
    };
    skill.steps.iter().filter_map(of).collect()
}

/// Whether a turn did what a skill says: all its commands and edits, in order, and the check.
#[must_use]
pub fn did(turn: &TurnRecord, skill: &Skill, root: &Path) -> bool {
    let done: Vec<String> = acts(turn, root).iter().map(Act::to_string).collect();
    let mut rest = done.as_slice();
    let mut all =
        skill.steps.iter().zip(steps(skill)).map(|(step, act)| step.command.clone().unwrap_or_else(|| act.to_string()));
    let in_order = all.all(|step| match rest.iter().position(|line| covers(&step, line)) {
        Some(at) => {
            rest = &rest[at + 1..];
            true
        }
        None => false,
    });
    let checked = skill.check.as_ref().is_some_and(|check| done.iter().any(|line| covers(check, line)));
    in_order && checked && !skill.steps.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_stand_for_anything_and_the_rest_for_itself() {
        for (step, line, expected) in [
            ("just t", "just t", true),
            ("just t", "just test", false),
            ("./new <table>", "./new users", true),
            ("./new <table>", "./new ", false),
            ("m/<number>_<table>.sql", "m/01_users.sql", true),
            ("m/<number>_<table>.sql", "m/01_users.rs", false),
            ("m/<number>_<table>.sql", "m/_.sql", false),
            ("psql < <file>", "psql < a.sql", true),
            ("psql < a > b", "psql < a > b", true),
            ("<a>", "", false),
        ] {
            assert_eq!(covers(step, line), expected, "{step} / {line}");
        }
        assert!(has_input("x <y>") && !has_input("x < y > z"));
    }
}
