//! codex-self-evolution-plugin: `~/.codex-self-evolution/projects/<bucket>/memory/`. The bucket is the repository's folder with `-` in
//! place of `/`. `memory.json` is what its Markdown is made from; later versions keep Markdown alone.

use serde_json::Value;
use std::path::{Path, PathBuf};

use super::{Place, Program, read, read_if_there};
use crate::evolution::account::import::{Remembered, of_markdown};
use crate::protocol::UserError;
use crate::protocol::learned::Scope;

pub(super) const PROGRAM: Program = Program { name: "csep", usual, read: remembered };

fn usual(place: &Place<'_>) -> PathBuf {
    place.user.join(".codex-self-evolution")
}

fn remembered(path: &Path, place: &Place<'_>) -> Result<Vec<Remembered>, UserError> {
    let bucket = place.root.to_string_lossy().replace('/', "-");
    // The whole home, a bucket, or its memory.
    let candidates = [path.join("projects").join(&bucket).join("memory"), path.join("memory"), path.to_owned()];
    let folder =
        candidates.iter().find(|folder| ["memory.json", "MEMORY.md"].iter().any(|name| folder.join(name).is_file()));
    let Some(folder) = folder else { return Ok(of_markdown(&read(path)?, Scope::Repo)) };
    let json = read_if_there(&folder.join("memory.json"))?;
    let mut found = serde_json::from_str::<Value>(&json).map(|value| records(&value)).unwrap_or_default();
    if found.is_empty() {
        found.extend(of_markdown(&without_title(&read_if_there(&folder.join("MEMORY.md"))?), Scope::Repo));
        found.extend(of_markdown(&without_title(&read_if_there(&folder.join("USER.md"))?), Scope::User));
    }
    Ok(found)
}

/// Every record, wherever it stands: those have been lists, and lists by scope.
fn records(value: &Value) -> Vec<Remembered> {
    match value {
        Value::Array(all) => all.iter().flat_map(records).collect(),
        Value::Object(members) => {
            match members.get("content").or_else(|| members.get("summary")).and_then(Value::as_str) {
                Some(text) => {
                    let is_user = members.get("scope").and_then(Value::as_str) == Some("user");
                    let scope = if is_user { Scope::User } else { Scope::Repo };
                    vec![Remembered { text: text.to_owned(), scope, kind: None }]
                }
                None => members.values().flat_map(records).collect(),
            }
        }
        _ => Vec::new(),
    }
}

/// Its Markdown repeats each entry's summary as a heading, which says nothing more.
fn without_title(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}
