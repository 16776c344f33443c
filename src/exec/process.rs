//! A process that runs or ran: what it printed, how it ended.
//!
//! One task per process reads its output and waits for its end; everybody else looks at the [`Process`]. Nothing polls.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use super::capture::{Capture, Captured};
use super::spawn::{Launch, Spawned};
use super::{os, tree};
use crate::sandbox::SandboxError;
use crate::sandbox::mask::Masks;
use crate::sandbox::plan::Receipt;

/// How long an output is still read after its process ended, should a background process hold on to it.
const GRACE: Duration = Duration::from_millis(50);

/// The exit code of a process that nothing is known of: waiting for it failed.
const UNKNOWN_EXIT: i32 = -1;

/// A process that was started.
pub struct Process {
    /// What it runs, for people.
    command: String,
    started: Instant,
    /// Whether it is held by a sandbox.
    contained: bool,
    pid: i32,
    mark: String,
    capture: Mutex<Capture>,
    exit: watch::Sender<Option<i32>>,
    /// Whether it ended before the command in it began.
    never_began: AtomicBool,
    /// Our side of its terminal, when it has one.
    terminal: Option<Arc<AsyncFd<File>>>,
}

/// Process groups that outlived their leader, with what their sandboxes need. Their dead are ours to bury.
#[derive(Default)]
pub struct Leftovers(Mutex<Vec<(i32, Masks)>>);

impl Process {
    /// Takes charge of a child. `mark` is the variable of its environment by which what came from it is known. Needs a
    /// tokio runtime.
    pub fn watch(spawned: Spawned, launch: &Launch, mark: String, leftovers: Arc<Leftovers>) -> Arc<Self> {
        let Spawned { child, output, masks, receipt } = spawned;
        let output = Arc::new(output);
        let process = Arc::new(Self {
            // Of a shell's command line, the script is what people know.
            command: launch.argv.last().cloned().unwrap_or_default(),
            started: Instant::now(),
            contained: launch.sandbox.as_ref().is_some_and(|sandbox| sandbox.sandbox().spec().contains()),
            // A child that has not been waited for has an id.
            pid: child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default(),
            mark,
            capture: Mutex::default(),
            exit: watch::Sender::new(None),
            never_began: AtomicBool::new(false),
            terminal: launch.tty.then(|| Arc::clone(&output)),
        });
        tokio::spawn(attend(Arc::clone(&process), child, output, (masks, receipt), leftovers));
        if let Some(limit) = launch.sandbox.as_ref().and_then(|sandbox| sandbox.sandbox().spec().limits.wall_time) {
            tokio::spawn(end_after(limit, Arc::clone(&process)));
        }
        process
    }

    /// What it runs, for people.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// How long ago it was started.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// How it ended, 128+n for signal n; `None` while it runs.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        *self.exit.borrow()
    }

    /// Returns when it has ended and its output is complete.
    pub async fn ended(&self) {
        let mut exit = self.exit.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _never_closed = exit.wait_for(Option::is_some).await;
    }

    /// Takes what it printed since the last time, and how it ended. Output that comes with an exit code is the last.
    pub fn take(&self) -> (Captured, Option<i32>) {
        let exit = self.exit_code();
        (lock(&self.capture).take(exit.is_some()), exit)
    }

    /// Whether it is held by a sandbox.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.contained
    }

    /// What was wrong with the sandbox, if the command in it never began; `printed` is what was printed instead.
    #[must_use]
    pub fn sandbox_failure(&self, printed: &Captured) -> Option<SandboxError> {
        self.never_began.load(Ordering::Acquire).then(|| SandboxError::Wrapper(printed.text().trim().to_owned()))
    }

    /// Whether it has a terminal to write to.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// Types into its terminal. Waits while the terminal's buffer is full.
    ///
    /// # Errors
    /// It has no terminal, or left it.
    pub async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let terminal = self.terminal.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        while !bytes.is_empty() {
            let mut ready = terminal.writable().await?;
            match ready.try_io(|terminal| terminal.get_ref().write(bytes)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => bytes = &bytes[written?..],
                Err(_would_block) => {}
            }
        }
        Ok(())
    }

    /// Does to its process group what Ctrl-C does in a terminal.
    pub fn interrupt(&self) {
        if self.exit_code().is_none() {
            os::signal_group(self.pid, libc::SIGINT);
        }
    }

    /// Kills it and all that came from it.
    pub fn kill(&self) {
        tree::kill(self.leader().as_slice(), &[], &self.mark);
    }

    /// Its process group, as long as the number is sure to mean that: until its end was seen.
    pub(super) fn leader(&self) -> Option<i32> {
        self.exit_code().is_none().then_some(self.pid)
    }
}

