//! One writer at a time, across processes. The operating system holds the lock and lets go of it when the process dies, however
//! it dies: there are no stale locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::write;

/// Held by the writer of a folder. The file stays: removing it would let two writers in.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder, which is made if need be, and waits for it no longer than `patience`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when somebody has it for longer; otherwise as the operating system says.
    pub fn take(folder: &Path, patience: Duration) -> io::Result<Self> {
        let path = folder.join("lock");
        write::private_folder_of(&path)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    // Writers hold it for a few milliseconds. There is no way to wait for it and to stop waiting.
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                // Some network file systems know no locks. Refusing to work there would help nobody.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}
