//! Terminals, and what may be typed where there is none.

use super::*;

#[tokio::test]
async fn a_command_without_terminal_has_no_input() {
    let bench = Bench::new();
    let output = bench.exec("cat; test -t 0 || test -t 1 || test -t 2 || echo none").await;
    assert_eq!(output.shown, "none\n");
}

#[tokio::test]
async fn a_terminal_is_one() {
    let bench = Bench::new();
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size && ps -o tpgid= -p $$ | grep -qw $$ && echo ours";
    let output = bench.call("exec_command", json!({"cmd": script, "login": false, "tty": true})).await;
    assert_eq!((output.shown.as_str(), output.exit_code), ("24 80\r\nours\r\n", Some(0)));
}

#[tokio::test]
async fn what_is_typed_is_echoed_and_read() {
    let bench = Bench::new();
    let args = json!({"cmd": "cat", "login": false, "tty": true, "yield_time_ms": 250});
    let id = session_id(&bench.call("exec_command", args).await);
    let args = json!({"session_id": id, "chars": "hello\n", "yield_time_ms": 1000});
    let typed = bench.call("write_stdin", args).await;
    assert_eq!((typed.shown.as_str(), session_id(&typed)), ("hello\r\nhello\r\n", id));
    let ended = bench.call("write_stdin", json!({"session_id": id, "chars": "\u{4}", "yield_time_ms": 30000})).await;
    assert_eq!(ended.exit_code, Some(0));
}

#[tokio::test]
async fn ctrl_c_reaches_commands_with_and_without_terminal() {
    let bench = Bench::new();
    for tty in [true, false] {
        let args = json!({"cmd": "echo up; exec sleep 60", "login": false, "tty": tty, "yield_time_ms": 250});
        let id = session_id(&bench.call("exec_command", args).await);
        let args = json!({"session_id": id, "chars": "\u{3}", "yield_time_ms": 30000});
        assert_eq!(bench.call("write_stdin", args).await.exit_code, Some(130), "tty: {tty}");
    }
}

#[tokio::test]
async fn typing_needs_a_terminal() {
    let bench = Bench::new();
    let args = json!({"cmd": "exec sleep 60", "login": false, "yield_time_ms": 250});
    let id = session_id(&bench.call("exec_command", args).await);
    let refused = bench.call("write_stdin", json!({"session_id": id, "chars": "x"})).await;
    let expected = "write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep \
                    stdin open";
    assert_eq!(text(&refused), expected);
    assert_eq!(bench.sessions().len(), 1);
}

#[tokio::test]
async fn an_interrupted_look_leaves_the_command_alone() {
    let bench = Bench::new();
    let args = json!({"cmd": "echo $$; exec sleep 60", "login": false, "yield_time_ms": 1000});
    let started = bench.call("exec_command", args).await;
    bench.cx.cancel.cancel();
    let look = bench.call("write_stdin", json!({"session_id": session_id(&started)})).await;
    assert_eq!(text(&look), "aborted");
    assert!(is_alive(started.shown.trim()));
}

#[tokio::test]
async fn a_terminal_nobody_reads_from_does_not_hold_up_the_call() {
    let bench = Bench::new();
    let args = json!({"cmd": "stty raw -echo; exec sleep 60", "login": false, "tty": true, "yield_time_ms": 1000});
    let id = session_id(&bench.call("exec_command", args).await);
    let args = json!({"session_id": id, "chars": "x".repeat(1 << 20), "yield_time_ms": 250});
    let refused = bench.call("write_stdin", args).await;
    assert!(text(&refused).contains("does not read its terminal"), "{}", text(&refused));
}

#[tokio::test]
async fn commands_cannot_reach_the_terminal_of_the_person() {
    let bench = Bench::new();
    let script =
        format!("{} --ignored --exact terminal::inside_a_terminal", std::env::current_exe().unwrap().display());
    let output = bench.call("exec_command", json!({"cmd": script, "login": false, "tty": true})).await;
    assert_eq!(output.exit_code, Some(0), "{}", output.shown);
    assert!(output.shown.contains("1 passed"), "{}", output.shown);
}

#[tokio::test]
#[ignore = "for the test above, which runs it in a terminal"]
async fn inside_a_terminal() {
    assert!(std::fs::File::open("/dev/tty").is_ok());
    let bench = Bench::new();
    let output = bench.exec("(: < /dev/tty) 2> /dev/null || echo none; sleep 60 & echo $!").await;
    let (none, pid) = output.shown.trim_end().split_once('\n').unwrap();
    assert_eq!(none, "none");
    drop(bench);
    gone(pid).await;
}
