//! Arguments, refusals and the answers of the older tools.

use super::*;
use hone::agent::ports::Access;
use hone::protocol::event::Activity;

#[tokio::test]
async fn arguments_that_cannot_be_read_are_answered() {
    let bench = Bench::new();
    for (tool, input, expected) in [
        ("exec_command", "{}", "missing field `cmd` at line 1 column 2"),
        ("exec_command", "{oops", "key must be a string at line 1 column 2"),
        (
            "write_stdin",
            r#"{"session_id":"424242"}"#,
            "invalid type: string \"424242\", expected i32 at line 1 column 22",
        ),
        ("shell", r#"{"command":"ls"}"#, "invalid type: string \"ls\", expected a sequence at line 1 column 15"),
        ("shell_command", "{}", "missing field `command` at line 1 column 2"),
    ] {
        let output = bench.tool(tool).call(input, &bench.cx).await;
        assert_eq!(text(&output), format!("failed to parse function arguments: {expected}"));
        assert!(!output.ok);
        assert_eq!(bench.tool(tool).access(input, &bench.cx.cwd), None);
    }
    let extra = json!({"cmd": "echo hi", "login": false, "sandbox_permissions": "require_escalated", "extra": 1});
    assert_eq!(bench.call("exec_command", extra).await.shown, "hi\n");
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let bench = Bench::new();
    std::fs::write(bench.path("file"), "").unwrap();
    let (missing, file) = (bench.path("nowhere"), bench.path("file"));
    for (tool, args, expected) in [
        (
            "exec_command",
            json!({"cmd": "true", "workdir": "nowhere", "login": false}),
            format!("exec_command failed: the folder {} does not exist", missing.display()),
        ),
        (
            "exec_command",
            json!({"cmd": "true", "workdir": file, "login": false}),
            format!("exec_command failed: {} is not a folder", file.display()),
        ),
        ("shell", json!({"command": []}), "execution error: command args are empty".to_owned()),
        (
            "shell",
            json!({"command": ["no-such-program"]}),
            "execution error: there is no program `no-such-program` in this environment's PATH".to_owned(),
        ),
        (
            "shell",
            json!({"command": ["/no/such/program"]}),
            "execution error: `/no/such/program` could not be started: No such file or directory (os error 2)"
                .to_owned(),
        ),
    ] {
        assert_eq!(text(&bench.call(tool, args).await), expected);
    }
    let zero = bench.exec("echo \0").await;
    assert!(text(&zero).starts_with("exec_command failed: `/bin/bash` could not be started:"), "{}", text(&zero));
    assert!(bench.sessions().is_empty());
}

#[tokio::test]
async fn a_workdir_starts_at_the_folder_of_the_turn() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("sub")).unwrap();
    for (workdir, folder) in [("sub", bench.path("sub")), ("", bench.cx.cwd.clone()), ("/", PathBuf::from("/"))] {
        let output = bench.call("exec_command", json!({"cmd": "pwd -P", "workdir": workdir, "login": false})).await;
        assert_eq!(output.shown.trim_end(), folder.canonicalize().unwrap().to_str().unwrap());
    }
}

#[tokio::test]
async fn shell_answers_in_json() {
    let bench = Bench::new();
    for name in ["shell", "container.exec"] {
        let output = bench.call(name, json!({"command": ["bash", "-c", "echo err >&2; echo hi; exit 3"]})).await;
        let answer: Value = serde_json::from_str(text(&output)).unwrap();
        assert_eq!(answer["output"], "err\nhi\n");
        assert_eq!(answer["metadata"]["exit_code"], 3);
        assert!(answer["metadata"]["duration_seconds"].is_f64());
        assert_eq!((output.shown.as_str(), output.exit_code, output.ok), ("err\nhi\n", Some(3), false));
    }
    let long = bench.call("shell", json!({"command": ["seq", "20000"]})).await;
    let answer: Value = serde_json::from_str(text(&long)).unwrap();
    assert!(answer["output"].as_str().unwrap().starts_with("Total output lines: 20000\n\n1\n2\n"));
}

