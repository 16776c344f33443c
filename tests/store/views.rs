//! What a person does to the Markdown.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use hone::evolution::ports::Store as _;
use hone::protocol::learned::Scope;

use crate::kit::{learn, store, texts};

#[test]
fn hand_edits_destroyed() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "use just t");
    learn(&store, "drop me");
    let path = store.view(Scope::Repo);
    let view = fs::read_to_string(&path).unwrap();
    let edited: String = view
        .lines()
        .filter(|line| !line.contains("drop me"))
        .map(|line| line.replace("use just t", "use just test") + "\n")
        .collect();
    fs::write(&path, edited + "- and a new one\n").unwrap();
    // The next change neither destroys the edit nor brings the deleted line back.
    learn(&store, "later");
    assert_eq!(texts(&store), ["and a new one", "later", "use just test"]);
    assert!(!fs::read_to_string(&path).unwrap().contains("drop me"));
}

#[test]
fn a_view_that_is_gone_or_behind_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "one");
    let path = store.view(Scope::Repo);
    let old = fs::read(&path).unwrap();
    learn(&store, "two");
    let new = fs::read(&path).unwrap();
    fs::write(&path, &old).unwrap();
    assert_eq!(texts(&store), ["one", "two"]);
    assert_eq!(fs::read(&path).unwrap(), new, "reading is enough");
    fs::remove_file(&path).unwrap();
    assert_eq!((texts(&store), fs::read(&path).unwrap()), (vec!["one".to_owned(), "two".to_owned()], new.clone()));
    fs::remove_file(&path).unwrap();
    learn(&store, "three");
    assert!(fs::read(&path).unwrap().len() > new.len());
}

#[test]
fn what_cannot_be_kept_yet_counts_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "one");
    let path = store.view(Scope::Repo);
    let edited = fs::read_to_string(&path).unwrap() + "- by hand\n";
    fs::write(&path, &edited).unwrap();
    // Another process writes for longer than a reader waits.
    let lock = hone::store::lock::Lock::take(store.folder(Scope::Repo), std::time::Duration::ZERO).unwrap();
    assert_eq!(texts(&store), ["by hand", "one"]);
    assert_eq!((fs::read_to_string(&path).unwrap(), store.damage()), (edited, vec![]));
    drop(lock);
    assert_eq!(texts(&store), ["by hand", "one"]);
    assert!(fs::read_to_string(&path).unwrap().contains("you wrote it"));
    // A view that is no file is told of, and what was learned is there.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(texts(&store), ["by hand", "one"]);
    assert!(store.damage()[0].contains("MEMORY.md"), "{:?}", store.damage());
}

#[test]
fn an_edit_of_a_view_of_long_ago_is_found() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "the first");
    let old = fs::read_to_string(store.view(Scope::Repo)).unwrap();
    for at in 0..300 {
        learn(&store, &format!("memory {at:03}"));
    }
    fs::write(store.view(Scope::Repo), old.replace("the first", "the very first")).unwrap();
    assert_eq!(texts(&store).len(), 301);
    assert!(texts(&store).contains(&"the very first".to_owned()));
}

#[test]
fn whole_file_rewrites_that_silently_drop_forty_of_fifty_memories() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    for at in 0..50 {
        learn(&store, &format!("memory {at:02}"));
    }
    // A view that lost most of its text with its first line intact is an edit, and the journal still knows every one.
    let path = store.view(Scope::Repo);
    let view = fs::read_to_string(&path).unwrap();
    fs::write(&path, view.lines().take(14).collect::<Vec<_>>().join("\n")).unwrap();
    let ledger = store.ledger(Scope::Repo).unwrap();
    let by_hand = ledger.operations().last().unwrap();
    assert_eq!(ledger.entries().count(), 50);
    let undo = ledger.undo(&[by_hand], 9).unwrap();
    store.commit(Scope::Repo, ledger.sequence(), &[undo]).unwrap();
    assert_eq!(texts(&store).len(), 50);
    assert_eq!(fs::read_to_string(&path).unwrap(), view);
}

#[test]
fn what_is_learned_is_for_the_person_alone() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "one");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = store.folder(Scope::Repo);
    assert_eq!((mode(folder), mode(&home.path().join("hone"))), (0o700, 0o700));
    for file in ["journal.jsonl", "MEMORY.md", "lock"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
}
