//! Floor 4: builds the ports from the configuration; owns sessions, the submission queue and shutdown.
//!
//! | file | what it holds |
//! |---|---|
//! | [`budget`] | what turns may use |
//! | [`containment`] | what commands may touch |
//! | [`setup`] | what a front end asks for, and the configuration that comes of it |
//! | [`provider`] | the provider a turn talks to, its key looked up |
//! | [`key_command`] | keys that a command prints |
//! | [`session`] | one conversation: its queue, its turns |
//! | [`evolution`] | reviews while the person is idle |
//! | [`learning`] | what is learned where a session works, and who keeps its turns |
//! | [`lessons`] | what a session is shown of what was learned before it |
//! | [`opening`] | a conversation from nothing, or from its rollout |
//! | [`permissions`] | what the policy goes by |
//! | [`recall`] | past sessions, read into the index and found again |
//! | [`shell`] | the person's own commands |
//! | [`toolset`] | the tools of a session |

pub mod budget;
pub mod containment;
pub mod evolution;
pub mod key_command;
pub mod learning;
pub mod lessons;
pub mod opening;
pub mod permissions;
pub mod provider;
pub mod recall;
pub mod session;
pub mod setup;
pub mod shell;
pub mod toolset;

pub use budget::Budget;
pub use learning::Learning;
pub use opening::SessionStart;
pub use session::{ContextReport, Session};
pub use setup::{Allowed, Prepared, Replay, Setup};
pub use shell::PersonShell;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evolution::{IdleReview, MeanwhileReview, Reviewer};
use key_command::KeyCommand;
use lessons::SessionLessons;

use crate::agent::gate::Nobody;
use crate::agent::ports::{Approver, Checkpoints, Clock, EventSink, ModelClient, Recall, Rollout};
use crate::agent::{AgentLoop, Conversation, Gate, Grants};
use crate::config::Loaded;
use crate::config::clock::SystemClock;
use crate::evolution::Mode;
use crate::evolution::run::How;
use crate::evolution::stage::Pass;
use crate::exec::Sessions;
use crate::model::provider::Provider;
use crate::model::{FailoverClient, Pace, Recorder, Secret, Tape, TapeServer};
use crate::policy::Settings;
use crate::protocol::event::SessionInfo;
use crate::protocol::provider::WireApi;
use crate::protocol::{ErrorKind, Event, UserError};
use crate::undo::{Checkpointer, NoCheckpoints, Undo};

/// What changes about a session that goes on.
#[derive(Clone, Debug)]
pub enum Change {
    /// Another model, by its slug.
    Model(String),
    /// Another reasoning effort; `None` leaves it to the model.
    Effort(Option<String>),
    /// Another folder. Absolute.
    Folder(PathBuf),
    /// What may be done was changed, by [`AgentRuntime::allow`] or in files of rules.
    Permissions,
}

/// Everything sessions share: the configuration, the model, the processes that run.
pub struct AgentRuntime {
    prepared: Prepared,
    model: Arc<FailoverClient>,
    processes: Arc<Sessions>,
    clock: Arc<SystemClock>,
    budget: Arc<Budget>,
    events: Arc<dyn EventSink>,
    /// Whom to ask before a call runs.
    approver: Arc<dyn Approver>,
    /// What the person allowed in the session.
    grants: Arc<Grants>,
    /// Plays the tape that speaks for the model, as long as the runtime lives.
    _tape: Option<TapeServer>,
}

