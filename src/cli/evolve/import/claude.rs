//! Claude Code: the repository's `CLAUDE.md` and `.claude/CLAUDE.md`, or any memory file or folder of such files. A file below the person's own
//! `.claude` folder concerns the person, unless it is a project's memory there.

use std::path::{Path, PathBuf};

use super::{Place, Program, markdown_files, read, read_if_there};
use crate::evolution::account::import::{Remembered, of_markdown};
use crate::protocol::learned::Scope;
use crate::protocol::{ErrorKind, UserError};

pub(super) const PROGRAM: Program = Program { name: "claude", usual, read: remembered };

fn usual(place: &Place<'_>) -> PathBuf {
    place.root.to_owned()
}

fn remembered(path: &Path, place: &Place<'_>) -> Result<Vec<Remembered>, UserError> {
    let own = place.user.join(".claude");
    let is_own = path.starts_with(&own) && !path.starts_with(own.join("projects"));
    let scope = if is_own { Scope::User } else { Scope::Repo };
    if path == place.root {
        return of_repository(path, place);
    }
    let mut found = Vec::new();
    for file in markdown_files(path)? {
        // The index of a folder of memories points at the others, which say more.
        let is_index = path.is_dir() && file.file_name().is_some_and(|name| name == "MEMORY.md");
        if !is_index {
            found.extend(of_markdown(&read(&file)?, scope));
        }
    }
    Ok(found)
}

/// The files of the repository, and the memory that Claude Code keeps of it in the person's folder.
fn of_repository(root: &Path, place: &Place<'_>) -> Result<Vec<Remembered>, UserError> {
    let mut files: Vec<PathBuf> =
        ["CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"].map(|name| root.join(name)).into();
    let mangled: String =
        root.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let memory = place.user.join(".claude/projects").join(mangled).join("memory");
    if memory.is_dir() {
        files.extend(markdown_files(&memory)?.into_iter().filter(|file| !file.ends_with("MEMORY.md")));
    }
    let mut found = Vec::new();
    for file in &files {
        found.extend(of_markdown(&read_if_there(file)?, Scope::Repo));
    }
    if found.is_empty() {
        let message =
            format!("there is no CLAUDE.md in {}, and no memory of it below {}", root.display(), place.user.display());
        return Err(UserError::new(ErrorKind::Usage, message).hint("name the file or folder"));
    }
    Ok(found)
}
