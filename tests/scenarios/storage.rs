//! A session that can no longer be recorded stops at once, loudly, and takes its tools with it.

use super::exec;
use super::support::speech::{created, done, message, sse};
use super::support::{FakeServer, Gate, Reply, Step, World, gone};

#[test]
fn a_session_file_that_is_gone_ends_the_turn_and_its_tools() {
    let gate = Gate::default();
    let first = vec![
        Step::Write(sse(&[created(), done(exec("c1", "setsid sleep 60 & echo $! > pids; wait"))])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[done(message("not to be shown")), done(exec("c2", "touch ran"))])),
        Step::HoldOpen,
    ];
    let server = FakeServer::start(vec![Reply::stream(first)]);
    let world = World::of(&server);
    let pids = world.fifo("pids");
    let running = world.start(&["go"]);
    let pid = std::fs::read_to_string(pids).unwrap().trim().to_owned();
    std::fs::remove_file(world.session()).unwrap();
    gate.open();
    let ended = running.wait().expect(5).says(&["error: ", "deleted", "hint:"]);
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("not to be shown"), "{}", ended.stderr);
    assert!(world.sessions().is_empty(), "it is not made anew");
    assert_eq!(world.read_project("ran"), "");
    assert!(!world.project().join("ran").exists());
    gone(&pid);
}
