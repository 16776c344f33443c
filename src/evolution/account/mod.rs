//! What is learned, told to people and put right by them: what `hone evolve` and the commands of a session print and do.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Account`]: both ledgers, and entries found by what a person writes of them |
//! | [`wish`] | approve, reject, pin, edit, forget, revive |
//! | [`take_back`] | undo |
//! | [`list`] | entries in a line each, and one in full |
//! | [`why`] | where an entry comes from and what it brought |
//! | [`why_not`] | what became of something that is not known |
//! | [`log`] | the changes, newest first |
//! | [`status`] | how learning stands |
//! | [`mod@import`] | what other programs remember, taken in |
//! | [`archive`] | all of it as one file, and back |
//! | [`report`] | what learning brought, day by day and entry by entry |

pub mod archive;
pub mod import;
pub mod list;
pub mod log;
pub mod report;
pub mod status;
pub mod take_back;
pub mod why;
pub mod why_not;
pub mod wish;

use super::ports::{Store, StoreError};
use crate::ledger::Ledger;
use crate::ledger::find::Found;
use crate::protocol::learned::{Author, Authority, Entry, MemoryKind, MemoryState, Scope, SkillState, Source};
use crate::protocol::{ErrorKind, UserError};

/// The scopes in the order in which people read of them.
pub const SCOPES: [Scope; 2] = [Scope::Repo, Scope::User];

/// What is learned here and of the person, as it stands.
pub struct Account<'a> {
    /// Where it is kept.
    pub store: &'a dyn Store,
    ledgers: [Ledger; 2],
}

impl<'a> Account<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// A journal cannot be read.
    pub fn read(store: &'a dyn Store) -> Result<Self, UserError> {
        let [repo, user] = SCOPES.map(|scope| store.ledger(scope).map_err(told));
        Ok(Self { store, ledgers: [repo?, user?] })
    }

    /// The ledger of a scope.
    #[must_use]
    pub fn ledger(&self, scope: Scope) -> &Ledger {
        match scope {
            Scope::Repo => &self.ledgers[0],
            Scope::User => &self.ledgers[1],
        }
    }

    /// Every entry with its scope.
    pub fn entries(&self) -> impl Iterator<Item = (Scope, &Entry)> {
        SCOPES.into_iter().flat_map(|scope| self.ledger(scope).entries().map(move |entry| (scope, entry)))
    }

    /// The entry that `words` name: the begin of its id, or a skill's name.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn find(&self, words: &str) -> Result<(Scope, &Entry), UserError> {
        let mut found: Vec<(Scope, &Entry)> = Vec::new();
        for scope in SCOPES {
            match self.ledger(scope).find(words) {
                Found::One(entry) => found.push((scope, entry)),
                Found::Several(entries) => found.extend(entries.into_iter().map(|entry| (scope, entry))),
                Found::None => {}
            }
        }
        match found.as_slice() {
            [] => Err(UserError::new(ErrorKind::Usage, format!("nothing learned has the id `{}`", words.trim()))
                .hint("`hone evolve list --all` shows what there is; the begin of an id is enough")),
            [one] => Ok(*one),
            several => {
                let all: Vec<String> =
                    several.iter().map(|(_, entry)| format!("  {}  {}", entry.id(), title(entry))).collect();
                let message = format!("`{}` may be any of these:\n{}", words.trim(), all.join("\n"));
                Err(UserError::new(ErrorKind::Usage, message).hint("write more of the id"))
            }
        }
    }
}

/// An error of the store, for people.
#[must_use]
pub fn told(error: StoreError) -> UserError {
    match error {
        StoreError::Failed(error) => error,
        error => UserError::new(ErrorKind::Storage, error.to_string()).hint("try again in a moment"),
    }
}

/// What an entry says, in one line.
#[must_use]
pub fn title(entry: &Entry) -> String {
    match entry {
        Entry::Memory(memory) => memory.text.split_whitespace().collect::<Vec<_>>().join(" "),
        Entry::Skill(skill) => format!("{}: {}", skill.name, skill.description),
    }
}

/// What kind of entry it is.
#[must_use]
pub const fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Memory(memory) => match memory.kind {
            MemoryKind::Fact => "fact",
            MemoryKind::Rule => "rule",
            MemoryKind::Preference => "preference",
            MemoryKind::Pitfall => "pitfall",
            MemoryKind::Reference => "reference",
        },
        Entry::Skill(_) => "skill",
    }
}

/// Whether it is in use, and why not.
#[must_use]
pub fn state(entry: &Entry) -> String {
    match entry {
        Entry::Memory(memory) => match &memory.state {
            MemoryState::Staged => "waits for you".to_owned(),
            MemoryState::Active => "in use".to_owned(),
            MemoryState::Stale(why) => format!("stale: {why}"),
            MemoryState::Superseded(by) => format!("superseded by {by}"),
            MemoryState::Retired(why) => format!("retired: {why}"),
            MemoryState::Forgotten => "forgotten".to_owned(),
        },
        Entry::Skill(skill) => match &skill.state {
            SkillState::Draft => "draft".to_owned(),
            SkillState::Staged => "waits for you".to_owned(),
            SkillState::Active => "in use".to_owned(),
            SkillState::Cold => "cold: not offered".to_owned(),
            SkillState::Archived => "put away".to_owned(),
            SkillState::Quarantined(why) => format!("in quarantine: {why}"),
        },
    }
}

