//! `hone policy check`.

use crate::support::World;

#[test]
fn a_verdict_comes_with_its_rule_and_its_reason() {
    let world = World::new();
    world.write_home(
        "rules/team.rules",
        "# ours\n\nprefix_rule(pattern=[\"npm\", \"publish\"], decision=\"forbidden\", justification=\"CI does it\")\n",
    );
    world.write_home("rules/broken.rules", "prefix_rule(pattern=[\"ls\"],\n  decision=\"perhaps\")\n");
    let ended = world.run(&["policy", "check", "-s", "danger-full-access", "--", "make && npm publish"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.starts_with("refuse: a rule forbids it: CI does it\nrule: "), "{ended:?}");
    assert!(ended.stdout.contains("team.rules:3: forbidden npm publish"), "{ended:?}");
    assert!(ended.stderr.contains("broken.rules:1: decision is \"allow\", \"prompt\" or \"forbidden\""), "{ended:?}");
}

#[test]
fn options_stand_in_for_the_configuration() {
    let world = World::new();
    let check = |more: &[&str]| world.run(&[&["policy", "check", "--json"], more].concat());
    let ended = check(&["--approval", "untrusted", "-s", "danger-full-access", "--", "cargo", "test"]);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["verdict"], "ask", "{ended:?}");
    assert_eq!(json["always"], serde_json::json!(["cargo", "test"]));
    world.write_project("mine.rules", "prefix_rule(pattern=[\"cargo\", [\"test\", \"build\"]])\n");
    let ended = check(&["--rules", "mine.rules", "--approval", "untrusted", "--", "cargo test --all"]);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["contained"]), (&"allow".into(), &false.into()), "{ended:?}");
    world.write_project("mine.rules", "prefix_rule(pattern=[\"ls\"])\n\nprefix_rule(pattern=[ls])\n");
    let ended = check(&["--rules", "mine.rules", "--", "ls"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("mine.rules:3: `ls` is not known; texts stand in quotes"), "{ended:?}");
}

#[test]
fn without_a_command_there_is_a_hint() {
    let ended = World::new().run(&["policy", "check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("hone policy check -- git push"), "{ended:?}");
}
