//! A session within the test's own process, for what a script of the program cannot do: speak while a turn runs.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use hone::agent::gate::Nobody;
use hone::agent::ports::{Clock, EventSink, Tool};
use hone::agent::{AgentLoop, CompactionSettings, Conversation, Gate, ModelSettings, Toolbox};
use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::config::disk::Disk;
use hone::context::{ContextManager, ContextSettings};
use hone::history::History;
use hone::model::{Provider, ResponsesClient, Secret};
use hone::policy::{Approval, Settings};
use hone::protocol::event::{SessionInfo, TokenCount};
use hone::protocol::op::UserInput;
use hone::protocol::rollout_line::SessionMeta;
use hone::protocol::{Event, ThreadId};
use hone::rollout::Recorder;
use hone::runtime::Session;
use hone::text::truncate::OutputLimit;
use hone::tools::TOOLS;
use hone::undo::NoCheckpoints;

use super::support::FakeServer;

#[path = "../support/deps.rs"]
mod deps;

/// A running session and everything it says.
pub struct Talk {
    pub session: Arc<Session>,
    ear: Arc<Ear>,
    events: UnboundedReceiver<Event>,
}

struct Ear {
    heard: UnboundedSender<Event>,
    answers: OnceLock<Answers>,
}

type Answers = Box<dyn Fn(&Event) + Send + Sync>;

impl EventSink for Ear {
    fn emit(&self, event: Event) {
        if let Some(answers) = self.answers.get() {
            answers(&event);
        }
        self.heard.send(event).unwrap_or_default();
    }
}

impl Talk {
    /// A session in `folder` that is recorded below it.
    pub fn start(server: &FakeServer, folder: &Path) -> Self {
        let clock = Arc::new(SystemClock::new(&Environment::capture()));
        let (heard, events) = unbounded_channel();
        let ear = Arc::new(Ear { heard, answers: OnceLock::new() });
        let provider = Provider {
            key: Some(Secret::new("k")),
            backoff_unit: Duration::from_millis(1),
            ..Provider::new("fake", "Fake", &server.base_url)
        };
        let thread_id = ThreadId::new();
        let meta = SessionMeta {
            id: thread_id,
            timestamp: "2026-11-20T19:14:07.601Z".into(),
            cwd: folder.into(),
            originator: "hone".into(),
            cli_version: "0".into(),
            source: "exec".into(),
            model_provider: Some("fake".into()),
            base_instructions: None,
            git: None,
            forked_from_id: None,
            other: serde_json::Map::new(),
        };
        let rollout =
            Recorder::create(&folder.join("home"), &clock.local_now(), meta, Arc::clone(&clock) as Arc<dyn Clock>);
        let deps = deps::tool_deps();
        let tools: Vec<Arc<dyn Tool>> = TOOLS.iter().map(|build| Arc::from(build(&deps))).collect();
        let agent = AgentLoop {
            budget: None,
            model: Arc::new(ResponsesClient::new(provider, None)),
            tools: Arc::new(Toolbox::new(tools, Vec::new())),
            gate: Arc::new(Gate::new(
                Settings::new(Approval::Never, hone::policy::Sandbox::DangerFullAccess),
                Arc::default(),
                Arc::new(Nobody),
            )),
            rollout: Arc::new(rollout),
            events: Arc::<Ear>::clone(&ear),
            clock,
            checkpoints: Arc::new(NoCheckpoints),
            observer: None,
        };
        let conversation = Conversation {
            thread_id,
            history: History::new(),
            context: ContextManager::new(ContextSettings::new(folder, folder.join("home")), Arc::new(Disk)),
            tokens: TokenCount::default(),
            window: 0,
            summary: None,
            model: ModelSettings {
                slug: "test-model".into(),
                instructions: "Be brief.".into(),
                effort: None,
                summary: None,
                verbosity: None,
                service_tier: None,
                parallel_tool_calls: true,
                output_limit: OutputLimit::Tokens(10_000),
                cwd: folder.into(),
                approval_policy: "never".into(),
                sandbox_mode: "danger-full-access".into(),
                compaction: CompactionSettings { limit: u64::MAX, ..CompactionSettings::default() },
            },
        };
        let info = SessionInfo {
            thread_id,
            model: "test-model".into(),
            provider: "fake".into(),
            cwd: folder.into(),
            sandbox: None,
            rollout_path: None,
            effort: None,
            resumed_items: None,
            title: None,
        };
        Self { session: Arc::new(Session::start(info, agent, conversation)), ear, events }
    }

    /// Returns the next event that fits.
    pub async fn until(&mut self, fits: impl Fn(&Event) -> bool) -> Event {
        let listening = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if fits(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), listening).await.unwrap()
    }

    /// Calls `answers` with every event, before anything else goes on.
    pub fn answer(&self, answers: impl Fn(&Session, &Event) + Send + Sync + 'static) {
        let session = Arc::downgrade(&self.session);
        let answers: Answers = Box::new(move |event| answers(&session.upgrade().unwrap(), event));
        assert!(self.ear.answers.set(answers).is_ok());
    }

    /// Ends the session.
    pub async fn close(self) {
        Arc::into_inner(self.session).unwrap().close().await;
    }
}

/// A message.
pub fn says(text: &str) -> UserInput {
    UserInput { text: text.into() }
}
