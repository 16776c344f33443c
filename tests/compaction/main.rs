//! Compaction, from the request that grows too long to the file a session resumes from, against a model that knows only
//! what it is sent.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod kit;
mod long;

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kit::{World, failure, is_compaction, respond, too_long};
use support::speech::{call, message};
use support::{FakeServer, Gate, Reply, Step};

/// The window of most tests: the instructions and tools alone take about 6,000 tokens.
const WINDOW: u64 = 20_000;

/// A model that answers at length, and sums up in a word.
fn talkative() -> FakeServer {
    FakeServer::answering(|request| match is_compaction(request) {
        true => respond(request, &[message("short summary")]),
        false => respond(request, &[message(&"answer ".repeat(600))]),
    })
}

#[tokio::test]
async fn a_turn_that_outgrows_the_window_goes_on_after_a_summary() {
    let answered = Arc::new(AtomicUsize::new(0));
    let server = FakeServer::answering(move |request| {
        if is_compaction(request) {
            return respond(request, &[message("all files were listed")]);
        }
        match answered.fetch_add(1, Ordering::SeqCst) {
            12 => respond(request, &[message("done")]),
            n => {
                let think = json!({"type": "message", "role": "assistant", "id": format!("msg_{n}"), "content": [{"type": "output_text", "text": "thinking ".repeat(700)}]});
                let plan = json!({"plan": [{"step": "list the files", "status": "in_progress"}]});
                respond(request, &[think, call(&format!("c{n}"), "update_plan", &plan)])
            }
        }
    });
    let world = World::new(WINDOW, server);
    let running = world.new_session().await;
    running.ask("List every file, please.").await;
    let asked = world.asked();
    let summaries: Vec<usize> = (0..asked.len()).filter(|index| asked[*index].for_summary).collect();
    assert_eq!(summaries.len(), 1, "compacted once, within the turn");
    let next = &asked[summaries[0] + 1];
    assert!(!next.for_summary && next.window == "1");
    let kept = next.items.len();
    assert!(next.items[kept - 2].contains("List every file, please."), "the task stays raw: {:?}", next.items);
    assert!(next.items[kept - 1].contains("all files were listed") && next.items[kept - 1].contains("in_progress"));
    assert_eq!(world.seen.compactions().len(), 1);
    running.close().await;
}

#[tokio::test]
async fn a_turn_compacts_twice_at_most() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = FakeServer::answering(move |request| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        if is_compaction(request) {
            return respond(request, &[message("brief")]);
        }
        let flood = json!({"type": "message", "role": "assistant", "id": format!("msg_{n}"), "content": [{"type": "output_text", "text": "x".repeat(60_000)}]});
        respond(request, &[flood, call(&format!("c{n}"), "list_dir", &json!({"dir_path": "/"}))])
    });
    let world = World::new(WINDOW, server);
    let running = world.new_session().await;
    let error = running.fail("Go.").await;
    assert!(error.message.contains("compacted 2 times in this turn"), "{error}");
    assert!(error.hint.unwrap().contains("/compact"));
    assert_eq!(world.asked().iter().filter(|asked| asked.for_summary).count(), 2);
    running.close().await;
}

#[tokio::test]
async fn a_summary_as_long_as_the_conversation_stops_the_turn_and_changes_nothing() {
    let server = FakeServer::answering(|request| {
        let text = if is_compaction(request) { "and ".repeat(12_000) } else { "answer ".repeat(1200) };
        respond(request, &[message(&text)])
    });
    let world = World::new(WINDOW, server);
    let running = world.new_session().await;
    let error = loop {
        let before = running.history().await;
        let end = running.say("More.").await;
        if let hone::agent::TurnEnd::Failed(error) = end {
            assert_eq!(running.history().await, before);
            break error;
        }
        assert!(before.len() < 100, "never stopped");
    };
    assert!(error.message.contains("wins too little"), "{error}");
    assert!(error.hint.unwrap().contains("new session"));
    let lines = running.lines();
    assert!(lines.iter().all(|line| line["type"] != "compacted"));
    // One request for a turn that cannot begin, not a loop of them.
    let requests = world.asked().len();
    running.fail("Again.").await;
    assert_eq!(world.asked().len(), requests + 1);
    running.close().await;
}

