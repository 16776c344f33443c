//! Starting one process: from what is asked to a child whose output can be read.
//!
//! The standard library uses `posix_spawn` as long as nothing has to run in the child before exec. Fork and exec cost the
//! same for a small program, but several milliseconds for one that holds 100 MB, so they are kept for where they are needed:
//! to give a child a terminal, to keep it off the person's, or to bind it to a sandbox.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;

use super::containment::Containment;
use super::env::{FIXED, Vars};
use super::os;
use crate::sandbox::mask::Masks;
use crate::sandbox::plan::Receipt;
use crate::sandbox::{self, Prepared, SandboxError, enter};

// The size of the terminals processes get.
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its arguments. A program without a slash is looked for in the child's `PATH`.
    pub argv: Vec<String>,
    /// Where it runs. Absolute.
    pub cwd: PathBuf,
    /// Its environment, before the variables every command gets ([`FIXED`]).
    pub vars: Arc<Vars>,
    /// The conversation, for `CODEX_THREAD_ID`.
    pub thread_id: String,
    /// The tool call, for `CODEX_TOOL_CALL_ID`.
    pub call_id: String,
    /// Whether it gets a terminal instead of a pipe and no input.
    pub tty: bool,
    /// What it may touch; `None` for all that the person may.
    pub sandbox: Option<Containment>,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no such folder to run in.
    #[error("the folder {} does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The place to run in is something else.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Nothing to run.
    #[error("command args are empty")]
    NoCommand,
    /// There is no such program.
    #[error("there is no program `{0}` in this environment's PATH")]
    NoProgram(String),
    /// The sandbox could not be set up, so that nothing was started. No failure of the command.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The operating system refused.
    #[error("`{program}` could not be started: {source}")]
    Refused {
        /// What was to be started.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A child that was just started.
pub struct Spawned {
    /// The child itself.
    pub child: tokio::process::Child,
    /// What it prints; for a terminal also what it reads.
    pub output: AsyncFd<File>,
    /// To be kept until nothing of it runs any more.
    pub masks: Masks,
    /// Whether the command ever began, when a wrapper was to start it.
    pub receipt: Option<Receipt>,
}

/// Where a child without a terminal of its own stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In this program's session, which has no terminal.
    SameSession,
    /// In a session of its own. In that of a program with a terminal it could ask for a password there, in the midst of
    /// what is on the screen, and would be stopped by the first key it reads.
    OwnSession,
}

impl Standing {
    /// What suits this program.
    pub fn of_children() -> Self {
        if File::open("/dev/tty").is_ok() { Self::OwnSession } else { Self::SameSession }
    }
}

/// Starts `launch` as the leader of a process group of its own. `mark` is one more variable of its environment.
///
/// # Errors
/// The folder or the program is not there, or the operating system refuses.
pub fn spawn(launch: &Launch, standing: Standing, mark: (&str, &str)) -> Result<Spawned, SpawnError> {
    let path = launch.vars.get(OsStr::new("PATH"));
    let (mut command, prepared) = command(&launch.argv, &launch.cwd, path, launch.sandbox.as_ref())?;
    command.current_dir(&launch.cwd);
    command.env_clear().envs(launch.vars.iter()).envs(FIXED.iter().copied());
    command.env("CODEX_THREAD_ID", &launch.thread_id).env("CODEX_SESSION_ID", &launch.thread_id);
    command.env("CODEX_TOOL_CALL_ID", &launch.call_id).env(mark.0, mark.1);
    tell_network(&mut command, launch.sandbox.as_ref());
    start(command, launch, standing, prepared).map_err(|source| refusal(&launch.argv[0], source))
}

/// The program to start for `argv`, found in `path`, or the sandbox's wrapper around it.
pub(super) fn command(
    argv: &[String],
    cwd: &Path,
    path: Option<&OsString>,
    sandbox: Option<&Containment>,
) -> Result<(Command, Prepared), SpawnError> {
    check_folder(cwd)?;
    let name = argv.first().filter(|name| !name.is_empty()).ok_or(SpawnError::NoCommand)?;
    let program =
        find_program(name, path.map(|path| &**path), cwd).ok_or_else(|| SpawnError::NoProgram(name.clone()))?;
    let prepared = match sandbox {
        Some(sandbox) => sandbox.sandbox().prepare(sandbox::Command { program: &program, argv, cwd })?,
        None => Prepared::default(),
    };
    let mut command = Command::new(prepared.wrapper.as_ref().map_or(&program, |(wrapper, _)| wrapper));
    match &prepared.wrapper {
        Some((_, arguments)) => command.args(arguments),
        None => command.arg0(name).args(&argv[1..]),
    };
    Ok((command, prepared))
}

/// Tells a command that the network is off, by the variable Codex tells it by.
pub(super) fn tell_network(command: &mut Command, sandbox: Option<&Containment>) {
    if sandbox.is_some_and(|sandbox| !sandbox.sandbox().spec().network) {
        command.env("CODEX_SANDBOX_NETWORK_DISABLED", "1");
    }
}

/// Why a program was not started: for its own sake, or for the sandbox's.
pub(super) fn refusal(program: &str, source: io::Error) -> SpawnError {
    match enter::failure(&source) {
        Some(error) => SpawnError::Sandbox(error),
        None => SpawnError::Refused { program: program.to_owned(), source },
    }
}

fn start(mut command: Command, launch: &Launch, standing: Standing, prepared: Prepared) -> io::Result<Spawned> {
    let output = if launch.tty { connect_terminal(&mut command)? } else { connect_pipe(&mut command, standing)? };
    let output = os::awaitable(output)?;
    // Last of what the child does: it may take away what the rest needs.
    if launch.sandbox.is_some() {
        os::restrict(&mut command, prepared.restrictions);
    }
    // The command holds the child's ends of pipe or terminal, and is gone before anybody reads: an output ends when the
    // last one that could write to it closes it.
    let child = tokio::process::Command::from(command).spawn()?;
    Ok(Spawned { child, output, masks: prepared.masks, receipt: prepared.receipt })
}

/// One pipe for output and errors, so that they arrive in the order they were written.
fn connect_pipe(command: &mut Command, standing: Standing) -> io::Result<File> {
    let (ours, theirs) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs);
    match standing {
        Standing::SameSession => _ = command.process_group(0),
        Standing::OwnSession => os::lead_session(command),
    }
    Ok(File::from(OwnedFd::from(ours)))
}

fn connect_terminal(command: &mut Command) -> io::Result<File> {
    let (ours, theirs) = os::open_terminal(ROWS, COLUMNS)?;
    command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
    os::lead_terminal_session(command);
    Ok(ours)
}

/// The operating system says the same of a missing folder as of a missing program, so the folder is looked at first.
fn check_folder(cwd: &Path) -> Result<(), SpawnError> {
    match std::fs::metadata(cwd) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(SpawnError::NotAFolder(cwd.to_owned())),
        Err(_) => Err(SpawnError::NoFolder(cwd.to_owned())),
    }
}

/// Finds a program as `execvp` would. Done here since `posix_spawn` is out of reach for a name the child has to look up.
fn find_program(name: &str, path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let path = path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(path).map(|folder| cwd.join(folder).join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
