//! What every draft has to pass, whoever wrote its words. One that does not is kept in quarantine with the reason, so that it is not
//! drafted again from the same turns.

use std::path::Path;

use super::draft::PREFIX;
use super::pattern::{covers, has_input, steps};
use super::procedure::{Act, acts, program};
use crate::agent::ports::Files;
use crate::evolution::words;
use crate::ledger::skill_file::{description, render};
use crate::protocol::learned::{Skill, TurnRecord};
use crate::text::redact::{MARK, redact};

/// The longest file, in bytes.
const BYTES: usize = 8 * 1024;
/// The most steps.
const STEPS: usize = 20;
/// The longest description, in characters. Loaders take 1,024; every request pays for each of them.
pub const DESCRIPTION: usize = 400;

/// Why a draft does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A part is missing or out of form.
    #[error("its form is not right: {0}")]
    Form(&'static str),
    /// It is too long.
    #[error("it is too long: {0}")]
    Size(&'static str),
    /// It holds a secret.
    #[error("it holds a secret")]
    Secret,
    /// It names a file or program that is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// It holds something that neither the person said nor a command that passed.
    #[error("nobody said or ran `{0}`")]
    Origin(String),
    /// It runs what the network sends.
    #[error("it runs what the network sends: `{0}`")]
    Remote(String),
}

/// What a draft is held to.
pub struct Ground<'a> {
    /// The turns it cites.
    pub turns: &'a [&'a TurnRecord],
    /// Skills it combines, whose steps passed before.
    pub combined: &'a [&'a Skill],
    /// The repository's files.
    pub files: &'a dyn Files,
    /// The folder its paths start at.
    pub root: &'a Path,
}

/// Holds a draft to all of it.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(skill: &Skill, ground: &Ground<'_>) -> Result<(), Refusal> {
    form(skill)?;
    let text = render(skill);
    if redact(&text, &[]) != text || text.contains(MARK) {
        return Err(Refusal::Secret);
    }
    if text.len() > BYTES || skill.steps.len() > STEPS {
        return Err(Refusal::Size("the file"));
    }
    let commands = || skill.steps.iter().filter_map(|step| step.command.as_deref()).chain(skill.check.as_deref());
    commands().try_for_each(remote)?;
    let passed: Vec<String> =
        ground.turns.iter().flat_map(|turn| acts(turn, ground.root)).map(|act| act.to_string()).collect();
    commands().try_for_each(|command| origin(command, &passed, ground.combined))?;
    texts(skill).try_for_each(|text| quoted(text, skill, ground))?;
    steps(skill).iter().try_for_each(|act| exists(act, ground))
}

/// Whether a skill may come into use without the person's word, when it works: it does nothing that cannot be taken back.
#[must_use]
pub fn is_harmless(skill: &Skill) -> bool {
    const HARM: &[&str] = &[
        "rm",
        "sudo",
        "dd",
        "mkfs",
        "shutdown",
        "reboot",
        "kill",
        "pkill",
        "killall",
        "chown",
        "chmod",
        "curl",
        "wget",
        "ssh",
        "scp",
        "rsync",
        "publish",
        "deploy",
        "release",
        "push",
        "apply",
        "destroy",
        "delete",
        "drop",
        "prod",
        "production",
    ];
    let words =
        |command: &str| command.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_lowercase).collect::<Vec<_>>();
    let commands = skill.steps.iter().filter_map(|step| step.command.as_deref()).chain(skill.check.as_deref());
    commands.flat_map(words).all(|word| !HARM.contains(&word.as_str()))
}

fn form(skill: &Skill) -> Result<(), Refusal> {
    let rest = skill.name.strip_prefix(PREFIX).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rest.is_empty()
        || skill.name.len() > 64
        || !rest.chars().all(is_name)
        || rest.starts_with('-')
        || rest.ends_with('-')
    {
        return Err(Refusal::Form("the name"));
    }
    if skill.trigger.trim().is_empty() {
        return Err(Refusal::Form("it does not say when to use it"));
    }
    if skill.steps.is_empty() || skill.steps.iter().any(|step| step.text.trim().is_empty()) {
        return Err(Refusal::Form("it has no steps"));
    }
    if skill.check.as_deref().is_none_or(|check| check.trim().is_empty()) {
        return Err(Refusal::Form("no command says whether it worked"));
    }
    if skill.on_failure.is_empty() {
        return Err(Refusal::Form("it does not say what to do when it fails"));
    }
    let length = skill.description.chars().count();
    if !(20..=DESCRIPTION).contains(&length) {
        return Err(Refusal::Size("the description"));
    }
    if texts(skill).any(|text| text.contains('\n') || text.chars().count() > 600) {
        return Err(Refusal::Size("a line"));
    }
    // A loader reads what was written.
    if description(&render(skill)).as_deref() != Some(skill.description.as_str()) {
        return Err(Refusal::Form("the front matter"));
    }
    Ok(())
}