#[tokio::test]
async fn a_refused_conversation_is_compacted_by_the_next_turn_without_its_oldest_items() {
    let refusals = Arc::new(AtomicUsize::new(0));
    let server = FakeServer::answering(move |request| {
        if !is_compaction(request) {
            let over = request.body["input"].to_string().contains("overflow now");
            return if over && !request.body["input"].to_string().contains("sum of all") {
                too_long()
            } else {
                respond(request, &[message(&"answer ".repeat(600))])
            };
        }
        match refusals.fetch_add(1, Ordering::SeqCst) {
            0..3 => too_long(),
            _ => respond(request, &[message("sum of all")]),
        }
    });
    let world = World::new(1_000_000, server);
    let running = world.new_session().await;
    for turn in 0..5 {
        running.ask(&format!("turn {turn}")).await;
    }
    let error = running.fail("overflow now").await;
    assert!(error.message.contains("context window"), "{error}");
    assert!(error.hint.unwrap().contains("summarises the conversation first"));
    running.ask("and on").await;
    let asked = world.asked();
    let attempts: Vec<usize> = asked.iter().filter(|asked| asked.for_summary).map(|asked| asked.items.len()).collect();
    let all = attempts[0];
    assert_eq!(attempts, [all, all - 1, all - 3, all - 7], "the oldest go first, ever more of them");
    let last = asked.last().unwrap();
    assert!(last.holds("sum of all") && last.holds("overflow now") && last.holds("turn 0") && last.holds("and on"));
    running.close().await;
}

