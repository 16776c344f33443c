//! A store in a folder of its own, turns to put into it, and models that say what they are told to.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use hone::agent::ports::{Clock, Completion, ModelClient, ModelEvent, ModelStream};
use hone::config::disk::Disk;
use hone::evolution::EvolutionSettings;
use hone::evolution::ports::Store;
use hone::evolution::run::{How, run};
use hone::evolution::stage::{Pass, Ports};
use hone::protocol::item::Role;
use hone::protocol::learned::{CallRecord, Memory, MemoryState, Scope, TurnKind, TurnRecord, TurnStatus, Work};
use hone::protocol::{Item, Prompt, ThreadId, TurnId, Usage};
use hone::store::DiskStore;
use serde_json::json;
use uuid::Uuid;

pub const NOW: u64 = 1_764_201_600_000;
pub const MINUTE: u64 = 60_000;

pub struct Noon;

impl Clock for Noon {
    fn unix_ms(&self) -> u64 {
        NOW
    }

    fn local_date(&self) -> String {
        "2025-11-27".to_owned()
    }

    fn time_zone(&self) -> String {
        "Etc/UTC".to_owned()
    }
}

/// A home with the store of one repository.
pub struct Place {
    pub store: DiskStore,
    pub settings: EvolutionSettings,
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        Self { store, settings: EvolutionSettings::default(), dir }
    }

    pub fn record(&self, turns: &[TurnRecord]) {
        turns.iter().for_each(|turn| self.store.append_turn(turn).unwrap());
    }

    /// One pass, when one is due, `minutes` after noon.
    pub async fn pass(&self, minutes: u64, model: Option<&dyn ModelClient>) -> Pass {
        self.pass_over(&self.store, minutes, model).await
    }

    pub async fn pass_over(&self, store: &dyn Store, minutes: u64, model: Option<&dyn ModelClient>) -> Pass {
        let ports = Ports {
            store,
            files: &Disk,
            skill_roots: &[],
            model,
            root: self.dir.path(),
            clock: &Noon,
            settings: &self.settings,
        };
        let pass = run(&ports, How::default(), NOW + minutes * MINUTE).await;
        let proposed = pass.decisions.len();
        let kept = pass.decisions.iter().filter(|decision| !decision.text.is_empty()).count();
        assert!(kept <= proposed);
        pass
    }

    pub fn memories(&self, scope: Scope) -> Vec<Memory> {
        self.store.ledger(scope).unwrap().memories().cloned().collect()
    }

    pub fn active(&self) -> Vec<String> {
        let memories = self.memories(Scope::Repo).into_iter();
        let mut texts: Vec<String> =
            memories.filter(|memory| memory.state == MemoryState::Active).map(|memory| memory.text).collect();
        texts.sort();
        texts
    }
}

pub fn store(home: &Path) -> DiskStore {
    DiskStore::new(home, "project-1", Arc::new(Noon))
}

/// The `number`th turn; ten of them make a conversation. It began that many minutes after noon.
pub fn turn(number: u64, said: &str, calls: Vec<CallRecord>) -> TurnRecord {
    TurnRecord {
        turn: TurnId(Uuid::from_u128(u128::from(number) + 100)),
        thread: ThreadId(Uuid::from_u128(u128::from(number / 10) + 1)),
        kind: TurnKind::Person,
        started_ms: NOW + number * MINUTE,
        ended_ms: NOW + number * MINUTE + 30_000,
        cwd: "/repo".into(),
        model: "m".to_owned(),
        rollout: None,
        said: vec![said.to_owned()],
        answer: Some("I did it.".to_owned()),
        status: TurnStatus::Completed,
        calls,
        skills: Vec::new(),
    }
}

pub fn ran(line: &str, exit: i32, output: &str) -> CallRecord {
    let work = Work::Command { line: line.to_owned(), cwd: "/repo".into() };
    call("shell", work, Some(exit), output)
}

/// What a tool that is no command answered.
pub fn answered(tool: &str, output: &str) -> CallRecord {
    call(tool, Work::Other { summary: "x".to_owned() }, None, output)
}

fn call(tool: &str, work: Work, exit_code: Option<i32>, output: &str) -> CallRecord {
    CallRecord {
        tool: tool.to_owned(),
        work,
        ok: exit_code.unwrap_or(0) == 0,
        exit_code,
        output: output.to_owned(),
        duration_ms: 5,
        files: Vec::new(),
    }
}

/// A model that answers as scripted and remembers what it was asked.
#[derive(Default)]
pub struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    pub asked: Mutex<Vec<Prompt>>,
}

pub enum Answer {
    Text(String),
    /// Words without end.
    Endless,
    /// Nothing at all, for ever.
    Silent,
}

impl Scripted {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() }
    }

    pub fn lessons(lessons: &[serde_json::Value]) -> Self {
        Self::new([Answer::Text(json!({ "lessons": lessons }).to_string())])
    }

    pub fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl ModelClient for Scripted {
    fn stream(&self, prompt: Prompt) -> ModelStream {
        self.asked.lock().unwrap().push(prompt);
        match self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Silent) {
            Answer::Text(text) => {
                let usage = Usage { input_tokens: 900, output_tokens: 100, total_tokens: 1000, ..Usage::default() };
                let done = Completion { usage, ..Completion::default() };
                let item = ModelEvent::ItemDone(Item::message(Role::Assistant, &[text]));
                stream::iter([Ok(item), Ok(ModelEvent::Completed(done))]).boxed()
            }
            Answer::Endless => stream::repeat_with(|| Ok(ModelEvent::MessageDelta("and ".to_owned()))).boxed(),
            Answer::Silent => stream::pending().boxed(),
        }
    }

    fn stream_max_retries(&self) -> u32 {
        0
    }

    fn backoff(&self, _attempt: u32) -> Duration {
        Duration::ZERO
    }
}

pub fn lesson(kind: &str, text: &str, source: &str, quote: &str) -> serde_json::Value {
    json!({ "action": "add", "target": "", "kind": kind, "scope": "repo", "text": text, "turn": 1, "source": source, "quote": quote })
}
