//! The environment commands get.

use super::*;
use std::fs;

#[tokio::test]
async fn the_profile_is_read_once_and_only_when_asked_for() {
    let bench = Bench::new();
    let profile = "echo Welcome; echo read >> ~/count; export FROM_PROFILE=yes TERM=fancy PATH=/usr/bin:/bin\n";
    fs::write(bench.path(".bash_profile"), profile).unwrap();
    assert_eq!(bench.exec("echo \"[$FROM_PROFILE]\"").await.shown, "[]\n");
    assert!(!bench.path("count").exists());
    let script = json!({"cmd": "echo $FROM_PROFILE $TERM"});
    for _ in 0..3 {
        assert_eq!(bench.call("exec_command", script.clone()).await.shown, "yes dumb\n");
    }
    let older = bench.call("shell_command", json!({"command": "echo $FROM_PROFILE"})).await;
    assert_eq!(older.shown, "yes\n");
    assert_eq!(fs::read_to_string(bench.path("count")).unwrap(), "read\n");
    assert!(bench.warnings.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn parallel_first_calls_share_one_login() {
    let bench = Bench::new();
    fs::write(bench.path(".bash_profile"), "echo read >> ~/count\n").unwrap();
    let call = || bench.call("exec_command", json!({"cmd": "true"}));
    let (a, b, c) = tokio::join!(call(), call(), call());
    assert!(a.ok && b.ok && c.ok);
    assert_eq!(fs::read_to_string(bench.path("count")).unwrap(), "read\n");
}

#[tokio::test]
async fn folders_a_profile_drops_from_the_path_are_still_searched_last() {
    let bench = Bench::with(&[("PATH", "/mine:/usr/bin:/bin")], &EnvPolicy::default(), &[]);
    fs::write(bench.path(".bash_profile"), "PATH=/theirs:/bin\n").unwrap();
    let output = bench.call("exec_command", json!({"cmd": "echo $PATH"})).await;
    assert_eq!(output.shown, "/theirs:/bin:/mine:/usr/bin\n");
}

#[tokio::test]
async fn a_profile_that_ends_the_shell_is_told_once_and_does_without() {
    let bench = Bench::new();
    fs::write(bench.path(".bash_profile"), "exec true\n").unwrap();
    for _ in 0..2 {
        assert_eq!(bench.call("exec_command", json!({"cmd": "echo hi"})).await.shown, "hi\n");
    }
    let warnings = bench.warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("/bin/bash") && warnings[0].contains("profile"));
}

#[tokio::test]
async fn an_interrupt_ends_a_slow_profile() {
    let bench = Arc::new(Bench::new());
    let pipe = bench.path("ready");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(bench.path(".bash_profile"), "echo $$ > ~/ready; sleep 60\n").unwrap();
    let call = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.call("exec_command", json!({"cmd": "true"})).await }
    });
    let pid = tokio::task::spawn_blocking(move || fs::read_to_string(pipe).unwrap()).await.unwrap();
    bench.cx.cancel.cancel();
    assert_eq!(text(&call.await.unwrap()), "aborted");
    gone(pid.trim()).await;
}

#[tokio::test]
async fn commands_get_what_they_need_and_no_keys() {
    let vars = [("PROVIDER_KEY", "secret"), ("OTHER", "other"), ("TERM", "xterm"), ("LANG", "de_DE.UTF-8")];
    let bench = Bench::with(&vars, &EnvPolicy::default(), &["PROVIDER_KEY".to_owned()]);
    fs::write(bench.path(".bash_profile"), "export PROVIDER_KEY=again\n").unwrap();
    for login in [false, true] {
        let output = bench.call("exec_command", json!({"cmd": "env", "login": login})).await;
        let has = |line: &str| output.shown.lines().any(|own| own == line);
        for line in [
            "OTHER=other",
            "TERM=dumb",
            "NO_COLOR=1",
            "COLORTERM=",
            "LANG=C.UTF-8",
            "LC_ALL=C.UTF-8",
            "LC_CTYPE=C.UTF-8",
            "PAGER=cat",
            "GIT_PAGER=cat",
            "GH_PAGER=cat",
            "CODEX_CI=1",
            "CODEX_THREAD_ID=thread_1",
            "CODEX_TOOL_CALL_ID=call_1",
        ] {
            assert!(has(line), "{line}\n{}", output.shown);
        }
        assert!(!output.shown.contains("PROVIDER_KEY"));
    }
}

#[tokio::test]
async fn an_unknown_shell_gives_way_to_one_that_works() {
    let bench = Bench::new();
    for shell in ["fish", "/usr/bin/python3", "/nowhere/bash", "sh", "bash", "/bin/sh", ""] {
        let args = json!({"cmd": "echo hi", "shell": shell, "login": false});
        assert_eq!(bench.call("exec_command", args).await.shown, "hi\n", "{shell}");
    }
}