/// Whether it is in use or waits for the person: what there is to see without asking for all.
#[must_use]
pub const fn is_present(entry: &Entry) -> bool {
    match entry {
        Entry::Memory(memory) => {
            matches!(memory.state, MemoryState::Staged | MemoryState::Active | MemoryState::Stale(_))
        }
        Entry::Skill(skill) => {
            matches!(skill.state, SkillState::Draft | SkillState::Staged | SkillState::Active | SkillState::Cold)
        }
    }
}

/// Whether it waits for the person.
#[must_use]
pub const fn waits(entry: &Entry) -> bool {
    match entry {
        Entry::Memory(memory) => matches!(memory.state, MemoryState::Staged),
        Entry::Skill(skill) => matches!(skill.state, SkillState::Staged),
    }
}

/// Who did something, for people.
#[must_use]
pub fn who(author: &Author) -> String {
    match author {
        Author::Rules => "the rules".to_owned(),
        Author::Model(name) => name.clone(),
        Author::Person => "you".to_owned(),
        Author::Import(program) => format!("import from {program}"),
    }
}

/// What an entry rests on, for people.
#[must_use]
pub const fn rests_on(authority: Authority) -> &'static str {
    match authority {
        Authority::Text => "something that was read",
        Authority::Imported => "another program's memory, which you imported",
        Authority::Outcome => "exit statuses",
        Authority::Said => "your words",
        Authority::Written => "your own hand",
    }
}

/// Where words stood, for people.
#[must_use]
pub const fn place(source: Source) -> &'static str {
    match source {
        Source::Said => "you said",
        Source::Exit => "a command ended",
        Source::Answer => "the model said",
        Source::Output => "a command printed",
        Source::File => "a file held",
        Source::Web => "a page held",
        Source::Mcp => "a server answered",
        Source::Injected => "it was shown",
        Source::Import => "another program kept",
    }
}

/// A number and what there is that many of.
#[must_use]
pub fn count(number: usize, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {of}{plural}")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::evolution::ports::Scores;
    use crate::protocol::learned::{Exposure, Operation, Review, TurnRecord};

    /// A store in memory.
    #[derive(Default)]
    pub(crate) struct Shelf {
        ledgers: Mutex<BTreeMap<Scope, Ledger>>,
        pub(crate) turns: Vec<TurnRecord>,
        pub(crate) exposures: Vec<Exposure>,
        pub(crate) reviews: Vec<Review>,
    }

    impl Shelf {
        pub(crate) fn of(operations: impl IntoIterator<Item = Operation>) -> Self {
            let ledgers = BTreeMap::from([(Scope::Repo, Ledger::fold(operations).0)]);
            Self { ledgers: Mutex::new(ledgers), ..Self::default() }
        }
    }

    impl Store for Shelf {
        fn append_turn(&self, _: &TurnRecord) -> Result<(), StoreError> {
            Ok(())
        }

        fn append_exposures(&self, _: &[Exposure]) -> Result<(), StoreError> {
            Ok(())
        }

        fn append_review(&self, _: &Review) -> Result<(), StoreError> {
            Ok(())
        }

        fn turns(&self) -> Result<Vec<TurnRecord>, StoreError> {
            Ok(self.turns.clone())
        }

        fn exposures(&self) -> Result<Vec<Exposure>, StoreError> {
            Ok(self.exposures.clone())
        }

        fn reviews(&self) -> Result<Vec<Review>, StoreError> {
            Ok(self.reviews.clone())
        }

        fn ledger(&self, scope: Scope) -> Result<Ledger, StoreError> {
            Ok(self.ledgers.lock().unwrap().get(&scope).cloned().unwrap_or_default())
        }

        fn commit(&self, scope: Scope, base: u64, operations: &[Operation]) -> Result<(), StoreError> {
            let mut ledgers = self.ledgers.lock().unwrap();
            let ledger = ledgers.entry(scope).or_default();
            if ledger.sequence() != base {
                return Err(StoreError::Moved);
            }
            operations.iter().for_each(|operation| ledger.apply(operation.clone()).unwrap());
            Ok(())
        }

        fn skill_names(&self) -> Vec<String> {
            Vec::new()
        }

        fn scores(&self) -> Scores {
            Scores::new()
        }

        fn keep_scores(&self, _: &Scores) -> Result<(), StoreError> {
            Ok(())
        }

        fn damage(&self) -> Vec<String> {
            Vec::new()
        }
    }
}