#[tokio::test]
async fn a_compaction_that_fails_leaves_the_history_as_it_was() {
    let server = FakeServer::answering(|request| match is_compaction(request) {
        true => Reply::status(400, &[], r#"{"error":{"message":"not today"}}"#),
        false => respond(request, &[message(&"answer ".repeat(600))]),
    });
    let world = World::new(WINDOW, server);
    let running = world.new_session().await;
    running.ask("one").await;
    let before = running.history().await;
    let error = failure(running.session.compact(None).await);
    assert!(error.message.contains("not today"), "{error}");
    assert_eq!(running.history().await, before);
    running.ask("two").await;
    let asked = world.asked();
    assert_eq!(asked.last().unwrap().items[..before.len()], before);
    running.close().await;
}

#[tokio::test]
async fn the_person_says_what_to_keep_and_takes_it_back_again() {
    let world = World::new(1_000_000, talkative());
    let running = world.new_session().await;
    for turn in 0..3 {
        running.ask(&format!("turn {turn}")).await;
    }
    let raw = running.history().await;
    let end = running.session.compact(Some("the name of the cat".into())).await;
    assert!(matches!(end, hone::agent::TurnEnd::Completed(None)), "{end:?}");
    assert!(world.asked().last().unwrap().items.last().unwrap().contains("the name of the cat"));
    let compacted = running.history().await;
    assert!(compacted.len() < raw.len() && compacted.last().unwrap().contains("short summary"));
    running.ask("after").await;
    let since = running.history().await[compacted.len()..].to_vec();

    let end = running.session.undo_compact().await;
    assert!(matches!(end, hone::agent::TurnEnd::Completed(None)), "{end:?}");
    let restored = [raw, since].concat();
    assert_eq!(running.history().await, restored);
    let error = failure(running.session.undo_compact().await);
    assert!(error.message.contains("no compaction to undo"), "{error}");

    // The undoing is in the file too.
    let start = running.close().await;
    let running = world.open(start).await;
    assert_eq!(running.history().await, restored);
    running.ask("resumed").await;
    assert_eq!(world.asked().last().unwrap().window, "2");
    // A later compaction can be undone again, and only that one.
    let before = running.history().await;
    running.session.compact(None).await;
    assert_ne!(running.history().await, before);
    running.session.undo_compact().await;
    assert_eq!(running.history().await, before);
    running.close().await;
}

#[tokio::test]
async fn a_resumed_session_sends_what_it_sent_before() {
    let world = World::new(1_000_000, talkative());
    let running = world.new_session().await;
    for turn in 0..3 {
        running.ask(&format!("turn {turn}")).await;
    }
    running.session.compact(None).await;
    running.ask("after").await;
    let before = world.asked().last().unwrap().clone();
    let start = running.close().await;
    let running = world.open(start).await;
    running.ask("resumed").await;
    let after = world.asked().last().unwrap().clone();
    assert_eq!(after.items[..before.items.len()], before.items);
    assert_eq!((before.window.as_str(), after.window.as_str()), ("1", "1"));
    assert_eq!(after.items.iter().filter(|item| item.contains("<environment_context>")).count(), 1);
    running.close().await;
}

#[tokio::test]
async fn the_file_tells_a_compaction_in_the_order_codex_does() {
    let world = World::new(1_000_000, talkative());
    let running = world.new_session().await;
    running.ask("one").await;
    let seen = running.lines().len();
    running.session.compact(None).await;
    let name = |line: &Value| {
        let kind = line["type"].as_str().unwrap().to_owned();
        line["payload"]["type"].as_str().filter(|_| kind == "event_msg").map_or(kind.clone(), str::to_owned)
    };
    let lines = running.lines();
    let names: Vec<String> = lines[seen..].iter().map(name).collect();
    assert_eq!(
        names,
        [
            "task_started",
            "token_count",
            "response_item",
            "token_count",
            "compacted",
            "turn_context",
            "token_count",
            "task_complete"
        ]
    );
    assert_eq!(lines.last().unwrap()["payload"]["last_agent_message"], Value::Null);
    running.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_can_be_interrupted() {
    let gate = Gate::default();
    let server = FakeServer::answering(move |request| match is_compaction(request) {
        true => Reply::stream(vec![Step::Wait(gate.clone()), Step::HoldOpen]),
        false => respond(request, &[message("answer")]),
    });
    let world = World::new(1_000_000, server);
    let running = world.new_session().await;
    running.ask("one").await;
    let before = running.history().await;
    let (end, ()) = tokio::join!(running.session.compact(None), async {
        tokio::task::block_in_place(|| world.server.wait_for_requests(2));
        running.session.send(hone::protocol::op::Op::Interrupt);
    });
    assert!(matches!(end, hone::agent::TurnEnd::Aborted), "{end:?}");
    assert_eq!(running.history().await, before);
    running.close().await;
}

#[tokio::test]
async fn a_crash_before_the_history_is_replaced_loses_nothing() {
    let world = World::new(1_000_000, talkative());
    let running = world.new_session().await;
    running.ask("one").await;
    running.ask("two").await;
    let raw = running.history().await;
    running.session.compact(None).await;
    let path = running.session.info().rollout_path.clone().unwrap();
    let start = running.close().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let until = text.lines().take_while(|line| !line.contains(r#""type":"compacted""#));
    std::fs::write(&path, until.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let running = world.open(start).await;
    assert_eq!(running.history().await[..raw.len()], raw);
    running.ask("three").await;
    assert_eq!(world.asked().last().unwrap().items[..raw.len()], raw);
    running.close().await;
}

#[tokio::test]
async fn a_report_says_what_fills_the_window() {
    let world = World::new(100_000, talkative());
    world.project_file("AGENTS.md", "Measure twice.\n");
    let running = world.new_session().await;
    running.ask("one").await;
    let report = running.session.context_report().await.unwrap();
    let tokens = |name: &str| report.shares.iter().find(|share| share.name == name).map_or(0, |share| share.tokens);
    for name in ["instructions", "tools", "AGENTS.md", "environment_context", "your messages", "the model's messages"] {
        assert!(tokens(name) > 0, "{name}: {report:?}");
    }
    assert_eq!((report.usable_window, report.compacts_at, report.left_percent), (Some(95_000), 90_000, Some(100)));
    let sum: usize = report.shares.iter().map(|share| share.tokens).sum();
    assert!((report.used / 2..report.used * 2).contains(&(sum as u64)), "{sum} and {}", report.used);
    running.session.compact(None).await;
    let compacted = running.session.context_report().await.unwrap();
    assert!(compacted.used < report.used);
    assert!(compacted.shares.iter().any(|share| share.name == "compacted history"), "{compacted:?}");
    running.close().await;
}

#[tokio::test]
async fn a_prompt_of_the_persons_own_is_used() {
    let world = World::new(1_000_000, talkative()).over(&["compact_prompt=Sum up in rhymes."]);
    let running = world.new_session().await;
    running.ask(&"long ".repeat(100)).await;
    running.session.compact(None).await;
    assert!(world.asked().last().unwrap().items.last().unwrap().contains("Sum up in rhymes."));
    running.close().await;
}

#[tokio::test]
async fn the_server_compacts_in_its_own_form_where_it_can() {
    for refuses in [false, true] {
        let server = FakeServer::answering(move |request| {
            let last = request.input().last().unwrap();
            if last["type"] == "compaction_trigger" {
                assert!(!is_compaction(request), "the tools are offered as ever");
                return match refuses {
                    true => Reply::status(400, &[], r#"{"error":{"message":"unknown item"}}"#),
                    false => {
                        respond(request, &[json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "sealed"})])
                    }
                };
            }
            let text = if is_compaction(request) { "in words".to_owned() } else { "answer ".repeat(600) };
            respond(request, &[message(&text)])
        });
        let url = format!("openai_base_url={}", server.base_url);
        let world = World::new(1_000_000, server).over(&["model_provider=openai", &url]);
        let running = world.new_session().await;
        running.ask("one").await;
        running.session.compact(None).await;
        running.ask("two").await;
        let last = world.asked().last().unwrap().clone();
        assert_eq!((last.holds("sealed"), last.holds("in words")), (!refuses, refuses));
        assert!(last.holds("one"), "{last:?}");
        running.session.compact(None).await;
        let triggers = world.asked().iter().filter(|asked| asked.holds("compaction_trigger")).count();
        assert_eq!(triggers, if refuses { 1 } else { 2 }, "a server that refused is not asked again");
        running.close().await;
    }
}
