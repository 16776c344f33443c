//! Torn and corrupt lines cost themselves alone.

use std::fs;
use std::io::Write as _;

use hone::evolution::ports::Store as _;
use hone::protocol::learned::Scope;

use crate::kit::{learn, store, texts};

#[test]
fn one_corrupt_line_or_stale_lock_that_stops_everything_for_good() {
    let home = tempfile::tempdir().unwrap();
    let first = store(home.path());
    for text in ["one", "two", "three"] {
        learn(&first, text);
    }
    let journal = first.folder(Scope::Repo).join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("two", "owt");
    fs::write(&journal, lines.join("\n") + "\n").unwrap();
    fs::write(first.folder(Scope::Repo).join("lock"), "4711").unwrap();
    let second = store(home.path());
    assert_eq!(texts(&second), ["one", "three"]);
    let damage = second.damage();
    assert_eq!(damage.len(), 1);
    assert!(damage[0].contains("journal.jsonl: line 2 has another checksum"), "{damage:?}");
    learn(&second, "four");
    assert_eq!(texts(&store(home.path())), ["four", "one", "three"]);
    // The line itself is still there for whoever wants to mend it.
    assert!(fs::read_to_string(&journal).unwrap().contains("owt"));
}

#[test]
fn a_journal_cut_at_any_byte_loses_its_last_line_alone() {
    let home = tempfile::tempdir().unwrap();
    let whole = store(home.path());
    learn(&whole, "one");
    let journal = whole.folder(Scope::Repo).join("journal.jsonl");
    let one = fs::read(&journal).unwrap();
    learn(&whole, "two");
    let both = fs::read(&journal).unwrap();
    for cut in (one.len()..both.len()).step_by(7) {
        fs::write(&journal, &both[..cut]).unwrap();
        fs::remove_file(whole.view(Scope::Repo)).unwrap();
        let again = store(home.path());
        learn(&again, "three");
        let expected = if cut == both.len() - 1 { vec!["one", "three", "two"] } else { vec!["one", "three"] };
        assert_eq!(texts(&again), expected, "cut at {cut}");
    }
}

#[test]
fn a_line_that_is_just_being_written_is_no_damage() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "one");
    let journal = store.folder(Scope::Repo).join("journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();
    let lock = hone::store::lock::Lock::take(store.folder(Scope::Repo), std::time::Duration::ZERO).unwrap();
    assert_eq!((texts(&store), store.damage()), (vec!["one".to_owned()], vec![]));
    // Nobody writes any more, and half of it is all there is.
    drop(lock);
    assert_eq!(texts(&store), ["one"]);
    assert!(store.damage()[0].contains("line 2"), "{:?}", store.damage());
}

#[test]
fn a_full_disk_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    learn(&store, "one");
    // The view cannot be written: its place is taken by a folder that is not empty.
    let view = store.view(Scope::Repo);
    let text = fs::read(&view).unwrap();
    let journal = fs::read(store.folder(Scope::Repo).join("journal.jsonl")).unwrap();
    fs::remove_file(&view).unwrap();
    fs::create_dir(&view).unwrap();
    fs::File::create(view.join("x")).unwrap().write_all(b"x").unwrap();
    let refused = store
        .ledger(Scope::Repo)
        .and_then(|ledger| store.commit(Scope::Repo, ledger.sequence(), &[crate::kit::add(ledger.sequence(), "two")]));
    assert!(refused.unwrap_err().to_string().contains("MEMORY.md"));
    assert_eq!(fs::read(store.folder(Scope::Repo).join("journal.jsonl")).unwrap(), journal);
    fs::remove_dir_all(&view).unwrap();
    fs::write(&view, text).unwrap();
    assert_eq!(texts(&store), ["one"]);
}
