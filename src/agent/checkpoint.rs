//! Checkpoints around the calls of a turn.

use std::path::PathBuf;
use std::sync::Arc;

use super::ports::{Access, BoxFuture, Checkpoints, EventSink, Output};
use crate::protocol::{Event, TurnId};

/// The checkpoints of one turn.
#[derive(Clone)]
pub struct Checkpoint {
    checkpoints: Arc<dyn Checkpoints>,
    turn: TurnId,
    events: Arc<dyn EventSink>,
}

impl Checkpoint {
    /// The checkpoints of `turn`. What goes wrong with them is told to `events`.
    #[must_use]
    pub fn new(checkpoints: Arc<dyn Checkpoints>, turn: TurnId, events: Arc<dyn EventSink>) -> Self {
        Self { checkpoints, turn, events }
    }

    /// Waits for a call; what it is about to write to is kept first, and what became of it recorded afterwards.
    pub async fn around(&self, access: Option<Access>, call: BoxFuture<'_, Output>) -> Output {
        let paths: Arc<[PathBuf]> = match access {
            Some(Access::Write(paths)) => paths.into(),
            Some(Access::Exec(_)) => {
                self.checkpoints.command_started(self.turn);
                return call.await;
            }
            _ => return call.await,
        };
        let before = Arc::clone(&paths);
        self.step(move |checkpoints, turn| checkpoints.before_write(turn, &before)).await;
        let output = call.await;
        self.step(move |checkpoints, turn| checkpoints.after_write(turn, &paths)).await;
        output
    }

    /// Reading and writing files takes a thread that may wait.
    async fn step(&self, step: impl FnOnce(&dyn Checkpoints, TurnId) -> Option<String> + Send + 'static) {
        let (checkpoints, turn) = (Arc::clone(&self.checkpoints), self.turn);
        let warning = tokio::task::spawn_blocking(move || step(checkpoints.as_ref(), turn)).await;
        // A step that panicked has nothing to say; the call matters more than its undoing.
        if let Ok(Some(warning)) = warning {
            self.events.emit(Event::Warning(warning));
        }
    }
}
