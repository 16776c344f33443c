//! Runs the real program under `ptrace` and does something to it at its nth write below a folder: nothing is simulated, nothing depends
//! on timing. Writes are all that changes a file or promises that it has changed: creating, writing, cutting, renaming, removing, syncing.

#![allow(unsafe_code, reason = "tracing is a system call")]

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use libc::{c_int, pid_t, user_regs_struct as Registers};

/// What is done to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// It is killed with half of what it wanted to write written.
    Halfway,
    /// It is killed when it has written.
    After,
    /// From here on the disk has no room.
    Full,
    /// From here on nothing can be written, cut, renamed or removed.
    Broken,
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    /// How many writes it came to.
    pub writes: usize,
    /// Its exit code, if it had one.
    pub code: Option<i32>,
}

/// Runs `command`; at its write number `at`, from 1, below `folder` the blow falls, or `meanwhile` is called.
#[allow(clippy::zombie_processes, reason = "it is waited for as a traced process is")]
pub fn run(command: &mut Command, folder: &Path, at: usize, blow: Option<Blow>, meanwhile: &mut dyn FnMut()) -> Ended {
    let me = || {
        if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } == -1 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    };
    // A group of its own, so that it can be waited for and nothing else is.
    let child = unsafe { command.process_group(0).pre_exec(me) }.spawn().unwrap();
    let leader = pid_t::try_from(child.id()).unwrap();
    let mut tracer =
        Tracer { leader, folder: folder.to_owned(), at, blow, writes: 0, inside: HashMap::new(), seen: HashSet::new() };
    tracer.follow(meanwhile)
}

/// Whether a program can be traced here; if not, it is said why.
#[allow(clippy::zombie_processes, reason = "it is waited for as a traced process is")]
pub fn works() -> bool {
    let me = || {
        if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } == -1 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    };
    let mut command = Command::new("/bin/true");
    match unsafe { command.pre_exec(me) }.spawn() {
        Ok(child) => {
            let pid = pid_t::try_from(child.id()).unwrap();
            let mut status = 0;
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            unsafe { libc::kill(pid, libc::SIGKILL) };
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            true
        }
        Err(error) => {
            println!("skipped: programs cannot be traced here: {error}");
            false
        }
    }
}

/// What follows when the system call that is running ends.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Kill,
    Fail(c_int),
}

struct Tracer {
    leader: pid_t,
    folder: PathBuf,
    at: usize,
    blow: Option<Blow>,
    writes: usize,
    /// The threads that are within a system call.
    inside: HashMap<pid_t, Then>,
    seen: HashSet<pid_t>,
}

impl Tracer {
    fn follow(&mut self, meanwhile: &mut dyn FnMut()) -> Ended {
        self.seen.insert(self.leader);
        let mut status = 0;
        unsafe { libc::waitpid(self.leader, &raw mut status, 0) };
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
        unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, self.leader, 0, options) };
        go_on(self.leader, 0);
        loop {
            let thread = unsafe { libc::waitpid(-self.leader, &raw mut status, libc::__WALL) };
            if thread == -1 {
                return Ended { writes: self.writes, code: None };
            }
            if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
                self.inside.remove(&thread);
                if thread == self.leader {
                    return Ended {
                        writes: self.writes,
                        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
                    };
                }
                continue;
            }
            let signal = libc::WSTOPSIG(status);
            let deliver = match signal {
                _ if signal == libc::SIGTRAP | 0x80 => {
                    self.system_call(thread, meanwhile);
                    0
                }
                libc::SIGTRAP => 0,
                // A new thread begins so.
                libc::SIGSTOP if self.seen.insert(thread) => 0,
                signal => signal,
            };
            go_on(thread, deliver);
        }
    }

    fn system_call(&mut self, thread: pid_t, meanwhile: &mut dyn FnMut()) {
        match self.inside.remove(&thread) {
            None => {
                let then = self.begins(thread, meanwhile);
                self.inside.insert(thread, then);
            }
            Some(Then::Nothing) => {}
            Some(Then::Kill) => self.kill(),
            Some(Then::Fail(error)) => {
                let mut registers = registers(thread);
                registers.rax = u64::from_ne_bytes(i64::from(-error).to_ne_bytes());
                set(thread, &registers);
            }
        }
    }

    fn begins(&mut self, thread: pid_t, meanwhile: &mut dyn FnMut()) -> Then {
        let mut registers = registers(thread);
        let Some(write) = Write::of(thread, &registers).filter(|write| write.is_below(&self.folder)) else {
            return Then::Nothing;
        };
        self.writes += 1;
        let is_it = self.writes == self.at;
        match self.blow {
            None if is_it => meanwhile(),
            Some(Blow::Halfway) if is_it => {
                if write.has_bytes {
                    registers.rdx /= 2;
                    set(thread, &registers);
                }
                return Then::Kill;
            }
            Some(Blow::After) if is_it => return Then::Kill,
            Some(Blow::Full) if self.writes >= self.at && write.needs_room => {
                return fail(thread, registers, libc::ENOSPC);
            }
            Some(Blow::Broken) if self.writes >= self.at => return fail(thread, registers, libc::EIO),
            _ => {}
        }
        Then::Nothing
    }

    fn kill(&self) {
        unsafe { libc::kill(self.leader, libc::SIGKILL) };
    }
}

