//! What may go, and what must not.

use std::fs;
use std::sync::Arc;

use hone::evolution::due::outbox;
use hone::evolution::ports::Store as _;
use hone::protocol::learned::{
    Author, Cost, Decision, Edit, Entry, Evidence, Exposure, Memory, MemoryKind, MemoryState, OpId, Operation, Place,
    Review, ReviewEnd, Scope, Source, TurnRecord, Verb, Verdict,
};
use hone::store::DiskStore;
use hone::store::gc::{Limits, Swept};

use crate::kit::{NOW, learn, memory, store, texts, turn, walk};

const PLAN: &str = "the merger is called Bluebird";
const DAY: u64 = 24 * 60 * 60_000;

/// Turns 1 to 4, one a day: the first taught something that was forgotten, the second something that stands, the third nothing, and the
/// fourth was never reviewed.
fn history(store: &DiskStore) {
    let said = [&format!("note that {PLAN}, please"), "we test with `just t`", "hello", "later"];
    let turns: Vec<TurnRecord> = (1..).zip(said).map(|(day, said)| turn(NOW + day * DAY, day, said, vec![])).collect();
    turns.iter().for_each(|turn| store.append_turn(turn).unwrap());
    let learned = |text: &str, turn: &TurnRecord, quote: &str| Memory {
        evidence: vec![Evidence {
            thread: turn.thread,
            turn: turn.turn,
            source: Source::Said,
            quote: quote.to_owned(),
        }],
        ..memory(text)
    };
    let plan = learned("The merger is called Bluebird.", &turns[0], PLAN);
    let test = learned("We test with `just t`.", &turns[1], "we test with `just t`");
    let gone = Memory { state: MemoryState::Forgotten, ..plan.clone() };
    let edits = [
        (Verb::Add, None, plan.clone()),
        (Verb::Add, None, test),
        (Verb::Forget, Some(Entry::Memory(plan.clone())), gone),
    ];
    let operation = |(at, (verb, before, after)): (u64, (Verb, Option<Entry>, Memory))| Operation {
        id: OpId::of("repo", at, NOW),
        at_ms: NOW,
        by: Author::Rules,
        session: None,
        verb,
        why: format!("you said \"{PLAN}\""),
        edits: vec![Edit { before, after: Some(Entry::Memory(after)) }],
    };
    store.commit(Scope::Repo, 0, &(0..).zip(edits).map(operation).collect::<Vec<_>>()).unwrap();
    let decision = Decision {
        kind: MemoryKind::Rule,
        scope: Scope::Repo,
        text: plan.text.clone(),
        verdict: Verdict::Kept(plan.id.clone()),
    };
    let review = Review {
        at_ms: NOW + 3 * DAY,
        by: Author::Rules,
        covers: turns[..3].iter().map(|turn| turn.turn).collect(),
        end: ReviewEnd::Done,
        cost: Cost::default(),
        decisions: vec![decision],
    };
    store.append_review(&review).unwrap();
    let shown = |turn: &TurnRecord| Exposure {
        at_ms: turn.ended_ms,
        thread: turn.thread,
        turn: turn.turn,
        entry: plan.id.clone(),
        place: Place::Start,
        tokens: 5,
        withheld: false,
    };
    store.append_exposures(&turns.iter().map(shown).collect::<Vec<_>>()).unwrap();
}

fn gc(store: &DiskStore, limits: Limits, dry_run: bool) -> Swept {
    let gone = store.forgotten(Scope::Repo).unwrap();
    let mut swept = store.sweep(limits, &gone, dry_run).unwrap();
    swept += store.erase(Scope::Repo, &gone, dry_run).unwrap();
    swept
}

const NONE_OLD: Limits = Limits { before_ms: 0, bytes: usize::MAX };

#[test]
fn what_was_forgotten_is_nowhere_and_stays_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    history(&store);
    let bytes =
        || walk(home.path()).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>();
    let before = bytes();
    let would = gc(&store, NONE_OLD, true);
    assert_eq!(bytes(), before, "only told");
    let swept = gc(&store, NONE_OLD, false);
    assert_eq!(swept, would);
    assert_eq!((swept.erased, swept.dropped, swept.cleaned), (1, 1, 1));
    for (path, bytes) in bytes() {
        assert!(!String::from_utf8_lossy(&bytes).contains("Bluebird"), "{}", path.display());
    }
    let ledger = store.ledger(Scope::Repo).unwrap();
    assert_eq!((ledger.sequence(), texts(&store)), (3, vec!["We test with `just t`.".to_owned()]));
    assert_eq!(ledger.memories().filter(|memory| memory.state == MemoryState::Forgotten).count(), 1);
    let error = ledger.undo(&[&ledger.operations()[2]], NOW).unwrap_err();
    assert!(error.to_string().contains("erased"), "{error}");
    assert_eq!(gc(&store, NONE_OLD, false), Swept::default(), "once is enough");
}

#[test]
fn old_turns_go_when_they_were_reviewed_and_nothing_rests_on_them() {
    for limits in [Limits { before_ms: NOW + 100 * DAY, bytes: usize::MAX }, Limits { before_ms: 0, bytes: 1 }] {
        let home = tempfile::tempdir().unwrap();
        let store = store(home.path());
        history(&store);
        gc(&store, limits, false);
        let turns = store.turns().unwrap();
        let said: Vec<&str> = turns.iter().map(|turn| turn.said[0].as_str()).collect();
        assert_eq!(said, ["we test with `just t`", "later"]);
        assert_eq!(outbox(&turns, &store.reviews().unwrap()).len(), 1, "what was reviewed is not reviewed again");
        let left = store.exposures().unwrap().len();
        assert_eq!(left, if limits.bytes == 1 { 0 } else { 2 });
    }
}

#[test]
fn damaged_lines_are_set_aside_and_those_of_another_version_stay() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    history(&store);
    let path = store.folder(Scope::Repo).join("turns.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let newer = r#"{"v":9,"sum":"","data":{}}"#;
    fs::write(&path, format!("garbage\n{newer}\n{text}half a li")).unwrap();
    fs::write(store.folder(Scope::Repo).join(".tmpAbCdEf"), "left by a process that died").unwrap();
    let swept = gc(&store, NONE_OLD, false);
    assert_eq!((swept.damaged, swept.strays), (2, 1));
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(&format!("{newer}\n")) && after.ends_with("}\n"), "{after}");
    let aside = fs::read_to_string(path.with_extension("damaged")).unwrap();
    assert_eq!(aside, "garbage\nhalf a li\n");
    // What stays is byte for byte what it was.
    assert!(after.lines().skip(1).all(|line| text.contains(line)));
    learn(&store, "life goes on");
    assert_eq!(Arc::new(store).turns().unwrap().len(), 3);
}
