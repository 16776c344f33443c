//! The person's own commands, such as `!make` at the prompt: they run in the person's shell, in the session's folder, under
//! the same care as the model's commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::setup::Prepared;
use super::toolset::command_env;
use crate::exec::{Launch, Sessions, Vars, shell};
use crate::protocol::{ErrorKind, UserError};

/// What the person's commands run in.
#[derive(Clone)]
pub struct PersonShell {
    shell: PathBuf,
    cwd: PathBuf,
    vars: Arc<Vars>,
    processes: Arc<Sessions>,
}

/// How a command of the person's ended.
#[derive(Clone, Debug)]
pub struct ShellResult {
    /// Its exit code, 128+n for signal n.
    pub exit_code: i32,
    /// How long it ran.
    pub duration: Duration,
    /// What it printed, the middle of very much left out.
    pub output: String,
}

impl PersonShell {
    pub(super) fn new(prepared: &Prepared, processes: &Arc<Sessions>) -> Self {
        Self {
            shell: shell::of_user(prepared.loaded.env.get_os("SHELL").map(Path::new)),
            cwd: prepared.setup.cwd.clone(),
            vars: command_env(prepared).plain(),
            processes: Arc::clone(processes),
        }
    }

    /// Runs a script to its end, or until `cancel`, which kills it.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn run(&self, script: &str, cancel: &CancellationToken) -> Result<ShellResult, UserError> {
        self.start(shell::argv(&self.shell, false, script), cancel).await
    }

    /// Runs a program to its end, or until `cancel`, which kills it.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(&self, argv: Vec<String>, cancel: &CancellationToken) -> Result<ShellResult, UserError> {
        let launch = Launch {
            argv,
            cwd: self.cwd.clone(),
            vars: Arc::clone(&self.vars),
            thread_id: String::new(),
            call_id: String::new(),
            tty: false,
            sandbox: None,
        };
        let started = Instant::now();
        let running = self.processes.start(&launch).map_err(|error| {
            UserError::new(ErrorKind::Failed, error.to_string()).hint("check the command and the folder")
        })?;
        tokio::select! {
            biased;
            () = running.process().ended() => {}
            () = cancel.cancelled() => {
                running.process().kill();
                running.process().ended().await;
            }
        }
        let (printed, exit) = running.process().take();
        Ok(ShellResult { exit_code: exit.unwrap_or(-1), duration: started.elapsed(), output: printed.text() })
    }
}
