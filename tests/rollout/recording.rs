//! Writing sessions, and what happens when that is not possible.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hone::agent::ports::Rollout as _;
use hone::protocol::RolloutError;
use hone::rollout::{NoRollout, Recorder, load};

use crate::support::*;

/// Tells a test that runs in a process of its own where to work.
const HOME: &str = "HONE_TEST_HOME";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn nothing_is_touched_before_the_first_line() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    recorder.barrier().unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    recorder.append(&user("hi")).unwrap();
    recorder.barrier().unwrap();
    let text = fs::read_to_string(recorder.path()).unwrap();
    let kinds: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["session_meta", "response_item"]);
    assert!(text.starts_with(r#"{"timestamp":"2026-11-20T19:14:07.601Z","type":"session_meta","payload":{"id":""#));
}

#[test]
fn sessions_are_for_their_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    recorder.append(&user("hi")).unwrap();
    let path = recorder.path();
    assert_eq!(mode(path), 0o600);
    let folders: Vec<u32> = path.ancestors().skip(1).take(4).map(mode).collect();
    assert_eq!(folders, [0o700; 4]);
    let expected = format!("sessions/2026/11/20/rollout-{LOCAL_TIME}-{}.jsonl", recorder.thread_id());
    assert_eq!(path, home.path().join(expected));
}

#[test]
fn what_was_recorded_is_read_back() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    turn().iter().for_each(|line| recorder.append(line).unwrap());
    let loaded = load(recorder.path()).unwrap();
    assert_eq!(loaded.meta.id, recorder.thread_id());
    assert_eq!(loaded.notice, None);
    let folded = loaded.folded;
    assert_eq!(folded.history.len(), 5);
    assert_eq!(folded.history.for_prompt().len(), 6, "the call nobody answered is answered");
    assert_eq!(folded.token_info.unwrap().total_token_usage.total_tokens, 7);
    assert!(folded.last_turn_complete);
    assert_eq!(folded.turns, 1);
    assert_eq!(folded.history.last_agent_message().as_deref(), Some("done"));
}

#[test]
fn an_ephemeral_session_is_recorded_nowhere() {
    NoRollout.append(&user("hi")).unwrap();
    NoRollout.barrier().unwrap();
}

#[test]
fn a_session_has_one_writer() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    recorder.append(&user("hi")).unwrap();
    let path = recorder.path().to_owned();
    let refused = refused(Recorder::resume(home.path(), &path, clock()));
    assert!(refused.message.contains(&recorder.thread_id().to_string()), "{refused}");
    assert!(refused.message.contains("open in another process"), "{refused}");
    assert!(refused.hint.is_some());
    drop(recorder);
    Recorder::resume(home.path(), &path, clock()).unwrap().append(&user("more")).unwrap();
    assert_eq!(items(&path).len(), 2);
}

#[test]
fn a_killed_process_leaves_whole_lines_and_no_lock() {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "recording::writes_until_killed", "--ignored", "--nocapture"])
        .env(HOME, home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        acknowledged += usize::from(line.ends_with("appended"));
        if acknowledged == 100 {
            break;
        }
    }
    assert_eq!(acknowledged, 100);
    let path = hone::rollout::list::newest_first(home.path()).unwrap().remove(0);
    let refused = refused(Recorder::resume(home.path(), &path, clock()));
    assert!(refused.message.contains("open in another process"), "{refused}");
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = Recorder::resume(home.path(), &path, clock()).unwrap();
    resumed.append(&user("after")).unwrap();
    let items = items(&path);
    assert!(items.len() > 100, "{}", items.len());
    let texts: Vec<String> = items.iter().map(hone::protocol::Item::text).collect();
    for (number, text) in texts[..texts.len() - 1].iter().enumerate() {
        assert!(text.starts_with(&format!("line {number} ")), "{text:.20}");
    }
    assert_eq!(texts.last().unwrap(), "after");
}

#[test]
#[ignore = "runs in a process of its own, to be killed"]
fn writes_until_killed() {
    let recorder = recorder(Path::new(&std::env::var(HOME).unwrap()));
    let mut stdout = std::io::stdout();
    for number in 0.. {
        recorder.append(&user(&format!("line {number} {}", "x".repeat(number * 37 % 5000)))).unwrap();
        // The reader goes away right before the kill.
        if writeln!(stdout, "\nappended").is_err() {
            std::thread::park();
        }
    }
}

#[test]
fn a_full_disk_is_loud_and_leaves_no_torn_line() {
    let home = tempfile::tempdir().unwrap();
    // The limit cuts a write short before it fails the next one, just as a full disk does.
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 8; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "recording::writes_until_full", "--ignored", "--nocapture"])
        .env(HOME, home.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let path = hone::rollout::list::newest_first(home.path()).unwrap().remove(0);
    let before = items(&path).len();
    let resumed = Recorder::resume(home.path(), &path, clock()).unwrap();
    resumed.append(&user(&"y".repeat(10_000))).unwrap();
    let loaded = load(&path).unwrap();
    assert_eq!(loaded.notice, None);
    assert_eq!(loaded.folded.history.len(), before + 1);
}

#[test]
#[ignore = "runs in a process of its own, with a limit on the size of files"]
fn writes_until_full() {
    let recorder = recorder(Path::new(&std::env::var(HOME).unwrap()));
    let mut written = 0;
    let error = loop {
        match recorder.append(&user(&"x".repeat(300))) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(error.message.contains("could not write the session file"), "{error}");
    assert!(error.message.contains(recorder.path().to_str().unwrap()), "{error}");
    assert!(error.hint.is_some());
    assert!(fs::read_to_string(recorder.path()).unwrap().ends_with("}\n"));
    // What still fits is still taken.
    recorder.append(&event(r#"{"type":"task_started","turn_id":"t"}"#)).unwrap();
    assert_eq!(items(recorder.path()).len(), written);
}

#[test]
fn a_home_that_cannot_be_written_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for home in [file.join("home"), "/proc/1/nowhere".into()] {
        let error = recorder(&home).append(&user("hi")).unwrap_err();
        assert!(error.message.contains(home.to_str().unwrap()), "{error}");
        assert!(error.hint.as_deref().unwrap().contains("--ephemeral"), "{error}");
    }
}

#[test]
fn a_deleted_file_ends_the_turn() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    recorder.append(&user("hi")).unwrap();
    fs::remove_file(recorder.path()).unwrap();
    let error = recorder.append(&user("more")).unwrap_err();
    assert!(error.message.contains("deleted while the session was open"), "{error}");
    assert!(!recorder.path().exists());
}

fn refused(result: Result<Recorder, RolloutError>) -> RolloutError {
    result.err().unwrap()
}
