//! What the model remembers of a turn that was taken back.

use std::fs;

use super::kit::{World, patch, replies};
use super::support::FakeServer;

/// What the person said, as the model gets it in the first request of a turn.
fn remembered(world: &World, prompt: &str) -> Vec<String> {
    let server = FakeServer::start(replies(&[]));
    let ran = world.hone(Some(&server), &["exec", "resume", "--last", prompt]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = |item: &serde_json::Value| item["content"][0]["text"].as_str().map(str::to_owned);
    let requests = server.requests();
    let said = requests[0].input().iter().filter(|item| item["role"] == "user").filter_map(text);
    said.filter(|text| !text.starts_with(['<', '#'])).collect()
}

#[test]
fn the_undone_turn_and_all_after_it_are_forgotten_and_nothing_is_erased() {
    let world = World::new();
    world.turn(&["first"], &[patch("*** Add File: a.txt\n+a\n")]);
    world.turn(&["exec", "resume", "--last", "second"], &[patch("*** Add File: b.txt\n+b\n")]);
    world.turn(&["exec", "resume", "--last", "third"], &[]);
    let undone = world.hone(None, &["undo", "--yes", "--chat"]);
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert!(undone.stderr.contains("your last 2 messages"), "{}", undone.stderr);
    assert!(world.work.join("a.txt").exists() && !world.work.join("b.txt").exists());
    assert_eq!(remembered(&world, "fourth"), ["first", "fourth"]);
    let plain = world.undo();
    assert_eq!(plain.code, Some(0), "{plain:?}");
    assert_eq!(remembered(&world, "fifth"), ["first", "fourth", "fifth"], "undo of files alone forgets nothing");

    let mut folders = vec![world.home.join("sessions")];
    let mut rollout = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => rollout += &fs::read_to_string(entry.path()).unwrap(),
            }
        }
    }
    assert!(rollout.contains(r#""type":"thread_rolled_back","num_turns":2"#));
    assert!(rollout.contains("second") && rollout.contains("third"));
}

#[test]
fn a_turn_that_changed_no_file_can_be_forgotten_too() {
    let world = World::new();
    world.turn(&["first"], &[]);
    world.turn(&["exec", "resume", "--last", "second"], &[]);
    assert_eq!(world.undo().code, Some(1));
    assert_eq!(world.hone(None, &["undo", "--yes", "--chat"]).code, Some(0));
    assert_eq!(remembered(&world, "third"), ["first", "third"]);
}
