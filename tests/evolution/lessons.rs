//! What is learned, and how it stands to what was learned before.

use hone::evolution::ports::Store as _;
use hone::evolution::settings::Mode;
use hone::protocol::learned::{Authority, Discard, MemoryKind, MemoryState, Scope, Verb, Verdict};

use crate::kit::{Place, ran, turn};

const STATED: &str = "Please fix the parser. We run tests with `just t`, never `cargo test`.";

#[tokio::test]
async fn a_statement_and_a_failure_are_learned_in_the_turn_they_happen() {
    let place = Place::new();
    let calls = vec![ran("cargo test", 101, "error: DATABASE_URL is not set\n"), ran("just t", 0, "ok\n")];
    place.record(&[turn(1, STATED, calls)]);
    let pass = place.pass(2, None).await;
    assert_eq!(
        place.active(),
        [
            "We run tests with `just t`, never `cargo test`.",
            "`cargo test` failed here (exit 101): \"error: DATABASE_URL is not set\"; `just t` worked.",
        ]
    );
    let rule = place.memories(Scope::Repo).into_iter().find(|memory| memory.kind == MemoryKind::Rule).unwrap();
    assert_eq!((rule.authority, rule.about.commands.len()), (Authority::Said, 2));
    // The fact that `just t` tests here is more evidence for the rule, and no third entry.
    assert_eq!(rule.evidence.len(), 2);
    assert_eq!(pass.decisions.len(), 3);
    assert!(place.dir.path().join("hone/projects/project-1/MEMORY.md").is_file());
}

#[tokio::test]
async fn a_newer_statement_takes_the_place_of_the_older_one() {
    let place = Place::new();
    for (number, said, active) in [
        (1, "测试一律用 `cargo test`", "测试一律用 `cargo test`。"),
        (2, "以后测试用 `just t`，不要用 `cargo test`", "以后测试用 `just t`，不要用 `cargo test`。"),
        (
            3,
            "We run tests with `make check` now, never `just t`",
            "We run tests with `make check` now, never `just t`.",
        ),
        (
            4,
            "from now on we run tests with `cargo nextest run`, not `make check`",
            "We run tests with `cargo nextest run`, not `make check`.",
        ),
    ] {
        place.record(&[turn(number, said, vec![])]);
        place.pass(number + 1, None).await;
        assert_eq!(place.active(), [active]);
    }
    let ledger = place.store.ledger(Scope::Repo).unwrap();
    let verbs: Vec<&Verb> = ledger.operations().iter().map(|operation| &operation.verb).collect();
    assert_eq!(verbs, [&Verb::Add, &Verb::Replace, &Verb::Replace, &Verb::Replace]);
}

#[tokio::test]
async fn an_exit_status_does_not_overrule_the_person() {
    let place = Place::new();
    place.record(&[turn(1, STATED, vec![])]);
    place.pass(2, None).await;
    place.record(&[turn(3, "never touch `vendor/`", vec![ran("cargo test", 0, "ok")])]);
    let pass = place.pass(4, None).await;
    assert!(
        pass.decisions.iter().any(|decision| decision.verdict == Verdict::Discarded(Discard::Conflict)),
        "{pass:?}",
        pass = pass.decisions
    );
    assert!(place.active().contains(&"We run tests with `just t`, never `cargo test`.".to_owned()));
}

#[tokio::test]
async fn modes_decide_what_comes_into_use() {
    for (mode, expected) in
        [(Mode::Auto, Some(MemoryState::Active)), (Mode::Suggest, Some(MemoryState::Staged)), (Mode::Observe, None)]
    {
        let mut place = Place::new();
        place.settings.mode = mode;
        place.record(&[turn(1, STATED, vec![])]);
        place.pass(2, None).await;
        let states: Vec<MemoryState> = place.memories(Scope::Repo).into_iter().map(|memory| memory.state).collect();
        assert_eq!(states, expected.into_iter().collect::<Vec<_>>(), "{mode:?}");
    }
    let place = Place::new();
    place.record(&[turn(1, "I prefer short answers", vec![])]);
    place.pass(2, None).await;
    assert_eq!(place.memories(Scope::User)[0].state, MemoryState::Staged, "what holds everywhere waits for approval");
}

#[tokio::test]
async fn the_same_turns_give_the_same_bytes() {
    let journal =
        |place: &Place| std::fs::read(place.dir.path().join("hone/projects/project-1/journal.jsonl")).unwrap();
    let mut journals = Vec::new();
    for _ in 0..2 {
        let place = Place::new();
        place.record(&[turn(1, STATED, vec![ran("cargo test", 1, "error: x"), ran("just t", 0, "")])]);
        place.pass(2, None).await;
        journals.push(journal(&place));
    }
    assert_eq!(journals[0], journals[1]);
}
