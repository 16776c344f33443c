//! Ctrl-C and its kin: the turn ends at once, on record, and leaves no process behind.

use std::time::Duration;

use super::support::speech::{created, delta, done, message, response, sse};
use super::support::{FakeServer, Reply, Running, Step, World, gone, outputs};
use super::{exec, outline};

/// What a program may take at most from the signal to its end. It aims at a tenth of this.
const SOON: Duration = Duration::from_secs(2);

/// Checks what holds after every interrupt.
fn interrupted(world: &World, running: Running, signal: &str) {
    running.signal(signal);
    let ended = running.wait_at_most(SOON).expect(130).says(&["interrupted"]);
    assert_eq!(ended.stdout, "");
    let lines = world.lines();
    let [.., marker, event] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&marker["type"], &marker["payload"]["role"]), (&"response_item".into(), &"user".into()));
    assert!(super::text(&marker["payload"]).starts_with("<turn_aborted>"));
    assert_eq!(event["payload"]["type"], "turn_aborted");
    assert_eq!(event["payload"]["reason"], "interrupted");
}

#[test]
fn a_signal_ends_a_response_that_streams() {
    for signal in ["INT", "TERM", "HUP"] {
        let reply = Reply::stream(vec![
            Step::Write(sse(&[created(), done(message("finished and shown")), delta("half a mess")])),
            Step::HoldOpen,
        ]);
        let server = FakeServer::start(vec![reply]);
        let world = World::of(&server);
        let running = world.start(&["go"]);
        wait_for_line(&world, "finished and shown");
        interrupted(&world, running, signal);
        let session = std::fs::read_to_string(world.session()).unwrap();
        assert!(session.contains("finished and shown") && !session.contains("half a mess"));
    }
}

#[test]
fn a_signal_ends_a_request_without_an_answer() {
    let server = FakeServer::start(vec![Reply(vec![Step::HoldOpen])]);
    let world = World::of(&server);
    let running = world.start(&["go"]);
    server.wait_for_requests(1);
    interrupted(&world, running, "INT");
}

#[test]
fn a_signal_ends_the_wait_for_a_retry() {
    let server = FakeServer::start(vec![Reply::status(429, &[("retry-after", "600")], "later")]);
    let world = World::of(&server);
    let running = world.start(&["go"]);
    running.wait_for("Reconnecting 1/1 in 600");
    interrupted(&world, running, "INT");
}

#[test]
fn a_signal_ends_every_process_of_a_command() {
    for signal in ["INT", "TERM"] {
        let script =
            "trap '' INT TERM; sleep 60 & a=$!; setsid sleep 60 & b=$!; echo $a $b $$ > pids; wait; touch late";
        let calls =
            [exec("c1", "echo quick"), exec("c2", script), exec("c3", "(setsid sleep 60 & echo $! > pids3) ; cat")];
        let server = FakeServer::start(vec![Reply::sse(&response(&calls))]);
        let world = World::of(&server);
        let (pids, pids3) = (world.fifo("pids"), world.fifo("pids3"));
        let running = world.start(&["go"]);
        let pids = std::fs::read_to_string(pids).unwrap() + &std::fs::read_to_string(pids3).unwrap();
        running.wait_for("  quick");
        interrupted(&world, running, signal);
        for pid in pids.split_whitespace() {
            gone(pid);
        }
        let outputs = outputs(&world.items());
        assert_eq!(outputs.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["c1", "c2", "c3"]);
        assert!(outputs[0].1.ends_with("quick\n"), "what finished keeps its output: {outputs:?}");
        assert!(
            outputs[1].1.starts_with("Wall time: ") && outputs[1].1.ends_with(" seconds\naborted by user"),
            "{outputs:?}"
        );
        assert!(!world.project().join("late").exists());
    }
}

#[test]
fn an_interrupted_session_goes_on() {
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("c1", "echo up > pipe; sleep 60")])),
        Reply::sse(&response(&[message("all right")])),
    ]);
    let world = World::of(&server);
    let pipe = world.fifo("pipe");
    let running = world.start(&["go"]);
    std::fs::read_to_string(pipe).unwrap();
    interrupted(&world, running, "INT");
    world.run(&["exec", "resume", "--last", "go on"]).expect(0);
    let requests = server.requests();
    let added = &requests[1].input()[requests[0].input().len()..];
    assert_eq!(outline(added), ["function_call c1", "function_call_output c1", "message user", "message user"]);
    assert!(super::text(&added[2]).starts_with("<turn_aborted>"));
    assert_eq!(super::text(&added[3]), "go on");
}

#[test]
fn a_second_signal_does_not_lose_the_record() {
    let server =
        FakeServer::start(vec![Reply::sse(&response(&[exec("c1", "trap '' INT TERM; echo up > pipe; sleep 60")]))]);
    let world = World::of(&server);
    let pipe = world.fifo("pipe");
    let running = world.start(&["go"]);
    std::fs::read_to_string(pipe).unwrap();
    running.signal("INT");
    interrupted(&world, running, "INT");
}

#[test]
fn background_processes_end_with_the_program() {
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("c1", "setsid sleep 60 > /dev/null 2>&1 & echo $! > pids; echo left")])),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    let pids = world.fifo("pids");
    let running = world.start(&["go"]);
    let pid = std::fs::read_to_string(pids).unwrap();
    running.wait().expect(0);
    gone(pid.trim());
}

/// Returns once the session file holds `text`.
fn wait_for_line(world: &World, text: &str) {
    let started = std::time::Instant::now();
    while !world.sessions().first().is_some_and(|path| std::fs::read_to_string(path).unwrap().contains(text)) {
        assert!(started.elapsed() < Duration::from_secs(20), "no `{text}`");
        std::thread::yield_now();
    }
}
