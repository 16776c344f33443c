//! Streams that break: what finished stays, nothing runs twice, half a message is no message.

use super::support::speech::{created, delta, done, message, response, sse};
use super::support::{FakeServer, Reply, Step, World, outputs};
use super::{exec, outline};

/// A stream that ends after `events` without saying so.
fn cut(events: &[serde_json::Value]) -> Reply {
    Reply::stream(vec![Step::Write(sse(events)), Step::Close])
}

#[test]
fn a_call_of_a_broken_response_runs_once_and_the_retry_brings_its_output() {
    let server = FakeServer::start(vec![
        cut(&[
            created(),
            done(message("kept")),
            done(exec("c1", "echo once >> ran; echo printed")),
            delta("half a mess"),
        ]),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["go"]).expect(0).says(&["Reconnecting 1/1 in ", "stream closed before response.completed"]);
    assert_eq!((ended.stdout.as_str(), world.read_project("ran").as_str()), ("done\n", "once\n"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let retried = requests[1].input();
    assert_eq!(
        outline(retried)[requests[0].input().len()..],
        ["message assistant", "function_call c1", "function_call_output c1"]
    );
    assert!(outputs(retried)[0].1.ends_with("printed\n"));
    for place in [requests[1].body.to_string(), std::fs::read_to_string(world.session()).unwrap(), ended.stdout] {
        assert!(!place.contains("half a mess"));
    }
}

#[test]
fn a_stream_that_never_holds_ends_the_turn_with_what_finished() {
    let server = FakeServer::start(vec![
        cut(&[created(), done(exec("c1", "echo one >> ran"))]),
        cut(&[created(), done(exec("c2", "echo two >> ran"))]),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["go"]).expect(1).says(&["error: stream disconnected before completion"]);
    assert_eq!((ended.stdout.as_str(), world.read_project("ran").as_str()), ("", "one\ntwo\n"));
    assert_eq!(outputs(&world.items()).iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["c1", "c2"]);
    assert_eq!(world.events().last().unwrap(), "task_complete");
}

#[test]
fn an_error_that_is_final_still_waits_for_the_calls_that_run() {
    let failed = serde_json::json!({"type": "response.failed", "response": {"id": "r", "error": {"code": "insufficient_quota", "message": "x"}}});
    let server =
        FakeServer::start(vec![Reply::sse(&[created(), done(exec("c1", "echo one >> ran; echo printed")), failed])]);
    let world = World::of(&server);
    world.run(&["go"]).expect(4).says(&["Quota exceeded"]);
    assert_eq!(world.read_project("ran"), "one\n");
    assert!(outputs(&world.items())[0].1.ends_with("printed\n"));
}

#[test]
fn an_event_cut_in_the_middle_of_its_item_is_no_item() {
    let mut bytes = sse(&[created(), done(exec("c1", "echo one >> ran"))]);
    bytes.truncate(bytes.len() - 30);
    let server = FakeServer::start(vec![
        Reply::stream(vec![Step::Write(bytes), Step::Close]),
        Reply::sse(&response(&[exec("c1", "echo one >> ran")])),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    world.run(&["go"]).expect(0).says(&["Reconnecting 1/1"]);
    assert_eq!(world.read_project("ran"), "one\n");
}

#[test]
fn a_server_error_is_tried_again_without_a_word() {
    let server = FakeServer::start(vec![
        Reply::status(500, &[("retry-after", "0")], "busy"),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["go"]).expect(0);
    assert!(!ended.stderr.contains("Reconnecting"), "{}", ended.stderr);
}
