//! `hone evolve export`: all that is learned here and of the person, as one file.

use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::account::archive;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::Setup;

/// `hone evolve export …`
#[derive(Debug, Args)]
pub struct Export {
    /// The file; standard output when left out or `-`
    pub file: Option<PathBuf>,
}

/// Writes it. What is there already is not overwritten.
///
/// # Errors
/// The journal cannot be read, or the file not be made.
pub fn run(setup: &Setup, asked: &Export) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let text = archive::export(&here.account()?)?;
    match asked.file.as_deref().filter(|file| file.as_os_str() != "-") {
        None => terminal::print(&text),
        Some(file) => {
            write_new(&setup.cwd.join(file), &text)?;
            terminal::print(&format!("written to {}\n", file.display()));
        }
    }
    Ok(0)
}

/// Makes a file that only its owner can read, and that was not there.
///
/// # Errors
/// It is there, or cannot be made.
pub fn write_new(path: &std::path::Path, text: &str) -> Result<(), UserError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot write {}: {error}", path.display()))
            .hint("name a file that is not there yet, in a folder that can be written to")
    })
}
