//! Options and the configuration they change.

use super::answering;
use super::support::World;

#[test]
fn options_change_what_is_asked() {
    let (server, world) = answering(4);
    world.write_home("careful.config.toml", "model_reasoning_effort = \"high\"\n");
    std::fs::create_dir_all(world.project().join("sub")).unwrap();
    world.run(&["-m", "other-model", "hi"]).expect(0);
    world.run(&["exec", "-p", "careful", "hi"]).expect(0);
    world.run(&["hi", "-c", "model_reasoning_effort=low", "-c", "model=\"third\""]).expect(0);
    world.run(&["exec", "hi", "-C", "sub"]).expect(0);
    let requests = server.requests();
    let (effort, model) = (|n: usize| &requests[n].body["reasoning"]["effort"], |n: usize| &requests[n].body["model"]);
    assert_eq!((model(0), effort(0)), (&"other-model".into(), &serde_json::Value::Null));
    assert_eq!((model(1), effort(1)), (&"test-model".into(), &"high".into()));
    assert_eq!((model(2), effort(2)), (&"third".into(), &"low".into()));
    let sub = world.project().join("sub");
    assert!(requests[3].body["input"].to_string().contains(sub.to_str().unwrap()));
    assert_eq!(requests[0].header("authorization"), Some("Bearer sk-fake-key"));
}

#[test]
fn an_ephemeral_session_leaves_nothing() {
    let (_server, world) = answering(1);
    world.run(&["--ephemeral", "hi"]).expect(0).says(&["not recorded"]);
    let left: Vec<_> = std::fs::read_dir(world.home()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.toml"]);
}

#[test]
fn explain_says_where_a_value_comes_from() {
    let world = World::at("http://127.0.0.1:1/v1");
    let ended = world.run(&["config", "explain", "model", "-m", "mine"]).expect(0);
    for text in ["model = \"mine\"", "--model", "config.toml:1"] {
        assert!(ended.stdout.contains(text), "{}", ended.stdout);
    }
    let all = world.run(&["config", "explain"]).expect(0).stdout;
    assert!(all.contains("model_providers.fake.base_url"), "{all}");
    world.run(&["config", "explain", "modle"]).expect(2).says(&["modle", "model"]);
    assert!(world.sessions().is_empty());
}

#[test]
fn typos_are_told() {
    let (server, world) = answering(1);
    for args in [
        &["--modle", "x", "hi"][..],
        &["exec", "--modle", "x", "hi"],
        &["--color", "sometimes", "hi"],
        &["-s", "everything", "hi"],
        &["-c", "model", "hi"],
        &["-C", "no-such-folder", "hi"],
        &["-C", ".git/HEAD", "hi"],
        &["-p", "no-such-profile", "hi"],
        &["exec", "resume", "--lats"],
        &["exec", "resume", "--all"],
        &["config", "explian"],
        &["--record", "a", "--replay", "b", "hi"],
        &["-m"],
    ] {
        let ended = world.run(args).expect(2);
        assert_eq!(ended.stdout, "", "{args:?}");
        assert!(!ended.stderr.is_empty() && !ended.stderr.contains("panicked"), "{args:?}: {}", ended.stderr);
    }
    assert!(server.requests().is_empty() && world.sessions().is_empty());
}

#[test]
fn help_and_version_are_answers() {
    let world = World::new();
    for (args, text) in [
        (&["--help"][..], "hone demo"),
        (&["exec", "--help"], "resume"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["help"], "Usage"),
    ] {
        let ended = world.run(args).expect(0);
        assert!(ended.stdout.contains(text) && ended.stderr.is_empty(), "{args:?}: {}", ended.stdout);
    }
}
