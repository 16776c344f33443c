//! The few calls to the operating system that the standard library has no safe form of: beside `sandbox/` the only unsafe
//! code there is.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use tokio::io::unix::AsyncFd;

use crate::sandbox::enter::Restrictions;

/// Makes this process the parent of those of its descendants whose own parent ends. Without that a daemon that left both
/// its group and its parent could not be told from anybody else's. Only Linux knows this; elsewhere nothing happens.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // SAFETY: PR_SET_CHILD_SUBREAPER takes one integer and touches no memory of ours. Kernels without it refuse it.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1 as libc::c_ulong);
    }
}

/// Whether this process has any child, a dead one that nobody waited for included.
#[cfg(target_os = "linux")]
pub fn has_children() -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: `info` is writable memory of the right size; WNOWAIT leaves the children as they are.
    let answer =
        unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) };
    answer == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ECHILD)
}

/// Sends `signal` to a process group. Signal 0 only asks; the answer is whether the group has members.
pub fn signal_group(group: i32, signal: i32) -> bool {
    // SAFETY: passes two integers. A group of 1 or less would mean everybody's processes or our own.
    group > 1 && unsafe { libc::killpg(group, signal) } == 0
}

/// Sends `signal` to one process.
#[cfg(target_os = "linux")]
pub fn signal_process(pid: i32, signal: i32) -> bool {
    // SAFETY: passes two integers. A pid of 1 or less would mean more than one process, or init.
    pid > 1 && unsafe { libc::kill(pid, signal) } == 0
}

/// Lets go of the dead children of ours in a process group. The group's leader must have been waited for already, since
/// whoever still waits for it would be told that there is no such child.
pub fn reap_group(group: i32) {
    // SAFETY: a null status pointer is allowed; WNOHANG never blocks.
    while group > 1 && unsafe { libc::waitpid(-group, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}

/// Makes the reads and writes of a pipe or terminal something to await.
pub fn awaitable(file: File) -> io::Result<AsyncFd<File>> {
    let fd = file.as_raw_fd();
    // SAFETY: `fd` is open for as long as `file` is; both calls pass integers.
    let nonblocking = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        flags >= 0 && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
    };
    if !nonblocking {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a `File` owns its descriptor, keeps it open, and always names the same one.
    Ok(unsafe { AsyncFd::register(file) }?)
}

/// Opens a terminal of the given size: our side, and the side of the process.
pub fn open_terminal(rows: u16, columns: u16) -> io::Result<(File, File)> {
    // SAFETY: passes an integer; a descriptor that comes back is ours alone.
    let ours = unsafe {
        let fd = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        File::from(OwnedFd::from_raw_fd(fd))
    };
    let fd = ours.as_raw_fd();
    let mut name = [0; 128];
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: `fd` is open; `name` and `size` outlive the calls, and `ptsname_r` is told how long `name` is.
    let ready = unsafe {
        libc::grantpt(fd) == 0
            && libc::unlockpt(fd) == 0
            && libc::ptsname_r(fd, name.as_mut_ptr(), name.len()) == 0
            && libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size) == 0
    };
    if !ready {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `ptsname_r` succeeded, so `name` holds a text that ends with a zero.
    let path = unsafe { CStr::from_ptr(name.as_ptr()) };
    let path = Path::new(std::str::from_utf8(path.to_bytes()).map_err(io::Error::other)?);
    let theirs = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path)?;
    Ok((ours, theirs))
}

/// Lets the command lead a session of its own, which has no terminal.
pub fn lead_session(command: &mut Command) {
    let enter = || {
        // SAFETY: async-signal-safe and takes nothing.
        if unsafe { libc::setsid() } >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: `enter` neither allocates nor takes a lock, as code between fork and exec must not.
    unsafe {
        command.pre_exec(enter);
    }
}

/// Lets the command lead a session of its own whose terminal is its standard input.
pub fn lead_terminal_session(command: &mut Command) {
    let enter = || {
        // SAFETY: both calls are async-signal-safe and pass integers; standard input is the terminal by now.
        let entered = unsafe { libc::setsid() >= 0 && libc::ioctl(0, libc::TIOCSCTTY as _, 0) >= 0 };
        if entered { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: `enter` neither allocates nor takes a lock, as code between fork and exec must not.
    unsafe {
        command.pre_exec(enter);
    }
}

/// Lets the command bind itself to a sandbox.
pub fn restrict(command: &mut Command, restrictions: Restrictions) {
    let enter = move || restrictions.enter();
    // SAFETY: `enter` neither allocates nor takes a lock, as code between fork and exec must not.
    unsafe {
        command.pre_exec(enter);
    }
}
