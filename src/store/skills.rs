//! The folders of skills: those in use where every loader finds them, the others with the store.
//!
//! `$CODEX_HOME/skills/hone-…/SKILL.md` is there if and only if the skill is active; otherwise `$CODEX_HOME/hone/skills/hone-…/SKILL.md`
//! is. Each text is made from the journal. A new place is written before the old one goes, so that whatever moment a process dies
//! in, the next one sees which of both is behind. What a person wrote is taken over or left alone, never overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::write;
use crate::ledger::Ledger;
use crate::ledger::skill_file::{Origin, description, origin, render};
use crate::protocol::learned::{Author, Edit, Entry, OpId, Operation, Scope, Skill, SkillState, Verb};

/// Every name of ours begins so. Nothing else is ever written or removed.
const PREFIX: &str = "hone-";
const FILE: &str = "SKILL.md";

/// What went wrong, and with which file.
pub type Trouble = (PathBuf, io::Error);

/// The two places below a home folder.
pub struct Places {
    loaded: PathBuf,
    kept: PathBuf,
}

/// How the files of one skill stand to what they should be.
enum Standing {
    /// As they should be.
    Right,
    /// Not as they should be, and nothing of a person's is in the way.
    Behind,
    /// The person changed the text.
    Edited(String),
    /// The person took the folder away.
    Removed,
    /// Somebody else's file is there.
    Foreign(PathBuf),
}

impl Places {
    /// Those below `home`.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { loaded: home.join("skills"), kept: home.join("hone/skills") }
    }

    /// The folder that a writer of any of them locks.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.kept
    }

    /// The names that are taken, whoever took them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let of = |folder: &PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let names = [&self.loaded, &self.kept]
            .into_iter()
            .flat_map(of)
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(PREFIX)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether anything has to be written for the files to be what `ledger` says, and what a person did to them.
    pub fn look(&self, scope: Scope, ledger: &Ledger, at_ms: u64) -> Result<Look, Trouble> {
        let mut look = Look::default();
        let mut edits = Vec::new();
        for skill in ledger.skills() {
            match self.standing(ledger, skill)? {
                Standing::Right => {}
                Standing::Behind => look.is_behind = true,
                Standing::Foreign(path) => look.foreign.push(path),
                Standing::Edited(text) => edits.push(edit(skill, |after| {
                    after.description = description(&text).unwrap_or_else(|| skill.description.clone());
                    (after.text, after.author, after.version) = (Some(text), Author::Person, skill.version + 1);
                    after.updated_ms = at_ms;
                })),
                Standing::Removed => edits.push(edit(skill, |after| {
                    (after.state, after.updated_ms) = (SkillState::Archived, at_ms);
                })),
            }
        }
        look.is_behind |=
            gone(ledger, ledger).any(|skill| [&self.kept, &self.loaded].iter().any(|at| self.ours(ledger, at, skill)));
        look.by_hand = (!edits.is_empty()).then(|| Operation {
            id: OpId::of(&format!("{} skills", scope.name()), ledger.sequence(), at_ms),
            at_ms,
            by: Author::Person,
            session: None,
            verb: Verb::Edit,
            why: "edited by hand".to_owned(),
            edits,
        });
        Ok(look)
    }

    /// Makes the files what `ledger` says, where they are what `was` said, or were on the way to what `known` says. What a person
    /// changed was taken over before.
    ///
    /// # Errors
    /// The file, and what the operating system says; [`io::ErrorKind::AlreadyExists`] when somebody else's is there.
    pub fn publish(&self, ledger: &Ledger, was: &Ledger, known: &Ledger) -> Result<(), Trouble> {
        for skill in ledger.skills() {
            let (at, other) = self.places(skill);
            let (path, text) = (file(at, &skill.name), render(skill));
            if self.is_foreign(was, at, skill)? {
                // A person's file in the way of one that nobody loads is no reason to stop.
                if skill.state != SkillState::Active {
                    continue;
                }
                let why = "there is a skill of that name already, which is not this program's";
                return Err((path, io::Error::new(io::ErrorKind::AlreadyExists, why)));
            }
            if read(&path)?.as_deref() != Some(text.as_str()) {
                write::replace(&path, text.as_bytes()).map_err(|error| (path, error))?;
            }
            self.remove(known, other, skill)?;
        }
        gone(ledger, known).try_for_each(|skill| {
            self.remove(known, &self.loaded, skill).and_then(|()| self.remove(known, &self.kept, skill))
        })
    }

    /// Where a skill belongs, and where it does not.
    fn places(&self, skill: &Skill) -> (&Path, &Path) {
        match skill.state {
            SkillState::Active => (&self.loaded, &self.kept),
            _ => (&self.kept, &self.loaded),
        }
    }

    fn standing(&self, ledger: &Ledger, skill: &Skill) -> Result<Standing, Trouble> {
        let (at, other) = self.places(skill);
        let is_stale = self.ours(ledger, other, skill);
        let path = file(at, &skill.name);
        if self.is_foreign(ledger, at, skill)? {
            return Ok(Standing::Foreign(path));
        }
        Ok(match read(&path)? {
            Some(text) if text == render(skill) => {
                if is_stale {
                    Standing::Behind
                } else {
                    Standing::Right
                }
            }
            Some(text) if is_ours(ledger, skill, &text) => Standing::Behind,
            Some(text) => Standing::Edited(text),
            // While the other place has it, the process died before this one was written.
            None if skill.state == SkillState::Active && !is_stale => Standing::Removed,
            None => Standing::Behind,
        })
    }

    /// Whether the file below `at` is one that may be replaced or removed.
    fn ours(&self, ledger: &Ledger, at: &Path, skill: &Skill) -> bool {
        let text = read(&file(at, &skill.name)).ok().flatten();
        !is_link(at, &skill.name) && text.is_some_and(|text| is_ours(ledger, skill, &text))
    }

    /// Whether there is something below `at` that was never this skill's.
    fn is_foreign(&self, ledger: &Ledger, at: &Path, skill: &Skill) -> Result<bool, Trouble> {
        if is_link(at, &skill.name) {
            return Ok(true);
        }
        let Some(text) = read(&file(at, &skill.name))? else { return Ok(false) };
        Ok(match origin(&text) {
            Origin::Written(id) | Origin::Edited(id) => id != skill.id,
            // Without the line that says so it is this skill's if that was there before.
            Origin::Foreign => !was_at(ledger, skill, at == self.loaded) && !is_ours(ledger, skill, &text),
        })
    }

    fn remove(&self, ledger: &Ledger, at: &Path, skill: &Skill) -> Result<(), Trouble> {
        if !skill.name.starts_with(PREFIX) || !self.ours(ledger, at, skill) {
            return Ok(());
        }
        let path = file(at, &skill.name);
        fs::remove_file(&path).map_err(|error| (path.clone(), error))?;
        // What a person laid beside it stays, and so does the folder then.
        fs::remove_dir(at.join(&skill.name)).unwrap_or_default();
        write::sync_folder_of(&at.join(&skill.name)).map_err(|error| (path, error))
    }
}

