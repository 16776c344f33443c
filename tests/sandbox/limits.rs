//! Limits, of processes, memory and files.

use std::fs;
use std::io;
use std::process::Command;

use super::field::Field;

/// Starts more processes than are allowed.
pub fn fork() -> io::Result<()> {
    let mut children = Vec::new();
    let mut result = Ok(());
    for _ in 0..100 {
        match Command::new("sleep").arg("100").spawn() {
            Ok(child) => children.push(child),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    for child in &mut children {
        child.kill()?;
        child.wait()?;
    }
    result
}

/// Takes more memory than is allowed.
pub fn allocate() -> io::Result<()> {
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(512 << 20).map_err(io::Error::other)
}

/// Writes a larger file than is allowed.
pub fn write_much() -> io::Result<()> {
    // SAFETY: the signal that says so is to be an error instead.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    fs::write("sub/large", vec![0; 2 << 20])
}

#[test]
fn memory_and_files_are_limited_in_every_mode() {
    let mut ways = vec![vec!["--mode", "danger-full-access"]];
    ways.extend(
        super::mechanisms().iter().map(|mechanism| vec!["--mode", "workspace-write", "--with", mechanism.name()]),
    );
    for way in ways {
        for (limit, attack) in [("memory_mb=256", "memory"), ("file_size_mb=1", "large-file")] {
            let field = Field::new();
            let mut limited = Command::new(env!("CARGO_BIN_EXE_hone"));
            limited.args(["-c", &format!("sandbox_limits.{limit}")]);
            let told = field.run(&mut limited, attack, &way);
            assert!(told.contains("CONTAINED"), "{attack} {way:?}: {told}");
            let told = field.attack(attack, &way);
            assert!(told.contains("ESCAPED"), "{attack} {way:?}, without a limit: {told}");
        }
    }
}

/// The kernel does not hold root to this one, so that root becomes somebody else for it.
#[test]
fn a_fork_bomb_comes_to_an_end() {
    let field = Field::new();
    // SAFETY: takes nothing.
    let root = unsafe { libc::geteuid() } == 0;
    let mut limited = if root { Command::new("setpriv") } else { Command::new(env!("CARGO_BIN_EXE_hone")) };
    if root {
        let open = std::os::unix::fs::PermissionsExt::from_mode;
        fs::set_permissions(field.root(), open(0o777)).unwrap();
        fs::set_permissions(field.root().join("ws"), open(0o777)).unwrap();
        fs::set_permissions(field.root().join("home"), open(0o777)).unwrap();
        limited.args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_hone")]);
        let check = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_hone"), "--version"])
            .output();
        if !check.is_ok_and(|output| output.status.success()) {
            println!("skipped: root is not held to the limit of processes, and nobody else may run the program here");
            return;
        }
    }
    for mechanism in super::mechanisms() {
        let mut bomb = Command::new(limited.get_program());
        bomb.args(limited.get_args()).args(["-c", "sandbox_limits.processes=20"]);
        let told = field.run(&mut bomb, "fork", &["--mode", "workspace-write", "--with", mechanism.name()]);
        if root && told.contains("does not work") || told.contains("bwrap:") {
            println!("skipped under {}: it does not work for nobody: {told}", mechanism.name());
            continue;
        }
        assert!(told.contains("CONTAINED"), "{}: {told}", mechanism.name());
    }
}
