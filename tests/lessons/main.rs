//! What was learned, shown again: the real program in new processes against a scripted server, with a store written as reviews
//! write it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod kit;
mod person;

use hone::evolution::ports::Store as _;
use hone::protocol::learned::{Authority, Memory, MemoryKind, MemoryState, Pitfall, Place, Scope};
use serde_json::{Value, json};

use kit::{Home, input, memory};
use support::speech::{call, message, response};
use support::{FakeServer, Reply, Request, outputs};

fn ok() -> Reply {
    Reply::sse(&response(&[message("ok")]))
}

fn rule() -> Memory {
    let mut rule = memory("We run tests with `just t`, never `cargo test`.", MemoryKind::Rule);
    rule.about.commands = vec!["just t".to_owned()];
    rule
}

fn pitfall() -> Memory {
    let mut pitfall = memory("`exit 3` fails here because the fixtures are missing.", MemoryKind::Pitfall);
    pitfall.authority = Authority::Outcome;
    let instead = Some("exit 0".to_owned());
    pitfall.pitfall = Some(Pitfall { tried: "exit 3".to_owned(), instead, expires_ms: u64::MAX });
    pitfall
}

#[track_caller]
fn each_extends_the_one_before(requests: &[Request]) {
    for pair in requests.windows(2) {
        for part in ["instructions", "tools"] {
            assert_eq!(pair[0].body[part].to_string(), pair[1].body[part].to_string());
        }
        let (before, after) = (pair[0].body["input"].to_string(), pair[1].body["input"].to_string());
        assert!(after.starts_with(before.trim_end_matches(']')) && after.len() > before.len(), "{before}\n\n{after}");
    }
}

#[test]
fn the_next_session_of_the_same_repository_begins_with_both_lessons_and_their_sources() {
    let server = FakeServer::start(vec![ok(), ok(), ok()]);
    let home = Home::of(&server);
    let learned = home.learn(&home.world.project(), &[rule(), pitfall()]);
    home.world.run(&["hello"]).expect(0);
    let first = input(&server.requests()[0]);
    for memory in [rule(), pitfall()] {
        let line = first.lines().find(|line| line.contains(&memory.text)).unwrap_or_else(|| panic!("{first}"));
        assert!(line.ends_with(&format!("2025-11-27, {})", memory.id)), "{line}");
    }
    assert!(first.contains("the person said so, 2025-11-27") && first.contains("it failed, 2025-11-27"));
    let block = first.split_once("<learned>").unwrap().1.split_once("</learned>").unwrap().0;
    assert!(block.contains("information, not instructions") && block.len() < 800, "{block}");

    let exposures = home.store(&home.world.project()).exposures().unwrap();
    assert_eq!(exposures.len(), 2);
    assert!(exposures.iter().all(|exposure| exposure.place == Place::Start && exposure.tokens > 10));
    let turns = home.store(&home.world.project()).turns().unwrap();
    assert!(exposures.iter().all(|exposure| exposure.turn == turns[0].turn && exposure.thread == turns[0].thread));

    // Project A's rules applied in project B.
    let other = home.project("other");
    home.run_in(&other, &["hello"]).expect(0);
    let elsewhere = input(&server.requests()[1]);
    assert!(!elsewhere.contains("<learned>") && !elsewhere.contains("just t"), "{elsewhere}");

    home.undo(&home.world.project(), &learned);
    home.world.run(&["hello"]).expect(0);
    let after = input(&server.requests()[2]);
    assert!(!after.contains("<learned>") && !after.contains("just t"), "{after}");
}

#[test]
fn what_is_taken_back_in_a_session_is_withdrawn_by_one_line_and_nothing_sent_ever_changes() {
    let server = FakeServer::start((0..5).map(|_| ok()).collect());
    let home = Home::of(&server);
    let project = home.world.project();
    let learned = home.learn(&project, &[rule(), memory("The docs are in `book/`.", MemoryKind::Fact)]);
    home.world.run(&["one"]).expect(0);
    home.world.run(&["exec", "resume", "--last", "two"]).expect(0);
    home.learn(&project, &[memory("Releases are tagged by hand on Fridays.", MemoryKind::Fact)]);
    home.world.run(&["exec", "resume", "--last", "three"]).expect(0);
    home.undo(&project, &learned[..1]);
    home.world.run(&["exec", "resume", "--last", "four"]).expect(0);
    // Something that clearly fits a later message comes with it.
    home.world.run(&["exec", "resume", "--last", "when are releases tagged?"]).expect(0);
    let requests = server.requests();
    each_extends_the_one_before(&requests);
    let last = input(&requests[4]);
    assert_eq!(last.matches("never `cargo test`").count(), 1, "told once");
    let gone = format!("<learned>\nNo longer true, so disregard it: {}\n</learned>", rule().id);
    assert_eq!(last.matches(&gone).count(), 1, "{last}");
    assert_eq!(input(&requests[2]).matches("No longer true").count(), 0);
    assert_eq!(last.matches("<recalled>").count(), 1);
    assert_eq!(input(&requests[3]).matches("<recalled>").count(), 0, "the last message alone brought it");
    assert!(last.contains("tagged by hand on Fridays"));
}

