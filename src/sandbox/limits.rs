//! What processes may use up, by the limits every Unix has.

use std::io;
use std::time::Duration;

/// Limits. `None` leaves things as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What one process may take for its data, in bytes. Address space that is only reserved does not count, so that
    /// programs that reserve much and use little run.
    pub memory: Option<u64>,
    /// How many processes and threads there may be beside those the person has already. The kernel does not hold root to it.
    pub processes: Option<u64>,
    /// How large a file one process writes may become, in bytes.
    pub file_size: Option<u64>,
    /// How long a command may run; kept by whoever waits for it.
    pub wall_time: Option<Duration>,
}

/// One limit for the child: which one, and how much.
pub(super) type Resource = (Kind, libc::rlim_t);

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Kind = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Kind = libc::c_int;

impl Limits {
    /// What the child has to set.
    pub(super) fn resources(&self) -> Vec<Resource> {
        let processes = self.processes.map(|more| more.saturating_add(processes_of_person()));
        [(libc::RLIMIT_DATA, self.memory), (libc::RLIMIT_NPROC, processes), (libc::RLIMIT_FSIZE, self.file_size)]
            .into_iter()
            .filter_map(|(kind, limit)| Some((kind, limit?)))
            .collect()
    }
}

/// Sets a limit for good. Safe between fork and exec.
#[allow(unsafe_code)]
pub(super) fn set((kind, limit): Resource) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a structure of the right type that outlives them; they are plain system calls.
    unsafe {
        if libc::getrlimit(kind, &raw mut now) != 0 {
            return Err(io::Error::last_os_error());
        }
        let limit = limit.min(now.rlim_max);
        let new = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        if libc::setrlimit(kind, &raw const new) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// How many processes and threads the person has: the kernel counts them all against the limit.
#[cfg(target_os = "linux")]
fn processes_of_person() -> u64 {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    let Ok(own) = fs::metadata("/proc/self") else { return 0 };
    let threads = |entry: fs::DirEntry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        // The owner of the folder is the person whose process it is, unless it may not be looked at.
        (entry.metadata().ok()?.uid() == own.uid()).then_some(())?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(17)?.parse::<u64>().ok()
    };
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(threads).sum()
}

/// Only Linux tells; elsewhere the limit counts from an estimate.
#[cfg(not(target_os = "linux"))]
fn processes_of_person() -> u64 {
    500
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_limited_and_processes_count_from_those_there_are() {
        assert_eq!(Limits::default().resources(), []);
        let limits = Limits { memory: Some(7), processes: Some(10), ..Limits::default() };
        let resources = limits.resources();
        assert_eq!(resources[0], (libc::RLIMIT_DATA, 7));
        assert_eq!(resources[1].0, libc::RLIMIT_NPROC);
        assert!(resources[1].1 > 10, "this process has threads of its own: {resources:?}");
    }
}
