//! Which message a turn began with, as long as it may be lost: when a conversation must be compacted first and that fails,
//! the turn ends before the message is recorded. Then the person gets it back.

use crate::protocol::Event;
use crate::protocol::event::CompactionReason;

/// Messages that are sent and not part of the conversation yet.
#[derive(Debug, Default)]
pub struct Unheard {
    /// Sent; no turn has begun with them.
    sent: Vec<String>,
    /// Sent while a turn ran; they wait for its next safe point.
    waiting: Vec<String>,
    /// What the turn that runs began with, until it is known to be recorded.
    opening: Option<String>,
    /// Whether the conversation is being compacted before the message joins it.
    compacting: bool,
}

impl Unheard {
    /// A message is sent.
    pub fn send(&mut self, text: &str) {
        self.sent.push(text.to_owned());
    }

    /// The messages that waited were withdrawn. Returns the one the turn began with, if it would be lost now.
    pub fn interrupt(&mut self) -> Option<String> {
        self.waiting.clear();
        self.opening.take_if(|_| self.compacting)
    }

    /// Takes an event. Returns a message that was lost.
    pub fn take(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::TurnStarted { .. } => {
                self.compacting = false;
                self.opening = if self.sent.is_empty() {
                    // What came too late for the turn before begins one of its own.
                    Some(std::mem::take(&mut self.waiting).join("\n\n")).filter(|text| !text.is_empty())
                } else {
                    Some(self.sent.remove(0))
                };
            }
            Event::SteerQueued { text } => {
                remove(&mut self.sent, text);
                self.waiting.push(text.clone());
            }
            Event::SteerInserted { text } => remove(&mut self.waiting, text),
            Event::CompactionStarted { reason: CompactionReason::ContextLimit } => {
                self.compacting = self.opening.is_some();
            }
            Event::TurnFailed { .. } | Event::TurnAborted { .. } => {
                let lost = self.opening.take();
                return lost.filter(|_| std::mem::take(&mut self.compacting));
            }
            // These say nothing about how far the turn is.
            Event::Warning(_) | Event::Reconnecting { .. } | Event::FellBack(_) | Event::TokenCount(_) => {}
            _ => (self.opening, self.compacting) = (None, false),
        }
        None
    }
}

fn remove(texts: &mut Vec<String>, text: &str) {
    if let Some(at) = texts.iter().position(|known| known == text) {
        texts.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ErrorKind, TurnId, UserError};

    fn after(events: &[Event]) -> Option<String> {
        let mut unheard = Unheard::default();
        unheard.send("hello");
        events.iter().fold(None, |_, event| unheard.take(event))
    }

    #[test]
    fn only_a_message_whose_turn_ended_before_it_was_recorded_is_lost() {
        let turn_id = TurnId::new();
        let started = Event::TurnStarted { turn_id };
        let compacting = Event::CompactionStarted { reason: CompactionReason::ContextLimit };
        let failed = Event::TurnFailed { turn_id, error: UserError::new(ErrorKind::Failed, "no") };
        let compacted = Event::Compacted { before: 2, after: 1 };
        let said = Event::Message { text: "hi".into() };
        let lost = Some("hello".to_owned());
        for (events, expected) in [
            (vec![started.clone(), compacting.clone(), failed.clone()], lost.clone()),
            (vec![started.clone(), compacting.clone(), Event::TurnAborted { turn_id }], lost.clone()),
            (vec![started.clone(), compacting.clone(), compacted, failed.clone()], None),
            (vec![started.clone(), said, compacting.clone(), failed.clone()], None),
            (vec![started.clone(), failed.clone()], None),
        ] {
            assert_eq!(after(&events), expected, "{events:?}");
        }
        let mut unheard = Unheard::default();
        unheard.send("hello");
        unheard.take(&started);
        unheard.take(&compacting);
        assert_eq!(unheard.interrupt(), lost);
        assert_eq!(unheard.take(&Event::TurnAborted { turn_id }), None, "not twice");
    }
}
