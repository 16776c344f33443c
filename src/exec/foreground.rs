//! A command on the person's own terminal, under a sandbox: what `hone sandbox` runs.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

use super::containment::Containment;
use super::env::Vars;
use super::process::exit_code;
use super::spawn::{self, SpawnError};
use crate::sandbox::SandboxError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code, 128+n for signal n.
    Code(i32),
    /// It ran longer than its limits allow.
    TooLong,
}

/// Runs `argv` in `cwd` to its end. It reads and writes what this program does.
///
/// # Errors
/// It could not be started; the sandbox could not be set up.
pub async fn run(argv: &[String], cwd: &Path, vars: &Vars, sandbox: &Containment) -> Result<Ended, SpawnError> {
    let (mut command, prepared) = spawn::command(argv, cwd, vars.get(OsStr::new("PATH")), Some(sandbox))?;
    command.current_dir(cwd).env_clear().envs(vars.iter());
    spawn::tell_network(&mut command, Some(sandbox));
    super::os::restrict(&mut command, prepared.restrictions);
    let refused = |source: io::Error| spawn::refusal(&argv[0], source);
    // The terminal sends these to the command as well, which decides what to make of them; we are to see how it ends.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut quits = signal(SignalKind::quit()).map_err(refused)?;
    let mut child = tokio::process::Command::from(command).spawn().map_err(refused)?;
    let limit = sandbox.sandbox().spec().limits.wall_time;
    let too_long = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(too_long);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(refused)?,
            () = &mut too_long => {
                child.kill().await.map_err(refused)?;
                return Ok(Ended::TooLong);
            }
            _ = interrupts.recv() => {}
            _ = quits.recv() => {}
        }
    };
    if status.code().is_some() && prepared.receipt.is_some_and(|receipt| !receipt.command_began()) {
        return Err(SandboxError::Wrapper("bubblewrap said above why".to_owned()).into());
    }
    Ok(Ended::Code(exit_code(status)))
}
