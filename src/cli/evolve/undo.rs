//! `hone evolve undo`: takes back changes to what is learned.

use clap::Args;

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::account::take_back::{Which, take_back};
use crate::evolution::account::{log, title};
use crate::protocol::UserError;
use crate::runtime::Setup;

/// `hone evolve undo …`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Undo {
    /// The change with this id, or its begin
    pub operation: Option<String>,
    /// Everything that was learned from this session, by the begin of its id
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// The last change that stands, with those that were made together with it
    #[arg(long)]
    pub last: bool,
}

/// Takes back what is meant.
///
/// # Errors
/// There is no such change, something else was built on it, or the store says no.
pub fn run(setup: &Setup, asked: &Undo) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let which = match (&asked.operation, &asked.session) {
        (Some(id), _) => Which::Operation(id.clone()),
        (_, Some(id)) => Which::Session(id.clone()),
        _ => Which::Last,
    };
    for (_, operation) in take_back(here.store(), &which, here.now_ms)? {
        terminal::print(&format!("took back {}: {}\n", operation.id, log::verb(&operation.verb)));
        for entry in operation.edits.iter().filter_map(|edit| edit.entry()) {
            terminal::print(&format!("  {}\n", title(entry)));
        }
    }
    Ok(0)
}
