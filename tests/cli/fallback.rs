//! Another model answers when the chosen one cannot.

use serde_json::{Value, json};

use crate::support::Step;
use crate::support::speech::{call, message, response};
use crate::support::{FakeServer, Reply, World};

/// The usual home, with more keys at its top and more tables below.
fn world(server: &FakeServer, top: &str, tables: &str) -> World {
    let world = World::of(server);
    let usual = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
    world.write_home("config.toml", &format!("{top}\n{usual}{tables}"));
    world
}

fn other(server: &FakeServer, wire: &str) -> String {
    format!("\n[model_providers.other]\nname = \"Other\"\nbase_url = \"{}\"\nwire_api = \"{wire}\"\n", server.base_url)
}

fn missing() -> Reply {
    Reply::status(404, &[], r#"{"error":{"code":"model_not_found","message":"There is no such model."}}"#)
}

fn command(id: &str) -> Value {
    call(id, "exec_command", &json!({"cmd": "echo hi"}))
}

fn sealed(data: &str) -> Value {
    json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": data})
}

fn models(server: &FakeServer) -> Vec<String> {
    server.requests().iter().map(|request| request.body["model"].as_str().unwrap().to_owned()).collect()
}

fn seals(request: &crate::support::Request) -> Vec<&str> {
    request.input().iter().filter_map(|item| item["encrypted_content"].as_str()).collect()
}

#[test]
fn a_model_that_is_not_there_is_replaced_and_left_alone_for_a_while() {
    let server = FakeServer::start(vec![
        missing(),
        Reply::sse(&response(&[command("c1")])),
        Reply::sse(&response(&[message("from the spare")])),
    ]);
    let world = world(&server, "fallback_models = [\"spare\"]", "");
    let ended = world.run(&["exec", "hello"]).expect(0);
    assert_eq!(ended.stdout.trim(), "from the spare");
    assert!(ended.stderr.contains("Falling back: test-model -> spare: There is no such model."), "{}", ended.stderr);
    assert_eq!(models(&server), ["test-model", "spare", "spare"]);
}

#[test]
fn without_a_cooldown_the_chosen_model_is_asked_again() {
    let server = FakeServer::start(vec![
        missing(),
        Reply::sse(&response(&[command("c1")])),
        Reply::sse(&response(&[message("back")])),
    ]);
    let world = world(&server, "fallback_models = [\"spare\"]\nfallback_cooldown_seconds = 0", "");
    world.run(&["exec", "hello"]).expect(0);
    assert_eq!(models(&server), ["test-model", "spare", "test-model"]);
}

#[test]
fn programs_are_told() {
    let server = FakeServer::start(vec![missing(), Reply::sse(&response(&[message("yes")]))]);
    let world = world(&server, "fallback_models = [\"spare\"]", "");
    let ended = world.run(&["exec", "--json", "hello"]).expect(0);
    let lines = crate::support::program::lines(&ended.stdout);
    let told = lines.iter().find(|line| line["item"]["type"] == "error").unwrap();
    assert!(told["item"]["message"].as_str().unwrap().starts_with("Falling back: test-model -> spare"), "{told}");
    assert_eq!(lines.last().unwrap()["type"], "turn.completed");
}

#[test]
fn retries_come_first_when_the_server_fails() {
    let broken = || Reply::status(500, &[], "");
    let mut replies: Vec<_> = (0..4).map(|_| broken()).collect();
    replies.push(Reply::sse(&response(&[message("yes")])));
    let server = FakeServer::start(replies);
    let world = world(&server, "fallback_models = [\"spare\"]", "");
    let ended = world.run(&["exec", "hello"]).expect(0);
    assert!(ended.stderr.contains("Reconnecting 1/1"), "{}", ended.stderr);
    // One silent retry of the request, for each of the two times the stream is asked for.
    assert_eq!(models(&server), ["test-model", "test-model", "test-model", "test-model", "spare"]);
}

#[test]
fn a_refused_request_is_no_reason_to_ask_another_model() {
    for (status, code) in [(400, 1), (401, 3)] {
        let server = FakeServer::repeating(Reply::status(status, &[], r#"{"error":{"message":"no"}}"#));
        let world = world(&server, "fallback_models = [\"spare\"]", "");
        let ended = world.run(&["exec", "hello"]).expect(code);
        assert!(!ended.stderr.contains("Falling back"), "{}", ended.stderr);
        assert!(models(&server).iter().all(|model| model == "test-model"));
    }
}

#[test]
fn when_no_model_answers_the_last_failure_is_told() {
    let server = FakeServer::repeating(missing());
    let world = world(&server, "fallback_models = [\"spare\", \"third\"]", "");
    world.run(&["exec", "hello"]).expect(1).says(&["spare -> third", "There is no such model."]);
    assert_eq!(models(&server), ["test-model", "spare", "third"]);
}

#[test]
fn a_model_that_says_nothing_is_not_waited_for() {
    let server =
        FakeServer::start(vec![Reply::stream(vec![Step::HoldOpen]), Reply::sse(&response(&[message("quick")]))]);
    let world = world(&server, "fallback_models = [\"spare\"]", "stream_first_data_timeout_ms = 200\n");
    let ended = world.run(&["exec", "hello"]).expect(0);
    assert_eq!(ended.stdout.trim(), "quick");
    assert!(ended.stderr.contains("no data within 0.2 s"), "{}", ended.stderr);
    assert_eq!(models(&server), ["test-model", "spare"]);
}

#[test]
fn what_one_provider_sealed_is_never_sent_to_another() {
    let home = FakeServer::start(vec![
        Reply::sse(&response(&[sealed("home-1"), command("c1")])),
        missing(),
        Reply::sse(&response(&[message("home again")])),
    ]);
    let spare = FakeServer::start(vec![
        Reply::sse(&response(&[sealed("spare-1"), command("c2")])),
        Reply::sse(&response(&[message("from the spare")])),
    ]);
    let top = "fallback_models = [{ model = \"spare\", provider = \"other\" }]";
    let world = world(&home, top, &other(&spare, "responses"));
    let ended = world.run(&["exec", "hello"]).expect(0);
    assert_eq!(ended.stdout.trim(), "from the spare");
    assert!(ended.stderr.contains("test-model -> spare (Other)"), "{}", ended.stderr);
    let asked = spare.requests();
    assert_eq!(seals(&asked[0]), [""; 0]);
    assert_eq!(seals(&asked[1]), ["spare-1"]);
    // The call that ran before the home provider failed is not run again; its answer goes along.
    assert!(asked[0].input().iter().any(|item| item["call_id"] == "c1" && item["type"] == "function_call_output"));
    assert!(asked[0].header("authorization").is_none(), "the other provider gets no key of this one");
    world.run(&["exec", "resume", "--last", "and now"]).expect(0);
    assert_eq!(seals(home.requests().last().unwrap()), ["home-1"]);
}

#[test]
fn a_fallback_may_speak_another_format() {
    let home = FakeServer::start(vec![Reply::sse(&response(&[sealed("home-1"), command("c1")])), missing()]);
    let said = json!({"id": "x", "choices": [{"index": 0, "delta": {"content": "in chat"}, "finish_reason": "stop"}]});
    let body = format!("data: {said}\n\ndata: [DONE]\n\n");
    let chat = FakeServer::start(vec![Reply::whole(200, &[("content-type", "text/event-stream")], body.as_bytes())]);
    let top = "fallback_models = [{ model = \"spare\", provider = \"other\" }]";
    let world = world(&home, top, &other(&chat, "chat"));
    let ended = world.run(&["exec", "hello"]).expect(0);
    assert_eq!(ended.stdout.trim(), "in chat");
    let asked = &chat.requests()[0];
    assert!(asked.target.contains("/chat/completions"), "{}", asked.target);
    assert!(!asked.body.to_string().contains("home-1"));
    let messages = asked.body["messages"].as_array().unwrap();
    assert!(messages.iter().any(|message| message["role"] == "tool" && message["tool_call_id"] == "c1"));
}

#[test]
fn a_fallback_that_knows_functions_alone_is_shown_functions_alone() {
    let patch = crate::support::speech::custom_call("p1", "apply_patch", "nonsense");
    let server =
        FakeServer::start(vec![Reply::sse(&response(&[patch])), missing(), Reply::sse(&response(&[message("done")]))]);
    let world = world(&server, "fallback_models = [\"spare\"]", "");
    world.run(&["exec", "-m", "gpt-5.5", "hello"]).expect(0);
    let asked = &server.requests()[2].body;
    let custom = |value: &Value| value["type"].as_str().unwrap_or_default().starts_with("custom");
    assert!(!asked["tools"].as_array().unwrap().iter().any(custom));
    assert!(!asked["input"].as_array().unwrap().iter().any(custom));
    assert!(asked["reasoning"].is_null() && asked["text"].is_null(), "{asked}");
}

#[test]
fn a_fallback_that_cannot_be_asked_is_said_at_once() {
    let server = FakeServer::start(vec![Reply::sse(&response(&[message("yes")]))]);
    let unknown = world(&server, "fallback_models = [{ model = \"x\", provider = \"nowhere\" }]", "");
    unknown.run(&["exec", "hello"]).expect(2).says(&["fallback_models", "`nowhere`"]);
    let keyless = world(&server, "fallback_models = [{ model = \"x\", provider = \"anthropic\" }]", "");
    keyless.run(&["exec", "hello"]).expect(0).says(&["x cannot be fallen back to", "ANTHROPIC_API_KEY"]);
}
