//! Which session `resume` means.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hone::agent::ports::Rollout as _;
use hone::protocol::ThreadId;
use hone::protocol::rollout_line::SessionMeta;
use hone::rollout::Recorder;
use hone::rollout::index::{Selection, sessions};
use hone::rollout::list::{Filter, find, latest, newest_first};

use crate::support::*;

/// Records a session of one message and sets when it was last written to, in seconds of some day.
fn record(home: &Path, local_time: &str, meta: SessionMeta, modified: u64) -> PathBuf {
    let recorder = Recorder::create(home, local_time, meta, clock());
    recorder.append(&user("<environment_context>x</environment_context>")).unwrap();
    recorder.append(&user(&format!("begun {local_time}"))).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000 + modified);
    File::open(recorder.path()).unwrap().set_modified(modified).unwrap();
    recorder.path().to_owned()
}

fn in_folder(cwd: &str) -> Filter<'_> {
    Filter { cwd: Some(Path::new(cwd)), provider: None }
}

#[test]
fn the_last_session_is_the_one_last_written_to() {
    let home = tempfile::tempdir().unwrap();
    let old = record(home.path(), "2025-01-02T00-00-00", meta("/a"), 30);
    let new = record(home.path(), "2026-11-20T00-00-00", meta("/a"), 20);
    let elsewhere = record(home.path(), "2026-11-21T00-00-00", meta("/b"), 40);
    let latest = |filter| latest(home.path(), filter).unwrap();
    assert_eq!(latest(Filter::default()).as_ref(), Some(&elsewhere));
    assert_eq!(latest(in_folder("/a")).as_ref(), Some(&old), "it was resumed after the newer one");
    assert_eq!(latest(in_folder("/b")).as_ref(), Some(&elsewhere));
    assert_eq!(latest(in_folder("/c")), None);
    assert_eq!(newest_first(home.path()).unwrap(), [elsewhere, old, new]);
}

#[test]
fn providers_and_sub_agents_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let mine = record(home.path(), "2026-11-20T00-00-00", meta("/a"), 10);
    let other = SessionMeta { model_provider: Some("other".into()), ..meta("/a") };
    record(home.path(), "2026-11-20T00-00-01", other, 20);
    let sub_agent = SessionMeta { source: serde_json::json!({"subagent": "review"}), ..meta("/a") };
    record(home.path(), "2026-11-20T00-00-02", sub_agent, 30);
    let filter = Filter { cwd: Some(Path::new("/a")), provider: Some("local") };
    assert_eq!(latest(home.path(), filter).unwrap(), Some(mine));
}

#[test]
fn the_folder_is_found_behind_long_instructions_and_links() {
    let home = tempfile::tempdir().unwrap();
    let real = home.path().join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, home.path().join("link")).unwrap();
    let path = record(home.path(), "2026-11-20T00-00-00", meta(real.to_str().unwrap()), 10);
    // Another program may write the folder after the instructions.
    let text = fs::read_to_string(&path).unwrap();
    let (meta_line, rest) = text.split_once('\n').unwrap();
    let mut line: serde_json::Value = serde_json::from_str(meta_line).unwrap();
    let cwd = line["payload"].as_object_mut().unwrap().shift_remove("cwd").unwrap();
    line["payload"]["base_instructions"] = serde_json::json!({"text": "x".repeat(10_000)});
    line["payload"]["cwd"] = cwd;
    fs::write(&path, format!("{line}\n{rest}")).unwrap();
    let link = home.path().join("link");
    let filter = Filter { cwd: Some(&link), provider: None };
    assert_eq!(latest(home.path(), filter).unwrap(), Some(path));
}

#[test]
fn a_session_is_found_by_its_id_wherever_it_lies() {
    let home = tempfile::tempdir().unwrap();
    let ids = [ThreadId::new(), ThreadId::new(), ThreadId::new()];
    let paths = ids.map(|id| record(home.path(), LOCAL_TIME, SessionMeta { id, ..meta("/a") }, 0));
    let flat = home.path().join("sessions").join(paths[1].file_name().unwrap());
    fs::rename(&paths[1], &flat).unwrap();
    let archived = home.path().join("archived_sessions").join(paths[2].file_name().unwrap());
    fs::create_dir(archived.parent().unwrap()).unwrap();
    fs::rename(&paths[2], &archived).unwrap();
    let find = |id| find(home.path(), id).unwrap();
    assert_eq!(find(ids[0]).as_ref(), Some(&paths[0]));
    assert_eq!(find(ids[1]), Some(flat));
    assert_eq!(find(ids[2]), Some(archived));
    assert_eq!(find(ThreadId::new()), None);
}

#[test]
fn a_home_without_sessions_has_none() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(latest(home.path(), Filter::default()).unwrap(), None);
    assert_eq!(find(home.path(), ThreadId::new()).unwrap(), None);
    fs::create_dir_all(home.path().join("sessions/2026/11/20")).unwrap();
    fs::write(home.path().join("sessions/2026/notes.txt"), "x").unwrap();
    let empty = format!("rollout-{LOCAL_TIME}-{}.jsonl", ThreadId::new());
    fs::write(home.path().join("sessions/2026/11/20").join(empty), "").unwrap();
    assert_eq!(latest(home.path(), in_folder("/a")).unwrap(), None);
    assert_eq!(newest_first(home.path()).unwrap().len(), 1);
}

#[test]
fn a_summary_tells_what_a_session_is_about() {
    let home = tempfile::tempdir().unwrap();
    let meta = meta("/a");
    let id = meta.id;
    let path = record(home.path(), LOCAL_TIME, meta, 5);
    let summary = sessions(home.path(), Selection::default()).unwrap().remove(0);
    assert_eq!(summary.path, path);
    assert_eq!(summary.id, id);
    assert_eq!(summary.cwd, Path::new("/a"));
    assert_eq!(summary.first_user_message, Some(format!("begun {LOCAL_TIME}")));
    assert_eq!(summary.created, "2026-11-20T19:14:07.601Z");
}