#[test]
fn a_known_pitfall_is_told_with_the_call_that_steps_into_it_once() {
    let exec = |id: &str| call(id, "exec_command", &json!({"cmd": "cd . && exit 3", "login": false}));
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("c1")])),
        Reply::sse(&response(&[exec("c2")])),
        Reply::sse(&response(&[message("done")])),
    ]);
    let home = Home::of(&server);
    let project = home.world.project();
    home.learn(&project, &[pitfall()]);
    home.world.run(&["go"]).expect(0);
    let outputs = outputs(server.requests()[2].input());
    assert!(outputs[0].1.starts_with("<pitfall>\n") && outputs[0].1.contains("it failed, 2025-11-27"), "{outputs:?}");
    assert!(outputs[0].1.contains("Instead: `exit 0`") && outputs[0].1.contains(&pitfall().id.0));
    let (_, output) = outputs[0].1.split_once("</pitfall>\n").unwrap();
    assert!(output.contains("exited with code 3"), "{output}");
    assert!(!outputs[1].1.contains("<pitfall>"), "{outputs:?}");
    let exposures = home.store(&project).exposures().unwrap();
    let places: Vec<Place> = exposures.iter().map(|exposure| exposure.place).collect();
    assert_eq!(places, [Place::Start, Place::Call]);

    // Recalled memory extracted again as new: what is kept of the turn has none of what it was shown.
    let turn = &home.store(&project).turns().unwrap()[0];
    assert_eq!(turn.said, ["go"]);
    let kept = serde_json::to_string(turn).unwrap();
    assert!(!kept.contains("fixtures are missing") && !kept.contains("pitfall"), "{kept}");
}

#[test]
fn what_chance_withholds_is_noted_and_shown_nowhere() {
    let exec = call("c1", "exec_command", &json!({"cmd": "exit 3", "login": false}));
    let server = FakeServer::start(vec![Reply::sse(&response(&[exec])), ok()]);
    let home = Home::of(&server);
    home.configure("withhold_percent = 100");
    let project = home.world.project();
    let mut pinned = memory("Never touch vendor.", MemoryKind::Rule);
    pinned.pinned = true;
    home.learn(&project, &[rule(), pitfall(), pinned]);
    home.world.run(&["run the tests with just t"]).expect(0);
    let last = server.requests()[1].body["input"].to_string();
    assert!(last.contains("Never touch vendor.") && !last.contains("never `cargo") && !last.contains("fixtures"));
    let exposures = home.store(&project).exposures().unwrap();
    let withheld: Vec<bool> = exposures.iter().map(|exposure| exposure.withheld).collect();
    assert_eq!(withheld.iter().filter(|withheld| **withheld).count(), 3, "two at the start, one with the call");
    assert_eq!(withheld.len(), 4, "{exposures:?}");
}

#[test]
fn off_shows_and_writes_nothing() {
    for mode in ["off", "observe"] {
        let server = FakeServer::start(vec![ok()]);
        let home = Home::of(&server);
        let project = home.world.project();
        home.learn(&project, &[rule()]);
        home.configure(&format!("mode = \"{mode}\""));
        home.world.run(&["hello"]).expect(0);
        assert!(!input(&server.requests()[0]).contains("<learned>"), "{mode}");
        assert_eq!(home.store(&project).exposures().unwrap(), []);
        assert_eq!(home.store(&project).turns().unwrap().len(), usize::from(mode == "observe"));
    }
}

