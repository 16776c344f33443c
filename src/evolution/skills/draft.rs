//! A skill out of a procedure, in words that need no model: the person's own, what was run, and the phrases around them. What the model
//! said at the end of a turn is no part of it: an answer of one time is no expected result of the next.

use super::cluster::goal;
use super::generalise::{Input, Procedure};
use super::phrases::phrase;
use super::procedure::Act;
use crate::evolution::outcomes;
use crate::evolution::words;
use crate::protocol::learned::{Author, EntryId, Evidence, Scope, Skill, SkillState, Source, Step, TurnRecord, Work};
use crate::text::terms::terms;

/// What every name begins with.
pub const PREFIX: &str = "hone-";
/// How many characters a name has at most.
const NAME: usize = 48;
/// How many characters of a request are repeated.
const TASK: usize = 140;

/// What a draft is made from.
pub struct Material<'a> {
    /// The turns that succeeded, oldest first.
    pub successes: &'a [&'a TurnRecord],
    /// All turns of the kind, failed ones too.
    pub all: &'a [&'a TurnRecord],
    /// How many turns of the kind succeeded, and how many say how they went.
    pub counts: (usize, usize),
    /// The repository's name.
    pub repo: &'a str,
    /// Names that are taken.
    pub taken: &'a [String],
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// The skill that `procedure` is.
#[must_use]
pub fn draft(procedure: &Procedure, material: &Material<'_>) -> Skill {
    let task = short(procedure.task.trim_end_matches(['.', '!', '。', '！']), TASK);
    let check = procedure.check.clone().unwrap_or_default();
    let name = free_name(&slug(&task, procedure), material.repo, material.taken);
    let count = material.counts.0.to_string();
    let values = [("task", task.as_str()), ("repo", material.repo), ("check", &check), ("successes", &count)];
    Skill {
        id: EntryId::of(Scope::Repo.name(), &name, material.now_ms),
        version: 1,
        state: SkillState::Draft,
        pinned: false,
        description: phrase("description", &values),
        trigger: trigger(&task, material),
        inputs: procedure.inputs.iter().map(input).collect(),
        steps: procedure.steps.iter().map(step).collect(),
        check: procedure.check.clone(),
        on_failure: on_failure(material),
        combines: Vec::new(),
        author: Author::Rules,
        created_ms: material.now_ms,
        updated_ms: material.now_ms,
        evidence: material.successes.iter().filter_map(|turn| cite(turn)).collect(),
        text: None,
        beside: None,
        successes: u32::try_from(material.counts.0).unwrap_or(u32::MAX),
        attempts: u32::try_from(material.counts.1).unwrap_or(u32::MAX),
        name,
    }
}

fn trigger(task: &str, material: &Material<'_>) -> String {
    let mut said: Vec<String> = Vec::new();
    for turn in material.successes.iter().rev().take(3) {
        let words = format!("\"{}\"", short(&request(turn), TASK));
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let trigger = phrase("trigger", &[("task", task), ("repo", material.repo)]);
    format!("{trigger}. {}", phrase("examples", &[("examples", &said.join("; "))]))
}

/// What a turn began with: the first sentence of the person's own that says something.
#[must_use]
pub fn request(turn: &TurnRecord) -> String {
    let sentences = turn.said.iter().flat_map(|said| words::own(said)).map(|sentence| sentence.text);
    sentences.map(str::to_owned).find(|text| terms(text).len() > 1).unwrap_or_else(|| goal(turn))
}

fn input(input: &Input) -> String {
    let values: Vec<String> = input.values.iter().take(4).map(|value| format!("`{}`", short(value, 40))).collect();
    phrase("input", &[("name", &input.name), ("values", &values.join(", "))])
}

fn step(act: &Act) -> Step {
    match act {
        Act::Run { .. } => Step { text: phrase("run", &[]), command: Some(act.to_string()) },
        Act::Edit { change, path } => Step { text: phrase(change, &[("path", path)]), command: None },
    }
}

/// What failed in turns of the kind and what passed in its place, then what to do in any case. Nothing of what was printed.
fn on_failure(material: &Material<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for turn in material.all.iter().rev() {
        for pair in outcomes::pairs(&[(0, turn)]) {
            let one_line = |line: &str| line.len() <= 120 && !line.contains(['\n', '`']);
            let exit = pair.failed.exit.to_string();
            let line =
                phrase("instead", &[("failed", pair.failed.line), ("exit", &exit), ("passed", pair.passed.line)]);
            if lines.len() < 3 && one_line(pair.failed.line) && one_line(pair.passed.line) && !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.push(phrase("failure", &[]));
    lines
}

/// A success as evidence: its last command that passed.
#[must_use]
pub fn cite(turn: &TurnRecord) -> Option<Evidence> {
    let ran = turn.calls.iter().rev().filter(|call| call.exit_code == Some(0));
    let line = ran.filter_map(|call| match &call.work {
        Work::Command { line, .. } => Some(line.trim()),
        Work::Edit | Work::Other { .. } => None,
    });
    let quote = format!("exit 0: {}", line.into_iter().next()?);
    Some(Evidence { thread: turn.thread, turn: turn.turn, source: Source::Exit, quote })
}

/// A name out of the words of the task, or of the first command where it has none of ASCII.
fn slug(task: &str, procedure: &Procedure) -> String {
    let of = |text: &str| {
        let mut words: Vec<String> = Vec::new();
        let plain = text.split_whitespace().filter(|word| !word.contains('<'));
        for word in plain.flat_map(|word| word.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase) {
            let is_name =
                word.chars().all(|c| c.is_ascii_alphanumeric()) && word.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_name && !terms(&word).is_empty() && !words.contains(&word) && words.len() < 4 {
                words.push(word);
            }
        }
        words
    };
    let words = of(task);
    let words = if words.len() > 1 {
        words
    } else {
        procedure.steps.first().map(|act| of(&act.to_string())).unwrap_or_default()
    };
    let mut slug = if words.is_empty() { "procedure".to_owned() } else { words.join("-") };
    slug.truncate(NAME - PREFIX.len());
    slug.trim_end_matches('-').to_owned()
}

/// A name that nobody has.
#[must_use]
pub fn free_name(slug: &str, repo: &str, taken: &[String]) -> String {
    let repo: String =
        repo.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(12).collect();
    let plain = format!("{PREFIX}{slug}");
    let with_repo = format!("{plain}-{}", repo.trim_matches('-'));
    let numbered = (2..).map(|number| format!("{plain}-{number}"));
    let mut names = [plain.clone(), with_repo].into_iter().filter(|name| !name.ends_with('-')).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or(plain)
}

/// A text in one line of at most so many characters.
#[must_use]
pub fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "'");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}
