//! A recorded turn plays again without its server.

use serde_json::json;

use super::support::speech::{call, message, response};
use super::support::{FakeServer, Reply, World, outputs};

#[test]
fn what_was_recorded_plays_as_the_same_turn() {
    let say = json!({"cmd": "echo $((6 * 7)) | tee -a ran; echo sk-fake-key"});
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[call("c1", "exec_command", &say), call("c2", "no_such_tool", &json!({}))])),
        Reply::sse(&response(&[message("it is 42, and the key is sk-fake-key")])),
    ]);
    let world = World::of(&server);
    let live = world.run(&["--record", "a.tape", "what is it?"]).expect(0);
    let tape = world.read_project("a.tape");
    assert!(!tape.contains("sk-fake-key") && !tape.contains("what is it?"), "{tape}");
    let recorded = world.items();
    drop(server);

    let replayed = World::new();
    replayed.write_project("a.tape", &tape);
    let again = replayed.run(&["exec", "-s", "danger-full-access", "--replay", "a.tape", "what is it?"]).expect(0);
    assert_eq!(again.stdout, live.stdout.replace("sk-fake-key", "[redacted]"));
    assert_eq!(replayed.read_project("ran"), "42\n");
    let kinds = |items: &[serde_json::Value]| items.iter().map(|item| item["type"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&replayed.items()), kinds(&recorded));
    let answers: Vec<_> = outputs(&replayed.items()).into_iter().map(|(id, _)| id).collect();
    assert_eq!(answers, ["c1", "c2"]);
}

#[test]
fn a_tape_that_cannot_be_played_is_told() {
    let world = World::new();
    world.run(&["--replay", "no.tape", "hi"]).expect(2).says(&["no.tape", "hint:"]);
    world.write_project("bad.tape", "{\"tape\": 1}\nnonsense\n");
    world.run(&["--replay", "bad.tape", "hi"]).expect(2).says(&["bad.tape:2:", "hint:"]);
    let exchange = json!({"items": [call("c1", "update_plan", &json!({"plan": []}))]});
    world.write_project("short.tape", &format!("{{\"tape\": 1}}\n{exchange}\n"));
    world.run(&["--replay", "short.tape", "hi"]).expect(1).says(&["tape"]);
    let (_server, world) = super::answering(1);
    world.run(&["--record", "no/such/folder/a.tape", "hi"]).expect(5).says(&["no/such/folder/a.tape", "hint:"]);
}