impl Leftovers {
    /// Buries who died, forgets the groups that are gone.
    pub fn reap(&self) {
        lock(&self.0).retain(|(group, _)| {
            os::reap_group(*group);
            os::signal_group(*group, 0)
        });
    }

    /// The groups that were not empty when last looked at.
    pub fn groups(&self) -> Vec<i32> {
        lock(&self.0).iter().map(|(group, _)| *group).collect()
    }

    /// Remembers the group of a leader that ended, unless it is empty.
    fn note(&self, group: i32, masks: Masks) {
        if os::signal_group(group, 0) {
            lock(&self.0).push((group, masks));
        }
    }
}

/// Reads what a child prints, waits for its end and says so.
async fn attend(
    process: Arc<Process>,
    mut child: tokio::process::Child,
    output: Arc<AsyncFd<File>>,
    (masks, receipt): (Masks, Option<Receipt>),
    leftovers: Arc<Leftovers>,
) {
    let (status, output_ended) = read_until_exit(&mut child, &output, &process.capture).await;
    leftovers.note(process.pid, masks);
    // A wrapper that was killed had no chance to say how far it got.
    let by_itself = status.as_ref().is_ok_and(|status| status.code().is_some());
    if by_itself && receipt.is_some_and(|receipt| !receipt.command_began()) {
        process.never_began.store(true, Ordering::Release);
    }
    process.exit.send_replace(Some(status.map_or(UNKNOWN_EXIT, exit_code)));
    // What a background process prints from now on is of no interest, nor is the memory it would take.
    drop(process);
    if !output_ended {
        discard(&output).await;
    }
}

/// Kills a process that runs too long, and says so where it prints.
async fn end_after(limit: Duration, process: Arc<Process>) {
    if tokio::time::timeout(limit, process.ended()).await.is_ok() {
        return;
    }
    let told = format!("\n[ended: it ran longer than the {} s that sandbox_limits allows]\n", limit.as_secs_f64());
    let mut rest = told.as_bytes();
    // Reading from memory into memory cannot fail.
    let _infallible = lock(&process.capture).fill(|space| rest.read(space));
    process.kill();
}

/// Reads until the child has ended and the output too, unless that takes too long; says whether it did.
async fn read_until_exit(
    child: &mut tokio::process::Child,
    output: &AsyncFd<File>,
    capture: &Mutex<Capture>,
) -> (io::Result<ExitStatus>, bool) {
    let read = async { while matches!(read_into(output, capture).await, Ok(1..)) {} };
    tokio::pin!(read);
    let mut reading = true;
    let status = loop {
        tokio::select! {
            biased;
            () = &mut read, if reading => reading = false,
            status = child.wait() => break status,
        }
    };
    (status, !reading || tokio::time::timeout(GRACE, read).await.is_ok())
}

/// Reads once, straight into the capture. 0 is the end.
async fn read_into(output: &AsyncFd<File>, capture: &Mutex<Capture>) -> io::Result<usize> {
    loop {
        let mut ready = output.readable().await?;
        match ready.try_io(|output| lock(capture).fill(|space| output.get_ref().read(space))) {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(count) => return count,
            Err(_would_block) => {}
        }
    }
}

/// Goes on reading for a background process, whose writes would fail or wait for ever otherwise.
async fn discard(output: &AsyncFd<File>) {
    let mut space = [0; 4096];
    loop {
        let Ok(mut ready) = output.readable().await else { return };
        match ready.try_io(|output| output.get_ref().read(&mut space)) {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(_)) | Err(_) => {}
        }
    }
}

/// As shells say it.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(UNKNOWN_EXIT)
}

/// Nothing here panics while it holds a lock, and what the locks hold is always whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