/// Everything it says in words.
fn texts(skill: &Skill) -> impl Iterator<Item = &String> {
    let around = [&skill.description, &skill.trigger].into_iter();
    around.chain(&skill.inputs).chain(skill.steps.iter().map(|step| &step.text)).chain(&skill.on_failure)
}

fn remote(command: &str) -> Result<(), Refusal> {
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let fetches = |words: &[String]| program(words).is_some_and(|(_, name)| matches!(name, "curl" | "wget"));
    let runs = |words: &[String]| {
        program(words).is_some_and(|(_, name)| {
            matches!(
                name.rsplit('/').next().unwrap_or(name),
                "sh" | "bash" | "zsh" | "python" | "python3" | "node" | "ruby" | "perl"
            )
        })
    };
    let mut parts = words.split(|word| word == "|").skip_while(|part| !fetches(part)).skip(1);
    let is_remote =
        parts.any(runs) || command.contains("$(curl") || command.contains("$(wget") || command.contains("<(curl");
    if is_remote { Err(Refusal::Remote(command.to_owned())) } else { Ok(()) }
}

/// A command is one that passed, or a step of a skill that is combined.
fn origin(command: &str, passed: &[String], combined: &[&Skill]) -> Result<(), Refusal> {
    let known = |skill: &&Skill| {
        skill.check.as_deref() == Some(command)
            || skill.steps.iter().any(|step| step.command.as_deref() == Some(command))
    };
    let stands = passed.iter().any(|line| covers(command, line)) || combined.iter().any(known);
    if stands { Ok(()) } else { Err(Refusal::Origin(command.to_owned())) }
}

/// Code and addresses in words are ones that the person used or that were run.
fn quoted(text: &str, skill: &Skill, ground: &Ground<'_>) -> Result<(), Refusal> {
    let own = |word: &str| {
        let said = || ground.turns.iter().flat_map(|turn| &turn.said).flat_map(|said| words::own(said));
        let in_steps = || {
            let combined = ground.combined.iter().flat_map(|skill| texts(skill)).any(|text| text.contains(word));
            let commands = skill.steps.iter().filter_map(|step| step.command.as_ref()).chain(&skill.check);
            combined || commands.clone().any(|command| command.contains(word))
        };
        let tried = || {
            ground.turns.iter().flat_map(|turn| &turn.calls).any(|call| match &call.work {
                crate::protocol::learned::Work::Command { line, .. } => line.contains(word),
                _ => call.files.iter().any(|file| covers(word, &file.path.display().to_string())),
            })
        };
        said().any(|sentence| sentence.text.contains(word)) || in_steps() || tried()
    };
    let is_input =
        |code: &str| has_input(code) && code.matches('<').count() == 1 && code.starts_with('<') && code.ends_with('>');
    let is_name = |code: &str| is_input(code) || ground.root.file_name().is_some_and(|name| *name == *code);
    let addresses = text.split_whitespace().filter(|word| word.contains("://"));
    let mut all = words::code(text).filter(|code| !is_name(code)).chain(addresses);
    all.find(|word| !own(word)).map_or(Ok(()), |word| Err(Refusal::Origin(word.to_owned())))
}

/// A script of the repository and a file that is changed every time are there; programs of the path were there when they ran.
fn exists(act: &Act, ground: &Ground<'_>) -> Result<(), Refusal> {
    let there = |path: &str| has_input(path) || ground.files.stamp(&ground.root.join(path)).is_some();
    let missing = match act {
        Act::Run { words, .. } if words.first().is_some_and(|word| word == "cd") => {
            let folder = words.get(1).map(String::as_str).unwrap_or_default();
            (!there(folder)).then(|| folder.to_owned())
        }
        Act::Run { words, .. } => {
            let program = program(words).map(|(_, program)| program).filter(|program| program.contains('/'));
            program.filter(|program| !there(program)).map(str::to_owned)
        }
        // What a step deletes is not there, and what it creates need not be.
        Act::Edit { path, .. } => {
            let last = ground
                .turns
                .iter()
                .flat_map(|turn| &turn.calls)
                .flat_map(|call| &call.files)
                .rfind(|file| file.path == Path::new(path));
            let stays = last.is_some_and(|file| file.change == "update");
            (stays && !there(path)).then(|| path.clone())
        }
    };
    missing.map_or(Ok(()), |path| Err(Refusal::Missing(path)))
}
