//! The prefix property: whatever was sent once is sent again byte for byte, and only added to. Providers cache by it.

use serde_json::{Value, json};

use super::exec;
use super::support::speech::{call, custom_call, done, message, response, sse};
use super::support::{FakeServer, Reply, Request, Step, World};

/// The bytes of one part of a request. The order of keys is kept by the parser, so equal texts were equal bytes.
fn bytes(request: &Request, part: &str) -> String {
    request.body[part].to_string()
}

#[track_caller]
fn each_extends_the_one_before(requests: &[Request]) {
    for pair in requests.windows(2) {
        for part in
            ["instructions", "tools", "model", "prompt_cache_key", "include", "reasoning", "parallel_tool_calls"]
        {
            assert_eq!(bytes(&pair[0], part), bytes(&pair[1], part), "{part}");
        }
        let (before, after) = (bytes(&pair[0], "input"), bytes(&pair[1], "input"));
        assert!(after.starts_with(before.trim_end_matches(']')), "{before}\n\n{after}");
        assert!(after.len() > before.len());
    }
    assert!(requests[0].body["tools"].as_array().unwrap().len() > 5);
    assert!(requests[0].body["instructions"].as_str().unwrap().len() > 500);
}

#[test]
fn every_request_extends_the_one_before_across_tools_retries_and_resumes() {
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}],
        "content": null, "encrypted_content": "ENC\u{2028}1", "unknown_field": {"z": 1, "a": [1.50, 1e3]}});
    let odd = call("c1", "update_plan", &json!({"plan": [{"step": "ü – 日本", "status": "pending"}]}));
    let replies = vec![
        Reply::sse(&response(&[reasoning, message("look"), odd, exec("c2", "printf 'a\\tb\\001'")])),
        Reply::stream(vec![Step::Write(sse(&[done(exec("c3", "echo hi"))])), Step::Close]),
        Reply::sse(&response(&[custom_call(
            "c4",
            "apply_patch",
            "*** Begin Patch\n*** Add File: n\n+x\n*** End Patch",
        )])),
        Reply::sse(&response(&[message("first answer")])),
        Reply::sse(&response(&[call("c5", "no_such", &Value::Null)])),
        Reply::sse(&response(&[message("second answer")])),
        Reply::sse(&response(&[message("third answer")])),
    ];
    let count = replies.len();
    let server = FakeServer::start(replies);
    let world = World::of(&server);
    world.write_project("AGENTS.md", "Be kind.\n");
    world.run(&["begin"]).expect(0);
    world.run(&["exec", "resume", "--last", "go on"]).expect(0);
    world.run(&["exec", "resume", "--last", "and on"]).expect(0);
    let requests = server.requests();
    assert_eq!(requests.len(), count);
    each_extends_the_one_before(&requests);
    let items: Vec<String> = requests[count - 1].input().iter().map(Value::to_string).collect();
    let ids: Vec<&str> =
        requests[count - 1].input().iter().filter_map(|item| item["id"].as_str()).filter(|id| *id != "msg_1").collect();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len(), "{ids:?}");
    assert!(items.iter().any(|item| item.contains("\"z\":1,\"a\":[1.5")), "items keep what we do not know");
}

#[test]
fn the_context_is_not_written_twice() {
    let answers = (0..3).map(|_| Reply::sse(&response(&[message("ok")])));
    let server = FakeServer::start(answers.collect());
    let world = World::of(&server);
    world.write_project("AGENTS.md", "Be kind.\n");
    world.run(&["one"]).expect(0);
    world.run(&["exec", "resume", "--last", "two"]).expect(0);
    world.run(&["exec", "resume", "--last", "three"]).expect(0);
    let requests = server.requests();
    let last = requests[2].body["input"].to_string();
    for once in ["<environment_context>", "Be kind.", "<permissions instructions>"] {
        assert_eq!(last.matches(once).count(), 1, "{once}");
    }
    // Each later turn adds the answer of the one before and the person's words, and nothing else.
    assert_eq!(requests[1].input().len() - requests[0].input().len(), 2);
    assert_eq!(requests[2].input().len() - requests[1].input().len(), 2);
}
