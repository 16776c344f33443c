//! The attacks. Each is an operation that must fail in a sandbox; it says `ESCAPED` when it succeeds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What an attack needs to succeed without a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Rights that depend on the machine and on who runs the tests.
    Rights,
}

pub struct Attack {
    pub name: &'static str,
    pub needs: Needs,
    run: fn() -> io::Result<()>,
}

const fn any(name: &'static str, run: fn() -> io::Result<()>) -> Attack {
    Attack { name, needs: Needs::Nothing, run }
}

const fn privileged(name: &'static str, run: fn() -> io::Result<()>) -> Attack {
    Attack { name, needs: Needs::Rights, run }
}

/// What must fail.
pub const ATTACKS: &[Attack] = &[
    any("create", || fs::write(field("out/new"), "x")),
    any("overwrite", || write_into(field("out/file"))),
    any("dot-dot", || fs::write("../out/new", "x")),
    any("through-a-link", || write_into(field("ws/link"))),
    any("through-a-new-link", || {
        symlink(field("out/file"), "sub/new-link")?;
        write_into("sub/new-link".into())
    }),
    any("hard-link", || {
        fs::hard_link(field("out/file"), "sub/hard")?;
        write_into("sub/hard".into())
    }),
    any("proc-self-root", || write_into(PathBuf::from(format!("/proc/self/root{}", field("out/file").display())))),
    privileged("proc-of-another", || {
        write_into(PathBuf::from(format!("/proc/{}/root{}", victim(), field("out/file").display())))
    }),
    any("rename-into-place", || {
        fs::write("sub/x", "x")?;
        fs::rename("sub/x", field("out/file"))
    }),
    any("rename-away", || fs::rename(field("out/file"), "sub/stolen")),
    any("remove", || fs::remove_file(field("out/file"))),
    any("make-folder", || fs::create_dir(field("out/new"))),
    any("make-link", || symlink("x", field("out/new"))),
    any("truncate", || call(unsafe { libc::truncate(path(&field("out/file")).as_ptr(), 0) }.into())),
    any("truncate-by-reading", || {
        OpenOptions::new().read(true).custom_flags(libc::O_TRUNC).open(field("out/file")).map(drop)
    }),
    any("mmap", map_and_write),
    any("daemon", daemon),
    any("home", || fs::write(field("home/config.toml"), "sandbox_mode = \"danger-full-access\"")),
    any("read-denied", || read(field("secret/file"))),
    any("read-denied-by-link", || read(field("ws/to-secret/file"))),
    any("read-denied-by-proc", || read(PathBuf::from(format!("/proc/self/root{}", field("secret/file").display())))),
    any("write-denied", || write_into(field("secret/file"))),
    any("tcp", || TcpStream::connect(variable("TCP")).map(drop)),
    any("udp", || UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", variable("UDP")).map(drop)),
    any("dns", || UdpSocket::bind("0.0.0.0:0")?.send_to(&dns_question(), variable("UDP")).map(drop)),
    any("unix", || UnixStream::connect(field("out/socket")).map(drop)),
    any("unix-datagram", || UnixDatagram::unbound()?.send_to(b"x", field("out/datagrams")).map(drop)),
    any("unix-datagram-by-pair", || UnixDatagram::pair()?.0.send_to(b"x", field("out/datagrams")).map(drop)),
    any("unix-abstract", || {
        let name = SocketAddr::from_abstract_name(variable("FIELD").as_bytes())?;
        UnixStream::connect_addr(&name).map(drop)
    }),
    any("signal", || call(unsafe { libc::kill(victim(), libc::SIGCONT) }.into())),
    privileged("ptrace", || call(unsafe { libc::ptrace(libc::PTRACE_SEIZE, victim(), 0, 0) })),
    privileged("ptrace-parent", || call(unsafe { libc::ptrace(libc::PTRACE_SEIZE, libc::getppid(), 0, 0) })),
    privileged("memory-of-another", || File::open(format!("/proc/{}/mem", victim())).map(drop)),
    privileged("environment-of-another", || read(PathBuf::from(format!("/proc/{}/environ", victim())))),
    any("git-hook", || fs::write(".git/hooks/pre-commit", "x")),
    any("git-config", || write_into(".git/config".into())),
    any("git-config-by-proc", || write_into("/proc/self/cwd/.git/config".into())),
    any("git-hook-by-link", || symlink("../../sub/evil", ".git/hooks/pre-commit")),
    any("git-hook-by-rename", || {
        fs::write("sub/hook", "x")?;
        fs::rename("sub/hook", ".git/hooks/pre-commit")
    }),
    any("git-config-by-hard-link", || {
        fs::hard_link(".git/config", "sub/config")?;
        write_into("sub/config".into())
    }),
    any("git-moved-away", || fs::rename(".git", "sub/git")),
    any("git-removed", || fs::remove_dir_all(".git")),
    any("new-codex", || fs::create_dir(".codex").and_then(|()| fs::write(".codex/config.toml", "x"))),
    any("new-agents", || fs::create_dir_all(".agents/skills/x")),
    any("user-namespace", || {
        // Refused to a program with threads as well, but not with this error.
        match call(unsafe { libc::unshare(libc::CLONE_NEWUSER) }.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            answer => answer,
        }
    }),
    any("io-uring", || call_at_all(libc::SYS_io_uring_setup)),
    any("bpf", || call_at_all(libc::SYS_bpf)),
    any("keyctl", || call_at_all(libc::SYS_keyctl)),
    any("mount", || call_at_all(libc::SYS_mount)),
    any("open-by-handle", || call_at_all(libc::SYS_open_by_handle_at)),
];

/// What must work in a workspace that may be written.
pub const WORK: &[Attack] = &[
    any("change-a-file", || write_into("file".into())),
    any("create-below", || fs::create_dir("sub/a").and_then(|()| fs::write("sub/a/b", "x"))),
    any("move-below", || {
        fs::create_dir("sub/a")?;
        fs::write("sub/x", "x")?;
        fs::rename("sub/x", "sub/a/x")
    }),
    any("read-outside", || read(field("out/file"))),
    any("read-metadata", || read(".git/config".into())),
    any("nowhere", || fs::write("/dev/null", "x")),
    any("pair", || UnixStream::pair().map(drop)),
    any("child", || Command::new("true").status().map(drop)),
    any("thread", || std::thread::Builder::new().spawn(|| ())?.join().map_err(|_| io::Error::other("panicked"))),
];

/// What is contained or not, depending on the mechanism.
const OTHERS: &[Attack] = &[
    any("top", || {
        fs::write("new", "x")?;
        fs::rename("new", "newer")?;
        fs::remove_file("newer")
    }),
    any("new-metadata", || fs::create_dir_all(".git/hooks").and_then(|()| fs::write(".git/hooks/pre-commit", "x"))),
    any("fork", super::limits::fork),
    any("memory", super::limits::allocate),
    any("large-file", super::limits::write_much),
];

/// Runs an attack and says how it went.
pub fn run(name: &str) {
    let attack = [ATTACKS, WORK, OTHERS].into_iter().flatten().find(|attack| attack.name == name).unwrap();
    match (attack.run)() {
        Ok(()) => println!("ESCAPED"),
        Err(error) => println!("CONTAINED: {error}"),
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn field(path: &str) -> PathBuf {
    PathBuf::from(variable("FIELD")).join(path)
}

fn victim() -> i32 {
    variable("VICTIM").parse().unwrap()
}

fn path(path: &std::path::Path) -> std::ffi::CString {
    std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap()
}

fn write_into(path: PathBuf) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(b"BAD")
}

fn read(path: PathBuf) -> io::Result<()> {
    let mut text = Vec::new();
    File::open(path)?.read_to_end(&mut text)?;
    if text.is_empty() { Err(io::Error::other("nothing was in it")) } else { Ok(()) }
}

fn call(answer: i64) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether the kernel looks at a system call's arguments, which are wrong, or does not come to that.
fn call_at_all(number: i64) -> io::Result<()> {
    let wrong = usize::MAX;
    // SAFETY: every argument is one that the call refuses.
    unsafe { libc::syscall(number, wrong, wrong, wrong, wrong, wrong) };
    match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS)) => Err(error),
        _ => Ok(()),
    }
}

