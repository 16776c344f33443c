//! Entries and operations by what a person writes of them: the begin of an id, or a skill's name.

use super::Ledger;
use crate::protocol::learned::{Entry, Operation};

/// What a person meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<T> {
    /// This one.
    One(T),
    /// Nothing.
    None,
    /// Any of these; the person must write more of it.
    Several(Vec<T>),
}

impl<T> Found<T> {
    fn of(mut all: Vec<T>) -> Self {
        match all.len() {
            0 => Self::None,
            1 => Self::One(all.remove(0)),
            _ => Self::Several(all),
        }
    }
}

impl Ledger {
    /// The entry that `words` name: an id or its begin, or a skill's name with or without `hone-`.
    #[must_use]
    pub fn find(&self, words: &str) -> Found<&Entry> {
        let words = words.trim();
        if words.is_empty() {
            return Found::None;
        }
        let named = |entry: &&Entry| match entry {
            Entry::Skill(skill) => skill.name == words || skill.name.strip_prefix("hone-") == Some(words),
            Entry::Memory(_) => false,
        };
        match Found::of(self.entries().filter(named).collect()) {
            Found::None => Found::of(self.entries().filter(|entry| entry.id().0.starts_with(words)).collect()),
            found => found,
        }
    }

    /// The operation whose id begins with `words`; `op-` may be left out.
    #[must_use]
    pub fn find_operation(&self, words: &str) -> Found<&Operation> {
        let words = words.trim().trim_start_matches("op-");
        if words.is_empty() {
            return Found::None;
        }
        let begins = |operation: &&Operation| operation.id.0.trim_start_matches("op-").starts_with(words);
        Found::of(self.operations().iter().filter(begins).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{add, memory};

    #[test]
    fn the_begin_of_an_id_is_enough_when_it_is_clear() {
        let (one, two) = (memory("one"), memory("two"));
        let (ledger, _) = Ledger::fold([add(0, one.clone()), add(1, two)]);
        assert_eq!(ledger.find(&one.id.0[..5]), Found::One(&Entry::Memory(one)));
        assert_eq!(ledger.find("nothing"), Found::None);
        assert_eq!(ledger.find(" "), Found::None);
        let operation = &ledger.operations()[1];
        assert_eq!(ledger.find_operation(&operation.id.0), Found::One(operation));
        assert_eq!(ledger.find_operation(&operation.id.0[3..9]), Found::One(operation));
    }
}
