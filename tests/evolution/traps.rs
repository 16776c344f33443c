//! Traps others fell into, by name.

use std::sync::atomic::{AtomicBool, Ordering};

use hone::evolution::ports::{Scores, Store, StoreError};
use hone::ledger::Ledger;
use hone::protocol::learned::{
    Discard, Edit, Entry, Exposure, MemoryState, OpId, Operation, Review, Scope, TurnRecord, Verb, Verdict,
};
use serde_json::json;

use crate::kit::{Place, Scripted, answered, lesson, ran, store, turn};

const STATED: &str = "we run tests with `just t`, never `cargo test`";

#[tokio::test]
async fn idle_token_burn_because_verdicts_are_not_remembered() {
    let place = Place::new();
    place.record(&[turn(1, "hmm", vec![ran("git restore x", 0, "")])]);
    let model = Scripted::lessons(&[]);
    for minute in 2..200 {
        place.pass(minute, Some(&model)).await;
    }
    assert_eq!((model.requests(), place.store.reviews().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn an_ambiguous_replace_lost_but_reported_as_done() {
    let place = Place::new();
    place.record(&[turn(1, STATED, vec![]), turn(2, "never touch `vendor/`", vec![])]);
    place.pass(3, None).await;
    let before = place.active();
    place.record(&[turn(4, "the totals go below the table", vec![ran("git restore x", 0, "")])]);
    let first = place.memories(Scope::Repo)[0].id.0.clone();
    let replace = |target: &str| {
        let quote = "the totals go below the table";
        json!({ "action": "replace", "target": target, "kind": "rule", "scope": "repo", "text": "The totals go below the table.",
                "turn": 1, "source": "said", "quote": quote })
    };
    let model = Scripted::lessons(&[replace("just"), replace(&first[..6]), replace("")]);
    let pass = place.pass(5, Some(&model)).await;
    assert!(pass.decisions.iter().all(|decision| decision.verdict == Verdict::Discarded(Discard::Malformed)));
    assert_eq!((pass.decisions.len(), place.active()), (3, before));
}

#[tokio::test]
async fn recalled_memory_extracted_again_as_new() {
    let place = Place::new();
    place.record(&[turn(1, STATED, vec![])]);
    place.pass(2, None).await;
    let known = "The deploy script lives in `ops/deploy.sh`.";
    place.record(&[turn(3, "how do we deploy", vec![answered("recall", known), ran("git restore x", 0, "")])]);
    let again = "We run tests with `just t`, never `cargo test`.";
    let model =
        Scripted::lessons(&[lesson("reference", known, "output", known), lesson("rule", again, "answer", "I did it.")]);
    let pass = place.pass(4, Some(&model)).await;
    let verdicts: Vec<&Verdict> = pass.decisions.iter().map(|decision| &decision.verdict).collect();
    assert_eq!(verdicts, [&Verdict::Discarded(Discard::Injected), &Verdict::Discarded(Discard::NoAuthority)]);
    assert_eq!(place.memories(Scope::Repo).len(), 1);
}

#[tokio::test]
async fn the_reviewer_running_with_full_access() {
    let place = Place::new();
    place.record(&[turn(1, "hmm sk-proj-abcdefghij0123456789", vec![ran("git restore x", 0, "")])]);
    let model = Scripted::lessons(&[]);
    place.pass(2, Some(&model)).await;
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked[0].tools.responses_json, "[]");
    assert!(asked[0].items.iter().all(|item| !item.text().contains("sk-proj")));
}

#[tokio::test]
async fn failure_counted_as_a_reason_to_keep() {
    let place = Place::new();
    let failing =
        |number| turn(number, &format!("try number {number}"), vec![ran("make deploy", 2, "error: no key"); 3]);
    place.record(&(1..6).map(failing).collect::<Vec<_>>());
    let model = Scripted::lessons(&[
        lesson("fact", "`make deploy` deploys here.", "exit", "exit 0: make deploy"),
        lesson("rule", "Deploy with `make deploy`.", "exit", "exit 2: make deploy"),
    ]);
    let pass = place.pass(7, Some(&model)).await;
    assert_eq!(pass.decisions.len(), 2);
    assert!(place.memories(Scope::Repo).is_empty(), "{:?}", pass.decisions);
}

#[tokio::test]
async fn what_the_person_threw_out_comes_back_only_when_they_say_so() {
    let place = Place::new();
    place.record(&[turn(1, STATED, vec![])]);
    place.pass(2, None).await;
    let memory = place.memories(Scope::Repo).remove(0);
    let gone = hone::protocol::learned::Memory { state: MemoryState::Forgotten, ..memory.clone() };
    let forget = Operation {
        id: OpId::of("repo", 1, 7),
        at_ms: crate::kit::NOW + 3 * crate::kit::MINUTE,
        by: hone::protocol::learned::Author::Person,
        session: None,
        verb: Verb::Forget,
        why: "forget".to_owned(),
        edits: vec![Edit { before: Some(Entry::Memory(memory)), after: Some(Entry::Memory(gone)) }],
    };
    place.store.commit(Scope::Repo, 1, &[forget]).unwrap();
    // An older turn that comes to be reviewed later does not bring it back.
    let mut late = turn(12, STATED, vec![]);
    late.started_ms = crate::kit::NOW;
    place.record(&[late]);
    let pass = place.pass(13, None).await;
    assert_eq!(pass.decisions[0].verdict, Verdict::Discarded(Discard::NotAllowed));
    place.record(&[turn(14, STATED, vec![])]);
    place.pass(15, None).await;
    assert_eq!(place.active(), ["We run tests with `just t`, never `cargo test`."]);
}

/// A store that somebody else writes to at the worst moment.
struct Contested<'a> {
    place: &'a Place,
    moved: AtomicBool,
}

impl Store for Contested<'_> {
    fn append_turn(&self, record: &TurnRecord) -> Result<(), StoreError> {
        self.place.store.append_turn(record)
    }

    fn append_exposures(&self, exposures: &[Exposure]) -> Result<(), StoreError> {
        self.place.store.append_exposures(exposures)
    }

    fn append_review(&self, review: &Review) -> Result<(), StoreError> {
        self.place.store.append_review(review)
    }

    fn turns(&self) -> Result<Vec<TurnRecord>, StoreError> {
        self.place.store.turns()
    }

    fn exposures(&self) -> Result<Vec<Exposure>, StoreError> {
        self.place.store.exposures()
    }

    fn reviews(&self) -> Result<Vec<Review>, StoreError> {
        self.place.store.reviews()
    }

    fn ledger(&self, scope: Scope) -> Result<Ledger, StoreError> {
        self.place.store.ledger(scope)
    }

    fn commit(&self, scope: Scope, base: u64, operations: &[Operation]) -> Result<(), StoreError> {
        if !self.moved.swap(true, Ordering::Relaxed) {
            // The same lesson, by another process.
            store(self.place.dir.path()).commit(scope, base, operations)?;
        }
        self.place.store.commit(scope, base, operations)
    }

    fn skill_names(&self) -> Vec<String> {
        self.place.store.skill_names()
    }

    fn scores(&self) -> Scores {
        self.place.store.scores()
    }

    fn keep_scores(&self, scores: &Scores) -> Result<(), StoreError> {
        self.place.store.keep_scores(scores)
    }

    fn damage(&self) -> Vec<String> {
        Vec::new()
    }
}

#[tokio::test]
async fn two_reviewers_at_once_learn_a_lesson_once() {
    let place = Place::new();
    place.record(&[turn(1, STATED, vec![])]);
    let contested = Contested { place: &place, moved: AtomicBool::new(false) };
    let pass = place.pass_over(&contested, 2, None).await;
    assert_eq!(pass.decisions[0].verdict, Verdict::Discarded(Discard::Duplicate));
    assert_eq!(place.memories(Scope::Repo).len(), 1);
}
