//! While nobody does anything, nothing happens.

use std::sync::Arc;
use std::time::Duration;

use hone::agent::ports::EventSink;
use hone::config::clock::SystemClock;
use hone::config::{self, Environment, LoadRequest};
use hone::evolution::ports::Store as _;
use hone::protocol::Event;
use hone::runtime::Learning;
use hone::runtime::evolution::{IdleReview, Reviewer};

use crate::kit::{Scripted, ran, turn};

const DAY: Duration = Duration::from_hours(24);

struct Nobody;

impl EventSink for Nobody {
    fn emit(&self, _event: Event) {}
}

struct Desk {
    dir: tempfile::TempDir,
    model: Arc<Scripted>,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), model: Arc::new(Scripted::new([])) }
    }

    fn learning(&self) -> (Learning, Arc<SystemClock>) {
        let mut env = Environment::default();
        env.set("HOME", self.dir.path());
        env.set("CODEX_HOME", self.dir.path());
        let loaded = config::load(LoadRequest::new(self.dir.path(), env)).unwrap();
        let clock = Arc::new(SystemClock::new(&loaded.env));
        (Learning::at(&loaded, self.dir.path(), Arc::<SystemClock>::clone(&clock)).unwrap(), clock)
    }

    fn idle(&self) -> IdleReview {
        let (learning, clock) = self.learning();
        let model = Arc::<Scripted>::clone(&self.model);
        Reviewer::new(learning, Some(model), clock).when_idle(Arc::new(Nobody)).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_idling_makes_no_request_and_leaves_nothing_that_could_wake_up() {
    let desk = Desk::new();
    let review = desk.idle();
    tokio::time::sleep(DAY).await;
    assert!(review.is_over());
    // Nor does a turn that has nothing to teach.
    desk.learning().0.store.append_turn(&turn(1, "look around", vec![])).unwrap();
    let review = desk.idle();
    tokio::time::sleep(DAY).await;
    assert!(review.is_over());
    assert_eq!((desk.model.requests(), desk.learning().0.store.reviews().unwrap().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_review_that_is_called_off_loses_nothing() {
    let desk = Desk::new();
    let store = desk.learning().0.store;
    store.append_turn(&turn(1, "hmm", vec![ran("git restore x", 0, "")])).unwrap();
    // The person goes on at once: nothing was asked.
    drop(desk.idle());
    tokio::time::sleep(DAY).await;
    assert_eq!(desk.model.requests(), 0);
    // The person goes on while a model thinks: the request is dropped, the turn still waits.
    let review = desk.idle();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((desk.model.requests(), review.is_over()), (1, false));
    drop(review);
    tokio::time::sleep(DAY).await;
    assert_eq!(store.reviews().unwrap().len(), 0);
    // A model that stays silent costs its time once, and that is kept.
    let review = desk.idle();
    tokio::time::sleep(DAY).await;
    assert!(review.is_over());
    assert_eq!((desk.model.requests(), store.reviews().unwrap().len()), (2, 1));
}

#[test]
fn what_the_configuration_says_of_reviews_holds() {
    let desk = Desk::new();
    let text = "[evolution]\nreview_requests = 1\nreview_tokens = 500\nreview_ms = 7000\nreview_turns = 9\n";
    std::fs::write(desk.dir.path().join("config.toml"), text).unwrap();
    let settings = desk.learning().0.settings;
    assert_eq!((settings.review_requests, settings.review_tokens), (1, 500));
    assert_eq!((settings.review_ms, settings.review_turns), (7000, 9));
}
