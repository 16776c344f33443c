//! A run of one turn asks nobody.

use serde_json::json;

use super::support::speech::{call, message, response};
use super::support::{FakeServer, Reply, World, outputs};

/// Runs a turn with these calls and returns their answers.
fn answers(world: &World, server: &FakeServer, args: &[&str]) -> Vec<(String, String)> {
    world.run(&[args, &["go"]].concat()).expect(0);
    outputs(server.requests()[1].input())
}

fn server(calls: &[serde_json::Value]) -> FakeServer {
    FakeServer::start(vec![Reply::sse(&response(calls)), Reply::sse(&response(&[message("done")]))])
}

/// A home without a word on what is allowed.
fn world(server: &FakeServer) -> World {
    let world = World::of(server);
    let config = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
    let silent =
        config.lines().filter(|line| !line.starts_with("sandbox_mode") && !line.starts_with("approval_policy"));
    world.write_home("config.toml", &silent.collect::<Vec<_>>().join("\n"));
    world
}

fn has_sandbox() -> bool {
    let found = hone::exec::containment::ladder().best().is_some();
    if !found {
        eprintln!("skipped: this machine has no sandbox");
    }
    found
}

#[test]
fn what_a_run_may_do_by_default_depends_on_what_was_said_of_the_project() {
    if !has_sandbox() {
        return;
    }
    for (trust, mode, wrote) in [
        (None, "read-only", false),
        (Some("trusted"), "workspace-write", true),
        (Some("untrusted"), "workspace-write", true),
    ] {
        let server =
            server(&[call("1", "exec_command", &json!({"cmd": "mkdir -p sub && echo x > sub/a", "login": false}))]);
        let world = world(&server);
        std::fs::create_dir(world.project().join("sub")).unwrap();
        if let Some(trust) = trust {
            let config = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
            let project = world.project();
            world.write_home(
                "config.toml",
                &format!("{config}\n[projects.\"{}\"]\ntrust_level = \"{trust}\"\n", project.display()),
            );
        }
        answers(&world, &server, &[]);
        let told = server.requests()[0].body["input"].to_string();
        assert!(told.contains(&format!("`sandbox_mode` is `{mode}`")), "{trust:?}");
        assert!(told.contains("`approval_policy` is `never`"), "{trust:?}");
        assert_eq!(world.project().join("sub/a").exists(), wrote, "{trust:?}");
    }
}

#[test]
fn what_would_be_asked_is_refused_with_the_reason_and_nothing_runs() {
    if !has_sandbox() {
        return;
    }
    let escalated =
        json!({"cmd": "touch escaped", "sandbox_permissions": "require_escalated", "justification": "Please?"});
    let calls = [
        call("1", "exec_command", &escalated),
        call("2", "shell", &json!({"command": ["rm", "-rf", "/"]})),
        call("3", "exec_command", &json!({"cmd": "git push --force origin main"})),
        call("4", "shell_command", &json!({"command": "terraform apply"})),
        call("5", "exec_command", &json!({"cmd": "ls", "login": false})),
    ];
    for (args, reasons) in [
        (&[][..], ["it asks to run outside the sandbox", "the whole machine", "dangerous: ", "no deploys from here"]),
        (&["-a", "on-request"], ["nobody can be asked in this run"; 4]),
    ] {
        let server = server(&calls);
        let world = world(&server);
        let rule =
            "prefix_rule(pattern = [\"terraform\"], decision = \"prompt\", justification = \"no deploys from here\")\n";
        world.write_home("rules/mine.rules", rule);
        let answers = answers(&world, &server, args);
        for ((id, answer), reason) in answers.iter().zip(reasons) {
            assert!(answer.starts_with("Refused, and not run: ") && answer.contains(reason), "{args:?} {id}: {answer}");
        }
        assert!(answers[3].1.contains("no deploys from here"), "{answers:?}");
        assert!(answers[4].1.contains("Process exited with code 0"), "{answers:?}");
        assert!(!world.project().join("escaped").exists());
    }
}

#[test]
fn rules_of_the_person_decide_before_the_mode_does() {
    if !has_sandbox() {
        return;
    }
    let calls = [
        call("1", "exec_command", &json!({"cmd": "touch by-rule", "login": false})),
        call("2", "exec_command", &json!({"cmd": "touch other", "login": false})),
        call("3", "exec_command", &json!({"cmd": "ls -l", "login": false})),
    ];
    let server = server(&calls);
    let world = world(&server);
    world.write_home(
        "rules/mine.rules",
        "prefix_rule(pattern = [\"touch\", \"by-rule\"])\n\
         prefix_rule(pattern = [\"ls\", \"-l\"], decision = \"forbidden\", justification = \"use list_dir\")\n",
    );
    let answers = answers(&world, &server, &["-s", "read-only"]);
    assert!(world.project().join("by-rule").exists(), "a rule that allows lets it run outside the sandbox");
    assert!(!world.project().join("other").exists() && answers[1].1.contains("Read-only file system"), "{answers:?}");
    for word in ["a rule forbids it: use list_dir", "mine.rules:2: forbidden ls -l"] {
        assert!(answers[2].1.contains(word), "{answers:?}");
    }
}

#[test]
fn without_a_sandbox_and_without_questions_what_is_dangerous_is_refused_and_all_else_runs() {
    let calls = [
        call("1", "exec_command", &json!({"cmd": "touch made", "login": false})),
        call("2", "exec_command", &json!({"cmd": "rm -rf ~", "login": false})),
    ];
    let server = server(&calls);
    let world = world(&server);
    let answers = answers(&world, &server, &["--dangerously-bypass-approvals-and-sandbox"]);
    assert!(world.project().join("made").exists());
    assert!(answers[1].1.starts_with("Refused, and not run: dangerous: "), "{answers:?}");
}
