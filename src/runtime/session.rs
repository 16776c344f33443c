//! A session: one conversation, one turn at a time, requests in the order they were made.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::ports::Rollout;
use crate::agent::{AgentLoop, Conversation, Inbox, TurnEnd};
use crate::protocol::event::SessionInfo;
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{ErrorKind, Event, Item, RolloutError, RolloutLine, UserError};

/// A running session. Dropping it interrupts the running turn.
pub struct Session {
    info: SessionInfo,
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Submission>,
    worker: JoinHandle<Conversation>,
}

/// What the worker and the session's owner both touch.
struct Shared {
    agent: AgentLoop,
    inbox: Inbox,
    /// A token for every turn that was asked for and has not ended; the first one runs, or is about to.
    turns: Mutex<VecDeque<CancellationToken>>,
}

/// What the worker does, one after the other.
enum Submission {
    /// A turn that was asked for, and who waits for its end.
    Turn { input: UserInput, cancel: CancellationToken, ended: Option<oneshot::Sender<TurnEnd>> },
    /// Something else to be done with the conversation, between turns.
    Work(Work),
}

type Work = Box<dyn FnOnce(&mut Conversation) + Send>;

impl Session {
    /// Starts the worker of a conversation.
    #[must_use]
    pub fn start(info: SessionInfo, agent: AgentLoop, conversation: Conversation) -> Self {
        let shared = Arc::new(Shared { agent, inbox: Inbox::default(), turns: Mutex::default() });
        let (queue, submissions) = mpsc::unbounded_channel();
        let worker = tokio::spawn(work(Arc::clone(&shared), submissions, conversation));
        Self { info, shared, queue, worker }
    }

    /// What is fixed for the session.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Asks something of the session. Returns at once.
    pub fn send(&self, op: Op) {
        match op {
            Op::Submit(input) => self.enqueue(input, None),
            Op::Steer(input) => {
                // Under the lock under which the worker looks for late messages, so that none is left behind.
                let turns = self.shared.turns();
                if turns.is_empty() {
                    drop(turns);
                    return self.enqueue(input, None);
                }
                self.shared.agent.events.emit(Event::SteerQueued { text: input.text.clone() });
                self.shared.inbox.push(input);
            }
            Op::Interrupt | Op::Shutdown => self.interrupt(),
        }
    }

    /// Runs one turn after those already queued and waits for its end.
    pub async fn run(&self, input: UserInput) -> TurnEnd {
        let (ended, end) = oneshot::channel();
        self.enqueue(input, Some(ended));
        end.await.unwrap_or_else(|_| {
            TurnEnd::Failed(UserError::new(ErrorKind::Failed, "the session ended before the turn did"))
        })
    }

    /// Does something with the conversation after the turns that were asked for so far, and returns what came of it;
    /// `None` when the session ended first.
    pub async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conversation) -> R + Send + 'static,
    ) -> Option<R> {
        let (done, result) = oneshot::channel();
        let work: Work = Box::new(move |conversation| done.send(work(conversation)).map_err(drop).unwrap_or_default());
        self.queue.send(Submission::Work(work)).ok()?;
        result.await.ok()
    }

    /// Takes back the messages that wait to join the running turn. Each message either joins or comes back, never both.
    #[must_use]
    pub fn withdraw(&self) -> Vec<UserInput> {
        self.shared.inbox.take()
    }

    /// Writes a line about the session itself, such as its name.
    ///
    /// # Errors
    /// See [`Rollout::append`](crate::agent::ports::Rollout::append).
    pub fn record(&self, line: &RolloutLine) -> Result<(), UserError> {
        Ok(self.shared.agent.rollout.append(line)?)
    }

    /// Adds an item to the conversation between turns: it is recorded and the model sees it with the next turn.
    ///
    /// # Errors
    /// The item cannot be recorded; then the conversation does not have it either.
    pub async fn note(&self, item: Item) -> Result<(), UserError> {
        let shared = Arc::clone(&self.shared);
        let noted = self.with(move |conversation| {
            shared.agent.rollout.append(&RolloutLine::Item(item.clone()))?;
            conversation.history.push(item);
            Ok::<(), RolloutError>(())
        });
        Ok(noted.await.unwrap_or(Ok(()))?)
    }

    /// Whether a turn runs or waits to.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.shared.turns().is_empty()
    }

    /// Interrupts the running turn, if any, and waits until it is recorded.
    pub async fn close(self) {
        self.finish().await;
    }

    /// Like [`Self::close`], and gives back the conversation with what records it; `None` when the worker panicked.
    pub async fn finish(self) -> Option<(SessionInfo, Conversation, Arc<dyn Rollout>)> {
        drop(self.withdraw());
        self.interrupt();
        drop(self.queue);
        let conversation = self.worker.await.ok()?;
        Some((self.info, conversation, Arc::clone(&self.shared.agent.rollout)))
    }

    fn interrupt(&self) {
        if let Some(cancel) = self.shared.turns().front() {
            cancel.cancel();
        }
    }

    fn enqueue(&self, input: UserInput, ended: Option<oneshot::Sender<TurnEnd>>) {
        let cancel = CancellationToken::new();
        self.shared.turns().push_back(cancel.clone());
        // The worker outlives every session handle, unless it panicked; then `run` says so.
        self.queue.send(Submission::Turn { input, cancel, ended }).unwrap_or_default();
    }
}

impl Shared {
    fn turns(&self) -> std::sync::MutexGuard<'_, VecDeque<CancellationToken>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the turn that ran. A message that came too late to join it gets a turn of its own, which is returned. That holds
    /// for an interrupted turn too: whoever interrupts withdraws what was said before, so what is here was said after.
    fn end_turn(&self) -> Option<(UserInput, CancellationToken)> {
        let mut turns = self.turns();
        turns.pop_front();
        if self.inbox.is_empty() {
            return None;
        }
        let texts: Vec<_> = self.inbox.take().into_iter().map(|input| input.text).collect();
        let cancel = CancellationToken::new();
        turns.push_front(cancel.clone());
        Some((UserInput { text: texts.join("\n\n") }, cancel))
    }
}

async fn work(
    shared: Arc<Shared>,
    mut submissions: mpsc::UnboundedReceiver<Submission>,
    mut conversation: Conversation,
) -> Conversation {
    while let Some(submission) = submissions.recv().await {
        let (input, cancel, mut ended) = match submission {
            Submission::Turn { input, cancel, ended } => (input, cancel, ended),
            Submission::Work(work) => {
                work(&mut conversation);
                continue;
            }
        };
        let mut next = Some((input, cancel));
        while let Some((input, cancel)) = next {
            let end = shared.agent.run_turn(&mut conversation, input, &shared.inbox, &cancel).await;
            next = shared.end_turn();
            if let Some(ended) = ended.take() {
                // Whoever asked may have stopped waiting.
                ended.send(end).map_err(drop).unwrap_or_default();
            }
        }
    }
    conversation
}
