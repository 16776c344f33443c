//! What the person wants done with one entry. Their word outweighs everything else, so nothing is judged here; it only has to fit
//! what is there.

use std::path::Path;

use super::{Account, is_present, told};
use crate::evolution::mentions::Mentions;
use crate::evolution::ports::{Store, StoreError};
use crate::evolution::settings::Mode;
use crate::evolution::skills::lifecycle::{AllPinned, Change, Record, makes_room};
use crate::evolution::{statements, words};
use crate::ledger::{Ledger, hand};
use crate::protocol::learned::{
    Author, Authority, Edit, Entry, Memory, MemoryKind, MemoryState, OpId, Operation, Scope, Skill, SkillState, Verb,
};
use crate::protocol::{ErrorKind, UserError};
use crate::text::redact::redact;

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What waits comes into use.
    Approve,
    /// What waits, or is in use, goes, and is not learned again unless the person says so.
    Reject,
    /// It is shown whenever it can be, and left alone by everything but the person.
    Pin,
    /// It no longer is.
    Unpin,
    /// It says this from now on.
    Edit(String),
    /// It is gone for good: hidden now, erased by the next `gc`.
    Forget,
    /// What was put away comes into use again.
    Revive,
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// The change, which can be taken back.
    pub operation: Operation,
    /// The entry as it is now.
    pub entry: Entry,
}

/// Does what the person wants with the entry that `words` name.
///
/// # Errors
/// There is no such entry, the wish does not fit its state, or the store says no.
pub fn grant(store: &dyn Store, words: &str, wish: &Wish, now_ms: u64) -> Result<Granted, UserError> {
    let mut tries = 0;
    loop {
        let account = Account::read(store)?;
        let (scope, before) = account.find(words)?;
        let after = match before {
            Entry::Memory(memory) => Entry::Memory(memory_after(memory, wish, now_ms)?),
            Entry::Skill(skill) => Entry::Skill(skill_after(skill, wish, now_ms)?),
        };
        let mut edits = vec![Edit { before: Some(before.clone()), after: Some(after.clone()) }];
        if let (Entry::Skill(skill), true) = (&after, *wish == Wish::Approve || *wish == Wish::Revive) {
            edits.extend(room(store, account.ledger(scope), skill, now_ms)?);
        }
        let sequence = account.ledger(scope).sequence();
        let operation = operation(scope, sequence, wish, edits, now_ms);
        tries += 1;
        match store.commit(scope, sequence, std::slice::from_ref(&operation)) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(error) => return Err(told(error)),
            Ok(()) => return Ok(Granted { operation, entry: after }),
        }
    }
}

/// Writes down something of the person's own.
///
/// # Errors
/// It is too long or too short, holds a secret, is known already, or the store says no.
pub fn write_down(store: &dyn Store, scope: Scope, text: &str, now_ms: u64) -> Result<Granted, UserError> {
    let text = checked(text)?;
    let mut tries = 0;
    loop {
        let account = Account::read(store)?;
        let same = |entry: &Entry| matches!(entry, Entry::Memory(memory) if memory.text == text && is_present(entry));
        if let Some((_, entry)) = account.entries().find(|(_, entry)| same(entry)) {
            return Err(UserError::new(ErrorKind::Usage, format!("this is known already, as {}", entry.id())));
        }
        let mut memory = hand::written(scope, kind_of(&text), &text, now_ms);
        memory.about = Mentions::of(&text).about();
        let entry = Entry::Memory(memory);
        let sequence = account.ledger(scope).sequence();
        let edits = vec![Edit { before: None, after: Some(entry.clone()) }];
        let operation = by_person(scope, sequence, Verb::Add, "you wrote it", edits, now_ms);
        tries += 1;
        match store.commit(scope, sequence, std::slice::from_ref(&operation)) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(error) => return Err(told(error)),
            Ok(()) => return Ok(Granted { operation, entry }),
        }
    }
}

/// What kind of thing a text is, going by how it is said.
fn kind_of(text: &str) -> MemoryKind {
    let sentences = words::own(text);
    sentences.iter().find_map(statements::read).map_or(MemoryKind::Fact, |statement| statement.kind)
}

fn operation(scope: Scope, sequence: u64, wish: &Wish, edits: Vec<Edit>, now_ms: u64) -> Operation {
    let (verb, why) = match wish {
        Wish::Approve => (Verb::Approve, "you approved it"),
        Wish::Reject => (Verb::Reject, "you rejected it"),
        Wish::Pin => (Verb::Pin, "you pinned it"),
        Wish::Unpin => (Verb::Unpin, "you unpinned it"),
        Wish::Edit(_) => (Verb::Edit, "you changed it"),
        Wish::Forget => (Verb::Forget, "you wanted it forgotten"),
        Wish::Revive => (Verb::Revive, "you brought it back"),
    };
    by_person(scope, sequence, verb, why, edits, now_ms)
}

