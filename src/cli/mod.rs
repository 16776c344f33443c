//! Floor 5: the command line.
//!
//! | file | what it holds |
//! |---|---|
//! | [`args`] | the command line as it is typed |
//! | [`oneshot`] | one turn from the command line |
//! | [`progress`] | what a person watches meanwhile |
//! | [`json`] | what a program reads meanwhile |
//! | [`writer`] | the thread that writes either |
//! | [`stdin`] | the prompt from arguments and standard input |
//! | [`sessions`] | sessions on disk, looked at and put in order |
//! | [`evolve`] | what is learned, and how |
//! | [`recall`] | what was said and done in past sessions |
//! | [`responses_server`] | any server of models, for any client of the Responses API |
//! | [`demo`] | a recorded turn in a scratch repository |
//! | [`undo`] | taking back what a turn did to files |
//! | [`policy`] | what would be decided on a command |
//! | [`sandbox`] | a command in the sandbox |
//! | [`signals`] | Ctrl-C and its kin |
//! | [`terminal`] | what is written where |

pub mod args;
pub mod demo;
pub mod evolve;
pub mod json;
pub mod oneshot;
pub mod policy;
pub mod progress;
pub mod recall;
pub mod responses_server;
pub mod sandbox;
pub mod sessions;
pub mod signals;
pub mod stdin;
pub mod terminal;
pub mod undo;
pub mod usage;
pub mod writer;

use clap::Parser;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::config::explain;
use crate::protocol::{ErrorKind, UserError};
use crate::repl;
use crate::runtime::{SessionStart, Setup};
use crate::tools::apply_patch::standalone;
use args::{Cli, Command, ConfigCommand, Exec, ExecCommand, Fork, Options, PolicyCommand, TurnOptions};
use oneshot::OneShot;

/// Runs the program and returns its exit code.
#[must_use]
pub fn main(argv: Vec<OsString>) -> u8 {
    let called_as = argv.first().and_then(|path| Path::new(path).file_stem()).unwrap_or_default();
    if called_as == "apply_patch" || called_as == "applypatch" {
        let patched = args::working_folder(None).map(|cwd| apply_patch(argv.get(1..).unwrap_or_default(), &cwd));
        return patched.unwrap_or_else(|error| end_with(&error));
    }
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" that go to standard output and mean success.
            error.print().unwrap_or_default();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    run(cli).unwrap_or_else(|error| end_with(&error))
}

fn end_with(error: &UserError) -> u8 {
    terminal::complain(error);
    error.kind.exit_code()
}

fn run(cli: Cli) -> Result<u8, UserError> {
    let options = &cli.options;
    match cli.command {
        None if cli.prompt.is_empty() && cli.turn == TurnOptions::default() && repl::is_possible() => {
            interactive(options, &SessionStart::New, None)
        }
        None => OneShot::new(options, cli.turn, SessionStart::New).run(&cli.prompt),
        Some(Command::Exec(asked)) => exec(options, cli.turn, asked),
        Some(Command::Fork(asked)) => fork(options, cli.turn, asked),
        Some(_) if cli.turn != TurnOptions::default() => {
            Err(UserError::new(ErrorKind::Usage, "--json is for running a turn, not for this command")
                .hint("leave it out, or put it behind the command, where some have one of their own"))
        }
        Some(Command::Resume { id: Some(id), .. }) => interactive(options, &SessionStart::Resume { id }, None),
        Some(Command::Resume { last: true, all, .. }) => interactive(options, &SessionStart::Last { all }, None),
        Some(Command::Resume { all, .. }) => {
            interactive(options, &SessionStart::New, Some(if all { "--all" } else { "" }))
        }
        Some(Command::Sessions { command }) => sessions::run(options.working_folder()?, &command),
        Some(Command::Evolve { command }) => evolve::run(options.setup()?, &command),
        Some(Command::Usage(asked)) => usage::run(options, &asked),
        Some(Command::Recall(asked)) => recall::run(options, &asked),
        Some(Command::ResponsesServer(asked)) => responses_server::run(options, &asked),
        Some(Command::Demo) => demo::run(options),
        Some(Command::ApplyPatch { patch }) => {
            let folder = args::working_folder(options.cd.as_deref())?;
            Ok(apply_patch(&patch.map(OsString::from).into_iter().collect::<Vec<_>>(), &folder))
        }
        Some(Command::Sandbox(asked)) => sandbox::run(options, &asked),
        Some(Command::Policy { command: PolicyCommand::Check(asked) }) => policy::check(options, &asked),
        Some(Command::Undo(asked)) => undo::run(options, &asked),
        Some(Command::Config { command: ConfigCommand::Explain { key } }) => {
            let loaded = options.setup()?.load()?;
            terminal::print(&explain::explain(&loaded, key.as_deref())?);
            Ok(0)
        }
    }
}