impl AgentRuntime {
    /// Makes everything ready for sessions. Nothing is asked of the model or written to disk yet.
    ///
    /// # Errors
    /// A tape cannot be read, or one to be recorded cannot be made.
    pub async fn start(mut prepared: Prepared, events: Arc<dyn EventSink>) -> Result<Self, UserError> {
        for warning in std::mem::take(&mut prepared.loaded.warnings) {
            events.emit(Event::Warning(warning));
        }
        let tape = match &prepared.setup.replay {
            Some(replay) => Some(play(replay).await?),
            None => None,
        };
        if let Some(tape) = &tape {
            prepared.provider.base_url = tape.base_url.clone();
            prepared.provider.wire = tape.wire;
            prepared.provider.key = Some(Secret::new("tape"));
        }
        let processes = Arc::new(Sessions::new());
        if tape.is_none() {
            let Prepared { setup, loaded, provider, spares, .. } = &mut prepared;
            for provider in
                std::iter::once(provider).chain(spares.iter_mut().filter_map(|spare| spare.provider.as_mut()))
            {
                let table = loaded.config.model_providers.get(&provider.id);
                let Some(auth) = table.and_then(|table| table.auth.clone()) else { continue };
                let vars = loaded.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                let command = KeyCommand::new(auth, setup.cwd.clone(), vars, Arc::clone(&processes));
                provider.key_source = Some(Arc::new(command));
            }
        }
        let recorder = prepared.setup.record.as_deref().map(|path| record(path, prepared.provider.wire)).transpose()?;
        let (spares, cooldown) = (std::mem::take(&mut prepared.spares), provider::cooldown(&prepared.loaded));
        let model = Arc::new(FailoverClient::new(prepared.provider.clone(), spares, cooldown, recorder.as_ref()));
        let clock = Arc::new(SystemClock::new(&prepared.loaded.env));
        let budget = Arc::new(Budget::new(&prepared, &clock));
        let (approver, grants) = (Arc::new(Nobody), Arc::default());
        Ok(Self { prepared, model, processes, clock, budget, events, approver, grants, _tape: tape })
    }

    /// Asks there before a call runs. Without this nobody can be asked.
    #[must_use]
    pub fn asking(self, approver: Arc<dyn Approver>) -> Self {
        Self { approver, ..self }
    }

    /// What the person allowed in the session.
    #[must_use]
    pub fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    /// What the policy goes by now. The files of rules are read anew; those that cannot be used are told.
    #[must_use]
    pub fn policy(&self) -> Settings {
        let (settings, errors) = permissions::settings(&self.prepared.setup, &self.prepared.loaded, &[]);
        for error in errors {
            self.events.emit(Event::Warning(format!("{error}; this file of rules does not count")));
        }
        settings
    }

    /// Opens a session, new or resumed, and tells the front end that it is ready.
    ///
    /// # Errors
    /// The session to resume is not there, cannot be read, or is open elsewhere.
    pub fn open(&mut self, start: &SessionStart) -> Result<Session, UserError> {
        let opening::Opened { info, mut conversation, rollout } =
            opening::open(&mut self.prepared, &self.clock, self.events.as_ref(), start)?;
        self.events.emit(Event::SessionReady(info.clone()));
        self.grants.clear();
        self.budget.lift(false);
        if let Some(warning) = self.budget.blind_to(&info.model) {
            self.events.emit(Event::Warning(warning));
        }
        let agent = self.agent(&info, rollout, &mut conversation);
        Ok(Session::start(info, agent, conversation))
    }

    /// Goes on with a session under other settings. A turn that runs is interrupted. `None` when the session is lost.
    pub async fn change(&mut self, session: Session, change: Change) -> Option<Session> {
        match change {
            Change::Model(slug) => {
                self.model.forget();
                self.prepared.choose_model(&slug);
            }
            Change::Effort(effort) => self.prepared.loaded.config.model_reasoning_effort = effort,
            Change::Folder(cwd) => self.prepared.setup.cwd = cwd,
            Change::Permissions => {}
        }
        let (mut info, mut conversation, rollout) = session.finish().await?;
        opening::refit(&self.prepared, &mut info, &mut conversation);
        let agent = self.agent(&info, rollout, &mut conversation);
        Some(Session::start(info, agent, conversation))
    }

    /// Takes over what the person allows from now on, for sessions that are changed or opened after this.
    ///
    /// # Errors
    /// The sandbox cannot be had here; then all stays as it is.
    pub fn allow(&mut self, allowed: Allowed) -> Result<(), UserError> {
        self.prepared.allow(allowed)
    }

    /// What contains commands, for people; `None` when nothing does.
    #[must_use]
    pub fn sandbox_name(&self) -> Option<String> {
        self.prepared.sandbox_name()
    }