fn by_person(scope: Scope, sequence: u64, verb: Verb, why: &str, edits: Vec<Edit>, now_ms: u64) -> Operation {
    Operation {
        id: OpId::of(scope.name(), sequence, now_ms),
        at_ms: now_ms,
        by: Author::Person,
        session: None,
        verb,
        why: why.to_owned(),
        edits,
    }
}

fn memory_after(memory: &Memory, wish: &Wish, now_ms: u64) -> Result<Memory, UserError> {
    let mut after = Memory { updated_ms: now_ms, ..memory.clone() };
    let no = |why: &str| Err(refused(&memory.id.0, why));
    match (wish, &memory.state) {
        (_, MemoryState::Forgotten) => return no("it was forgotten; `hone evolve undo` can bring it back"),
        (Wish::Approve, MemoryState::Staged | MemoryState::Stale(_)) => after.state = MemoryState::Active,
        (Wish::Approve, MemoryState::Active) => return no("it is in use already"),
        (Wish::Approve, _) => return no("it was put away; revive it instead"),
        (Wish::Reject, MemoryState::Retired(_) | MemoryState::Superseded(_)) => return no("it is not in use"),
        (Wish::Reject, _) => after.state = MemoryState::Retired("you rejected it".to_owned()),
        (Wish::Revive, MemoryState::Active) => return no("it is in use already"),
        (Wish::Revive, MemoryState::Staged) => return no("it was never in use; approve it instead"),
        (Wish::Revive, _) => after.state = MemoryState::Active,
        (Wish::Pin, MemoryState::Active) if !memory.pinned => after.pinned = true,
        (Wish::Pin, MemoryState::Active) => return no("it is pinned already"),
        (Wish::Pin, _) => return no("it is not in use"),
        (Wish::Unpin, _) if memory.pinned => after.pinned = false,
        (Wish::Unpin, _) => return no("it is not pinned"),
        (Wish::Forget, _) => after.state = MemoryState::Forgotten,
        (Wish::Edit(text), _) => {
            after.text = checked(text)?;
            after.authority = Authority::Written;
            after.about = Mentions::of(&after.text).about();
            if matches!(memory.state, MemoryState::Staged | MemoryState::Stale(_)) {
                after.state = MemoryState::Active;
            }
        }
    }
    Ok(after)
}

fn skill_after(skill: &Skill, wish: &Wish, now_ms: u64) -> Result<Skill, UserError> {
    let mut after = Skill { updated_ms: now_ms, ..skill.clone() };
    let no = |why: &str| Err(refused(&skill.name, why));
    match (wish, &skill.state) {
        (Wish::Approve, SkillState::Draft | SkillState::Staged) => after.state = SkillState::Active,
        (Wish::Approve | Wish::Revive, SkillState::Active) => return no("it is in use already"),
        (Wish::Approve, SkillState::Cold | SkillState::Archived) => {
            return no("it was put away; revive it instead");
        }
        (Wish::Revive, SkillState::Cold | SkillState::Archived) => after.state = SkillState::Active,
        (Wish::Revive, SkillState::Draft | SkillState::Staged) => {
            return no("it was never in use; approve it instead");
        }
        (Wish::Approve | Wish::Revive | Wish::Reject | Wish::Forget, SkillState::Quarantined(_)) => {
            return no("it is in quarantine already; `hone evolve undo` can bring it back");
        }
        (Wish::Reject, _) => after.state = SkillState::Quarantined("you rejected it".to_owned()),
        (Wish::Forget, _) => after.state = SkillState::Quarantined("you wanted it forgotten".to_owned()),
        (Wish::Pin, _) if !skill.pinned => after.pinned = true,
        (Wish::Pin, _) => return no("it is pinned already"),
        (Wish::Unpin, _) if skill.pinned => after.pinned = false,
        (Wish::Unpin, _) => return no("it is not pinned"),
        (Wish::Edit(_), _) => return no("a skill is changed in its own file, SKILL.md"),
    }
    Ok(after)
}

