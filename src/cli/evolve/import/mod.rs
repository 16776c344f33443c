//! `hone evolve import`: what other programs remember, or an export of our own.
//!
//! A program is a file here and a line in `PROGRAMS`.

mod claude;
mod codex;
mod csep;
mod hermes;

use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::account::import::{Remembered, take_in};
use crate::evolution::account::why_not::in_words;
use crate::evolution::account::{archive, count};
use crate::protocol::learned::Verdict;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::Setup;

/// A program whose memory can be read.
struct Program {
    /// Its name on the command line.
    name: &'static str,
    /// Where its memory is when nobody says: below the person's home folder, or in the repository.
    usual: fn(&Place<'_>) -> PathBuf,
    /// What is there; nothing that cannot be read is an error but the place itself.
    read: fn(&Path, &Place<'_>) -> Result<Vec<Remembered>, UserError>,
}

/// Where the command was given.
struct Place<'a> {
    /// The home of Codex and Hone.
    home: &'a Path,
    /// The person's home folder.
    user: &'a Path,
    /// The repository's folder.
    root: &'a Path,
}

const PROGRAMS: &[Program] = &[codex::PROGRAM, claude::PROGRAM, csep::PROGRAM, hermes::PROGRAM];

/// `hone evolve import …`
#[derive(Debug, Args)]
pub struct Import {
    /// The file or folder; where the program keeps its memory when left out
    #[arg(required_unless_present = "from")]
    pub path: Option<PathBuf>,
    /// Whose memory it is; without it, an export of our own
    #[arg(long, value_parser = ["codex", "claude", "csep", "hermes"])]
    pub from: Option<String>,
    /// Only tell what would be taken in
    #[arg(long)]
    pub dry_run: bool,
}

/// Takes it in, and tells what came of it.
///
/// # Errors
/// There is nothing there, it cannot be read, or the store says no.
pub fn run(setup: &Setup, asked: &Import) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let Some(from) = &asked.from else {
        let path = asked.path.as_deref().unwrap_or(Path::new("-"));
        return restore(&here, &read(path)?, asked.dry_run);
    };
    let nowhere =
        || UserError::new(ErrorKind::Usage, "there is no home folder to look in").hint("name the file or folder");
    let user = here.loaded.home.user().ok_or_else(nowhere)?;
    let place = Place { home: here.loaded.home.dir(), user, root: &here.learning.root };
    let program = PROGRAMS.iter().find(|program| program.name == *from).ok_or_else(nowhere)?;
    let path = asked.path.clone().map_or_else(|| (program.usual)(&place), |path| setup.cwd.join(path));
    let remembered = (program.read)(&path, &place)?;
    let taken = take_in(here.store(), program.name, &remembered, asked.dry_run, here.now_ms)?;
    let mut text = String::new();
    for decision in &taken.decisions {
        let what = match decision.verdict {
            Verdict::Kept(_) => "waits".to_owned(),
            Verdict::Merged(_) => "known already".to_owned(),
            Verdict::Discarded(why) => format!("left out, {}", in_words(why)),
        };
        let about = if decision.text.is_empty() { "(not shown)" } else { &decision.text };
        _ = writeln!(text, "  {what}: {about}");
    }
    let read = count(remembered.len(), "item");
    let would = if asked.dry_run { ", and nothing was changed" } else { "" };
    terminal::print(&format!("{}: {read} read{would}\n{text}", path.display()));
    if !asked.dry_run && !taken.operations.is_empty() {
        terminal::print(
            "`hone evolve approve --all` brings what waits into use; `hone evolve undo --last` takes it back\n",
        );
    }
    Ok(0)
}

fn restore(here: &Here, text: &str, dry_run: bool) -> Result<u8, UserError> {
    let restored = archive::restore(here.store(), &archive::parse(text)?, dry_run, here.now_ms)?;
    let would = if dry_run { ", and nothing was changed" } else { "" };
    let (added, same) = (restored.added, restored.same);
    terminal::print(&format!("{added} taken in, {same} are there already{would}\n"));
    for title in restored.differ {
        terminal::print(&format!("  is there otherwise, and stays: {title}\n"));
    }
    Ok(0)
}

/// A file's text.
fn read(path: &Path) -> Result<String, UserError> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| {
        UserError::new(ErrorKind::Usage, format!("cannot read {}: {error}", path.display()))
            .hint("name the file or folder that holds the memory")
    })
}

/// A file's text; empty when there is no such file.
fn read_if_there(path: &Path) -> Result<String, UserError> {
    if path.exists() { read(path) } else { Ok(String::new()) }
}

/// The Markdown files of a folder, or the file itself.
fn markdown_files(path: &Path) -> Result<Vec<PathBuf>, UserError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| {
        UserError::new(ErrorKind::Usage, format!("cannot read {}: {error}", path.display()))
            .hint("name the file or folder that holds the memory")
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "md") && path.is_file());
    files.sort();
    Ok(files)
}
