//! `hone exec --json`: what programs that know Codex read.

use super::answering;
use super::support::program::{lines, run};
use super::support::speech::{call, custom_call, message, response};
use super::support::{FakeServer, Reply, World};
use serde_json::{Value, json};

/// The types of the lines, with those of their items.
fn types(lines: &[Value]) -> Vec<String> {
    let name = |line: &Value| match line["item"]["type"].as_str() {
        Some(item) => format!("{} {item}", line["type"].as_str().unwrap()),
        None => line["type"].as_str().unwrap().to_owned(),
    };
    lines.iter().map(name).collect()
}

#[test]
fn a_turn_is_told_in_lines_and_nothing_else() {
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\n";
    let step = |status: &str| json!({"plan": [{"step": "one", "status": status}]});
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[
            json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "think"}]}),
            message("I look."),
            call("p1", "update_plan", &step("in_progress")),
        ])),
        Reply::sse(&response(&[call("c1", "exec_command", &json!({"cmd": "echo out; exit 3"}))])),
        Reply::sse(&response(&[custom_call("c2", "apply_patch", patch)])),
        Reply::sse(&response(&[call("p2", "update_plan", &step("completed"))])),
        Reply::sse(&response(&[
            json!({"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "rust"}}),
            message("done"),
        ])),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["exec", "--json", "hi"]).expect(0);
    assert_eq!(ended.stderr, "");
    let said = lines(&ended.stdout);
    assert_eq!(
        types(&said),
        [
            "thread.started",
            "turn.started",
            "item.completed reasoning",
            "item.completed agent_message",
            "item.started todo_list",
            "item.started command_execution",
            "item.completed command_execution",
            "item.started file_change",
            "item.completed file_change",
            "item.updated todo_list",
            "item.started web_search",
            "item.completed web_search",
            "item.completed agent_message",
            "item.completed todo_list",
            "turn.completed",
        ]
    );
    assert_eq!(said[0]["thread_id"], world.session_id().as_str());
    let command = &said[6]["item"];
    assert!(command["command"].as_str().unwrap().ends_with("sh -lc 'echo out; exit 3'"), "{command}");
    assert_eq!((&command["aggregated_output"], &command["exit_code"]), (&json!("out\n"), &json!(3)));
    let new = world.project().join("new.txt");
    assert_eq!(said[8]["item"]["changes"], json!([{"path": new.to_str().unwrap(), "kind": "add"}]));
    assert_eq!(
        said[14]["usage"],
        json!({"input_tokens": 500, "cached_input_tokens": 0, "cache_write_input_tokens": 0, "output_tokens": 50, "reasoning_output_tokens": 0})
    );
}

#[test]
fn a_resumed_thread_has_the_same_id_and_counts_all_tokens() {
    let (server, world) = answering(3);
    let first = lines(&world.pipe(&["exec", "--experimental-json"], "first").expect(0).stdout);
    let id = first[0]["thread_id"].as_str().unwrap().to_owned();
    let second = world.pipe(&["exec", "--experimental-json", "--skip-git-repo-check", "resume", &id], "second");
    let second = lines(&second.expect(0).stdout);
    let third = lines(&world.run(&["exec", "resume", "--last", "third", "--json"]).expect(0).stdout);
    for said in [&second, &third] {
        assert_eq!(said[0], json!({"type": "thread.started", "thread_id": id}));
    }
    assert_eq!(third[2]["item"], json!({"id": "item_0", "type": "agent_message", "text": "answer 3"}));
    assert_eq!(third[3]["usage"]["input_tokens"], 300);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_fork_is_a_thread_of_its_own() {
    let (server, world) = answering(2);
    let first = lines(&world.run(&["exec", "--json", "first"]).expect(0).stdout);
    let id = first[0]["thread_id"].as_str().unwrap();
    let fork = lines(&world.run(&["exec", "--json", "fork", id, "second"]).expect(0).stdout);
    assert_eq!(types(&fork), ["thread.started", "turn.started", "item.completed agent_message", "turn.completed"]);
    assert_ne!(fork[0]["thread_id"], *id);
    assert!(server.requests()[1].body["input"].to_string().contains("first"));
}

#[test]
fn a_failed_turn_ends_with_one_whatever_failed() {
    let refused = Reply::status(401, &[], r#"{"error":{"message":"bad key"}}"#);
    let server = FakeServer::repeating(refused);
    let world = World::of(&server);
    let ended = world.run(&["exec", "--json", "-o", "answer.txt", "hi"]).expect(1);
    let said = lines(&ended.stdout);
    assert_eq!(types(&said), ["thread.started", "turn.started", "error", "error", "turn.failed"]);
    assert!(said[2]["message"].as_str().unwrap().starts_with("Reconnecting... 1/1 (unexpected status 401"));
    assert_eq!(said[3]["message"], said[4]["error"]["message"]);
    assert!(world.project().join("answer.txt").exists() && world.read_project("answer.txt").is_empty());
    world.run(&["exec", "hi"]).expect(3);
}

#[test]
fn outside_a_repository_exec_refuses_unless_told_otherwise() {
    let (server, world) = answering(4);
    let bare = world.root().join("bare");
    std::fs::create_dir(&bare).unwrap();
    let exec = |args: &[&str]| run(world.hone(&[&["exec"], args].concat()).current_dir(&bare), b"");
    let refused = exec(&["--json", "hi"]).expect(2).says(&["Not inside a trusted directory", "--skip-git-repo-check"]);
    assert_eq!(refused.stdout, "");
    exec(&["-C", world.project().to_str().unwrap(), "hi"]).expect(0);
    exec(&["--skip-git-repo-check", "hi"]).expect(0);
    let trust = format!("projects.{:?}.trust_level=\"trusted\"", bare.to_str().unwrap());
    exec(&["-c", &trust, "hi"]).expect(0);
    run(world.hone(&["a person who asks is not refused"]).current_dir(&bare), b"").expect(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_turn() {
    let (_server, world) = answering(1);
    let mut child = world.hone(&["exec", "--json", "hi"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(world.events().last().unwrap(), "task_complete");
}

#[test]
fn a_provider_without_a_named_model_is_asked_for_codexs_default() {
    let (server, world) = answering(1);
    let config = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
    world.write_home("config.toml", &config.replace("model = \"test-model\"\n", ""));
    world.run(&["exec", "--json", "hi"]).expect(0);
    assert_eq!(server.requests()[0].body["model"], "gpt-5.5");
    world.run(&["exec", "hi"]).expect(2).says(&["no model is named"]);
}

#[test]
fn json_is_for_turns() {
    let world = World::new();
    world.run(&["--json", "config", "explain"]).expect(2).says(&["--json is for running a turn"]);
    world.run(&["exec", "--json=nonsense", "hi"]).expect(2).says(&["nonsense", "codex"]);
}
