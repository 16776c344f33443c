//! Hermes Agent: `~/.hermes/memories/MEMORY.md` and `USER.md`, whose entries stand between lines of a single `§`.

use std::path::{Path, PathBuf};

use super::{Place, Program, read, read_if_there};
use crate::evolution::account::import::Remembered;
use crate::protocol::UserError;
use crate::protocol::learned::Scope;

pub(super) const PROGRAM: Program = Program { name: "hermes", usual, read: remembered };

fn usual(place: &Place<'_>) -> PathBuf {
    place.user.join(".hermes/memories")
}

fn remembered(path: &Path, _: &Place<'_>) -> Result<Vec<Remembered>, UserError> {
    if path.is_file() {
        let is_user = path.file_name().is_some_and(|name| name == "USER.md");
        return Ok(entries(&read(path)?, if is_user { Scope::User } else { Scope::Repo }));
    }
    let folder = if path.join("memories").is_dir() { path.join("memories") } else { path.to_owned() };
    let mut found = entries(&read(&folder.join("MEMORY.md"))?, Scope::Repo);
    found.extend(entries(&read_if_there(&folder.join("USER.md"))?, Scope::User));
    Ok(found)
}

fn entries(text: &str, scope: Scope) -> Vec<Remembered> {
    let entries = text.split("\n§\n").map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(|text| Remembered { text: text.to_owned(), scope, kind: None }).collect()
}
