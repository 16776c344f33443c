//! Nothing waits for a background process, and nothing is left behind.

use super::*;
use hone::exec::Launch;

/// Long enough that a test which waited for it would be noticed.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_background_process_is_not_waited_for_and_ends_with_the_store() {
    let bench = Bench::new();
    let started = Instant::now();
    let output = bench.exec("sleep 60 & echo $!").await;
    assert!(started.elapsed() < LONG);
    assert_eq!(output.exit_code, Some(0));
    let pid = output.shown.trim().to_owned();
    assert!(is_alive(&pid));
    assert!(bench.sessions().is_empty());
    drop(bench);
    gone(&pid).await;
}

#[tokio::test]
async fn a_background_process_that_goes_on_printing_lives() {
    let bench = Bench::new();
    let script = "(i=0; while [ $i -lt 30000 ]; do echo 0123456789; i=$((i+1)); done; echo through > done.tmp; \
                  mv done.tmp done; exec sleep 60) & mkfifo never; echo hi";
    assert_eq!(bench.exec(script).await.exit_code, Some(0));
    let started = Instant::now();
    while !bench.path("done").exists() {
        assert!(started.elapsed() < LONG, "its output is full or closed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_interrupt_kills_the_whole_tree() {
    for script in [
        "sleep 60 & echo $! > $READY; wait",
        "(sleep 60 & echo $! > $READY; wait) | cat",
        "setsid sh -c 'echo $$ > '$READY'; exec sleep 60'",
        "(setsid sh -c 'echo $$ > '$READY'; exec sleep 60' &) ; sleep 60",
        "trap '' TERM INT HUP; echo $$ > $READY; while :; do sleep 60; done",
    ] {
        let bench = Arc::new(Bench::new());
        let (pid, call) = bench.begin(script).await;
        assert!(is_alive(&pid), "{script}");
        let interrupted = Instant::now();
        bench.cx.cancel.cancel();
        let output = call.await.unwrap();
        assert!(interrupted.elapsed() < Duration::from_secs(2), "{script}");
        assert_eq!((text(&output), output.ok), ("aborted", false));
        gone(&pid).await;
        assert!(bench.sessions().is_empty());
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_process_along() {
    let bench = Arc::new(Bench::new());
    let (pid, call) = bench.begin("echo $$ > $READY; exec sleep 60").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    gone(&pid).await;
}

#[tokio::test]
async fn shutdown_ends_sessions_leftovers_and_daemons() {
    let bench = Bench::new();
    let daemon = bench.exec("(setsid sh -c 'echo $$; exec sleep 60' &)").await.shown.trim().to_owned();
    let leftover = bench.exec("nohup sleep 60 > /dev/null 2>&1 & echo $!").await.shown.trim().to_owned();
    let args = json!({"cmd": "echo $$; exec sleep 60", "login": false, "yield_time_ms": 1000});
    let session = bench.call("exec_command", args).await.shown.trim().to_owned();
    for pid in [&daemon, &leftover, &session] {
        assert!(is_alive(pid));
    }
    bench.sessions().shutdown().await;
    for pid in [&daemon, &leftover, &session] {
        gone(pid).await;
    }
}

#[tokio::test]
async fn one_store_leaves_the_processes_of_another_alone() {
    let (bench, other) = (Bench::new(), Bench::new());
    let pid = bench.exec("setsid sleep 60 & echo $!").await.shown.trim().to_owned();
    assert_eq!(other.exec("sleep 60 &").await.exit_code, Some(0));
    other.sessions().shutdown().await;
    assert!(is_alive(&pid));
}

#[tokio::test]
async fn the_sixty_fifth_process_makes_the_first_one_go() {
    let bench = Bench::new();
    let launch = Launch {
        argv: ["/bin/sh", "-c", "echo $$; exec sleep 60"].map(str::to_owned).to_vec(),
        cwd: bench.cx.cwd.clone(),
        vars: bench.deps.commands.env.plain(),
        thread_id: String::new(),
        call_id: String::new(),
        tty: false,
        sandbox: None,
    };
    let sessions = bench.sessions();
    let ids: Vec<i32> = (0..70).map(|_| sessions.start(&launch).unwrap().keep()).collect();
    assert_eq!(sessions.len(), 64);
    assert!(ids.iter().all(|id| (1000..100_000).contains(id)));
    let (gone_ids, kept) = ids.split_at(6);
    assert!(gone_ids.iter().all(|id| sessions.find(*id).is_none()));
    assert!(kept.iter().all(|id| sessions.find(*id).is_some()));
    // `find` counts as use, so that the seventh is now the one used longest ago, unless it is looked at again.
    sessions.find(kept[0]).unwrap();
    sessions.start(&launch).unwrap().keep();
    assert!(sessions.find(kept[0]).is_some());
    assert!(sessions.find(kept[1]).is_none());
}