/// What a look at the files came to.
#[derive(Debug, Default)]
pub struct Look {
    /// Something has to be written.
    pub is_behind: bool,
    /// The operation that a person's changes amount to.
    pub by_hand: Option<Operation>,
    /// Files of somebody else where one of ours belongs.
    pub foreign: Vec<PathBuf>,
}

fn edit(skill: &Skill, change: impl FnOnce(&mut Skill)) -> Edit {
    let mut after = skill.clone();
    change(&mut after);
    Edit { before: Some(Entry::Skill(skill.clone())), after: Some(Entry::Skill(after)) }
}

fn file(at: &Path, name: &str) -> PathBuf {
    at.join(name).join(FILE)
}

fn is_link(at: &Path, name: &str) -> bool {
    fs::symlink_metadata(at.join(name)).is_ok_and(|metadata| metadata.is_symlink())
}

fn read(path: &Path) -> Result<Option<String>, Trouble> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err((path.to_owned(), error)),
    }
}

/// Whether this program wrote `text` for this skill, or took it over from the person at some time.
fn is_ours(ledger: &Ledger, skill: &Skill, text: &str) -> bool {
    origin(text) == Origin::Written(skill.id.clone())
        || states(ledger, skill).any(|skill| skill.text.as_deref() == Some(text))
}

/// Whether the skill had its file in the one place or the other before.
fn was_at(ledger: &Ledger, skill: &Skill, loaded: bool) -> bool {
    states(ledger, skill).any(|skill| (skill.state == SkillState::Active) == loaded)
}

/// What a skill was at all times.
fn states<'a>(ledger: &'a Ledger, skill: &'a Skill) -> impl Iterator<Item = &'a Skill> {
    all(ledger).filter(|other| other.id == skill.id)
}

fn all(ledger: &Ledger) -> impl Iterator<Item = &Skill> {
    let edits = ledger.operations().iter().flat_map(|operation| &operation.edits);
    edits.flat_map(|edit| [&edit.before, &edit.after]).flatten().filter_map(|entry| match entry {
        Entry::Skill(skill) => Some(skill),
        Entry::Memory(_) => None,
    })
}

/// The skills that `known` had once and `ledger` has not.
fn gone<'a>(ledger: &'a Ledger, known: &'a Ledger) -> impl Iterator<Item = &'a Skill> {
    let gone = all(known).filter(|skill| ledger.get(&skill.id).is_none());
    let gone: std::collections::BTreeMap<_, _> = gone.map(|skill| (&skill.id, skill)).collect();
    gone.into_values()
}