    /// The configuration sessions run under.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.prepared.loaded
    }

    /// The provider's id and where it is asked.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.prepared.provider
    }

    /// What turns may use.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The processes that run.
    #[must_use]
    pub fn processes(&self) -> &Arc<Sessions> {
        &self.processes
    }

    /// What the person's own commands need to run.
    #[must_use]
    pub fn shell(&self) -> PersonShell {
        PersonShell::new(&self.prepared, &self.processes)
    }

    fn agent(&self, info: &SessionInfo, rollout: Arc<dyn Rollout>, conversation: &mut Conversation) -> AgentLoop {
        // A session that records nothing leaves nothing behind, contents of files least of all.
        let checkpoints: Arc<dyn Checkpoints> = match info.rollout_path {
            Some(_) => {
                let clock = Arc::<SystemClock>::clone(&self.clock);
                Arc::new(Checkpointer::new(self.prepared.loaded.home.dir(), info.thread_id, clock))
            }
            None => Arc::new(NoCheckpoints),
        };
        let clock = || -> Arc<dyn Clock> { Arc::<SystemClock>::clone(&self.clock) };
        let learning = Learning::of(&self.prepared, clock());
        let recorded = info.rollout_path.is_some();
        conversation.context.learn_from(
            learning.as_ref().and_then(|learning| SessionLessons::of(learning, info.thread_id, recorded, clock())),
        );
        let past = learning.as_ref().filter(|learning| learning.settings.mode > Mode::Observe).map(|learning| {
            let past = learning.past_sessions().seen_from(&info.thread_id.to_string());
            Arc::new(past) as Arc<dyn Recall>
        });
        let observer = learning.zip(info.rollout_path.clone()).map(|(learning, rollout)| learning.observer(rollout));
        let gate = Gate::new(self.policy(), Arc::clone(&self.grants), Arc::clone(&self.approver));
        AgentLoop {
            gate: Arc::new(gate),
            model: self.model(),
            tools: Arc::new(toolset::build(&self.prepared, &self.processes, past)),
            rollout,
            checkpoints,
            observer,
            budget: Some(Arc::<Budget>::clone(&self.budget)),
            events: Arc::clone(&self.events),
            clock: Arc::<SystemClock>::clone(&self.clock),
        }
    }

    /// The model's side.
    #[must_use]
    pub fn model(&self) -> Arc<dyn ModelClient> {
        Arc::<FailoverClient>::clone(&self.model)
    }

    /// Begins a review of what waits, for when the person was idle for a while; `None` when there is none to be made by itself.
    #[must_use]
    pub fn review_when_idle(&self) -> Option<IdleReview> {
        self.reviewer()?.when_idle(Arc::clone(&self.events))
    }

    /// Begins a review by the rules of what earlier processes left; `None` when there is none to be made by itself.
    #[must_use]
    pub fn review_meanwhile(&self) -> Option<MeanwhileReview> {
        self.reviewer()?.meanwhile()
    }

    /// What is learned in the folder sessions work in, whatever the mode: for the person who asks.
    #[must_use]
    pub fn learning(&self) -> Learning {
        let clock = Arc::<SystemClock>::clone(&self.clock);
        Learning::told(&self.prepared.loaded, &self.prepared.setup.cwd, clock)
    }

    /// Reviews what waits now, due or not.
    pub async fn review_now(&self) -> Option<Pass> {
        Some(self.reviewer()?.pass(How { forced: true, ..How::default() }).await)
    }

    fn reviewer(&self) -> Option<Reviewer> {
        let learning = Learning::of(&self.prepared, Arc::<SystemClock>::clone(&self.clock))?;
        let reviewer = Reviewer::new(learning, Some(self.model()), Arc::clone(&self.clock));
        Some(reviewer).filter(|_| !self.prepared.is_ephemeral())
    }

    /// Undoes what turns did to files.
    #[must_use]
    pub fn undo(&self) -> Undo {
        Undo::new(self.prepared.loaded.home.dir())
    }

    /// Ends every process that still runs. Sessions are closed first, by whoever opened them.
    pub async fn shutdown(self) {
        self.processes.shutdown().await;
    }
}

async fn play(replay: &Replay) -> Result<TapeServer, UserError> {
    let (tape, pace) = match replay {
        Replay::File(path) => (Tape::read(path)?, Pace::Instant),
        Replay::Watched(text) => (Tape::parse(text)?, Pace::AsRecorded),
    };
    TapeServer::start(tape, pace).await.map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the tape's server cannot listen on the loopback: {error}"))
            .hint("allow this program to listen on 127.0.0.1")
    })
}

fn record(path: &Path, wire: WireApi) -> Result<Recorder, UserError> {
    Recorder::create(path, wire).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot record to {}: {error}", path.display()))
            .hint("give --record a file in a folder that can be written to")
    })
}
