//! The names of sessions as Codex and its kin read them: one line for each change in `$CODEX_HOME/session_index.jsonl`.
//!
//! The session's own file has its name too, and that one counts. This list helps where that line lies too deep in a long
//! file to be seen by a list, and other programs, which look only here.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::protocol::ThreadId;

const TITLES: &str = "session_index.jsonl";

#[derive(Deserialize, Serialize)]
struct Name {
    id: ThreadId,
    thread_name: String,
    #[serde(default)]
    updated_at: String,
}

/// The last name of every session that has one.
pub(super) fn titles(home: &Path) -> HashMap<ThreadId, String> {
    let text = fs::read(home.join(TITLES)).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Name>(line).ok());
    lines.filter(|name| !name.thread_name.is_empty()).map(|name| (name.id, name.thread_name)).collect()
}

/// Adds a name. `updated_at` is RFC 3339 in UTC.
pub(super) fn add(home: &Path, id: ThreadId, name: &str, updated_at: String) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Name { id, thread_name: name.to_owned(), updated_at })?;
    line.push(b'\n');
    let path = home.join(TITLES);
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(&line)
}
