//! Homes that cannot be written to, and disks that fill up.

use std::os::unix::fs::symlink;

use super::answering;
use super::support::World;
use super::support::program::run;

#[test]
fn a_home_that_cannot_be_written_ends_the_turn_before_the_model_is_asked() {
    let (server, world) = answering(2);
    // Whoever runs the tests may be root, to whom every folder is writable; nobody can make folders below /proc or a file.
    symlink("/proc/self", world.home().join("sessions")).unwrap();
    let ended =
        world.run(&["hi"]).expect(5).says(&["session file", "/sessions/", "hint:", "CODEX_HOME", "--ephemeral"]);
    assert_eq!((ended.stdout.as_str(), server.requests().len()), ("", 0));
    assert_eq!(ended.stderr.matches("error: ").count(), 1, "{}", ended.stderr);
    assert_eq!(world.run(&["--ephemeral", "hi"]).expect(0).stdout, "answer 1\n");
}

#[test]
fn a_file_where_the_sessions_should_be_is_named() {
    let (server, world) = answering(1);
    world.write_home("sessions", "");
    world.run(&["hi"]).expect(5).says(&["/sessions/", "hint:"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_home_below_a_file_is_named() {
    let (server, world) = answering(1);
    let home = world.home().join("config.toml/home");
    run(world.hone(&["hi"]).env("CODEX_HOME", home), b"").expect(2).says(&["CODEX_HOME", "config.toml/home", "hint:"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_at_its_size_limit_ends_the_turn_with_a_message() {
    let (server, world) = answering(1);
    let script = format!("ulimit -c 0; ulimit -f 1; exec {} hi", env!("CARGO_BIN_EXE_hone"));
    let ended = run(&mut world.program("/bin/sh".as_ref(), &["-c", &script]), b"").expect(5);
    let ended = ended.says(&["could not write the session file", "ulimit -f"]);
    assert_eq!((ended.stdout.as_str(), server.requests().len()), ("", 0));
}

/// Needs root, for a disk that is really full.
#[test]
fn a_full_disk_ends_the_turn_with_a_message_and_keeps_whole_lines() {
    use super::support::speech::{call, response};
    use super::support::{FakeServer, Reply};
    let fill = serde_json::json!({"cmd": "dd if=/dev/zero of=\"$CODEX_HOME/sessions/filler\" bs=1024 2>/dev/null; echo >> ran; seq 5000"});
    let server = FakeServer::start(vec![Reply::sse(&response(&[call("c1", "exec_command", &fill)]))]);
    let world = World::of(&server);
    let sessions = world.home().join("sessions");
    std::fs::create_dir(&sessions).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&sessions)
        .stderr(std::process::Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return; // Not ours to mount; the limit on a file's size stands in for it above.
    }
    let mount = Unmount(sessions.clone());
    let ended = world.run(&["hi"]).expect(5).says(&["session file", "No space left", "make room"]);
    assert_eq!((ended.stdout.as_str(), server.requests().len()), ("", 1));
    assert_eq!(world.read_project("ran"), "\n");
    std::fs::remove_file(sessions.join("filler")).unwrap();
    let calls = world.items().iter().filter(|item| item["type"] == "function_call").count();
    assert_eq!(calls, 1, "whatever was recorded before is whole");
    drop(mount);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg(&self.0).status().unwrap();
    }
}
