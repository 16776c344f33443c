//! What the real Codex writes for the same, line by line.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::lines::Lines;
use crate::protocol::event::{
    Activity, FileChange, FileChangeKind, PlanStep, SessionInfo, StepStatus, ToolResult, TurnSummary,
};
use crate::protocol::{ErrorKind, Event, ThreadId, TurnId, Usage, UserError, WebSearch};
use serde_json::json;

/// The lines of `events`, after the two that every turn begins with.
fn lines(events: &[Event]) -> Vec<String> {
    let mut lines = Lines::default();
    let begin = [ready(), Event::TurnStarted { turn_id: TurnId::new() }];
    begin.iter().for_each(|event| drop(lines.of(event)));
    texts(&mut lines, events)
}

fn texts(lines: &mut Lines, events: &[Event]) -> Vec<String> {
    events.iter().flat_map(|event| lines.of(event)).map(|line| serde_json::to_string(&line).unwrap()).collect()
}

fn ready() -> Event {
    Event::SessionReady(SessionInfo {
        thread_id: ThreadId::new(),
        model: "m".into(),
        provider: "p".into(),
        cwd: "/work".into(),
        sandbox: None,
        rollout_path: None,
        effort: None,
        resumed_items: None,
        title: None,
    })
}

fn runs(call_id: &str, script: &str) -> Event {
    let argv = ["/bin/bash", "-lc", script].map(str::to_owned).to_vec();
    let activity = Activity::Exec { command: script.into(), argv, cwd: "/work".into() };
    Event::ToolStarted { call_id: call_id.into(), activity }
}

fn ended(call_id: &str, exit_code: Option<i32>, session: Option<i32>, output: &str) -> Event {
    let ok = exit_code.is_none_or(|code| code == 0);
    let result = ToolResult { ok, exit_code, session, output: output.into(), ..ToolResult::default() };
    Event::ToolEnded { call_id: call_id.into(), result }
}

fn completed() -> Event {
    Event::TurnCompleted(TurnSummary {
        turn_id: TurnId::new(),
        last_message: None,
        total_usage: Usage { input_tokens: 100, output_tokens: 10, reasoning_output_tokens: 3, ..Usage::default() },
        duration: Duration::ZERO,
    })
}

fn plan(first: StepStatus) -> Event {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    Event::PlanUpdated { explanation: None, steps: vec![step("one", first), step("two", StepStatus::Pending)] }
}

#[test]
fn reasoning_and_messages_are_told_when_they_are_whole() {
    let reasoning = |parts: &[&str]| Event::Reasoning {
        text: parts.join("\n\n"),
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
    };
    let said = lines(&[
        Event::MessageDelta("hel".into()),
        reasoning(&[]),
        reasoning(&["**Plan** go", "second"]),
        Event::Message { text: Arc::from("hello") },
        completed(),
    ]);
    assert_eq!(
        said,
        [
            r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Plan** go\nsecond"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"hello"}}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":10,"reasoning_output_tokens":3}}"#,
        ]
    );
}

#[test]
fn commands_are_quoted_for_a_shell_and_told_from_begin_to_end() {
    assert_eq!(
        lines(&[
            runs("a", "echo B; exit 3"),
            runs("b", "printf 'a\\n\\033[1mx'; echo err >&2"),
            ended("b", Some(0), None, "a\n\u{1b}[1mxerr\n"),
            ended("a", Some(3), None, "B\n"),
        ]),
        [
            r#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc 'echo B; exit 3'","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc \"printf 'a\\\\n\\\\033[1mx'; echo err >&2\"","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc \"printf 'a\\\\n\\\\033[1mx'; echo err >&2\"","aggregated_output":"a\n\u001b[1mxerr\n","exit_code":0,"status":"completed"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc 'echo B; exit 3'","aggregated_output":"B\n","exit_code":3,"status":"failed"}}"#,
        ]
    );
}

#[test]
fn a_command_left_running_is_completed_by_the_call_that_sees_its_end() {
    let looks = |call_id: &str| Event::ToolStarted {
        call_id: call_id.into(),
        activity: Activity::Other { tool: "write_stdin".into(), summary: String::new() },
    };
    let said = lines(&[
        runs("a", "cat"),
        ended("a", None, Some(7), "one\n"),
        looks("b"),
        ended("b", None, Some(7), ""),
        looks("c"),
        ended("c", Some(2), Some(7), "two\n"),
        looks("d"),
        ended("d", Some(0), Some(8), "a command of an earlier turn"),
    ]);
    assert_eq!(
        said[1..],
        [
            r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc cat","aggregated_output":"one\ntwo\n","exit_code":2,"status":"failed"}}"#
        ]
    );
    assert_eq!(said.len(), 2);
}