#[tokio::test]
async fn shell_command_answers_in_text() {
    let bench = Bench::new();
    let output = bench.call("shell_command", json!({"command": "echo hi; echo err >&2", "login": false})).await;
    let lines: Vec<&str> = text(&output).lines().collect();
    assert!(lines[1].starts_with("Wall time: ") && lines[1].ends_with(" seconds"));
    assert_eq!([&lines[..1], &lines[2..]].concat(), ["Exit code: 0", "Output:", "hi", "err"]);
    let long = bench.call("shell_command", json!({"command": "seq 20000", "login": false})).await;
    assert!(text(&long).contains(" seconds\nTotal output lines: 20000\nOutput:\n1\n2\n"));
}

#[tokio::test]
async fn older_tools_kill_what_takes_too_long() {
    let bench = Bench::new();
    let args = json!({"command": ["bash", "-c", "setsid sleep 60 & echo $!; wait"], "timeout_ms": 300});
    let output = bench.call("shell", args).await;
    let (head, pid) = output.shown.trim_end().split_once('\n').unwrap();
    assert!(head.starts_with("command timed out after ") && head.ends_with(" milliseconds"));
    assert_eq!((output.exit_code, output.ok), (Some(124), false));
    gone(pid).await;
    let args = json!({"command": "sleep 60", "login": false, "timeout_ms": 1});
    assert!(text(&bench.call("shell_command", args).await).starts_with("Exit code: 124\n"));
    assert!(bench.sessions().is_empty());
}

#[tokio::test]
async fn a_patch_written_as_a_command_starts_no_shell() {
    let bench = Bench::new();
    let heredoc = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch\nEOF";
    let done = bench.exec(heredoc).await;
    let (wall, rest) = text(&done).split_once('\n').unwrap();
    assert!(wall.starts_with("Wall time: "));
    let success = "Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA a.txt\n";
    assert_eq!(rest, format!("Output:\n{success}"));
    assert_eq!(std::fs::read_to_string(bench.path("a.txt")).unwrap(), "hello\n");
    let missing = heredoc.replace("Add File: a.txt\n+hello", "Delete File: none.txt");
    assert!(text(&bench.exec(&missing).await).starts_with("apply_patch verification failed: Failed to read "));
    for (tool, args) in
        [("shell", json!({"command": ["bash", "-lc", heredoc]})), ("shell_command", json!({"command": heredoc}))]
    {
        assert_eq!(text(&bench.call(tool, args).await), success);
    }
}

#[test]
fn calls_say_what_they_are_about_to_do() {
    let bench = Bench::new();
    let cwd = Path::new("/work");
    let exec = bench.tool("exec_command");
    let input = r#"{"cmd":"ls -l","workdir":"sub","shell":"/bin/sh"}"#;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let runs = |command: &str, argv: &[&str], cwd: &str| Activity::Exec {
        command: command.into(),
        argv: words(argv),
        cwd: cwd.into(),
    };
    let argv = |argv: &[&str]| Some(Access::Exec(words(argv)));
    assert_eq!(exec.activity(input, cwd), runs("ls -l", &["/bin/sh", "-lc", "ls -l"], "/work/sub"));
    assert_eq!(exec.access(input, cwd), argv(&["/bin/sh", "-lc", "ls -l"]));
    let patch = json!({"cmd": "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: a\n+b\n*** Delete File: /etc/c\n*** End Patch\nEOF\n"});
    let paths = vec!["a".into(), "/etc/c".into()];
    assert_eq!(exec.activity(&patch.to_string(), cwd), Activity::Patch { paths });
    let shell = bench.tool("shell");
    let input = r#"{"command":["bash","-lc","ls"]}"#;
    assert_eq!(shell.activity(input, cwd), runs("ls", &["bash", "-lc", "ls"], "/work"));
    assert_eq!(shell.access(input, cwd), argv(&["bash", "-lc", "ls"]));
    assert_eq!(exec.activity("{oops", cwd), runs("{oops", &[], "/work"));
}
