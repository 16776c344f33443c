//! The end of a turn, for whoever learns from it.

use super::turn::{Stop, Turn};
use crate::protocol::trace::{Ended, TurnTrace};

impl Turn<'_> {
    /// Hands what happened to the observer. A turn in which nobody said anything, such as a compaction, teaches nothing.
    pub(super) fn observe(&mut self, ended: &Result<(), Stop>) -> Option<String> {
        let observer = self.agent.observer.as_ref()?;
        let (said, skills, calls) = self.trace.take();
        if said.is_empty() {
            return None;
        }
        let ended_ms = self.agent.clock.unix_ms();
        observer.turn_ended(TurnTrace {
            turn: self.id,
            thread: self.conversation.thread_id,
            started_ms: ended_ms.saturating_sub(self.journal.elapsed_ms()),
            ended_ms,
            cwd: self.conversation.model.cwd.clone(),
            model: self.conversation.model.slug.clone(),
            said,
            answer: self.answer.clone(),
            ended: match ended {
                Ok(()) => Ended::Completed,
                Err(Stop::Interrupted) => Ended::Interrupted,
                Err(Stop::Model(error)) => Ended::Failed(error.message.clone()),
                Err(Stop::Refused(error)) => Ended::Failed(error.message.clone()),
                Err(Stop::Storage(error)) => Ended::Failed(error.message.clone()),
            },
            calls,
            skills,
        })
    }
}
