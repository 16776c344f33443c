//! Messages that arrive while a turn runs.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

use crate::protocol::op::UserInput;

/// Messages of the person that wait to join the running turn, in the order they were sent.
#[derive(Default)]
pub struct Inbox {
    waiting: Mutex<VecDeque<UserInput>>,
    arrived: Notify,
}

impl Inbox {
    /// Adds a message.
    pub fn push(&self, input: UserInput) {
        self.lock().push_back(input);
        self.arrived.notify_one();
    }

    /// Takes everything that waits.
    #[must_use]
    pub fn take(&self) -> Vec<UserInput> {
        self.lock().drain(..).collect()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Returns once something waits; at once if it already does.
    pub async fn arrival(&self) {
        while self.is_empty() {
            self.arrived.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<UserInput>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_keep_their_order_and_wake_the_waiter() {
        let inbox = Inbox::default();
        for text in ["one", "two"] {
            inbox.push(UserInput { text: text.into() });
        }
        inbox.arrival().await;
        let texts: Vec<_> = inbox.take().into_iter().map(|input| input.text).collect();
        assert_eq!(texts, ["one", "two"]);
        assert!(inbox.is_empty());
    }
}
