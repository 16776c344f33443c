//! Reviews while the person is idle, and whenever somebody asks for one.
//!
//! A review never delays a turn or the exit: it is a task of its own, dropped when the person goes on or leaves. Nothing is lost
//! by that, since what was not finished is still in the outbox. Between reviews nothing waits and nothing wakes up.

use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

use super::learning::Learning;
use crate::agent::ports::{Clock, EventSink, ModelClient};
use crate::config::clock::SystemClock;
use crate::config::disk::Disk;
use crate::evolution::account;
use crate::evolution::ports::Store as _;
use crate::evolution::run::{self, How};
use crate::evolution::settings::Trigger;
use crate::evolution::stage::{Pass, Ports};
use crate::protocol::Event;
use crate::protocol::event::Lesson;
use crate::protocol::learned::EntryId;

/// How long the person has to be idle before turns are reviewed.
const IDLE: Duration = Duration::from_secs(2);

/// How long an exit waits for a review by the rules: a store that another process holds must not hold the exit.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long past sessions are read at a time, when nobody asked.
const INDEXING: Duration = Duration::from_millis(500);

/// Reviews turns.
#[derive(Clone)]
pub struct Reviewer {
    learning: Learning,
    model: Option<Arc<dyn ModelClient>>,
    clock: Arc<SystemClock>,
}

/// A review that begins once the person was idle for a while. Dropping it calls it off.
pub struct IdleReview(JoinHandle<()>);

/// A review that goes on beside a turn, while that waits for the model.
pub struct MeanwhileReview(JoinHandle<()>);

impl MeanwhileReview {
    /// Returns when it is done, or has taken too long to wait for. It began with the turn, so that hardly ever takes any time.
    pub async fn finish(self) {
        tokio::time::timeout(PATIENCE, self.0).await.map(drop).unwrap_or_default();
    }
}

impl IdleReview {
    /// Whether nothing of it waits or runs any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for IdleReview {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reviewer {
    /// Who reviews what `learning` keeps; without a model, by the rules alone.
    #[must_use]
    pub fn new(learning: Learning, model: Option<Arc<dyn ModelClient>>, clock: Arc<SystemClock>) -> Self {
        Self { learning, model, clock }
    }

    /// Makes one pass.
    pub async fn pass(&self, how: How) -> Pass {
        let skill_roots = self.learning.skill_roots();
        let ports = Ports {
            skill_roots: &skill_roots,
            store: self.learning.store.as_ref(),
            files: &Disk,
            model: self.model.as_deref(),
            clock: self.clock.as_ref(),
            settings: &self.learning.settings,
            root: &self.learning.root,
        };
        run::run(&ports, how, self.clock.unix_ms()).await
    }

    /// Begins a review for when the person was idle for a while; `None` when reviews are not made by themselves.
    #[must_use]
    pub fn when_idle(self, events: Arc<dyn EventSink>) -> Option<IdleReview> {
        if self.learning.settings.trigger != Trigger::AfterTurn {
            return None;
        }
        Some(IdleReview(tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let pass = self.pass(How::default()).await;
            self.index(INDEXING).await;
            let lessons = self.lessons(&pass);
            if !lessons.is_empty() {
                events.emit(Event::Learned(lessons));
            }
        })))
    }

    /// Reviews by the rules alone what earlier processes left, on a thread of its own; `None` when reviews are not made by
    /// themselves.
    #[must_use]
    pub fn meanwhile(self) -> Option<MeanwhileReview> {
        if self.learning.settings.trigger != Trigger::AfterTurn {
            return None;
        }
        let here = tokio::runtime::Handle::current();
        let how = How { quick: true, ..How::default() };
        Some(MeanwhileReview(tokio::task::spawn_blocking(move || {
            drop(here.block_on(self.pass(how)));
            // Nobody waits for this: it ends with the program, and the next one goes on with it.
            drop(tokio::task::spawn_blocking(move || self.put_in(INDEXING)));
        })))
    }

    /// Puts what is new of past sessions into their index, for about as long as it may take.
    pub async fn index(&self, patience: Duration) {
        let reviewer = self.clone();
        // One that does not come to its end is gone on with next time.
        drop(tokio::task::spawn_blocking(move || reviewer.put_in(patience)).await);
    }

    fn put_in(&self, patience: Duration) {
        // An index that cannot be made is told of when somebody asks it something.
        drop(self.learning.past_sessions().refresh(patience));
    }

    /// What a pass taught, as people are told of it.
    #[must_use]
    pub fn lessons(&self, pass: &Pass) -> Vec<Lesson> {
        let learned = run::learned(pass).into_iter();
        let lesson = |(id, text, scope): (String, String, _)| {
            let ledger = self.learning.store.ledger(scope).ok()?;
            let entry = ledger.get(&EntryId(id.clone()))?;
            let waits = account::waits(entry);
            Some(Lesson { id, text, waits })
        };
        learned.filter_map(lesson).collect()
    }
}
