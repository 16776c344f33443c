//! Forks, and two processes on one session.

use std::fs;
use std::sync::Arc;

use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::rollout::{Recorder, load};

use crate::home::{Place, id};
use crate::support::server::{FakeServer, Reply};
use crate::support::speech;

fn answering() -> FakeServer {
    FakeServer::repeating(Reply::sse(&speech::response(&[speech::message("fine")])))
}

/// The only session file that is not `path`.
fn other(place: &Place, path: &std::path::Path) -> std::path::PathBuf {
    let all = hone::rollout::list::newest_first(&place.home()).unwrap();
    let others: Vec<_> = all.into_iter().filter(|found| found != path).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    others[0].clone()
}

#[test]
fn a_fork_goes_on_with_the_same_history_under_its_own_id() {
    let place = Place::new();
    let server = answering();
    place.configure(&server.base_url);
    let path = place.session(1, "first thing");
    place.append(&path, "{\"timestamp\":\"torn");
    let before = fs::read(&path).unwrap();
    assert_eq!(place.ok(&["fork", "--last", "and", "now?"]), "fine\n");
    assert_eq!(fs::read(&path).unwrap(), before, "the origin stays as it is");

    let fork = other(&place, &path);
    let text = fs::read_to_string(&fork).unwrap();
    let (meta, rest) = text.split_once('\n').unwrap();
    assert!(meta.contains(&format!("\"forked_from_id\":\"{}\"", id(1))), "{meta}");
    assert!(rest.as_bytes().starts_with(&before), "the origin's lines are there byte for byte");
    let loaded = load(&fork).unwrap();
    assert_ne!(loaded.meta.id.to_string(), id(1));
    assert!(fork.to_string_lossy().contains(&loaded.meta.id.to_string()));
    assert_eq!(loaded.folded.first_user_message.as_deref(), Some("first thing"));
    assert_eq!(loaded.folded.turns, 2);

    // What the model is sent begins with what it was sent before, in both.
    place.ok(&["exec", "resume", &id(1), "once more"]);
    place.ok(&["exec", "resume", &loaded.meta.id.to_string(), "once more"]);
    let requests = server.requests();
    let inputs: Vec<_> = requests.iter().map(|request| &request.input()[..4]).collect();
    assert!(inputs.iter().all(|input| *input == inputs[0]), "{inputs:?}");
    assert_eq!(requests[2].input()[..requests[0].input().len()], *requests[0].input());
}

#[test]
fn a_fork_of_a_numbered_file_is_numbered() {
    let place = Place::new();
    let server = answering();
    place.configure(&server.base_url);
    let fixture = fs::read_to_string(crate::foreign::CODEX).unwrap();
    let cwd =
        serde_json::from_str::<serde_json::Value>(fixture.lines().next().unwrap()).unwrap()["payload"]["cwd"].clone();
    let text = fixture.replace(cwd.as_str().unwrap(), place.work().to_str().unwrap());
    let path = place.write(&crate::foreign::id_of(&text), &text);
    place.ok(&["exec", "fork", &crate::foreign::id_of(&text), "go on"]);
    let fork = fs::read_to_string(other(&place, &path)).unwrap();
    let numbers: Vec<u64> = fork
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["ordinal"].as_u64().unwrap())
        .collect();
    let copied = text.lines().count();
    assert_eq!(numbers[..3], [0, 0, 1]);
    assert_eq!(numbers[copied + 1], copied as u64, "the fork's own lines go on where the origin's ended");
}

#[test]
fn a_fork_that_says_nothing_leaves_nothing() {
    let place = Place::new();
    place.configure("http://127.0.0.1:1/v1");
    let path = place.session(1, "first thing");
    assert_eq!(place.refused(&["fork", "--last"]).0, 2, "there is no prompt");
    assert_eq!(place.refused(&["fork"]).0, 2);
    assert_eq!(hone::rollout::list::newest_first(&place.home()).unwrap(), [path]);
}

#[test]
fn who_comes_second_is_told_who_is_first_and_offered_a_fork() {
    let place = Place::new();
    let server = answering();
    place.configure(&server.base_url);
    let path = place.session(1, "first thing");
    let clock = Arc::new(SystemClock::new(&Environment::default()));
    let first = Recorder::resume(&place.home(), &path, clock).unwrap();
    for args in [
        &["exec", "resume", "last", "hi"][..],
        &["sessions", "rename", "last", "x"],
        &["sessions", "archive", "last"],
        &["sessions", "delete", "last", "--yes"],
    ] {
        let (code, complaint) = place.refused(args);
        assert_eq!(code, 5, "{complaint}");
        assert!(complaint.contains(&format!("process {}", std::process::id())), "{complaint}");
        assert!(complaint.contains(&format!("hone fork {}", id(1))), "{complaint}");
    }
    place.ok(&["fork", &id(1), "hi"]);
    drop(first);
    place.ok(&["exec", "resume", &id(1), "hi"]);
}
