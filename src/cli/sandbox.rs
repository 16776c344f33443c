//! `hone sandbox`: a command in the sandbox that the agent's commands run in, and what this machine can do.

use super::args::{Options, SandboxOptions};
use super::terminal;
use crate::exec::containment::ladder;
use crate::exec::foreground::{self, Ended};
use crate::exec::{SpawnError, Vars};
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::containment;
use crate::sandbox::{Ladder, Mechanism, Mode};

/// The exit code of a command that ran too long, as `timeout` has it.
const TOO_LONG: u8 = 124;

/// Runs the command, or shows what there is. Returns the command's exit code.
///
/// # Errors
/// There is no command, the configuration cannot be used, the command could not be started, or the sandbox not be set up.
pub fn run(options: &Options, asked: &SandboxOptions) -> Result<u8, UserError> {
    if asked.probe {
        terminal::print(&describe(ladder()));
        return Ok(0);
    }
    if asked.command.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, "there is no command to run in the sandbox")
            .hint("put it after two dashes: hone sandbox -- make test"));
    }
    let mut setup = options.setup()?;
    setup.flags.extend(asked.mode.iter().map(|mode| ("sandbox_mode", mode.clone(), "--mode")));
    let loaded = setup.load()?;
    let mode = loaded.config.sandbox_mode.map_or(Mode::WorkspaceWrite, |_| containment::mode(&loaded));
    let mut spec = containment::spec(setup.roots(), &loaded, mode);
    spec.network |= asked.network;
    let mechanism = asked.with.as_deref().map(mechanism).transpose()?;
    let sandbox = containment::new(spec, mechanism)?;
    let vars: Vars = loaded.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let failed =
        |error: std::io::Error| UserError::new(ErrorKind::Failed, format!("the command cannot be run: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    match runtime.block_on(foreground::run(&asked.command, &setup.cwd, &vars, &sandbox)) {
        Ok(Ended::Code(code)) => Ok(u8::try_from(code).unwrap_or(u8::MAX)),
        Ok(Ended::TooLong) => {
            terminal::print_error("ended: it ran longer than sandbox_limits.wall_time_sec allows\n");
            Ok(TOO_LONG)
        }
        Err(SpawnError::Sandbox(error)) => Err(containment::refusal(&error)),
        Err(error) => {
            Err(UserError::new(ErrorKind::Failed, error.to_string()).hint("check the command and the folder"))
        }
    }
}

fn mechanism(name: &str) -> Result<Mechanism, UserError> {
    let known = [Mechanism::Bubblewrap, Mechanism::Landlock, Mechanism::Seatbelt];
    known.into_iter().find(|mechanism| mechanism.name() == name).ok_or_else(|| {
        UserError::new(ErrorKind::Usage, format!("there is no mechanism \"{name}\""))
            .hint("use one of \"bubblewrap\", \"landlock\", \"seatbelt\"")
    })
}

/// The ladder, the best on top.
fn describe(ladder: &Ladder) -> String {
    let mut text = String::new();
    for step in &ladder.steps {
        let name = step.mechanism.name();
        match &step.state {
            Ok(found) if ladder.best() == Some(step.mechanism) => text.push_str(&format!("{name}: used; {found}\n")),
            Ok(found) => text.push_str(&format!("{name}: works; {found}\n")),
            Err(reason) => text.push_str(&format!("{name}: no; {reason}\n")),
        }
        if step.state.is_ok() {
            for weakness in step.mechanism.weaknesses(ladder.landlock) {
                text.push_str(&format!("  - {weakness}\n"));
            }
        }
    }
    if ladder.best().is_none() {
        text.push_str("Nothing here can enforce a sandbox; commands run only with -s danger-full-access.\n");
    }
    text
}
