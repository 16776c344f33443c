//! `hone demo`: a recorded model, the real client, the real tools, a scratch repository.
//!
//! Everything but the model's words is real: they come from a tape that ships inside the program and is played back over a
//! loopback server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{Options, TurnOptions};
use super::oneshot::OneShot;
use super::terminal;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::{Replay, SessionStart, Setup};

const TAPE: &str = include_str!("demo/tape.jsonl");
const PROMPT: &str = "sh test.sh fails. Find out why and fix it.";
const FILES: &[(&str, &str)] =
    &[("slugify.sh", include_str!("demo/slugify.sh")), ("test.sh", include_str!("demo/test.sh"))];

/// Runs the demo and returns the exit code.
///
/// # Errors
/// The scratch repository cannot be made, or the turn cannot begin.
pub fn run(options: &Options) -> Result<u8, UserError> {
    let folder = scratch_repository().map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot make a scratch repository: {error}"))
            .hint("set TMPDIR to a folder that can be written to")
    })?;
    let prepared = Setup {
        cwd: folder.clone(),
        // The tape was recorded with this model, and it works in a folder of its own.
        flags: [("model", "gpt-5.5"), ("sandbox_mode", "danger-full-access"), ("approval_policy", "never")]
            .map(|(key, value)| (key, value.to_owned(), "demo"))
            .to_vec(),
        ephemeral: options.ephemeral,
        replay: Some(Replay::Watched(TAPE)),
        source: "exec",
        ..Setup::default()
    }
    .prepare()?;
    terminal::print_error(&format!("A recorded model works for real in a scratch repository.\n> {PROMPT}\n\n"));
    let code = OneShot::new(options, TurnOptions::default(), SessionStart::New).run_prompt(prepared, PROMPT)?;
    terminal::print_error(&format!("\nThe repository is yours to look at: cd {} && sh test.sh\n", folder.display()));
    Ok(code)
}

/// A folder with the demo's files that git takes for a repository.
fn scratch_repository() -> io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("hone-demo-").tempdir()?.keep();
    for (name, content) in FILES {
        fs::write(folder.join(name), content)?;
    }
    make_repository(&folder)?;
    fs::canonicalize(folder)
}

/// What `git init` makes, so that the demo needs no git.
fn make_repository(folder: &Path) -> io::Result<()> {
    let git = folder.join(".git");
    for dir in ["objects", "refs/heads"] {
        fs::create_dir_all(git.join(dir))?;
    }
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n")?;
    fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
}
