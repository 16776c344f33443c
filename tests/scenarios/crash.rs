//! A program that is killed at any moment: what was shown is there again, and nothing runs twice.

use serde_json::Value;
use std::collections::HashSet;

use super::exec;
use super::support::program::lines;
use super::support::speech::{completed, created, custom_call, delta, done, message, response, sse};
use super::support::{FakeServer, Gate, Reply, Step, World, outputs};

/// Where a run is stopped for good: at a wait in the server's script, when everything before it has been worked off.
struct Moment {
    name: &'static str,
    /// The server's script; it ends with silence.
    replies: Vec<Reply>,
    /// How many requests come before the moment.
    requests: usize,
    /// What the session file holds by then.
    recorded: &'static str,
    /// Calls that have no output yet.
    open: &'static [&'static str],
    /// What the tools left behind.
    ran: &'static str,
}

fn silent_after(events: &[Value]) -> Reply {
    Reply::stream(vec![Step::Write(sse(events)), Step::HoldOpen])
}

fn moments() -> Vec<Moment> {
    let silence = || Reply(vec![Step::HoldOpen]);
    let ran = |id: &str| exec(id, &format!("echo {id} >> ran"));
    // Says that it runs by its last word, and does not end.
    let hangs = |id: &str| exec(id, &format!("echo {id} >> ran; exec sleep 5"));
    let patch = custom_call("p1", "apply_patch", "*** Begin Patch\n*** Update File: ran\n@@\n+p1\n*** End Patch");
    vec![
        Moment {
            name: "before the first answer",
            replies: vec![silence()],
            requests: 1,
            recorded: "do it",
            open: &[],
            ran: "",
        },
        Moment {
            name: "after a message",
            replies: vec![silent_after(&[created(), done(message("shown first"))])],
            requests: 1,
            recorded: "shown first",
            open: &[],
            ran: "",
        },
        Moment {
            name: "in the middle of a message",
            replies: vec![silent_after(&[created(), done(message("shown first")), delta("half a mess")])],
            requests: 1,
            recorded: "shown first",
            open: &[],
            ran: "",
        },
        Moment {
            name: "while a command runs",
            replies: vec![silent_after(&[created(), done(message("shown first")), done(hangs("c1"))])],
            requests: 1,
            recorded: "\"c1\"",
            open: &["c1"],
            ran: "c1\n",
        },
        Moment {
            name: "when a command has run and the response goes on",
            replies: vec![silent_after(&[created(), done(ran("c1")), done(message("shown first"))])],
            requests: 1,
            recorded: "shown first",
            open: &["c1"],
            ran: "c1\n",
        },
        Moment {
            name: "with one command done and one running",
            replies: vec![Reply::sse(&response(&[ran("c1"), hangs("c2")]))],
            requests: 1,
            recorded: "\"c2\"",
            open: &["c1", "c2"],
            ran: "c1\nc2\n",
        },
        Moment {
            name: "between two requests",
            replies: vec![Reply::sse(&response(&[message("shown first"), ran("c1")])), silence()],
            requests: 2,
            recorded: "function_call_output",
            open: &[],
            ran: "c1\n",
        },
        Moment {
            name: "in the second response",
            replies: vec![
                Reply::sse(&response(&[ran("c1")])),
                Reply::stream(vec![Step::Write(sse(&[created(), done(patch), delta("half a mess")])), Step::HoldOpen]),
            ],
            requests: 2,
            recorded: "\"p1\"",
            open: &["p1"],
            ran: "c1\np1\n",
        },
        Moment {
            name: "waiting to try again",
            replies: vec![
                // The only retry there is: the process waits ten minutes before it is killed.
                Reply::stream(vec![Step::Write(sse(&[created(), done(ran("c1"))])), Step::Close]),
                Reply::status(429, &[("retry-after", "600")], ""),
            ],
            requests: 2,
            recorded: "function_call_output",
            open: &[],
            ran: "c1\n",
        },
    ]
}

#[test]
fn a_killed_turn_is_gone_on_with_from_wherever_it_was() {
    for moment in moments() {
        let name = moment.name;
        let server = FakeServer::start(moment.replies);
        let world = World::of(&server);
        // With a retry more than the home allows, the turn that waits for one is still there to be killed.
        let running = world.start(&["-c", "model_providers.fake.stream_max_retries=2", "do it"]);
        server.wait_for_requests(moment.requests);
        eventually(name, || recorded(&world).contains(moment.recorded));
        eventually(name, || ran(&world) == moment.ran);
        running.signal("KILL");
        let shown = running.wait().expect(137).stderr;
        check_resume(name, &world, moment.open, moment.ran);
        for text in ["shown first", "do it"] {
            assert!(!shown.contains(text) || recorded(&world).contains(text), "{name}: {text} was shown and is gone");
        }
    }
}

