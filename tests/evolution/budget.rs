//! What a model may cost, and what happens when it does not answer.

use hone::evolution::due::{FIRST_WAIT_MS, model_waits_until};
use hone::evolution::ports::Store as _;
use hone::evolution::stage::Pass;
use hone::protocol::learned::{ReviewEnd, Scope};

use crate::kit::{Answer, MINUTE, NOW, Place, Scripted, lesson, ran, turn};

/// A turn that has a signal and nothing for the rules.
fn puzzling(number: u64) -> hone::protocol::learned::TurnRecord {
    turn(number, "the layout of the report is off, put the totals below the table", vec![ran("git restore x", 0, "")])
}

fn ends(pass: &Pass) -> Option<&ReviewEnd> {
    pass.trouble.as_ref()
}

#[tokio::test]
async fn the_default_path_asks_no_model() {
    let place = Place::new();
    let model = Scripted::new([]);
    place.record(&[turn(1, "we run tests with `just t`, never `cargo test`", vec![ran("just t", 0, "")])]);
    place.pass(2, Some(&model)).await;
    let tasks = ["explain the lexer", "add a flag for colours", "rename the crate", "write a page about errors"];
    place.record(&(2..).zip(tasks).map(|(number, task)| turn(number, task, vec![])).collect::<Vec<_>>());
    place.pass(7, Some(&model)).await;
    assert_eq!((model.requests(), place.store.reviews().unwrap().len()), (0, 2));
}

#[tokio::test]
async fn a_model_is_asked_where_the_rules_found_nothing() {
    let place = Place::new();
    place.record(&[puzzling(1)]);
    let quote = "put the totals below the table";
    let model = Scripted::lessons(&[lesson("rule", "Put the totals below the table.", "said", quote)]);
    let pass = place.pass(2, Some(&model)).await;
    assert_eq!(place.active(), ["Put the totals below the table."]);
    assert_eq!((pass.cost.requests, pass.cost.input_tokens, pass.cost.output_tokens), (1, 900, 100));
}

#[tokio::test]
async fn a_malformed_answer_is_answered_once_with_the_field() {
    let place = Place::new();
    place.record(&[puzzling(1)]);
    let model =
        Scripted::new([Answer::Text("{\"notes\": []}".to_owned()), Answer::Text("{\"lessons\": []}".to_owned())]);
    let pass = place.pass(2, Some(&model)).await;
    assert_eq!((model.requests(), ends(&pass)), (2, None));
    let asked = model.asked.lock().unwrap();
    assert!(asked[1].items.last().unwrap().text().contains("the field `lessons` is missing"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_says_done_stops_at_the_budget() {
    for (answer, word) in [(Answer::Endless, "went on beyond"), (Answer::Silent, "in time")] {
        let place = Place::new();
        place.record(&[puzzling(1)]);
        let model = Scripted::new([answer]);
        let pass = place.pass(2, Some(&model)).await;
        let Some(ReviewEnd::OverBudget(why)) = ends(&pass) else { panic!("{:?}", pass.reports) };
        assert!(why.contains(word), "{why}");
        let spent = pass.cost.input_tokens + pass.cost.output_tokens;
        assert!(spent <= place.settings.review_tokens + 10, "{spent}");
        assert!(pass.cost.wall_ms <= place.settings.review_ms + 1000);
        // The day's budget holds however often it is tried again: nothing else comes to stop it.
        let endless = Scripted::new((0..100).map(|_| Answer::Endless));
        for attempt in 0..100_u64 {
            place.pass(10 + attempt * 7 * 60 / 60, Some(&endless)).await;
        }
        let reviews = place.store.reviews().unwrap();
        let tokens: u64 = reviews.iter().map(|review| review.cost.input_tokens + review.cost.output_tokens).sum();
        assert!(tokens <= place.settings.daily_tokens + 100, "{tokens}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_review_is_tried_again_after_a_while_and_keeps_its_turns() {
    let place = Place::new();
    place.record(&[puzzling(1)]);
    let broken = Scripted::new((0..2).map(|_| Answer::Text("no".to_owned())));
    place.pass(2, Some(&broken)).await;
    let reviews = place.store.reviews().unwrap();
    assert_eq!(model_waits_until(&reviews, NOW + 2 * MINUTE), Some(NOW + 2 * MINUTE + FIRST_WAIT_MS));
    // Before that nothing is asked, but what is new and needs no model is learned.
    let model = Scripted::lessons(&[]);
    place.record(&[turn(2, "Never touch `vendor/`", vec![])]);
    let at_once = NOW + 2 * MINUTE + 1;
    let ports = hone::evolution::stage::Ports {
        skill_roots: &[],
        store: &place.store,
        files: &hone::config::disk::Disk,
        root: place.dir.path(),
        model: Some(&model),
        clock: &crate::kit::Noon,
        settings: &place.settings,
    };
    hone::evolution::run::run(&ports, hone::evolution::run::How::default(), at_once).await;
    assert_eq!((model.requests(), place.active()), (0, vec!["Never touch `vendor/`.".to_owned()]));
    let pass = place.pass(4, Some(&model)).await;
    assert_eq!((model.requests(), pass.fresh.len(), ends(&pass)), (1, 1, None));
    assert!(place.memories(Scope::User).is_empty());
}
