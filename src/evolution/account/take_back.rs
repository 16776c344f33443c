//! Taking changes back.

use super::{Account, SCOPES, told};
use crate::evolution::ports::{Store, StoreError};
use crate::ledger::find::Found;
use crate::protocol::learned::{Operation, Scope, Verb};
use crate::protocol::{ErrorKind, UserError};

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The change with this id, or its begin.
    Operation(String),
    /// Everything that the turns of this conversation led to, by the begin of its id.
    Session(String),
    /// The last change that still stands, and what was made with it.
    Last,
}

/// Takes it back, and returns what was taken back, newest first. Everything that is made of the journals is then, byte for byte, what
/// it was before; the journals themselves keep both.
///
/// # Errors
/// There is nothing of the kind, something else was built on it, or the store says no.
pub fn take_back(store: &dyn Store, which: &Which, now_ms: u64) -> Result<Vec<(Scope, Operation)>, UserError> {
    let mut tries = 0;
    loop {
        match once(store, which, now_ms) {
            Err(Stopped::Moved) if tries < TRIES => tries += 1,
            Err(Stopped::Moved) => return Err(told(StoreError::Moved)),
            Err(Stopped::For(error)) => return Err(error),
            Ok(done) => return Ok(done),
        }
    }
}

enum Stopped {
    Moved,
    For(UserError),
}

fn once(store: &dyn Store, which: &Which, now_ms: u64) -> Result<Vec<(Scope, Operation)>, Stopped> {
    let account = Account::read(store).map_err(Stopped::For)?;
    let mut wanted: Vec<(Scope, &Operation)> = select(&account, which).map_err(Stopped::For)?;
    wanted.reverse();
    for scope in SCOPES {
        let ledger = account.ledger(scope);
        let of_scope: Vec<&Operation> =
            wanted.iter().filter(|(of, _)| *of == scope).map(|(_, operation)| *operation).collect();
        if of_scope.is_empty() {
            continue;
        }
        let undo = ledger.undo(&of_scope, now_ms).map_err(|error| {
            Stopped::For(
                UserError::new(ErrorKind::Usage, error.to_string())
                    .hint("`hone evolve log` shows what was changed in which order"),
            )
        })?;
        store.commit(scope, ledger.sequence(), &[undo]).map_err(|error| match error {
            StoreError::Moved => Stopped::Moved,
            error => Stopped::For(told(error)),
        })?;
    }
    Ok(wanted.into_iter().map(|(scope, operation)| (scope, operation.clone())).collect())
}

/// The changes that are meant, oldest first.
fn select<'a>(account: &'a Account<'_>, which: &Which) -> Result<Vec<(Scope, &'a Operation)>, UserError> {
    let nothing = |message: String| {
        Err(UserError::new(ErrorKind::Usage, message).hint("`hone evolve log` shows every change with its id"))
    };
    let found = match which {
        Which::Operation(words) => return operation(account, words).map(|found| vec![found]),
        Which::Session(words) => {
            let of_session = |operation: &&Operation| {
                operation.session.is_some_and(|session| session.to_string().starts_with(words.trim()))
            };
            let found: Vec<_> = standing(account).filter(|(_, operation)| of_session(operation)).collect();
            if found.is_empty() || words.trim().is_empty() {
                return nothing(format!("nothing that stands was learned from session `{}`", words.trim()));
            }
            let first = found.first().and_then(|(_, operation)| operation.session);
            if found.iter().any(|(_, operation)| operation.session != first) {
                return nothing(format!("`{}` is the begin of several sessions' ids", words.trim()));
            }
            found
        }
        Which::Last => {
            // A review makes several changes at once; so does one wish. They came together, and go together.
            let last = standing(account).max_by_key(|(_, operation)| operation.at_ms).map(|(_, last)| last);
            let Some(last) = last else { return nothing("there is nothing to take back".to_owned()) };
            let together = |operation: &&Operation| operation.at_ms == last.at_ms && operation.by == last.by;
            standing(account).filter(|(_, operation)| together(operation)).collect()
        }
    };
    Ok(found)
}

fn operation<'a>(account: &'a Account<'_>, words: &str) -> Result<(Scope, &'a Operation), UserError> {
    let mut found: Vec<(Scope, &Operation)> = Vec::new();
    for scope in SCOPES {
        match account.ledger(scope).find_operation(words) {
            Found::One(operation) => found.push((scope, operation)),
            Found::Several(operations) => found.extend(operations.into_iter().map(|operation| (scope, operation))),
            Found::None => {}
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(UserError::new(ErrorKind::Usage, format!("there is no change with the id `{}`", words.trim()))
            .hint("`hone evolve log` shows every change with its id")),
        _ => Err(UserError::new(ErrorKind::Usage, format!("`{}` is the begin of several ids", words.trim()))
            .hint("write more of the id")),
    }
}

/// The changes that were made and not taken back, in the order of each journal.
fn standing<'a>(account: &'a Account<'_>) -> impl Iterator<Item = (Scope, &'a Operation)> {
    SCOPES.into_iter().flat_map(|scope| {
        let ledger = account.ledger(scope);
        let stands =
            |operation: &&Operation| !matches!(operation.verb, Verb::Undo(_)) && !ledger.is_undone(&operation.id);
        ledger.operations().iter().filter(stands).map(move |operation| (scope, operation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::ledger::tests::{add, memory};

    fn count(store: &Shelf) -> usize {
        store.ledger(Scope::Repo).unwrap().entries().count()
    }

    #[test]
    fn by_id_by_session_and_the_last_ones_together() {
        let session = "019ac000-0000-7000-8000-000000000001".parse().ok();
        let with = |mut operation: Operation, at_ms, session| {
            (operation.at_ms, operation.session) = (at_ms, session);
            operation
        };
        let made = [
            with(add(0, memory("one")), 1, session),
            with(add(1, memory("two")), 5, None),
            with(add(2, memory("three")), 5, None),
        ];
        let ids: Vec<String> = made.iter().map(|operation| operation.id.0.clone()).collect();
        let store = Shelf::of(made);
        assert_eq!(take_back(&store, &Which::Last, 9).unwrap().len(), 2);
        assert_eq!(count(&store), 1);
        assert!(take_back(&store, &Which::Operation(ids[1].clone()), 10).unwrap_err().message.contains("already"));
        assert!(take_back(&store, &Which::Session("019b".to_owned()), 11).is_err());
        assert!(take_back(&store, &Which::Session(String::new()), 11).is_err());
        assert_eq!(take_back(&store, &Which::Session("019ac".to_owned()), 12).unwrap().len(), 1);
        assert_eq!(count(&store), 0);
        assert!(take_back(&store, &Which::Last, 13).unwrap_err().message.contains("nothing to take back"));
        assert!(take_back(&store, &Which::Operation("zz".to_owned()), 14).is_err());
    }
}
