//! What the child does between fork and exec. It was all prepared before, since there it may neither allocate nor lock.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use super::error::SandboxError;
use super::limits::{self, Resource};

/// The restrictions a child binds itself to. Whoever holds it has them ready, and is not bound.
#[derive(Debug, Default)]
pub struct Restrictions {
    pub(super) resources: Vec<Resource>,
    /// Open in the child beyond exec.
    pub(super) handed: Vec<File>,
    pub(super) landlock: Option<OwnedFd>,
    /// Whether root is to have no more rights than others have. Bubblewrap needs them first, and sees to it itself.
    pub(super) disarm: bool,
    #[cfg(target_os = "linux")]
    pub(super) seccomp: Option<std::sync::Arc<[seccompiler::sock_filter]>>,
}

/// A failure of ours among the numbers the operating system knows its errors by: this, the step, the error itself. The
/// standard library hands the number on as it is, which is the only thing that gets out of a child that was not started.
const OURS: i32 = 0x4800_0000;

/// The steps, by their numbers.
const STEPS: &[&str] = &["limits", "files to hand on", "no new privileges", "landlock", "seccomp", "capabilities"];

impl Restrictions {
    /// Binds this process. Safe between fork and exec.
    ///
    /// # Errors
    /// A step failed; [`failure`] reads which. The process must not go on.
    pub fn enter(&self) -> io::Result<()> {
        for resource in &self.resources {
            limits::set(*resource).map_err(|error| ours(0, &error))?;
        }
        for file in &self.handed {
            stay_open(file).map_err(|error| ours(1, &error))?;
        }
        self.bind()
    }

    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)]
    fn bind(&self) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let done = |step, answer: libc::c_long| match answer {
            0 => Ok(()),
            _ => Err(ours(step, &io::Error::last_os_error())),
        };
        if self.landlock.is_none() && self.seccomp.is_none() {
            return Ok(());
        }
        // SAFETY: plain system calls; what they point to outlives them.
        unsafe {
            done(2, libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64).into())?;
            if let Some(rules) = &self.landlock {
                done(3, libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0))?;
            }
            if self.disarm {
                disarm().map_err(|error| ours(5, &error))?;
            }
            if let Some(filter) = &self.seccomp {
                let program = libc::sock_fprog {
                    len: u16::try_from(filter.len()).unwrap_or(u16::MAX),
                    // The two types are the same structure, once written down by each library.
                    filter: filter.as_ptr().cast::<libc::sock_filter>().cast_mut(),
                };
                done(4, libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program))?;
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn bind(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives up every capability for good: with some of them root could look into other processes whatever Landlock says.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn disarm() -> io::Result<()> {
    /// The call's structures, of its third version, which `libc` does not have.
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [[0_u32; 3]; 2];
    // SAFETY: plain system calls; what they point to outlives them and has the size this version tells.
    let answer = unsafe {
        // Only who has capabilities may give up the possibility of getting them; others cannot get any.
        let mut capability: libc::c_ulong = 0;
        while libc::prctl(libc::PR_CAPBSET_DROP, capability, 0_u64, 0_u64, 0_u64) == 0 {
            capability += 1;
        }
        libc::syscall(libc::SYS_capset, &raw const header, &raw const none)
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[allow(unsafe_code)]
fn stay_open(file: &File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open for as long as `file` is; clears the flag that closes it at exec.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn ours(step: i32, error: &io::Error) -> io::Error {
    io::Error::from_raw_os_error(OURS | step << 16 | (error.raw_os_error().unwrap_or_default() & 0xFFFF))
}

/// What failed, if an error of starting a child is one of [`Restrictions::enter`].
#[must_use]
pub fn failure(error: &io::Error) -> Option<SandboxError> {
    let number = error.raw_os_error().filter(|number| number & 0x7F00_0000 == OURS)?;
    let step = usize::try_from(number >> 16 & 0xFF).ok().and_then(|step| STEPS.get(step))?;
    Some(SandboxError::Setup { step, source: io::Error::from_raw_os_error(number & 0xFFFF) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_in_the_child_is_told_from_those_of_the_command() {
        for (step, name) in (0..).zip(STEPS) {
            let error = ours(step, &io::Error::from_raw_os_error(libc::EPERM));
            let told = failure(&error).map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(name) && told.contains("not permitted"), "{told}");
        }
        assert!(failure(&io::Error::from_raw_os_error(libc::ENOENT)).is_none());
        assert!(failure(&io::Error::other("x")).is_none());
    }
}