/// `hone exec`: one turn, as scripts and other programs ask for it.
fn exec(options: &Options, before: TurnOptions, Exec { command, turn, prompt }: Exec) -> Result<u8, UserError> {
    let turn = before.and(turn);
    let (turn, start, prompt) = match command {
        None => (turn, SessionStart::New, prompt),
        Some(ExecCommand::Resume { last, all, turn: behind, words }) => {
            let (start, prompt) = resume(last, all, words)?;
            (turn.and(behind), start, prompt)
        }
        Some(ExecCommand::Fork(Fork { last, all, turn: behind, words })) => {
            let (start, prompt) = forked(last, all, words)?;
            (turn.and(behind), start, prompt)
        }
    };
    OneShot::new(options, turn, start).guarded().run(&prompt)
}

/// `hone fork`: a session to stay in, or one turn.
fn fork(options: &Options, before: TurnOptions, asked: Fork) -> Result<u8, UserError> {
    let turn = before.and(asked.turn);
    let (start, prompt) = forked(asked.last, asked.all, asked.words)?;
    match prompt.is_empty() && turn == TurnOptions::default() && repl::is_possible() {
        true => interactive(options, &start, None),
        false => OneShot::new(options, turn, start).run(&prompt),
    }
}

/// A session to stay in.
fn interactive(options: &Options, start: &SessionStart, pick: Option<&str>) -> Result<u8, UserError> {
    if !repl::is_possible() {
        return Err(UserError::new(ErrorKind::Usage, "a session needs a terminal for its input and its output")
            .hint("give a prompt instead: hone \"…\", or hone exec resume ID \"…\""));
    }
    let setup = Setup { source: "cli", restores: true, ..options.setup()? };
    repl::run(setup.prepare()?, start, pick, terminal::colored(options.color))
}

/// Which session `resume` means, and what is left for the prompt.
fn resume(last: bool, all: bool, words: Vec<String>) -> Result<(SessionStart, Vec<String>), UserError> {
    if last {
        return Ok((SessionStart::Last { all }, words));
    }
    let (id, prompt) = named("resume", words)?;
    Ok((SessionStart::Resume { id }, prompt))
}

/// Which session `fork` means, and what is left for the prompt.
fn forked(last: bool, all: bool, words: Vec<String>) -> Result<(SessionStart, Vec<String>), UserError> {
    if last {
        return Ok((SessionStart::Fork { id: None, all }, words));
    }
    let (id, prompt) = named("fork", words)?;
    Ok((SessionStart::Fork { id: Some(id), all }, prompt))
}

fn named(command: &str, mut words: Vec<String>) -> Result<(String, Vec<String>), UserError> {
    if words.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, format!("`{command}` needs to know which session")).hint(
            "give its id or title, or --last for the latest one of this folder; `hone sessions list` shows them",
        ));
    }
    Ok((words.remove(0), words))
}

fn apply_patch(args: &[OsString], cwd: &Path) -> u8 {
    let result = standalone::run(args, &mut io::stdin(), cwd);
    terminal::print(&result.stdout);
    terminal::print_error(&result.stderr);
    result.code
}
