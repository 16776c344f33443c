//! `hone sessions …`: what is on disk, looked at and put in order.
//!
//! | file | what it holds |
//! |---|---|
//! | [`list`] | `list`: what there is |
//! | [`show`] | `show`: one conversation |
//! | [`export`] | `export`: one conversation as a file for others |
//! | [`transcript`] | a conversation as people read it, from its file |
//! | [`html`] | a transcript as a page |
//! | [`place`] | where sessions are looked for |
//! | [`words`] | what is said of a session |
//! | [`keep`] | `rename`, `archive`, `unarchive`, `delete`, `repair` |

pub mod export;
pub mod html;
pub mod keep;
pub mod list;
pub mod place;
pub mod show;
pub mod transcript;
pub mod words;

use std::path::PathBuf;

use clap::Subcommand;

use crate::protocol::UserError;
use place::Place;

/// `hone sessions …`. A session is named by its id or the begin of it, by its title, or by `last`.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Show the sessions of this folder, the one last written to first
    List(list::List),
    /// Show a conversation
    Show(show::Show),
    /// Name a session
    Rename {
        /// The session: an id, the begin of one, a title, or `last`.
        id: String,
        /// Its name; several words are joined.
        #[arg(required = true)]
        title: Vec<String>,
    },
    /// Put a session away: it is listed with `--archived` only
    Archive {
        /// The session: an id, the begin of one, a title, or `last`.
        id: String,
    },
    /// Take a session out of the archive
    Unarchive {
        /// The session: an id, the begin of one, or a title.
        id: String,
    },
    /// Delete a session for good
    Delete {
        /// The session: an id, the begin of one, a title, or `last`.
        id: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Write a conversation for others to read
    Export(export::Export),
    /// Set right what crashes and full disks left of session files
    Repair {
        /// Those put away too.
        #[arg(long)]
        all: bool,
    },
}

/// Does what was asked, in the folder `cwd`, and returns the exit code.
///
/// # Errors
/// No such session, or its file cannot be read or changed.
pub fn run(cwd: PathBuf, command: &SessionsCommand) -> Result<u8, UserError> {
    let place = Place::find(cwd)?;
    match command {
        SessionsCommand::List(list) => list::run(&place, list),
        SessionsCommand::Show(show) => show::run(&place, show),
        SessionsCommand::Rename { id, title } => keep::rename(&place, id, &title.join(" ")),
        SessionsCommand::Archive { id } => keep::archive(&place, id),
        SessionsCommand::Unarchive { id } => keep::unarchive(&place, id),
        SessionsCommand::Delete { id, yes } => keep::delete(&place, id, *yes),
        SessionsCommand::Export(export) => export::run(&place, export),
        SessionsCommand::Repair { all } => keep::repair(&place, *all),
    }
}
