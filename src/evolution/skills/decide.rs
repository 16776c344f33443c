//! What the person decides about skills: approve, reject, put away, revive. What the commands call.

use std::path::Path;

use super::lifecycle::{Record, makes_room};
use crate::evolution::ports::{Store, StoreError};
use crate::evolution::settings::Mode;
use crate::ledger::Ledger;
use crate::ledger::find::Found;
use crate::protocol::learned::{Author, Edit, Entry, OpId, Operation, Scope, Skill, SkillState, Verb};
use crate::protocol::{ErrorKind, UserError};

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// Brings a staged skill into use, a proposal too: the person knows of both. `words` are its name or the begin of its id.
///
/// # Errors
/// It is not there, in another state, or somebody else's skill has its name.
pub fn approve(store: &dyn Store, words: &str, now_ms: u64) -> Result<Skill, UserError> {
    decide(store, words, Verb::Approve, now_ms, |skill| match skill.state {
        SkillState::Draft | SkillState::Staged => Ok(SkillState::Active),
        SkillState::Active => Err("it is in use already"),
        SkillState::Cold | SkillState::Archived => Err("it was put away; revive it instead"),
        SkillState::Quarantined(_) => Err("it is in quarantine"),
    })
}

/// Refuses a skill for good: its like is drafted again only when the person asks for it.
///
/// # Errors
/// As [`approve`].
pub fn reject(store: &dyn Store, words: &str, now_ms: u64) -> Result<Skill, UserError> {
    decide(store, words, Verb::Reject, now_ms, |skill| match skill.state {
        SkillState::Quarantined(_) => Err("it is in quarantine already"),
        _ => Ok(SkillState::Quarantined("you rejected it".to_owned())),
    })
}

/// Takes a skill out of use.
///
/// # Errors
/// As [`approve`].
pub fn archive(store: &dyn Store, words: &str, now_ms: u64) -> Result<Skill, UserError> {
    decide(store, words, Verb::Retire, now_ms, |skill| match skill.state {
        SkillState::Archived => Err("it is put away already"),
        SkillState::Quarantined(_) => Err("it is in quarantine"),
        _ => Ok(SkillState::Archived),
    })
}

/// Brings a skill that went cold or was put away into use again.
///
/// # Errors
/// As [`approve`].
pub fn revive(store: &dyn Store, words: &str, now_ms: u64) -> Result<Skill, UserError> {
    decide(store, words, Verb::Revive, now_ms, |skill| match skill.state {
        SkillState::Cold | SkillState::Archived => Ok(SkillState::Active),
        SkillState::Active => Err("it is in use already"),
        SkillState::Draft | SkillState::Staged => Err("it was never in use; approve it instead"),
        SkillState::Quarantined(_) => Err("it is in quarantine"),
    })
}

fn decide(
    store: &dyn Store,
    words: &str,
    verb: Verb,
    now_ms: u64,
    next: impl Fn(&Skill) -> Result<SkillState, &'static str>,
) -> Result<Skill, UserError> {
    let mut tries = 0;
    loop {
        let (scope, ledger, skill) = find(store, words)?;
        let refused = |why: &str| UserError::new(ErrorKind::Usage, format!("{} cannot be changed so: {why}", skill.name));
        let after = Skill { state: next(&skill).map_err(refused)?, updated_ms: now_ms, ..skill.clone() };
        let mut edits = vec![edit(&skill, &after)];
        if after.state == SkillState::Active {
            edits.extend(room(store, &ledger, &skill, now_ms)?);
        }
        let operation = Operation {
            id: OpId::of(scope.name(), ledger.sequence(), now_ms),
            at_ms: now_ms,
            by: Author::Person,
            session: None,
            why: format!("{}: you decided so", skill.name),
            verb: verb.clone(),
            edits,
        };
        tries += 1;
        match store.commit(scope, ledger.sequence(), &[operation]) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(StoreError::Failed(error)) => return Err(error),
            Err(error) => return Err(UserError::new(ErrorKind::Storage, error.to_string()).hint("try again in a moment")),
            Ok(()) => return Ok(after),
        }
    }
}

fn find(store: &dyn Store, words: &str) -> Result<(Scope, Ledger, Skill), UserError> {
    for scope in [Scope::Repo, Scope::User] {
        let ledger = store.ledger(scope).map_err(|error| match error {
            StoreError::Failed(error) => error,
            error => UserError::new(ErrorKind::Storage, error.to_string()),
        })?;
        match ledger.find(words) {
            Found::One(Entry::Skill(skill)) => {
                let skill = skill.clone();
                return Ok((scope, ledger, skill));
            }
            Found::Several(entries) => {
                let ids: Vec<&str> = entries.iter().map(|entry| entry.id().0.as_str()).collect();
                let message = format!("`{words}` may be any of {}", ids.join(", "));
                return Err(UserError::new(ErrorKind::Usage, message).hint("write more of the id"));
            }
            Found::One(Entry::Memory(_)) | Found::None => {}
        }
    }
    let hint = "name it by its name or by the begin of its id";
    Err(UserError::new(ErrorKind::Usage, format!("there is no skill `{words}` here")).hint(hint))
}

/// The edit that makes room for one more skill in use.
fn room(store: &dyn Store, ledger: &Ledger, incoming: &Skill, now_ms: u64) -> Result<Option<Edit>, UserError> {
    let (turns, exposures) = (store.turns().unwrap_or_default(), store.exposures().unwrap_or_default());
    let record = Record { turns: &turns, exposures: &exposures, root: Path::new("/"), mode: Mode::Suggest, now_ms };
    let made = makes_room(ledger, &record, &incoming.id).map_err(|()| {
        UserError::new(ErrorKind::Usage, "there are as many skills in use as there may be, and all of them are pinned")
            .hint("unpin one, or put one away")
    })?;
    Ok(made.map(|change| edit(&change.before, &change.after)))
}

fn edit(before: &Skill, after: &Skill) -> Edit {
    Edit { before: Some(Entry::Skill(before.clone())), after: Some(Entry::Skill(after.clone())) }
}