#[test]
fn a_patch_is_told_when_it_is_known_what_it_changed() {
    let change = |path: &str, kind| FileChange { path: PathBuf::from(path), kind, diff: String::new() };
    let starts =
        Event::ToolStarted { call_id: "a".into(), activity: Activity::Patch { paths: vec!["old.txt".into()] } };
    let changes = vec![
        change("/w/old.txt", FileChangeKind::Update { moved_to: Some("/w/d".into()) }),
        change("/w/gone.txt", FileChangeKind::Delete),
        change("/w/new.txt", FileChangeKind::Add),
    ];
    let ends = |ok, changes| Event::ToolEnded {
        call_id: "a".into(),
        result: ToolResult { ok, changes, ..ToolResult::default() },
    };
    let changes_json = r#""changes":[{"path":"/w/gone.txt","kind":"delete"},{"path":"/w/new.txt","kind":"add"},{"path":"/w/old.txt","kind":"update"}]"#;
    assert_eq!(
        lines(&[starts.clone(), ends(true, changes)]),
        [
            format!(
                r#"{{"type":"item.started","item":{{"id":"item_0","type":"file_change",{changes_json},"status":"in_progress"}}}}"#
            ),
            format!(
                r#"{{"type":"item.completed","item":{{"id":"item_0","type":"file_change",{changes_json},"status":"completed"}}}}"#
            ),
        ]
    );
    assert_eq!(lines(&[starts, ends(false, Vec::new())]), [""; 0]);
}

#[test]
fn a_plan_goes_on_until_the_turn_ends() {
    let done = |first: bool| {
        format!(
            r#"{{"id":"item_0","type":"todo_list","items":[{{"text":"one","completed":{first}}},{{"text":"two","completed":false}}]}}"#
        )
    };
    let said = lines(&[plan(StepStatus::InProgress), plan(StepStatus::Completed), completed()]);
    assert_eq!(said[0], format!(r#"{{"type":"item.started","item":{}}}"#, done(false)));
    assert_eq!(said[1], format!(r#"{{"type":"item.updated","item":{}}}"#, done(true)));
    assert_eq!(said[2], format!(r#"{{"type":"item.completed","item":{}}}"#, done(true)));
    assert!(said[3].starts_with(r#"{"type":"turn.completed""#), "{}", said[3]);
}

#[test]
fn a_failure_is_told_twice_around_the_plan() {
    let error = UserError::new(ErrorKind::Limit, "too much").hint("less");
    let said = lines(&[plan(StepStatus::InProgress), Event::TurnFailed { turn_id: TurnId::new(), error }]);
    assert_eq!(said[1], r#"{"type":"error","message":"too much"}"#);
    assert!(said[2].starts_with(r#"{"type":"item.completed","item":{"id":"item_0","type":"todo_list""#), "{}", said[2]);
    assert_eq!(said[3], r#"{"type":"turn.failed","error":{"message":"too much"}}"#);
}

#[test]
fn warnings_follow_the_conversation_and_retries_are_errors() {
    let mut all = Lines::default();
    let before = texts(&mut all, &[Event::Warning("unknown key".into())]);
    assert_eq!(before, [""; 0]);
    let retry = Event::Reconnecting { attempt: 1, max: 5, delay: Duration::ZERO, detail: "it broke".into() };
    let said = texts(&mut all, &[ready(), Event::Warning("late".into()), retry]);
    assert!(said[0].starts_with(r#"{"type":"thread.started","thread_id":""#), "{}", said[0]);
    assert_eq!(
        said[1..],
        [
            r#"{"type":"item.completed","item":{"id":"item_0","type":"error","message":"unknown key"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"error","message":"late"}}"#,
            r#"{"type":"error","message":"Reconnecting... 1/5 (it broke)"}"#,
        ]
    );
    let mut none = Lines::default();
    texts(&mut none, &[Event::Warning("nobody heard".into())]);
    assert_eq!(none.untold(), ["nobody heard"]);
}

#[test]
fn a_search_has_the_providers_id_as_well() {
    let search =
        WebSearch { id: "ws_1".into(), query: "rust".into(), action: json!({"type": "search", "query": "rust"}) };
    let item = r#""item":{"id":"item_0","type":"web_search","id":"ws_1","query":"rust","action":{"type":"search","query":"rust"}}"#;
    assert_eq!(
        lines(&[Event::WebSearch(search)]),
        [format!(r#"{{"type":"item.started",{item}}}"#), format!(r#"{{"type":"item.completed",{item}}}"#)]
    );
}
