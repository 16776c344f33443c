//! `hone demo`: a whole turn without a key or a network.

use std::process::Command;

use super::support::World;

#[test]
fn the_demo_mends_the_script_and_records_it() {
    let world = World::new();
    let ended = world.run(&["demo"]).expect(0).says(&["$ sh test.sh", "exit 1", "M slugify.sh", "[x]", "tokens:"]);
    assert!(ended.stdout.starts_with("The test passes now."), "{}", ended.stdout);
    for progress in ["hone", "$ sh", "tokens", "\u{1b}"] {
        assert!(!ended.stdout.contains(progress), "{}", ended.stdout);
    }
    let (_, folder) = ended.stderr.rsplit_once("cd ").unwrap();
    let folder = folder.split_once(" &&").unwrap().0;
    assert!(folder.starts_with(world.root().to_str().unwrap()), "made in TMPDIR: {folder}");
    let test = Command::new("sh").arg("test.sh").current_dir(folder).output().unwrap();
    assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stdout));

    // As docs/rollout-format.md has it.
    let lines = world.lines();
    for (number, line) in lines.iter().enumerate() {
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["timestamp", "type", "payload"]);
        let kind = line["type"].as_str().unwrap();
        assert_eq!(kind == "session_meta", number == 0);
        assert!(["session_meta", "response_item", "event_msg", "turn_context"].contains(&kind), "{kind}");
    }
    let meta = &lines[0]["payload"];
    for field in ["id", "timestamp", "cwd", "originator", "cli_version"] {
        assert!(meta[field].is_string(), "{field}");
    }
    let session = world.session();
    let name = session.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("rollout-2") && name.ends_with(&format!("-{}.jsonl", world.session_id())), "{name}");
    assert_eq!((meta["cwd"].as_str(), meta["source"].as_str()), (Some(folder), Some("exec")));
    let calls = world.items().iter().filter(|item| item["type"].as_str().unwrap().ends_with("_call")).count();
    let outputs = world.items().iter().filter(|item| item["type"].as_str().unwrap().ends_with("_output")).count();
    assert_eq!((calls, outputs), (7, 7));
    let events = world.events();
    assert_eq!((events[0].as_str(), events.last().unwrap().as_str()), ("task_started", "task_complete"));
    assert_eq!(events.iter().filter(|event| *event == "token_count").count(), 4);
    assert_eq!(lines.last().unwrap()["payload"]["last_agent_message"].as_str(), Some(ended.stdout.trim_end()));
}

#[test]
fn the_demo_needs_no_usable_provider() {
    let world = World::new();
    world.write_home("config.toml", "model_provider = \"mine\"\n[model_providers.mine]\nname = \"Mine\"\nbase_url = \"http://127.0.0.1:1\"\nenv_key = \"NOT_SET\"\n");
    world.run(&["demo", "--ephemeral"]).expect(0);
    assert!(world.sessions().is_empty());
}