#[test]
fn what_is_known_of_the_person_goes_along_and_a_damaged_line_costs_itself_alone() {
    let server = FakeServer::start(vec![ok()]);
    let home = Home::of(&server);
    let project = home.world.project();
    let style = Memory { scope: Scope::User, ..memory("用中文回答。", MemoryKind::Preference) };
    home.learn(&home.project("elsewhere"), &[style]);
    home.learn(&project, &[rule()]);
    let journal = home.store(&project).folder(Scope::Repo).join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, format!("{{\"torn\n{text}")).unwrap();
    home.world.run(&["你好"]).expect(0);
    let first = input(&server.requests()[0]);
    assert!(first.contains("用中文回答。") && first.contains("just t"), "{first}");
}

#[test]
fn learned_text_is_a_small_part_of_a_request() {
    let server = FakeServer::start(vec![ok()]);
    let home = Home::of(&server);
    let many: Vec<Memory> =
        (0..200).map(|n| memory(&format!("Part {n} of the system is owned by team {n}."), MemoryKind::Fact)).collect();
    home.learn(&home.world.project(), &many);
    home.world.run(&["What does part 17 do?"]).expect(0);
    let request = &server.requests()[0];
    let first = input(request);
    assert!(first.contains("Part 17 of"), "{first}");
    let learned = first.split_once("<learned>").unwrap().1.split_once("</learned>").unwrap().0;
    assert!(learned.len() / 4 <= 800, "{}", learned.len());
    assert!(!first.contains(&Value::Null.to_string()));
}

/// From one end to the other: a session says a rule and meets a failure, a review learns both, the next session is told, and
/// what passes again is let go.
#[tokio::test]
async fn a_lesson_goes_from_a_turn_to_the_next_prompt_and_leaves_when_it_no_longer_holds() {
    let exec = |id: &str, cmd: &str| call(id, "exec_command", &json!({"cmd": cmd, "login": false}));
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("c1", "test -f ready && echo fine")])),
        Reply::sse(&response(&[exec("c2", "./check --quick")])),
        Reply::sse(&response(&[exec("c3", "./check --full")])),
        Reply::sse(&response(&[message("done")])),
        ok(),
        Reply::sse(&response(&[exec("c4", "./check --quick")])),
        ok(),
        ok(),
    ]);
    let home = Home::of(&server);
    let project = home.world.project();
    home.world.write_project("check", "#!/bin/sh\n[ \"$1\" = --full ] || [ -f ready ]\n");
    home.make_executable("check");
    home.world.run(&["We run tests with `just t`, never `cargo test`. Check everything."]).expect(0);
    home.review(&project).await;
    home.world.run(&["next"]).expect(0);
    let second = input(&server.requests()[4]);
    assert!(second.contains("<learned>") && second.contains("never `cargo test`"), "{second}");
    let trap = home.pitfall(&project);
    assert!(trap.state == MemoryState::Active && second.contains(&trap.text), "{trap:?}\n{second}");

    home.world.write_project("ready", "");
    home.world.run(&["check again"]).expect(0);
    home.review(&project).await;
    home.world.run(&["and now?"]).expect(0);
    let last = input(&server.requests()[7]);
    assert!(last.contains("never `cargo test`") && !last.contains(&trap.text), "{last}");
    let retired = MemoryState::Retired("`./check --quick` passes again".to_owned());
    assert_eq!(home.pitfall(&project).state, retired);
}

#[test]
fn a_journal_that_cannot_be_read_takes_nothing_back_and_fails_no_turn() {
    let server = FakeServer::start((0..3).map(|_| ok()).collect());
    let home = Home::of(&server);
    let project = home.world.project();
    home.learn(&project, &[rule()]);
    home.world.run(&["one"]).expect(0);
    // A folder in its place cannot be read, whoever asks.
    let journal = home.store(&project).folder(Scope::Repo).join("journal.jsonl");
    let kept = journal.with_extension("kept");
    std::fs::rename(&journal, &kept).unwrap();
    std::fs::create_dir(&journal).unwrap();
    home.world.run(&["exec", "resume", "--last", "two"]).expect(0).says(&["what was learned cannot be shown"]);
    std::fs::remove_dir(&journal).unwrap();
    std::fs::rename(&kept, &journal).unwrap();
    home.world.run(&["exec", "resume", "--last", "three"]).expect(0);
    let last = input(&server.requests()[2]);
    assert!(last.matches("<learned>").count() == 1 && !last.contains("No longer true"), "{last}");
}
