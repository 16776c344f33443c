//! Entries in a line each, and one in full.

use std::fmt::Write as _;

use super::{Account, is_present, kind, place, rests_on, state, title, who};
use crate::protocol::learned::{Entry, Memory, Scope, Skill};
use crate::text::time;

/// Which entries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What is neither in use nor waiting too.
    pub all: bool,
    /// Of this kind alone: `rule`, `skill` and so on.
    pub kind: Option<String>,
    /// Of this scope alone.
    pub scope: Option<Scope>,
}

impl Wanted {
    fn takes(&self, scope: Scope, entry: &Entry) -> bool {
        (self.all || is_present(entry))
            && self.kind.as_deref().is_none_or(|wanted| wanted.trim_end_matches('s') == kind(entry))
            && self.scope.is_none_or(|wanted| wanted == scope)
    }
}

/// The entries that are wanted, by scope and kind.
#[must_use]
pub fn entries<'a>(account: &'a Account<'_>, wanted: &Wanted) -> Vec<(Scope, &'a Entry)> {
    let mut entries: Vec<_> = account.entries().filter(|(scope, entry)| wanted.takes(*scope, entry)).collect();
    entries.sort_by_key(|(scope, entry)| (*scope, kind(entry), created(entry), entry.id().clone()));
    entries
}

/// The same as lines: the id's begin, what it is, whether it is in use when it is not, what it says.
#[must_use]
pub fn lines(entries: &[(Scope, &Entry)]) -> String {
    let mut text = String::new();
    let mut last = None;
    for (scope, entry) in entries {
        if last != Some(*scope) {
            text += if last.is_some() { "\n" } else { "" };
            text += match scope {
                Scope::Repo => "This repository\n",
                Scope::User => "You, everywhere\n",
            };
            last = Some(*scope);
        }
        let state = Some(state(entry)).filter(|state| state != "in use");
        let notes: Vec<String> = is_pinned(entry).then(|| "pinned".to_owned()).into_iter().chain(state).collect();
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        _ = writeln!(text, "  {}  {:<10}  {}{notes}", short(&entry.id().0), kind(entry), title(entry));
    }
    text
}

/// One entry in full.
#[must_use]
pub fn full(scope: Scope, entry: &Entry) -> String {
    let whose = match scope {
        Scope::Repo => "this repository",
        Scope::User => "you, everywhere",
    };
    let mut text = format!("{}\n\n", title(entry));
    let mut line = |name: &str, value: &str| _ = writeln!(text, "{name:<11} {value}");
    line("id", &entry.id().0);
    line("kind", kind(entry));
    line("about", whose);
    line("state", &state(entry));
    if is_pinned(entry) {
        line("pinned", "yes: shown whenever it can be, and changed by you alone");
    }
    match entry {
        Entry::Memory(memory) => of_memory(memory, &mut line),
        Entry::Skill(skill) => of_skill(skill, &mut line),
    }
    text
}

fn of_memory(memory: &Memory, line: &mut impl FnMut(&str, &str)) {
    line("rests on", rests_on(memory.authority));
    line("written by", &who(&memory.author));
    line("learned", &time::date(memory.created_ms));
    line("changed", &time::date(memory.updated_ms));
    if let Some(pitfall) = &memory.pitfall {
        line("tried", &pitfall.tried);
        if let Some(instead) = &pitfall.instead {
            line("instead", instead);
        }
        line("believed", &format!("until {}, then tried again", time::date(pitfall.expires_ms)));
    }
    if !memory.about.commands.is_empty() {
        line("commands", &memory.about.commands.join(", "));
    }
    if !memory.about.paths.is_empty() {
        let paths: Vec<String> = memory.about.paths.iter().map(|path| path.display().to_string()).collect();
        line("files", &paths.join(", "));
    }
    for evidence in &memory.evidence {
        line(place(evidence.source), &evidence.quote);
    }
}

fn of_skill(skill: &Skill, line: &mut impl FnMut(&str, &str)) {
    line("version", &skill.version.to_string());
    line("when", &skill.trigger);
    for input in &skill.inputs {
        line("needs", input);
    }
    for (number, step) in (1..).zip(&skill.steps) {
        let command = step.command.as_ref().map(|command| format!(": `{command}`")).unwrap_or_default();
        line(&format!("step {number}"), &format!("{}{command}", step.text));
    }
    if let Some(check) = &skill.check {
        line("check", check);
    }
    for remedy in &skill.on_failure {
        line("if it fails", remedy);
    }
    line("written by", &who(&skill.author));
    line("learned", &time::date(skill.created_ms));
    line("worked", &format!("in {} of {} turns", skill.successes, skill.attempts));
}

/// As much of an id as people need.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..6).unwrap_or(id)
}

const fn is_pinned(entry: &Entry) -> bool {
    match entry {
        Entry::Memory(memory) => memory.pinned,
        Entry::Skill(skill) => skill.pinned,
    }
}

const fn created(entry: &Entry) -> u64 {
    match entry {
        Entry::Memory(memory) => memory.created_ms,
        Entry::Skill(skill) => skill.created_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{MemoryKind, MemoryState};

    #[test]
    fn what_is_in_use_or_waits_is_listed_and_the_rest_on_demand() {
        let (mut rule, mut gone, mut waits) = (memory("use tabs"), memory("use spaces"), memory("call me Ann"));
        waits.kind = MemoryKind::Fact;
        (rule.kind, rule.pinned) = (MemoryKind::Rule, true);
        gone.state = MemoryState::Retired("harmful".to_owned());
        waits.state = MemoryState::Staged;
        let store = Shelf::of([add(0, rule.clone()), add(1, gone), add(2, waits.clone())]);
        let account = Account::read(&store).unwrap();
        let listed = lines(&entries(&account, &Wanted::default()));
        assert_eq!(
            listed,
            format!(
                "This repository\n  {}  fact        call me Ann (waits for you)\n  {}  rule        use tabs (pinned)\n",
                &waits.id.0[..6],
                &rule.id.0[..6]
            )
        );
        let all = Wanted { all: true, ..Wanted::default() };
        assert!(lines(&entries(&account, &all)).contains("use spaces (retired: harmful)"));
        let rules = Wanted { kind: Some("rules".to_owned()), ..Wanted::default() };
        assert_eq!(entries(&account, &rules).len(), 1);
        let users = Wanted { scope: Some(Scope::User), ..Wanted::default() };
        assert_eq!(lines(&entries(&account, &users)), "");
        let text = full(Scope::Repo, &Entry::Memory(rule));
        assert!(text.contains("pinned      yes") && text.contains("kind        rule"), "{text}");
    }
}
