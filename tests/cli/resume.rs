//! Going on with earlier sessions.

use super::answering;
use super::support::World;
use serde_json::Value;

fn texts(request: &super::support::Request, role: &str) -> Vec<String> {
    let items = request.input().iter().filter(|item| item["role"] == role);
    items
        .flat_map(|item| item["content"].as_array().unwrap().clone())
        .map(|part| part["text"].as_str().unwrap().to_owned())
        .collect()
}

fn asked(request: &super::support::Request) -> Vec<String> {
    texts(request, "user").into_iter().filter(|text| !text.starts_with('<')).collect()
}

#[test]
fn a_session_goes_on_by_its_id() {
    let (server, world) = answering(2);
    world.run(&["first"]).expect(0);
    let id = world.session_id();
    let before = std::fs::read_to_string(world.session()).unwrap();
    let ended = world.run(&["exec", "resume", &id, "second", "words"]).expect(0).says(&[&id, "resumed"]);
    assert_eq!(ended.stdout, "answer 2\n");
    let request = &server.requests()[1];
    assert_eq!(asked(request), ["first", "second words"]);
    assert_eq!(texts(request, "assistant"), ["answer 1"]);
    assert_eq!(request.body["prompt_cache_key"], Value::from(id.as_str()));
    let after = std::fs::read_to_string(world.session()).unwrap();
    assert!(after.starts_with(&before) && after.len() > before.len(), "a session is only appended to");
    assert_eq!(after.matches("session_meta").count(), 1);
}

#[test]
fn the_last_session_is_that_of_the_folder_unless_all_are_meant() {
    let (server, world) = answering(5);
    std::fs::create_dir_all(world.project().join("other")).unwrap();
    world.run(&["here"]).expect(0);
    world.run(&["-C", "other", "there"]).expect(0);
    world.run(&["exec", "resume", "--last", "more here"]).expect(0);
    world.run(&["exec", "resume", "--last", "more there", "-C", "other"]).expect(0);
    world.run(&["exec", "resume", "--last", "--all", "whatever"]).expect(0);
    let requests = server.requests();
    assert_eq!(asked(&requests[2]), ["here", "more here"]);
    assert_eq!(asked(&requests[3]), ["there", "more there"]);
    assert_eq!(asked(&requests[4]), ["there", "more there", "whatever"]);
    assert_eq!(world.sessions().len(), 2);
}

#[test]
fn the_prompt_of_a_resumed_session_may_be_piped_in() {
    let (server, world) = answering(3);
    world.run(&["first"]).expect(0);
    world.pipe(&["exec", "resume", "--last"], "piped").expect(0);
    world.pipe(&["exec", "resume", "--last", "-"], "piped too").expect(0);
    assert_eq!(asked(&server.requests()[2]), ["first", "piped", "piped too"]);
}

#[test]
fn a_session_that_is_not_there_is_told() {
    let (server, world) = answering(1);
    for (args, texts) in [
        (
            &["00000000-0000-7000-8000-000000000000", "hi"][..],
            &["no session 00000000-0000-7000-8000-000000000000", "CODEX_HOME"][..],
        ),
        (&["yesterday", "hi"], &["no session has the id or the title `yesterday`", "sessions list"]),
        (&[], &["needs to know which session", "--last"]),
        (&["--last", "hi"], &["no session of", "--all"]),
        (&["--last", "--all", "hi"], &["no session yet", "begin one"]),
    ] {
        let ended = world.run(&[&["exec", "resume"], args].concat()).expect(2).says(texts);
        assert_eq!(ended.stdout, "");
    }
    assert!(server.requests().is_empty() && world.sessions().is_empty());
}

#[test]
fn an_ephemeral_resume_does_not_touch_the_session() {
    let (server, world) = answering(2);
    world.run(&["first"]).expect(0);
    let before = std::fs::read(world.session()).unwrap();
    world.run(&["--ephemeral", "exec", "resume", "--last", "second"]).expect(0);
    assert_eq!(asked(&server.requests()[1]), ["first", "second"]);
    assert_eq!(std::fs::read(world.session()).unwrap(), before);
}

#[test]
fn a_session_that_is_open_elsewhere_is_left_alone() {
    use super::support::speech::{message, response};
    use super::support::{FakeServer, Gate, Reply, Step, speech};
    let gate = Gate::default();
    let held = vec![Step::Wait(gate.clone()), Step::Write(speech::sse(&response(&[message("done")])))];
    let server = FakeServer::start(vec![Reply::stream(held)]);
    let world = World::of(&server);
    let first = world.start(&["hi"]);
    server.wait_for_requests(1);
    world.run(&["exec", "resume", "--last", "me too"]).expect(5).says(&["open in another process", "hint:"]);
    gate.open();
    first.wait().expect(0);
    assert_eq!(server.requests().len(), 1);
}
