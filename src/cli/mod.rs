//! Floor 5: the command line.
//!
//! | file | what it holds |
//! |---|---|
//! | [`args`] | the command line as it is typed |
//! | [`oneshot`] | one turn from the command line |
//! | [`progress`] | what a person watches meanwhile |
//! | [`stdin`] | the prompt from arguments and standard input |
//! | [`demo`] | a recorded turn in a scratch repository |
//! | [`signals`] | Ctrl-C and its kin |

pub mod args;
pub mod demo;
pub mod oneshot;
pub mod progress;
pub mod signals;
pub mod stdin;

use clap::Parser;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use crate::config::{Environment, explain};
use crate::protocol::{ErrorKind, UserError};
use crate::tools::apply_patch::standalone;
use crate::runtime::{Replay, SessionStart, Setup};
use args::{Cli, Color, Command, ConfigCommand, Exec, ExecCommand, Options};

/// Runs the program and returns its exit code.
#[must_use]
pub fn main(argv: Vec<OsString>) -> u8 {
    let called_as = argv.first().and_then(|path| Path::new(path).file_stem()).unwrap_or_default();
    if called_as == "apply_patch" || called_as == "applypatch" {
        return apply_patch(argv.get(1..).unwrap_or_default());
    }
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" that go to standard output and mean success.
            error.print().unwrap_or_default();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    run(cli).unwrap_or_else(|error| {
        complain(&error);
        error.kind.exit_code()
    })
}

fn run(cli: Cli) -> Result<u8, UserError> {
    let options = &cli.options;
    match cli.command {
        None => oneshot::run(options, &cli.prompt, &SessionStart::New),
        Some(Command::Exec(Exec { command: None, prompt })) => oneshot::run(options, &prompt, &SessionStart::New),
        Some(Command::Exec(Exec { command: Some(ExecCommand::Resume { last, all, words }), .. })) => {
            let (start, prompt) = resume(last, all, words)?;
            oneshot::run(options, &prompt, &start)
        }
        Some(Command::Demo) => demo::run(options),
        Some(Command::ApplyPatch { patch }) => Ok(apply_patch(&patch.map(OsString::from).into_iter().collect::<Vec<_>>())),
        Some(Command::Config { command: ConfigCommand::Explain { key } }) => {
            let loaded = setup(options)?.load()?;
            print(&explain::explain(&loaded, key.as_deref())?);
            Ok(0)
        }
    }
}

/// Which session `resume` means, and what is left for the prompt.
fn resume(last: bool, all: bool, mut words: Vec<String>) -> Result<(SessionStart, Vec<String>), UserError> {
    if last {
        return Ok((SessionStart::Last { all }, words));
    }
    if words.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, "`resume` needs the id of a session")
            .hint("give an id, or --last for the latest session of this folder"));
    }
    let id = words.remove(0);
    Ok((SessionStart::Resume { id }, words))
}

/// What the options ask of the runtime.
///
/// # Errors
/// The folder to work in does not exist.
pub fn setup(options: &Options) -> Result<Setup, UserError> {
    let mut flags = Vec::new();
    if let Some(model) = &options.model {
        flags.push(("model", model.clone(), "--model"));
    }
    if let Some(sandbox) = &options.sandbox {
        flags.push(("sandbox_mode", sandbox.clone(), "--sandbox"));
    }
    if options.dangerously_bypass_approvals_and_sandbox {
        flags.push(("sandbox_mode", "danger-full-access".to_owned(), "--dangerously-bypass-approvals-and-sandbox"));
        flags.push(("approval_policy", "never".to_owned(), "--dangerously-bypass-approvals-and-sandbox"));
    }
    Ok(Setup {
        cwd: working_folder(options.cd.as_deref())?,
        profile: options.profile.clone(),
        overrides: options.config.clone(),
        flags,
        ephemeral: options.ephemeral,
        record: options.record.clone(),
        replay: options.replay.clone().map(Replay::File),
        source: "exec",
    })
}

fn working_folder(cd: Option<&Path>) -> Result<std::path::PathBuf, UserError> {
    let wanted = cd.unwrap_or(Path::new("."));
    let folder = std::path::absolute(wanted).and_then(std::fs::canonicalize);
    match folder {
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => Err(UserError::new(ErrorKind::Usage, format!("{} is not a folder", wanted.display()))
            .hint("give -C a folder to work in")),
        Err(error) => Err(UserError::new(ErrorKind::Usage, format!("cannot work in {}: {error}", wanted.display()))
            .hint("give -C an existing folder")),
    }
}

fn apply_patch(args: &[OsString]) -> u8 {
    let result = standalone::run(args, &mut io::stdin(), Path::new("."));
    io::stdout().write_all(result.stdout.as_bytes()).unwrap_or_default();
    io::stderr().write_all(result.stderr.as_bytes()).unwrap_or_default();
    result.code
}

/// Whether standard error shall be coloured.
#[must_use]
pub fn colored(when: Color) -> bool {
    match when {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stderr().is_terminal() && Environment::capture().get("NO_COLOR").is_none(),
    }
}

/// Writes to standard output. A reader that went away is no error.
pub fn print(text: &str) {
    io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).unwrap_or_default();
}

#[allow(clippy::print_stderr, reason = "a front end speaks to the person")]
fn complain(error: &UserError) {
    eprintln!("error: {error}");
}
