//! A session: one conversation, one turn at a time, requests in the order they were made.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::rollback::roll_back;
use crate::agent::{AgentLoop, Conversation, Inbox, TurnEnd};
use crate::protocol::event::SessionInfo;
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{ErrorKind, Event, TurnId, UserError};
use crate::rollout;

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
    Turn { turn: Turn, ended: Option<oneshot::Sender<TurnEnd>> },
    /// Something else to be done with the conversation, between turns.
    Work(Work),
}

/// A turn that was asked for.
struct Turn {
    input: UserInput,
    cancel: CancellationToken,
}

type Work = Box<dyn FnOnce(&mut Conversation) + Send>;

impl Session {
    /// Starts the worker of a conversation and tells the front end that it is ready.
    #[must_use]
    pub fn start(info: SessionInfo, agent: AgentLoop, conversation: Conversation) -> Self {
        agent.events.emit(Event::SessionReady(info.clone()));
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
            Op::Steer(input) => self.steer(input),
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

    /// Takes the turn `from`, or else the last one, and all that followed it, out of what the model sees. Waits for the turns
    /// that were asked for so far. Returns how many messages of the person went; 0 when there was nothing to take.
    ///
    /// # Errors
    /// The session's file cannot be read or written, and nothing was taken.
    pub async fn roll_back(&self, from: Option<TurnId>) -> Result<usize, UserError> {
        let rollout = Arc::clone(&self.shared.agent.rollout);
        let path = self.info.rollout_path.clone();
        let rolled = self.with(move |conversation| {
            // Which messages joined which turn is written in the file alone; a session without one has no turns to name.
            let prompts = match path.filter(|path| path.exists()) {
                Some(path) => rollout::load(&path)?.folded.prompts_since(from.map(|turn| turn.to_string()).as_deref()),
                None => usize::from(from.is_none() && !conversation.history.is_empty()),
            };
            if prompts > 0 {
                roll_back(conversation, rollout.as_ref(), prompts)?;
            }
            Ok(prompts)
        });
        rolled.await.unwrap_or(Ok(0))
    }

    /// Whether a turn runs or waits to.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.shared.turns().is_empty()
    }

    /// Interrupts the running turn, if any, and waits until it is recorded.
    pub async fn close(self) {
        self.interrupt();
        drop(self.queue);
        // A worker that panicked has nothing left to close.
        self.worker.await.map(drop).unwrap_or_default();
    }

    fn steer(&self, input: UserInput) {
        // Under this lock no turn ends, so that the one which is told of the message also sees it.
        let turns = self.shared.turns();
        if turns.is_empty() {
            drop(turns);
            self.enqueue(input, None);
        } else {
            self.shared.agent.events.emit(Event::SteerQueued { text: input.text.clone() });
            self.shared.inbox.push(input);
        }
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
        self.queue.send(Submission::Turn { turn: Turn { input, cancel }, ended }).unwrap_or_default();
    }
}

impl Shared {
    fn turns(&self) -> std::sync::MutexGuard<'_, VecDeque<CancellationToken>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one turn. Messages that came too late to join it make a turn of their own, which is returned, unless the person
    /// wanted quiet.
    async fn turn(&self, conversation: &mut Conversation, turn: Turn) -> (TurnEnd, Option<Turn>) {
        let end = self.agent.run_turn(conversation, turn.input, &self.inbox, &turn.cancel).await;
        let mut turns = self.turns();
        turns.pop_front();
        if matches!(end, TurnEnd::Aborted) || self.inbox.is_empty() {
            return (end, None);
        }
        let texts: Vec<_> = self.inbox.take().into_iter().map(|input| input.text).collect();
        let late = Turn { input: UserInput { text: texts.join("\n\n") }, cancel: CancellationToken::new() };
        turns.push_front(late.cancel.clone());
        (end, Some(late))
    }
}

async fn work(
    shared: Arc<Shared>,
    mut submissions: mpsc::UnboundedReceiver<Submission>,
    mut conversation: Conversation,
) -> Conversation {
    while let Some(submission) = submissions.recv().await {
        match submission {
            Submission::Work(work) => work(&mut conversation),
            Submission::Turn { turn, ended } => {
                let (end, mut late) = shared.turn(&mut conversation, turn).await;
                if let Some(ended) = ended {
                    // Whoever asked may have stopped waiting.
                    ended.send(end).map_err(drop).unwrap_or_default();
                }
                while let Some(turn) = late {
                    (_, late) = shared.turn(&mut conversation, turn).await;
                }
            }
        }
    }
    conversation
}
