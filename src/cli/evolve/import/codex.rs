//! Codex: `$CODEX_HOME/memories/MEMORY.md`. What it keeps there is of all repositories; the rest of the folder is what it was made from.

use std::path::{Path, PathBuf};

use super::{Place, Program, read};
use crate::evolution::account::import::{Remembered, of_markdown};
use crate::protocol::UserError;
use crate::protocol::learned::Scope;

pub(super) const PROGRAM: Program = Program { name: "codex", usual, read: remembered };

fn usual(place: &Place<'_>) -> PathBuf {
    place.home.join("memories")
}

fn remembered(path: &Path, _: &Place<'_>) -> Result<Vec<Remembered>, UserError> {
    let file = if path.is_dir() { path.join("MEMORY.md") } else { path.to_owned() };
    Ok(of_markdown(&read(&file)?, Scope::User))
}
