//! Several writers at once.

use std::thread;

use hone::evolution::ports::{Store as _, StoreError};
use hone::protocol::learned::Scope;

use crate::kit::{add, learn, store, texts};

#[test]
fn whoever_comes_second_is_told_to_look_again() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (store(home.path()), store(home.path()));
    let base = one.ledger(Scope::Repo).unwrap().sequence();
    one.commit(Scope::Repo, base, &[add(base, "first")]).unwrap();
    let moved = two.commit(Scope::Repo, base, &[add(base, "second")]);
    assert!(matches!(moved, Err(StoreError::Moved)));
    learn(&two, "second");
    assert_eq!(texts(&one), ["first", "second"]);
}

#[test]
fn many_writers_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let home = home.path();
            scope.spawn(move || {
                let store = store(home);
                for at in 0..10 {
                    let text = format!("{writer}-{at}");
                    loop {
                        let base = store.ledger(Scope::Repo).unwrap().sequence();
                        match store.commit(Scope::Repo, base, &[add(base, &text)]) {
                            Ok(()) => break,
                            Err(StoreError::Moved) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(texts(&store(home.path())).len(), 40);
    assert_eq!(store(home.path()).damage(), Vec::<String>::new());
}
