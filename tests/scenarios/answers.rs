//! Whatever is wrong with a call becomes its answer, and the turn goes on.

use serde_json::{Value, json};

use super::exec;
use super::support::speech::{call, custom_call, message, response};
use super::support::{FakeServer, Reply, World, outputs};

/// The outputs of one response's calls, as the next request carries them.
fn answers(calls: &[Value]) -> Vec<(String, String)> {
    let server = FakeServer::start(vec![Reply::sse(&response(calls)), Reply::sse(&response(&[message("went on")]))]);
    let world = World::of(&server);
    assert_eq!(world.run(&["go"]).expect(0).says(&[]).stdout, "went on\n");
    let given = outputs(server.requests()[1].input());
    assert_eq!(given, outputs(&world.items()), "what the model is told is what is recorded");
    given
}

#[test]
fn each_bad_call_gets_its_answer() {
    let raw = |call_id: &str, name: &str, arguments: Value| json!({"type": "function_call", "id": format!("fc_{call_id}"), "name": name, "arguments": arguments, "call_id": call_id});
    let spaced = json!({"type": "function_call", "id": "fc_9", "name": "echo_it", "namespace": "mcp__lab", "arguments": "{}", "call_id": "namespace"});
    let cases = [
        (call("unknown", "no_such_tool", &json!({"x": 1})), "unsupported call: no_such_tool"),
        (custom_call("custom", "no_such_tool", "text"), "unsupported custom tool call: no_such_tool"),
        (spaced, "unsupported call: mcp__labecho_it"),
        (raw("malformed", "exec_command", json!("{\"cmd\": ")), "failed to parse function arguments: "),
        (raw("empty", "exec_command", json!("")), "failed to parse function arguments: "),
        (raw("missing", "exec_command", json!("{}")), "failed to parse function arguments: missing field `cmd`"),
        (raw("wrong", "exec_command", json!("{\"cmd\": 7}")), "failed to parse function arguments: "),
        (raw("none", "exec_command", Value::Null), "failed to parse function arguments: "),
        (raw("object", "exec_command", json!({"cmd": "echo hi"})), ""),
        (custom_call("patch", "apply_patch", "garbage"), "apply_patch verification failed: invalid patch: "),
        (
            call("stdin", "write_stdin", &json!({"session_id": 424_242, "chars": ""})),
            "write_stdin failed: Unknown process id 424242",
        ),
        (call("image", "view_image", &json!({"path": "/nope.png"})), "unable to locate image at `/nope.png`"),
        (exec("folder", "cd /no/such/folder"), "Chunk ID: "),
    ];
    let calls: Vec<_> = cases.iter().map(|(call, _)| call.clone()).collect();
    let answers = answers(&calls);
    assert_eq!(answers.len(), cases.len(), "{answers:#?}");
    for ((call_id, output), (call, beginning)) in answers.iter().zip(&cases) {
        assert_eq!(call_id, call["call_id"].as_str().unwrap());
        assert!(output.starts_with(beginning) && !output.is_empty(), "{call_id}: {output}");
    }
}

#[test]
fn a_command_in_a_folder_that_is_not_there_is_answered() {
    let call = call("c1", "exec_command", &json!({"cmd": "pwd", "workdir": "/no/such/folder"}));
    let answers = answers(&[call]);
    assert!(answers[0].1.contains("/no/such/folder"), "{answers:?}");
}

#[test]
fn a_call_id_that_comes_twice_is_answered_once_per_call_and_the_turn_goes_on() {
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("same", "echo one >> ran"), exec("same", "echo two >> ran")])),
        Reply::sse(&response(&[message("went on")])),
    ]);
    let world = World::of(&server);
    world.run(&["go"]).expect(0).says(&[]);
    let input = server.requests()[1].input().to_vec();
    let calls = input.iter().filter(|item| item["type"] == "function_call").count();
    assert_eq!(calls, outputs(&input).len(), "a server refuses a call without an output: {input:#?}");
    // Going on with the session gives the same conversation as having it in memory.
    let resumed = FakeServer::start(vec![Reply::sse(&response(&[message("resumed")]))]);
    let base_url = format!("model_providers.fake.base_url=\"{}\"", resumed.base_url);
    world.run(&["exec", "resume", "--last", "on", "-c", &base_url]).expect(0);
    assert_eq!(&resumed.requests()[0].input()[..input.len()], &input[..]);
}

#[test]
fn an_answer_without_text_ends_the_turn() {
    let empty = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
    for items in [vec![], vec![empty]] {
        let server = FakeServer::start(vec![Reply::sse(&response(&items))]);
        let world = World::of(&server);
        assert_eq!(world.run(&["go"]).expect(0).stdout, "\n");
        assert_eq!(world.events().last().unwrap(), "task_complete");
    }
}

#[test]
fn an_unknown_item_is_kept_out_of_the_conversation() {
    let strange = json!({"type": "hologram", "id": "h_1", "data": [1, 2, 3]});
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[strange, exec("c1", "true")])),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    world.run(&["go"]).expect(0);
    assert!(!server.requests()[1].body["input"].to_string().contains("hologram"));
}
