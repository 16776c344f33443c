//! A session against a server that answers as a model would, from nothing but what it is sent.

use hone::agent::TurnEnd;
use hone::agent::ports::EventSink;
use hone::config::Environment;
use hone::protocol::op::UserInput;
use hone::protocol::{Event, UserError};
use hone::runtime::{AgentRuntime, Session, SessionStart, Setup};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

use crate::support::speech;
use crate::support::{FakeServer, Reply, Request};

/// Keeps every event.
#[derive(Default)]
pub struct Seen(Mutex<Vec<Event>>);

impl EventSink for Seen {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Seen {
    /// Tokens before and after each compaction.
    pub fn compactions(&self) -> Vec<(u64, u64)> {
        let events = self.0.lock().unwrap();
        let compacted = |event: &Event| match event {
            Event::Compacted { before, after } => Some((*before, *after)),
            _ => None,
        };
        events.iter().filter_map(compacted).collect()
    }

    /// The texts of the warnings.
    pub fn warnings(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let warning = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        events.iter().filter_map(warning).collect()
    }
}

/// A home, a project, a server.
pub struct World {
    dir: TempDir,
    pub server: FakeServer,
    overrides: Vec<String>,
    pub seen: Arc<Seen>,
}

/// A runtime with one session.
pub struct Running {
    runtime: AgentRuntime,
    pub session: Session,
}

impl World {
    /// A world whose model has a window of `window` tokens.
    pub fn new(window: u64, server: FakeServer) -> Self {
        let dir = TempDir::new().unwrap();
        for folder in ["home", "project"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let overrides = vec![
            "model=m".to_owned(),
            "model_provider=fake".to_owned(),
            format!(
                "model_providers.fake={{name='Fake', base_url='{}', request_max_retries=0, stream_max_retries=0}}",
                server.base_url
            ),
            format!("model_context_window={window}"),
        ];
        Self { dir, server, overrides, seen: Arc::default() }
    }

    /// Adds `-c` arguments.
    pub fn over(mut self, overrides: &[&str]) -> Self {
        self.overrides.extend(overrides.iter().map(|text| (*text).to_owned()));
        self
    }

    pub fn project_file(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join("project").join(name), text).unwrap();
    }

    pub async fn open(&self, start: SessionStart) -> Running {
        let home = self.dir.path().join("home");
        let env: Environment =
            [("HOME", self.dir.path().to_owned()), ("CODEX_HOME", home), ("OPENAI_API_KEY", PathBuf::from("k"))]
                .into_iter()
                .collect();
        let setup = Setup {
            cwd: self.dir.path().join("project"),
            overrides: self.overrides.clone(),
            environment: Some(env),
            source: "exec",
            ..Setup::default()
        };
        let events: Arc<dyn EventSink> = Arc::<Seen>::clone(&self.seen);
        let mut runtime = AgentRuntime::start(setup.prepare().unwrap(), events).await.unwrap();
        let session = runtime.open(&start).unwrap();
        Running { runtime, session }
    }

    pub async fn new_session(&self) -> Running {
        self.open(SessionStart::New).await
    }

    /// The requests, as JSON texts of their items, and whether each asks for a summary.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.requests().iter().map(Asked::from).collect()
    }
}

impl Running {
    pub async fn say(&self, text: &str) -> TurnEnd {
        self.session.run(UserInput { text: text.to_owned() }).await
    }

    /// Says something that must be answered.
    pub async fn ask(&self, text: &str) {
        let end = self.say(text).await;
        assert!(matches!(end, TurnEnd::Completed(_)), "{text}: {end:?}");
    }

    /// Says something that must fail, and returns why.
    pub async fn fail(&self, text: &str) -> UserError {
        failure(self.say(text).await)
    }

    /// The lines of the session's file.
    pub fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.session.info().rollout_path.as_ref().unwrap()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The JSON of every item of the history.
    pub async fn history(&self) -> Vec<String> {
        let items = self.session.with(|conversation| conversation.history.items().to_vec()).await.unwrap();
        items.iter().map(|item| String::from_utf8(item.json().to_vec()).unwrap()).collect()
    }

    /// Ends the session, and tells how to go on with it.
    pub async fn close(self) -> SessionStart {
        let id = self.session.info().thread_id.to_string();
        self.session.close().await;
        self.runtime.shutdown().await;
        SessionStart::Resume { id }
    }
}

/// Why a turn failed.
pub fn failure(end: TurnEnd) -> UserError {
    match end {
        TurnEnd::Failed(error) => error,
        end => panic!("{end:?}"),
    }
}

/// A request, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Asked {
    pub items: Vec<String>,
    pub for_summary: bool,
    pub window: String,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        Self {
            items: request.input().iter().map(Value::to_string).collect(),
            for_summary: is_compaction(request),
            window: request.header("x-codex-window-id").unwrap().rsplit(':').next().unwrap().to_owned(),
        }
    }
}

impl Asked {
    pub fn holds(&self, text: &str) -> bool {
        self.items.iter().any(|item| item.contains(text))
    }
}

/// Whether the request asks for a summary: those carry no tools.
pub fn is_compaction(request: &Request) -> bool {
    request.body.get("tools").is_none()
}

/// The texts of the request's items, in order.
pub fn texts(request: &Request) -> Vec<String> {
    let parts = request.input().iter().filter_map(|item| item["content"].as_array()).flatten();
    parts.filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
}

/// A response of `items` to `request`, counted as a server would.
pub fn respond(request: &Request, items: &[Value]) -> Reply {
    let out: usize = items.iter().map(|item| item.to_string().len() / 4).sum();
    let input = request.body_len / 4;
    let usage = json!({"input_tokens": input, "output_tokens": out, "total_tokens": input + out});
    let completed = json!({"type": "response.completed", "response": {"id": "resp_1", "usage": usage}});
    let mut events = vec![speech::created()];
    events.extend(items.iter().cloned().map(speech::done));
    events.push(completed);
    Reply::sse(&events)
}

/// What a server says to a conversation that does not fit.
pub fn too_long() -> Reply {
    Reply::status(400, &[], r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#)
}
