//! One writer per session, across processes and programs.
//!
//! The lock is the one Codex takes: an exclusive `flock` on `$CODEX_HOME/thread-writer-locks/<id>.lock`, so neither program
//! writes to a session the other has open. The operating system lets go of it when the process dies, however it dies.
//! The file is removed at the end; whoever locked a file that was removed meanwhile sees that and tries again.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::failure::storage_error;
use crate::protocol::{RolloutError, ThreadId};

const FOLDER: &str = "thread-writer-locks";

/// Held by whoever may write to a session. Dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct WriterLock {
    path: PathBuf,
    _file: File,
}

impl WriterLock {
    /// Takes the lock of a session, or says that another process has it.
    pub(super) fn take(home: &Path, id: ThreadId) -> Result<Self, RolloutError> {
        let path = home.join(FOLDER).join(format!("{id}.lock"));
        let failed = |error: &io::Error| storage_error("lock the session with", &path, error);
        loop {
            let file = open(&path).map_err(|error| failed(&error))?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(in_use(id, holder(&file))),
                // Some network file systems know no locks. Refusing to work there would help nobody.
                Err(TryLockError::Error(error)) if !has_no_locks(&error) => return Err(failed(&error)),
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            if is_at(&file, &path).map_err(|error| failed(&error))? {
                note_owner(&file);
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Codex opens and locks a lock file under this second lock without looking whether the file was removed in
        // between, so it is removed under the same lock only. When somebody is busy there, the file may as well stay.
        let coordination = self.path.with_file_name(".coordination.lock");
        if let Ok(guard) = open(&coordination)
            && guard.try_lock().is_ok()
        {
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            open()
        }
        (result, _) => result,
    }
}

/// Whether `path` still names the file that was locked.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(libc::ENOLCK)
}

fn in_use(id: ThreadId, holder: Option<String>) -> RolloutError {
    let holder = holder.map(|holder| format!(": {holder}")).unwrap_or_default();
    RolloutError {
        message: format!("session {id} is open in another process{holder}"),
        hint: Some(format!("end the other process, or go on in a copy of the session: hone fork {id} \"…\"")),
    }
}

/// Leaves word of who has the lock, for systems that do not tell. Who cannot write it has the lock all the same.
fn note_owner(mut file: &File) {
    let text = std::process::id().to_string();
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).unwrap_or_default();
}

/// Who has the lock: `process 4711 (codex)`. Linux tells; elsewhere, or from another container, the holder's note does.
fn holder(file: &File) -> Option<String> {
    let told = fs::read_to_string("/proc/locks").ok().and_then(|locks| pid_in(&locks, &file.metadata().ok()?));
    let pid = told.or_else(|| {
        let mut note = String::new();
        file.take(20).read_to_string(&mut note).ok()?;
        note.trim().parse().ok()
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    let name = name.map(|name| format!(" ({})", name.trim())).unwrap_or_default();
    Some(format!("process {pid}{name}"))
}

/// The process in a line such as `1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF`. Some file systems show another device
/// there than files do, so the inode has to do.
fn pid_in(locks: &str, lock: &fs::Metadata) -> Option<u32> {
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = fields[..] else { return None };
        let (_, inode) = file.rsplit_once(':')?;
        (inode.parse() == Ok(lock.ino())).then(|| pid.parse().ok()).flatten()
    };
    locks.lines().find_map(of_line).filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_waits_for_the_first_to_go() {
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        let first = WriterLock::take(home.path(), id).unwrap();
        let refused = WriterLock::take(home.path(), id).unwrap_err();
        let us = format!("session {id} is open in another process: process {}", std::process::id());
        assert!(refused.message.starts_with(&us), "{refused}");
        assert!(refused.hint.unwrap().contains(&format!("hone fork {id}")));
        WriterLock::take(home.path(), ThreadId::new()).unwrap();
        drop(first);
        assert!(!home.path().join(FOLDER).join(format!("{id}.lock")).exists());
        WriterLock::take(home.path(), id).unwrap();
    }

    #[test]
    fn the_owner_is_read_from_what_linux_tells() {
        let file = tempfile::tempfile().unwrap().metadata().unwrap();
        let locks = format!(
            "1: POSIX  ADVISORY  WRITE 7 08:01:{0} 0 EOF\n2: FLOCK  ADVISORY  WRITE 8 08:01:1{0} 0 EOF\n3: FLOCK  ADVISORY  WRITE 9 08:01:{0} 0 EOF\n",
            file.ino()
        );
        assert_eq!(pid_in(&locks, &file), Some(9));
        assert_eq!(pid_in("", &file), None);
    }

    #[test]
    fn a_lock_left_by_a_dead_process_is_free() {
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        fs::create_dir(home.path().join(FOLDER)).unwrap();
        fs::write(home.path().join(FOLDER).join(format!("{id}.lock")), "").unwrap();
        WriterLock::take(home.path(), id).unwrap();
    }
}
