//! When calls start, what runs side by side, and in which order their outputs go back.

use std::path::Path;

use serde_json::json;

use super::support::speech::{call, completed, created, custom_call, delta, done, message, response, sse};
use super::support::{FakeServer, Gate, Reply, Step, World, outputs};
use super::{exec, outline};

/// Waits, without a clock, until somebody writes a line into the pipe.
fn read_line(pipe: &Path) -> String {
    std::fs::read_to_string(pipe).unwrap().trim().to_owned()
}

#[test]
fn a_tool_starts_while_the_response_still_streams() {
    let gate = Gate::default();
    let first = vec![
        Step::Write(sse(&[created(), done(exec("c1", "echo started > pipe"))])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[done(message("said after the call")), completed()])),
    ];
    let server = FakeServer::start(vec![Reply::stream(first), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    let pipe = world.fifo("pipe");
    let running = world.start(&["go"]);
    // The rest of the response comes only after the command has run.
    assert_eq!(read_line(&pipe), "started");
    gate.open();
    assert_eq!(running.wait().expect(0).stdout, "done\n");
    let outline = outline(server.requests()[1].input());
    assert_eq!(outline[outline.len() - 3..], ["function_call c1", "message assistant", "function_call_output c1"]);
}

#[test]
fn calls_run_side_by_side_and_answer_in_their_order() {
    // Each waits for the next one, so that they end in the reverse order, and not at all unless all run at once.
    let calls = [
        exec("c1", "read x < one; echo $x"),
        exec("c2", "read x < two; echo 1 > one; echo $x"),
        exec("c3", "echo 2 > two; echo 3"),
    ];
    let server = FakeServer::start(vec![Reply::sse(&response(&calls)), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    world.fifo("one");
    world.fifo("two");
    world.run(&["go"]).expect(0);
    let outputs = outputs(server.requests()[1].input());
    let ends: Vec<_> =
        outputs.iter().map(|(id, text)| (id.as_str(), text.trim_end().chars().last().unwrap())).collect();
    assert_eq!(ends, [("c1", '1'), ("c2", '2'), ("c3", '3')]);
}

#[test]
fn a_patch_waits_for_the_commands_before_it_and_holds_up_those_after_it() {
    let gate = Gate::default();
    let patch = "*** Begin Patch\n*** Update File: a.txt\n@@\n-old\n+new\n*** End Patch";
    let first = vec![
        Step::Write(sse(&[
            created(),
            done(exec("c1", "echo up > started; read x < go; cat a.txt")),
            done(custom_call("c2", "apply_patch", patch)),
            done(exec("c3", "cat a.txt")),
            done(exec("c4", "cat a.txt")),
        ])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[completed()])),
    ];
    let server = FakeServer::start(vec![Reply::stream(first), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    world.write_project("a.txt", "old\n");
    let (started, go) = (world.fifo("started"), world.fifo("go"));
    let running = world.start(&["go"]);
    assert_eq!(read_line(&started), "up");
    running.wait_for("$ cat a.txt");
    // All calls are known by now, and one that may run beside the first would have.
    assert_eq!(world.read_project("a.txt"), "old\n");
    std::fs::write(go, "x\n").unwrap();
    gate.open();
    running.wait().expect(0);
    let outputs = outputs(server.requests()[1].input());
    let ends: Vec<_> = outputs.iter().map(|(_, text)| text.trim_end().lines().last().unwrap()).collect();
    assert_eq!(ends, ["old", "M a.txt", "new", "new"]);
}

#[test]
fn a_response_that_asks_to_go_on_is_gone_on_with() {
    let more = json!({"type": "response.completed", "response": {"id": "r", "end_turn": false, "usage": null}});
    let server = FakeServer::start(vec![
        Reply::sse(&[created(), done(message("first half")), more]),
        Reply::sse(&response(&[message("second half")])),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["go"]).expect(0).says(&["tokens:"]);
    assert_eq!(ended.stdout, "second half\n");
    assert_eq!(super::text(server.requests()[1].input().last().unwrap()), "first half");
}

#[test]
fn a_turn_may_take_many_steps() {
    let step = |n: usize| Reply::sse(&response(&[exec(&format!("c{n}"), &format!("echo {n} >> ran"))]));
    let replies = (0..40).map(step).chain([Reply::sse(&response(&[message("done")]))]);
    let server = FakeServer::start(replies.collect());
    let world = World::of(&server);
    world.run(&["go"]).expect(0);
    assert_eq!(world.read_project("ran").lines().count(), 40);
}

#[test]
fn text_and_calls_of_one_response_keep_their_order() {
    let plan = json!({"plan": [{"step": "a", "status": "pending"}]});
    let items = [message("before"), call("c1", "update_plan", &plan), message("between"), exec("c2", "true")];
    let mut events = vec![created(), delta("bef")];
    events.extend(items.iter().cloned().map(done));
    events.push(completed());
    let server = FakeServer::start(vec![Reply::sse(&events), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    let ended = world.run(&["go"]).expect(0).says(&["before", "between"]);
    assert_eq!(ended.stdout, "done\n");
    let outline = outline(server.requests()[1].input());
    let expected = [
        "message assistant",
        "function_call c1",
        "message assistant",
        "function_call c2",
        "function_call_output c1",
        "function_call_output c2",
    ];
    assert_eq!(outline[outline.len() - 6..], expected);
}