#[test]
fn a_session_cut_at_any_byte_is_gone_on_with() {
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[message("shown first"), exec("c1", "echo c1 >> ran"), exec("c2", "echo c2 >> ran")])),
        Reply::sse(&response(&[exec("c3", "echo c3 >> ran")])),
        Reply::sse(&response(&[message("the answer")])),
    ]);
    let world = World::of(&server);
    world.run(&["do it"]).expect(0);
    let session = world.session();
    let whole = std::fs::read(&session).unwrap();
    let meta = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    assert!(ends.len() > 15);
    // After each line, without its newline, and torn somewhere inside.
    let cuts = ends.windows(2).flat_map(|pair| [pair[0], pair[0] + (pair[1] - pair[0]) / 2, pair[1] - 1]);
    for cut in cuts.filter(|cut| *cut >= meta) {
        std::fs::write(&session, &whole[..cut]).unwrap();
        check_resume(&format!("cut at {cut}"), &world, &[], "c1\nc2\nc3\n");
    }
}

#[test]
fn a_turn_killed_while_it_ends_is_whole() {
    let gate = Gate::default();
    let reply = Reply::stream(vec![
        Step::Write(sse(&[created(), done(message("the answer"))])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[completed()])),
    ]);
    let server = FakeServer::start(vec![reply]);
    let world = World::of(&server);
    let running = world.start(&["do it"]);
    eventually("answer", || recorded(&world).contains("the answer"));
    gate.open();
    eventually("end", || recorded(&world).contains("task_complete"));
    running.signal("KILL");
    running.wait();
    check_resume("at the end", &world, &[], "");
}

/// Goes on with the session and checks what must hold wherever it ended. `open` are calls that must be answered as aborted.
fn check_resume(name: &str, world: &World, open: &[&str], ran: &str) {
    let before = items(&recorded(world));
    let server = FakeServer::start(vec![Reply::sse(&response(&[message("went on")]))]);
    let base_url = format!("model_providers.fake.base_url=\"{}\"", server.base_url);
    let ended = world.run(&["exec", "resume", "--last", "go on", "-c", &base_url]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "went on\n"), "{name}: {}", ended.stderr);
    assert_eq!(self::ran(world), ran, "{name}: every tool ran once");

    let requests = server.requests();
    let input = requests[0].input();
    let mut sent = input.iter();
    for item in &before {
        assert!(sent.any(|candidate| candidate == item), "{name}: {item} was recorded and is not sent");
    }
    let calls: Vec<_> = input.iter().filter(|item| item["type"].as_str().unwrap().ends_with("_call")).collect();
    let answers = outputs(input);
    assert_eq!(calls.len(), answers.len(), "{name}");
    for call in open {
        assert!(answers.contains(&((*call).to_owned(), "aborted".to_owned())), "{name}: {answers:?}");
    }
    assert_eq!(super::text(input.last().unwrap()), "go on", "{name}");

    let after = items(&recorded(world));
    assert_eq!(after[..before.len()], before[..], "{name}: what was recorded stays");
    let context = |item: &&Value| super::text(item).starts_with("<environment_context>");
    assert_eq!(after.iter().filter(context).count(), 1, "{name}: the context is there, once");
    let ids: Vec<_> =
        after.iter().filter_map(|item| item["call_id"].as_str().map(|id| (item["type"].to_string(), id))).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{name}: {ids:?}");
}

/// The items of a session file; a torn line is none.
fn items(session: &str) -> Vec<Value> {
    let whole: String = session
        .lines()
        .filter(|line| serde_json::from_str::<Value>(line).is_ok())
        .map(|line| format!("{line}\n"))
        .collect();
    let items = lines(&whole).into_iter().filter(|line| line["type"] == "response_item");
    items.map(|mut line| line["payload"].take()).collect()
}

/// What the tools left behind, in the order of their names: some run side by side.
fn ran(world: &World) -> String {
    let file = world.read_project("ran");
    let mut lines: Vec<_> = file.split_inclusive('\n').collect();
    lines.sort_unstable();
    lines.concat()
}

/// What the session file holds by now.
fn recorded(world: &World) -> String {
    world
        .sessions()
        .first()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .unwrap_or_default()
}

/// Returns once something has come about that nobody announces.
fn eventually(name: &str, mut condition: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed().as_secs() < 20, "{name}");
        std::thread::yield_now();
    }
}