/// Has the system call not made, and fail.
fn fail(thread: pid_t, mut registers: Registers, error: c_int) -> Then {
    registers.orig_rax = u64::MAX;
    set(thread, &registers);
    Then::Fail(error)
}

fn go_on(thread: pid_t, signal: c_int) {
    unsafe { libc::ptrace(libc::PTRACE_SYSCALL, thread, 0, signal) };
}

fn registers(thread: pid_t) -> Registers {
    let mut registers: Registers = unsafe { std::mem::zeroed() };
    unsafe { libc::ptrace(libc::PTRACE_GETREGS, thread, 0, &raw mut registers) };
    registers
}

fn set(thread: pid_t, registers: &Registers) {
    unsafe { libc::ptrace(libc::PTRACE_SETREGS, thread, 0, std::ptr::from_ref(registers)) };
}

/// A system call that changes a file.
struct Write {
    path: PathBuf,
    /// Its third argument is a number of bytes.
    has_bytes: bool,
    needs_room: bool,
}

impl Write {
    /// The index is made from the sessions and can be deleted; its own library sees to it that it is whole.
    fn is_below(&self, folder: &Path) -> bool {
        self.path.starts_with(folder) && !self.path.to_string_lossy().contains("index.sqlite")
    }

    fn of(thread: pid_t, registers: &Registers) -> Option<Self> {
        let call = i64::from_ne_bytes(registers.orig_rax.to_ne_bytes());
        let open = |path: u64, flags: u64| {
            let creates = flags & u64::try_from(libc::O_CREAT | libc::O_TRUNC).unwrap() != 0;
            creates.then(|| text(thread, path)).flatten()
        };
        let (path, has_bytes, needs_room) = match call {
            libc::SYS_write | libc::SYS_pwrite64 => (descriptor(thread, registers.rdi), true, true),
            libc::SYS_writev => (descriptor(thread, registers.rdi), false, true),
            libc::SYS_fsync | libc::SYS_fdatasync | libc::SYS_ftruncate => {
                (descriptor(thread, registers.rdi), false, false)
            }
            libc::SYS_open => (open(registers.rdi, registers.rsi), false, true),
            libc::SYS_openat => (open(registers.rsi, registers.rdx), false, true),
            libc::SYS_mkdir => (text(thread, registers.rdi), false, true),
            libc::SYS_mkdirat => (text(thread, registers.rsi), false, true),
            libc::SYS_rename | libc::SYS_unlink | libc::SYS_rmdir | libc::SYS_link => {
                (text(thread, registers.rdi), false, false)
            }
            libc::SYS_renameat | libc::SYS_renameat2 | libc::SYS_unlinkat | libc::SYS_linkat => {
                (text(thread, registers.rsi), false, false)
            }
            _ => return None,
        };
        Some(Self { path: path?, has_bytes, needs_room })
    }
}

fn descriptor(thread: pid_t, number: u64) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{thread}/fd/{number}")).ok()
}

fn text(thread: pid_t, address: u64) -> Option<PathBuf> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut bytes = [0; 4096];
    let read = memory.read_at(&mut bytes, address).or_else(|_| {
        // The text stands near the end of what is mapped.
        memory.read_at(&mut bytes[..usize::try_from(4096 - address % 4096).unwrap()], address)
    });
    let bytes = &bytes[..read.ok()?];
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(PathBuf::from(String::from_utf8(bytes[..end].to_vec()).ok()?))
}