/// The edit that makes room for one more skill in use.
fn room(store: &dyn Store, ledger: &Ledger, incoming: &Skill, now_ms: u64) -> Result<Option<Edit>, UserError> {
    let (turns, exposures) = (store.turns().unwrap_or_default(), store.exposures().unwrap_or_default());
    let record = Record { turns: &turns, exposures: &exposures, root: Path::new("/"), mode: Mode::Suggest, now_ms };
    let made = makes_room(ledger, &record, &incoming.id).map_err(|AllPinned| {
        UserError::new(ErrorKind::Usage, "there are as many skills in use as there may be, and all of them are pinned")
            .hint("unpin one, or put one away")
    })?;
    let edit =
        |change: Change| Edit { before: Some(Entry::Skill(change.before)), after: Some(Entry::Skill(change.after)) };
    Ok(made.map(edit))
}

/// A text that may be kept.
fn checked(text: &str) -> Result<String, UserError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !(3..=400).contains(&text.chars().count()) {
        let message = format!("a memory has 3 to 400 characters, and this has {}", text.chars().count());
        return Err(UserError::new(ErrorKind::Usage, message).hint("say it in one or two sentences"));
    }
    if redact(&text, &[]) != text {
        let message = "this looks as if there were a secret in it, which would be shown to every model";
        return Err(UserError::new(ErrorKind::Usage, message).hint("name where the secret is kept instead"));
    }
    Ok(text)
}

fn refused(name: &str, why: &str) -> UserError {
    UserError::new(ErrorKind::Usage, format!("{name} cannot be changed so: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::ledger::tests::{add, memory};

    #[test]
    fn each_wish_fits_some_states_and_says_why_not_otherwise() {
        let mut staged = memory("the docs are in book");
        staged.state = MemoryState::Staged;
        let store = Shelf::of([add(0, staged.clone())]);
        let wish = |wish: Wish| grant(&store, &staged.id.0, &wish, 9).map(|granted| granted.entry);
        let state = |entry: Entry| match entry {
            Entry::Memory(memory) => memory.state,
            Entry::Skill(_) => panic!("a memory"),
        };
        assert!(wish(Wish::Pin).unwrap_err().message.contains("not in use"));
        assert_eq!(state(wish(Wish::Approve).unwrap()), MemoryState::Active);
        assert!(wish(Wish::Approve).unwrap_err().message.contains("already"));
        assert!(matches!(wish(Wish::Pin), Ok(Entry::Memory(memory)) if memory.pinned));
        assert!(matches!(wish(Wish::Unpin), Ok(Entry::Memory(memory)) if !memory.pinned));
        let edited = wish(Wish::Edit(" the docs\nare in `site/` ".to_owned())).unwrap();
        assert!(matches!(&edited, Entry::Memory(memory) if memory.text == "the docs are in `site/`"
            && memory.authority == Authority::Written && memory.id == staged.id));
        assert!(wish(Wish::Edit("x".to_owned())).unwrap_err().message.contains("3 to 400"));
        let secret = format!("the key is sk-ant-{}", "a1B2".repeat(12));
        assert!(wish(Wish::Edit(secret)).unwrap_err().message.contains("secret"));
        assert!(matches!(state(wish(Wish::Reject).unwrap()), MemoryState::Retired(_)));
        assert_eq!(state(wish(Wish::Revive).unwrap()), MemoryState::Active);
        assert_eq!(state(wish(Wish::Forget).unwrap()), MemoryState::Forgotten);
        assert!(wish(Wish::Revive).unwrap_err().message.contains("forgotten"));
    }

    #[test]
    fn what_the_person_writes_down_is_theirs_and_known_once() {
        let store = Shelf::of([]);
        let granted = write_down(&store, Scope::Repo, "Always use  `just t`.", 3).unwrap();
        assert!(matches!(&granted.entry, Entry::Memory(memory) if memory.kind == MemoryKind::Rule
            && memory.text == "Always use `just t`." && memory.about.commands == ["just t"]));
        assert!(write_down(&store, Scope::User, "Always use `just t`.", 4).unwrap_err().message.contains("already"));
    }

    #[test]
    fn what_is_not_there_or_not_clear_is_an_error_that_says_what_is() {
        let store = Shelf::of([add(0, memory("one")), add(1, memory("two"))]);
        let account = Account::read(&store).unwrap();
        assert!(account.find("zzz").unwrap_err().message.contains("`zzz`"));
        let (one, two) = (memory("one").id.0, memory("two").id.0);
        let common = one.chars().zip(two.chars()).take_while(|(a, b)| a == b).count();
        if common > 0 {
            assert!(account.find(&one[..common]).unwrap_err().message.contains("may be any"));
        }
        assert!(account.find(&one[..common + 1]).is_ok());
    }
}
