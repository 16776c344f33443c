//! A session: one conversation, one turn at a time, requests in the order they were made.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::gate::UNANSWERED;
use crate::agent::ports::Rollout;
use crate::agent::rollback::roll_back;
use crate::agent::{AgentLoop, Conversation, Inbox, TurnEnd};
use crate::context::contextual::is_contextual;
use crate::context::report::Share;
use crate::protocol::event::{Activity, SessionInfo};
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{ErrorKind, Event, Item, ItemKind, RolloutError, RolloutLine, TurnId, UserError};
use crate::rollout;

/// A running session. Dropping it interrupts the running turn.
pub struct Session {
    info: SessionInfo,
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Submission>,
    worker: JoinHandle<Conversation>,
}

/// What fills a conversation's window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextReport {
    /// Kind by kind, by estimate; their sum need not be `used`, which the server counted.
    pub shares: Vec<Share>,
    /// Tokens in use: the server's last count, and an estimate of what was added since.
    pub used: u64,
    /// How many tokens may be used.
    pub usable_window: Option<u64>,
    /// What the indicator shows.
    pub left_percent: Option<u8>,
    /// From how many tokens on the conversation is compacted.
    pub compacts_at: u64,
}

/// What the worker and the session's owner both touch.
struct Shared {
    agent: AgentLoop,
    rollout_path: Option<PathBuf>,
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
    task: Task,
    cancel: CancellationToken,
}

/// What a turn is for.
enum Task {
    Answer(UserInput),
    Compact { keep: Option<String> },
    UndoCompact,
}

type Work = Box<dyn FnOnce(&mut Conversation) + Send>;

impl Session {
    /// Starts the worker of a conversation.
    #[must_use]
    pub fn start(info: SessionInfo, agent: AgentLoop, conversation: Conversation) -> Self {
        let shared = Arc::new(Shared {
            agent,
            rollout_path: info.rollout_path.clone(),
            inbox: Inbox::default(),
            turns: Mutex::default(),
        });
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
            Op::Submit(input) => self.enqueue(Task::Answer(input), None),
            Op::Steer(input) => self.steer(input),
            Op::Compact { keep } => self.enqueue(Task::Compact { keep }, None),
            Op::UndoCompact => self.enqueue(Task::UndoCompact, None),
            Op::Interrupt | Op::Shutdown => self.interrupt(),
        }
    }

    /// Runs one turn after those already queued and waits for its end.
    pub async fn run(&self, input: UserInput) -> TurnEnd {
        self.run_task(Task::Answer(input)).await
    }

    /// Like [`Op::Compact`], and waits for its end.
    pub async fn compact(&self, keep: Option<String>) -> TurnEnd {
        self.run_task(Task::Compact { keep }).await
    }

    /// Like [`Op::UndoCompact`], and waits for its end.
    pub async fn undo_compact(&self) -> TurnEnd {
        self.run_task(Task::UndoCompact).await
    }

    async fn run_task(&self, task: Task) -> TurnEnd {
        let (ended, end) = oneshot::channel();
        self.enqueue(task, Some(ended));
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

    /// What fills the conversation's window, once the turns that were asked for so far have ended.
    pub async fn context_report(&self) -> Option<ContextReport> {
        let tools = self.shared.agent.tools.offered();
        let report = move |conversation: &mut Conversation| ContextReport {
            shares: conversation.report(&tools),
            used: conversation.used_tokens(),
            usable_window: conversation.tokens.context_window,
            left_percent: conversation.context_left_percent(),
            compacts_at: conversation.model.compaction.limit,
        };
        self.with(report).await
    }

    /// What the call that the person left without an answer was about to do, when nothing was said since; for a session that
    /// goes on.
    pub async fn open_question(&self) -> Option<Activity> {
        let shared = Arc::clone(&self.shared);
        let found = self.with(move |conversation| {
            let item = unanswered(conversation.history.items())?;
            let (call, input) = (item.call()?, item.call_input()?);
            Some(shared.agent.tools.get(&call.name)?.activity(&input, &conversation.model.cwd))
        });
        found.await.flatten()
    }

    /// Takes back the messages that wait to join the running turn. Each message either joins or comes back, never both.
    #[must_use]
    pub fn withdraw(&self) -> Vec<UserInput> {
        self.shared.inbox.take()
    }

    /// Writes a line about the session itself, such as its name.
    ///
    /// # Errors
    /// See [`Rollout::append`].
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

    fn steer(&self, input: UserInput) {
        // Under this lock no turn ends, so that the one which is told of the message also sees it.
        let turns = self.shared.turns();
        if turns.is_empty() {
            drop(turns);
            self.enqueue(Task::Answer(input), None);
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

    fn enqueue(&self, task: Task, ended: Option<oneshot::Sender<TurnEnd>>) {
        let cancel = CancellationToken::new();
        self.shared.turns().push_back(cancel.clone());
        // The worker outlives every session handle, unless it panicked; then `run` says so.
        self.queue.send(Submission::Turn { turn: Turn { task, cancel }, ended }).unwrap_or_default();
    }
}

impl Shared {
    fn turns(&self) -> std::sync::MutexGuard<'_, VecDeque<CancellationToken>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one turn. Messages that came too late to join it make a turn of their own, which is returned. That holds for an
    /// interrupted turn too: whoever interrupts withdraws what was said before, so what is here was said after.
    async fn turn(&self, conversation: &mut Conversation, turn: Turn) -> (TurnEnd, Option<Turn>) {
        let (agent, inbox, cancel) = (&self.agent, &self.inbox, &turn.cancel);
        let end = match turn.task {
            Task::Answer(input) => agent.run_turn(conversation, input, inbox, cancel).await,
            Task::Compact { keep } => agent.run_compaction(conversation, keep.as_deref(), inbox, cancel).await,
            Task::UndoCompact => agent.run_undo(conversation, self.history_to_restore(), inbox, cancel),
        };
        let mut turns = self.turns();
        turns.pop_front();
        if self.inbox.is_empty() {
            return (end, None);
        }
        let texts: Vec<_> = self.inbox.take().into_iter().map(|input| input.text).collect();
        let late =
            Turn { task: Task::Answer(UserInput { text: texts.join("\n\n") }), cancel: CancellationToken::new() };
        turns.push_front(late.cancel.clone());
        (end, Some(late))
    }
}

impl Shared {
    fn history_to_restore(&self) -> Result<Vec<Item>, UserError> {
        let Some(path) = &self.rollout_path else {
            return Err(UserError::new(
                ErrorKind::Usage,
                "this session is not recorded, so a compaction cannot be undone",
            ));
        };
        rollout::history_without_newest_compaction(path)?
            .ok_or_else(|| UserError::new(ErrorKind::Usage, "there is no compaction to undo in this session"))
    }
}

/// The call whose question was left open at the end of a history: only what ended with it comes after its answer.
fn unanswered(items: &[Item]) -> Option<&Item> {
    let answered = |item: &Item| match item.kind() {
        ItemKind::Output { call_id, .. } => Some(call_id.clone()),
        _ => None,
    };
    let is_open = |item: &&Item| item.to_value()["output"].as_str().is_some_and(|text| text.starts_with(UNANSWERED));
    let end = items.iter().rev().take_while(|item| answered(item).is_some() || is_contextual(item));
    let id = answered(end.filter(|item| answered(item).is_some()).find(is_open)?)?;
    items.iter().rev().find(|item| item.call().is_some_and(|call| call.call_id == id))
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
