//! `hone evolve log`: the changes to what is learned, newest first.

use clap::Args;
use serde_json::json;

use super::here::{self, Here};
use crate::cli::terminal;
use crate::evolution::account::log;
use crate::protocol::UserError;
use crate::runtime::Setup;

/// `hone evolve log …`
#[derive(Debug, Args)]
pub struct Log {
    /// How many changes to show
    #[arg(long, short = 'n', default_value_t = 20)]
    pub limit: usize,
    /// For programs: every change with the entries before and after it
    #[arg(long)]
    pub json: bool,
}

/// Shows them.
///
/// # Errors
/// The configuration or a journal cannot be read.
pub fn run(setup: &Setup, asked: &Log) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let account = here.account()?;
    let mut changes = log::changes(&account);
    let all = changes.len();
    changes.truncate(asked.limit);
    here.tell_damage();
    if asked.json {
        let values: Vec<_> = changes
            .iter()
            .map(|(scope, operation, undone)| json!({"scope": scope, "undone": undone, "operation": operation}))
            .collect();
        terminal::print(&here::json(&values)?);
    } else if changes.is_empty() {
        terminal::print("nothing was learned yet\n");
    } else {
        terminal::print(&log::lines(&changes));
        if all > changes.len() {
            terminal::print(&format!("… and {} earlier; --limit shows more\n", all - changes.len()));
        }
    }
    Ok(0)
}