/// Changes a file through memory, for which it is enough to have it open.
fn map_and_write() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let file =
        OpenOptions::new().read(true).write(true).open(field("out/file")).or_else(|_| File::open(field("out/file")))?;
    // SAFETY: a new mapping of a file that is open; it is written to within its length.
    unsafe {
        let memory = libc::mmap(
            std::ptr::null_mut(),
            4,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        );
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        memory.cast::<u8>().write(b'B');
    }
    Ok(())
}

/// Leaves a process behind that has a session of its own and no parent, and writes. It answers in this one's place.
fn daemon() -> io::Result<()> {
    let [program, arguments @ ..] = super::field::attacker();
    let mut command = Command::new(program);
    command.args(arguments).env("ATTACK", "overwrite").stdin(Stdio::null());
    // SAFETY: `setsid` and `fork` are safe here; the parent ends at once.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            match libc::fork() {
                0 => Ok(()),
                _ => libc::_exit(0),
            }
        });
    }
    // The daemon holds on to standard output, so that whoever reads it waits for the answer.
    let _started = command.spawn().and_then(|mut child| child.wait());
    std::process::exit(0)
}

fn dns_question() -> Vec<u8> {
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question.extend(b"\x07example\x03com\x00\x00\x01\x00\x01");
    question
}
