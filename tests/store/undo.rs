//! Undoing leaves everything that is made from the journal byte for byte as it was.

use hone::evolution::ports::Store as _;
use hone::protocol::learned::Scope;

use crate::kit::{derived, learn, store};

#[test]
fn undo_is_byte_exact_to_the_very_begin() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    let mut states = vec![derived(home.path())];
    for text in ["one", "two", "three"] {
        learn(&store, text);
        states.push(derived(home.path()));
    }
    for at in (0..3).rev() {
        let ledger = store.ledger(Scope::Repo).unwrap();
        let operation = &ledger.operations()[at];
        let undo = ledger.undo(&[operation], 9).unwrap();
        store.commit(Scope::Repo, ledger.sequence(), &[undo]).unwrap();
        assert_eq!(derived(home.path()), states[at], "after taking back operation {at}");
    }
}
