//! `hone evolve status`: how learning stands.

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::account::status;
use crate::protocol::UserError;
use crate::protocol::learned::Scope;
use crate::runtime::Setup;

/// Tells it.
///
/// # Errors
/// The configuration or the records cannot be read.
pub fn run(setup: &Setup) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let account = here.account()?;
    terminal::print(&format!("project    {} ({})\n", here.learning.name(), here.learning.root.display()));
    terminal::print(&status::status(&account, &here.learning.settings, here.now_ms)?);
    let [repo, user] = [Scope::Repo, Scope::User].map(|scope| here.store().folder(scope).display().to_string());
    terminal::print(&format!("files      {repo}\n           {user}\n"));
    Ok(0)
}
