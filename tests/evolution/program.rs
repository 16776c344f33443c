//! The first half of the story with the program itself: a session teaches, and what it taught is there afterwards.

use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::speech::{call, message, response};
use crate::support::{Ended, FakeServer, Reply, World, program};

const PROMPT: &str = "make the tests pass; we run tests with `just t`, never `cargo test`";
const RULE: &str = "We run tests with `just t`, never `cargo test`.";
const PITFALL: &str = "`cargo test` failed here (exit 101): \"error: DATABASE_URL is not set\"; `just t` worked.";

fn executable(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The program in `folder`, where `cargo test` fails and `just t` passes.
fn hone(world: &World, folder: &Path, args: &[&str]) -> Ended {
    let bin = world.root().join("bin");
    executable(&bin.join("cargo"), "echo 'error: DATABASE_URL is not set' >&2; exit 101");
    executable(&bin.join("just"), "echo 12 passed");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = world.hone(args);
    program::run(command.current_dir(folder).env("PATH", path), b"").expect(0)
}

fn server() -> FakeServer {
    let run = |id: &str, cmd: &str| call(id, "exec_command", &json!({ "cmd": cmd, "login": false }));
    FakeServer::answering(move |request| {
        let heard = serde_json::to_string(request.input()).unwrap();
        Reply::sse(&response(&[
            match (heard.contains("make the tests pass"), heard.contains("\"c1\""), heard.contains("\"c2\"")) {
                (false, ..) | (_, _, true) => message("Done."),
                (true, false, _) => run("c1", "cargo test"),
                (true, true, false) => run("c2", "just t"),
            },
        ]))
    })
}

fn first_request(server: &FakeServer) -> String {
    serde_json::to_string(server.take_requests()[0].input()).unwrap()
}

#[test]
fn what_one_session_taught_is_there_for_the_next_one_and_for_no_other_repository() {
    let server = server();
    let world = World::of(&server);
    hone(&world, &world.project(), &["exec", PROMPT]);
    assert_eq!(server.take_requests().len(), 3);
    let dry = hone(&world, &world.project(), &["evolve", "run", "--dry-run"]);
    assert!(dry.stdout.contains("nothing was changed") && dry.stdout.contains(RULE), "{}", dry.stdout);
    let learned = hone(&world, &world.project(), &["evolve", "run"]);
    assert!(learned.stdout.contains(RULE) && learned.stdout.contains(PITFALL), "{}", learned.stdout);
    let projects = std::fs::read_dir(world.home().join("hone/projects")).unwrap();
    let turns = projects.map(|entry| entry.unwrap().path().join("turns.jsonl")).next().unwrap();
    let lines = std::fs::read_to_string(&turns).unwrap();
    std::fs::write(&turns, format!("garbage{{{{\n{lines}")).unwrap();
    let again = hone(&world, &world.project(), &["evolve", "run", "--all"]);
    assert!(again.stdout.contains("no turn waits") && again.stderr.contains("line 1"), "{again:?}");
    assert_eq!(server.take_requests().len(), 0, "no model was asked for any of it");

    let in_json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
    hone(&world, &world.project(), &["exec", "-c", "evolution.withhold_percent=0", "hello"]);
    let request = first_request(&server);
    assert!(request.contains(&in_json(RULE)), "{request}");
    assert!(request.contains("DATABASE_URL"), "{request}");

    let other = world.root().join("other");
    std::fs::create_dir_all(other.join(".git")).unwrap();
    std::fs::write(other.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    hone(&world, &other, &["exec", "-c", "evolution.withhold_percent=0", "hello"]);
    assert!(!first_request(&server).contains("just t"));
}

#[test]
fn one_shots_alone_learn_from_each_other() {
    let server = server();
    let world = World::of(&server);
    hone(&world, &world.project(), &["exec", PROMPT]);
    hone(&world, &world.project(), &["exec", "hello"]);
    server.take_requests();
    hone(&world, &world.project(), &["exec", "-c", "evolution.withhold_percent=0", "hello"]);
    let request = first_request(&server);
    assert!(request.contains("just t") && request.contains("DATABASE_URL"), "{request}");
}

#[test]
fn without_a_key_the_rules_still_learn() {
    let server = server();
    let world = World::of(&server);
    hone(&world, &world.project(), &["exec", PROMPT]);
    world.write_home("config.toml", "model_provider = \"openai\"\n");
    let learned = hone(&world, &world.project(), &["evolve", "run"]);
    assert!(learned.stdout.contains(RULE), "{learned:?}");
}

#[test]
fn off_means_off() {
    let server = server();
    let world = World::of(&server);
    hone(&world, &world.project(), &["exec", "-c", "evolution.mode=off", PROMPT]);
    assert!(!world.home().join("hone").exists());
    let mut command = world.hone(&["evolve", "run", "-c", "evolution.mode=off"]);
    program::run(&mut command, b"").expect(2).says(&["nothing is learned in this mode"]);
}

#[test]
fn a_timer_is_installed_shown_and_removed_and_other_lines_of_the_crontab_stay() {
    let world = World::new();
    let (bin, tab) = (world.root().join("bin"), world.root().join("tab"));
    executable(&bin.join("systemctl"), "exit 1");
    executable(&bin.join("crontab"), &format!("test \"$1\" = -l && exec cat {0}; cp \"$1\" {0}", tab.display()));
    std::fs::write(&tab, "0 1 * * * backup\n").unwrap();
    let schedule = |words: &[&str]| {
        let args = [&["evolve", "schedule"], words].concat();
        let path = format!("{}:/usr/bin:/bin", bin.display());
        program::run(world.hone(&args).env("PATH", path), b"").expect(0).stdout
    };
    assert!(schedule(&["show"]).contains("There is no timer"));
    for _ in 0..2 {
        assert!(schedule(&["install", "--every", "4"]).contains("17 */4 * * *"));
    }
    let written = std::fs::read_to_string(&tab).unwrap();
    assert_eq!((written.lines().count(), written.contains("evolve run --all")), (2, true), "{written}");
    assert!(schedule(&["show"]).contains("a line of your crontab"));
    assert!(schedule(&["remove"]).contains("Removed"));
    assert_eq!(std::fs::read_to_string(&tab).unwrap(), "0 1 * * * backup\n");
}
