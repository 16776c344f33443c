//! The sandbox of a session: its commands, its patches, its end, and its own failures.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hone::exec::{Containment, Launch, Sessions, SpawnError};
use hone::sandbox::{Ladder, Mechanism, Mode, Sandbox, SandboxError, SandboxSpec, ladder::Step};
use hone::tools::command::Commands;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::support::speech::{call, message, response};
use super::support::{FakeServer, Reply, World, outputs};

const NO_TMP: [&str; 4] = [
    "-c",
    "sandbox_workspace_write.exclude_slash_tmp=true",
    "-c",
    "sandbox_workspace_write.exclude_tmpdir_env_var=true",
];

#[test]
fn commands_and_patches_of_a_turn_are_contained_and_the_model_is_told() {
    if super::mechanisms().is_empty() {
        return;
    }
    let patch = |path: &str| json!({"input": format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch")});
    let run = |script: &str| json!({"cmd": script, "login": false});
    let calls = [
        call("1", "exec_command", &run("echo x > sub/ours; echo x > ../outside")),
        call("2", "exec_command", &run("echo x > .git/hooks/pre-commit")),
        call("3", "shell", &json!({"command": ["sh", "-c", "echo x > ../outside"]})),
        call("4", "apply_patch", &patch("../outside")),
        call("5", "apply_patch", &patch("innocent/pre-commit")),
        call("6", "apply_patch", &patch("patched")),
        call("7", "exec_command", &json!({"cmd": "echo x > ../outside", "tty": true, "login": false})),
    ];
    let server = FakeServer::start(vec![Reply::sse(&response(&calls)), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    std::fs::create_dir_all(world.project().join("sub")).unwrap();
    std::fs::create_dir_all(world.project().join(".git/hooks")).unwrap();
    std::os::unix::fs::symlink(".git/hooks", world.project().join("innocent")).unwrap();
    let ended = world.run(&[&["-s", "workspace-write"], &NO_TMP[..], &["go"]].concat()).expect(0);
    ended.says(&["workspace-write, by "]);
    assert!(!world.root().join("outside").exists() && !world.project().join(".git/hooks/pre-commit").exists());
    assert_eq!((world.read_project("sub/ours"), world.read_project("patched")), ("x\n".into(), "x\n".into()));
    let requests = server.requests();
    let told = requests[0].body["input"].to_string();
    for words in ["`sandbox_mode` is `workspace-write`", "The network is closed", "`.git`", "Folders you may write to"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    let answers = outputs(requests[1].input());
    let answers = format!("{answers:?}");
    assert!(answers.contains("outside the folders that may be written"), "{answers}");
    assert!(answers.contains("kept read-only inside"), "{answers}");
}

#[test]
fn nothing_is_written_under_read_only_and_more_with_add_dir() {
    if super::mechanisms().is_empty() {
        return;
    }
    let script = json!({"cmd": "echo x > sub/a; echo x > ../more/b", "login": false});
    let answer = || {
        vec![Reply::sse(&response(&[call("1", "exec_command", &script)])), Reply::sse(&response(&[message("done")]))]
    };
    for (options, written) in [
        (&["-s", "read-only"][..], (false, false)),
        (&["-s", "workspace-write"], (true, false)),
        (&["-s", "workspace-write", "--add-dir", "../more"], (true, true)),
        (&["--dangerously-bypass-approvals-and-sandbox"], (true, true)),
    ] {
        let server = FakeServer::start(answer());
        let world = World::of(&server);
        let more = world.root().join("more");
        std::fs::create_dir_all(&more).unwrap();
        std::fs::create_dir_all(world.project().join("sub")).unwrap();
        world.run(&[options, &NO_TMP[..], &["go"]].concat()).expect(0);
        let found = (world.project().join("sub/a").exists(), more.join("b").exists());
        assert_eq!(found, written, "{options:?}");
    }
}

fn commands(sandbox: Containment, sessions: &Arc<Sessions>) -> Commands {
    let mut commands = super::deps::tool_deps().commands;
    commands.sessions = Arc::clone(sessions);
    commands.sandbox = Some(sandbox);
    commands
}

fn launch(sandbox: Containment, script: &str) -> Launch {
    Launch {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        cwd: "/".into(),
        vars: Arc::default(),
        thread_id: String::new(),
        call_id: String::new(),
        tty: false,
        sandbox: Some(sandbox),
    }
}

#[tokio::test]
async fn a_broken_sandbox_is_no_failure_of_the_command() {
    let works = |mechanism| vec![Step { mechanism, state: Ok(String::new()) }];
    let broken = Ladder { steps: works(Mechanism::Bubblewrap), bubblewrap: Some("/bin/false".into()), landlock: None };
    let sandbox = Sandbox::new(SandboxSpec::new(Mode::ReadOnly), &broken, None).unwrap();
    let sessions = Arc::new(Sessions::new());
    let commands = commands(sandbox.into(), &sessions);
    let launch = launch(commands.sandbox.clone().unwrap(), "exit 0");
    let ran = commands.run(&launch, Duration::from_secs(30), &CancellationToken::new()).await;
    assert!(matches!(ran, Err(SpawnError::Sandbox(SandboxError::Wrapper(_)))), "{:?}", ran.err());
    let nothing = Ladder { steps: Vec::new(), bubblewrap: None, landlock: None };
    let refused = Sandbox::new(SandboxSpec::new(Mode::ReadOnly), &nothing, None);
    assert!(matches!(refused, Err(SandboxError::Unavailable(_))));
}

#[tokio::test]
async fn a_command_that_fails_is_no_failure_of_the_sandbox() {
    for mechanism in super::mechanisms() {
        let sandbox = Containment::new(SandboxSpec::new(Mode::ReadOnly), Some(mechanism)).unwrap();
        let sessions = Arc::new(Sessions::new());
        let commands = commands(sandbox.clone(), &sessions);
        for (script, code) in [("exit 1", 1), ("kill -9 $$", 137), ("sleep 100 & exit 3", 3)] {
            let launch = launch(sandbox.clone(), script);
            let ran = commands.run(&launch, Duration::from_secs(30), &CancellationToken::new()).await;
            assert_eq!(ran.unwrap().unwrap().code(), code, "{script} by {}", mechanism.name());
        }
    }
}

#[tokio::test]
async fn no_child_outlives_the_session() {
    for mechanism in super::mechanisms() {
        let sandbox = Containment::new(SandboxSpec::new(Mode::ReadOnly), Some(mechanism)).unwrap();
        let sessions = Arc::new(Sessions::new());
        let commands = commands(sandbox.clone(), &sessions);
        let length = format!("{}.5", 100_000 + std::process::id());
        let script = format!("setsid sleep {length} & (setsid sleep {length} &) ; sleep {length} & echo started");
        let ran = commands.run(&launch(sandbox, &script), Duration::from_secs(30), &CancellationToken::new()).await;
        assert_eq!(ran.unwrap().unwrap().code(), 0);
        sessions.shutdown().await;
        assert!(!runs(&length), "a child outlived the session under {}", mechanism.name());
    }
}

#[tokio::test]
async fn a_command_that_runs_too_long_is_ended_and_says_so() {
    let mut spec = SandboxSpec::unrestricted();
    spec.limits.wall_time = Some(Duration::from_millis(50));
    let sandbox = Containment::new(spec, None).unwrap();
    let sessions = Arc::new(Sessions::new());
    let commands = commands(sandbox.clone(), &sessions);
    let ran = commands.run(&launch(sandbox, "sleep 1000"), Duration::from_secs(30), &CancellationToken::new()).await;
    let ended = ran.unwrap().unwrap();
    let (text, _) = ended.text(hone::text::truncate::OutputLimit::Tokens(1000));
    assert_eq!(ended.code(), 137);
    assert!(text.contains("ran longer than the 0.05 s"), "{text}");
}

/// Whether a living process has this among its arguments.
fn runs(argument: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let state = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
            && !state.contains(") Z ")
            && entry.path() != Path::new("/proc/self")
    })
}

#[test]
fn a_link_put_where_something_was_given_gives_nothing() {
    let Some(mechanism) = super::mechanisms().into_iter().next() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::canonicalize(folder.path()).unwrap();
    let (place, elsewhere) = (root.join("out"), root.join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    let sandbox = Containment::new(SandboxSpec::new(Mode::ReadOnly), Some(mechanism)).unwrap();
    let extra = hone::protocol::Extra { writable: vec![place.clone()], network: false };
    let permit = hone::agent::ports::Permit { extra, ..Default::default() };
    let may = |path: &Path| {
        let held = hone::exec::containment::for_call(Some(&sandbox), &permit).unwrap();
        held.check_write(&path.join("file")).is_ok()
    };
    assert!(may(&place) && !may(&elsewhere));
    std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
    assert!(!may(&place) && !may(&elsewhere));
}

#[test]
fn what_may_not_be_read_is_not_read_by_tools_either() {
    if super::mechanisms().is_empty() {
        return;
    }
    let calls = [
        call("1", "read_file", &json!({"file_path": "secret/key"})),
        call("2", "read_file", &json!({"file_path": "link"})),
        call("3", "grep_files", &json!({"pattern": "hush", "lines": true})),
        call("4", "grep_files", &json!({"pattern": "hush", "path": "link", "lines": true})),
        call("5", "list_dir", &json!({"dir_path": "secret"})),
        call("6", "view_image", &json!({"path": "secret/key"})),
        call("7", "read_file", &json!({"file_path": "open"})),
    ];
    let server = FakeServer::start(vec![Reply::sse(&response(&calls)), Reply::sse(&response(&[message("done")]))]);
    let world = World::of(&server);
    world.write_project("secret/key", "hush-hush");
    world.write_project("open", "nothing to hide");
    std::os::unix::fs::symlink("secret/key", world.project().join("link")).unwrap();
    let hidden = format!("sandbox_denied_reads=[\"{}\"]", world.project().join("secret").display());
    world.run(&["-s", "read-only", "-c", &hidden, "go"]).expect(0);
    let answers = outputs(server.requests()[1].input());
    let told = format!("{answers:?}");
    assert!(!told.contains("hush-hush"), "{told}");
    for (at, words) in
        [(0, "permission denied"), (2, "No matches found."), (4, "may not be read"), (5, "may not be read")]
    {
        assert!(answers[at].1.contains(words), "{told}");
    }
    assert!(answers[6].1.contains("nothing to hide"), "{told}");
}
