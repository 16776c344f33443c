//! Writes what a turn tells, on a thread of its own, so that a turn never waits for whoever reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::agent::ports::EventSink;
use crate::protocol::Event;

/// Deltas that wait to be written at most; more are dropped, since the whole message follows.
const MAX_WAITING: usize = 10_000;

/// Takes events from a turn and writes them in order.
pub struct EventWriter {
    queue: Mutex<Option<Sender<Event>>>,
    waiting: Arc<AtomicUsize>,
    takes_deltas: bool,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl EventWriter {
    /// Starts the writer, which gets every event, deltas only when it `takes_deltas`, and at the end `None`.
    #[must_use]
    pub fn start(takes_deltas: bool, mut write: impl FnMut(Option<Event>) + Send + 'static) -> Arc<Self> {
        let (queue, events) = channel::<Event>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let writer = std::thread::spawn(move || {
            for event in events {
                written.fetch_sub(1, Ordering::Relaxed);
                write(Some(event));
            }
            write(None);
        });
        let (queue, writer) = (Mutex::new(Some(queue)), Mutex::new(Some(writer)));
        Arc::new(Self { queue, waiting, takes_deltas, writer })
    }

    /// Returns when everything is written.
    pub fn finish(&self) {
        drop(lock(&self.queue).take());
        if let Some(writer) = lock(&self.writer).take() {
            writer.join().unwrap_or_default();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EventSink for EventWriter {
    fn emit(&self, event: Event) {
        let is_delta = matches!(event, Event::MessageDelta(_) | Event::ReasoningDelta(_));
        if is_delta && (!self.takes_deltas || self.waiting.load(Ordering::Relaxed) > MAX_WAITING) {
            return;
        }
        if let Some(queue) = lock(&self.queue).as_ref() {
            // Counted first, so that the writer never takes off what was not yet put on.
            self.waiting.fetch_add(1, Ordering::Relaxed);
            queue.send(event).unwrap_or_default();
        }
    }
}
