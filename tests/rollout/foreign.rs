//! Sessions of Codex.

use std::fs;

use hone::agent::ports::Rollout as _;
use hone::protocol::rollout_line::Compacted;
use hone::protocol::{Item, Role, RolloutLine};
use hone::rollout::{Recorder, load};
use serde_json::Value;

use crate::support::*;

const PAGINATED: &str = "codex-0.169-paginated.jsonl";

fn ordinals(text: &str) -> Vec<Option<u64>> {
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["ordinal"].as_u64()).collect()
}

#[test]
fn a_session_of_codex_is_understood() {
    let loaded = load(&fixture(PAGINATED)).unwrap();
    assert_eq!(loaded.meta.originator, "codex_exec");
    assert_eq!(loaded.notice, None);
    let folded = loaded.folded;
    assert_eq!(folded.first_user_message.as_deref(), Some("say hello"));
    assert_eq!(folded.turn_context.unwrap().model, "gpt-5.5");
    assert_eq!(folded.token_info.unwrap().total_token_usage.total_tokens, 220);
    assert!(folded.last_turn_complete);
    let prompt = folded.history.for_prompt();
    let kinds: Vec<Value> = prompt.iter().map(|item| item.to_value()["type"].clone()).collect();
    assert_eq!(
        kinds,
        ["message", "message", "message", "reasoning", "function_call", "function_call_output", "message"]
    );
    for item in &prompt {
        assert!(!String::from_utf8_lossy(item.json()).contains("metadata_passthrough"), "{item:?}");
    }
}

#[test]
fn numbered_lines_stay_numbered() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout.jsonl");
    fs::copy(fixture(PAGINATED), &path).unwrap();
    let recorder = Recorder::resume(home.path(), &path, clock()).unwrap();
    turn().iter().for_each(|line| recorder.append(line).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(ordinals(&text), (0..30).map(Some).collect::<Vec<_>>());
    let appended = text.lines().nth(21).unwrap();
    assert!(
        appended.starts_with(r#"{"timestamp":"2026-11-20T19:14:07.601Z","ordinal":21,"type":"event_msg""#),
        "{appended}"
    );
}

#[test]
fn a_torn_numbered_file_goes_on_after_its_last_number() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout.jsonl");
    let mut text = fs::read_to_string(fixture(PAGINATED)).unwrap();
    text.push_str(r#"{"timestamp":"2026-11-21T05:52:31.400Z","ord"#);
    fs::write(&path, &text).unwrap();
    let recorder = Recorder::resume(home.path(), &path, clock()).unwrap();
    recorder.append(&user("hi")).unwrap();
    let last = fs::read_to_string(&path).unwrap();
    let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!(last["ordinal"], 21);
    assert!(load(&path).unwrap().notice.unwrap().contains("line 22"));
}

#[test]
fn lines_without_numbers_stay_without() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    recorder.append(&user("hi")).unwrap();
    let path = recorder.path().to_owned();
    drop(recorder);
    Recorder::resume(home.path(), &path, clock()).unwrap().append(&user("more")).unwrap();
    assert_eq!(ordinals(&fs::read_to_string(&path).unwrap()), [None; 3]);
}

#[test]
fn the_smallest_session_another_program_writes_is_enough() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout.jsonl");
    let lines = [
        r#"{"timestamp":"2026-11-19T10:00:00.000Z","type":"session_meta","payload":{"id":"01a1fca9-d543-7ab3-bf63-8f9139ad288a","timestamp":"2026-11-19T10:00:00.000Z","cwd":"/abs","originator":"third","cli_version":"0.1.0"}}"#,
        r#"{"timestamp":"2026-11-19T10:00:01.000Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"remember 42"}]}}"#,
        r#"{"type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok 42"}]}}"#,
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let folded = load(&path).unwrap().folded;
    assert_eq!(folded.history.len(), 2);
    assert_eq!(folded.history.last_agent_message().as_deref(), Some("ok 42"));
    assert!(folded.last_turn_complete);
}

#[test]
fn what_a_compaction_replaced_is_not_read_and_not_missed() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    turn().iter().for_each(|line| recorder.append(line).unwrap());
    // Long enough that the reader looks for the newest compaction first.
    (0..50).for_each(|n| recorder.append(&user(&format!("{n} {}", "x".repeat(100_000)))).unwrap());
    let kept = Item::message(Role::User, &["kept"]);
    let compacted = |items| RolloutLine::Compacted(Compacted { message: "s".into(), replacement_history: items });
    recorder.append(&compacted(Some(vec![kept.clone()]))).unwrap();
    recorder.append(&user("later")).unwrap();
    let texts = || items(recorder.path()).iter().map(Item::text).collect::<Vec<_>>();
    assert_eq!(texts(), ["kept", "later"]);
    let folded = load(recorder.path()).unwrap().folded;
    assert_eq!(folded.first_user_message, Some("say “hello” {\"timestamp\": 1}\nplease".into()));
    assert_eq!(folded.compactions, 1);
    assert_eq!(folded.token_info.unwrap().total_token_usage.total_tokens, 7);
    recorder.append(&compacted(None)).unwrap();
    assert_eq!(texts(), ["kept", "later", "s"], "a compaction that recorded no history builds on the one before");
}
