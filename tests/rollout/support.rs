//! What the tests here share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hone::agent::ports::Clock;
use hone::protocol::item::{CallForm, OutputPart};
use hone::protocol::rollout_line::{RolloutEvent, SessionMeta};
use hone::protocol::{Item, Role, RolloutLine, ThreadId};
use hone::rollout::Recorder;

pub const LOCAL_TIME: &str = "2026-11-20T19-14-07";

struct StoppedClock;

impl Clock for StoppedClock {
    fn unix_ms(&self) -> u64 {
        1_795_202_047_601
    }

    fn local_date(&self) -> String {
        "2026-11-20".into()
    }

    fn time_zone(&self) -> String {
        "Etc/UTC".into()
    }
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(StoppedClock)
}

pub fn meta(cwd: &str) -> SessionMeta {
    SessionMeta {
        id: ThreadId::new(),
        timestamp: "2026-11-20T19:14:07.601Z".into(),
        cwd: cwd.into(),
        originator: "hone".into(),
        cli_version: "0.1.0".into(),
        source: "exec".into(),
        model_provider: Some("local".into()),
        base_instructions: None,
        git: None,
        forked_from_id: None,
        other: serde_json::Map::new(),
    }
}

pub fn recorder(home: &Path) -> Recorder {
    Recorder::create(home, LOCAL_TIME, meta("/proj"), clock())
}

pub fn user(text: &str) -> RolloutLine {
    RolloutLine::Item(Item::message(Role::User, &[text]))
}

pub fn event(json: &str) -> RolloutLine {
    RolloutLine::Event(serde_json::from_str::<RolloutEvent>(json).unwrap())
}

/// A turn with a call that was answered and one that was not.
pub fn turn() -> Vec<RolloutLine> {
    let call = |id: &str| {
        let json =
            format!(r#"{{"type":"function_call","id":"fc_{id}","name":"f","arguments":"{{}}","call_id":"{id}"}}"#);
        RolloutLine::Item(Item::parse(json).unwrap())
    };
    vec![
        event(r#"{"type":"task_started","turn_id":"t1"}"#),
        user("say “hello” {\"timestamp\": 1}\nplease"),
        event(r#"{"type":"user_message","message":"say hello"}"#),
        call("c1"),
        call("c2"),
        RolloutLine::Item(Item::output(CallForm::Function, "c1", None, &[OutputPart::Text("hello".into())])),
        RolloutLine::Item(Item::message(Role::Assistant, &["done"])),
        event(r#"{"type":"token_count","info":{"total_token_usage":{"total_tokens":7},"last_token_usage":{}}}"#),
        event(r#"{"type":"task_complete","turn_id":"t1","last_agent_message":"done"}"#),
    ]
}

pub fn items(path: &Path) -> Vec<Item> {
    hone::rollout::load(path).unwrap().folded.history.items().to_vec()
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rollout/fixtures").join(name)
}
