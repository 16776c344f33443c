//! `list_dir`: what is in a folder, as a tree of a few levels.
//!
//! Entries are found level by level, so that a page of a large tree shows what is near the top, and are shown in the
//! order of a tree. Folders are read until the page is full and no further.

use std::collections::VecDeque;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::{self, Stop};
use super::lines::{LINE_CHARS, cut_to};
use super::{arguments, spec};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::ToolSpec;
use crate::protocol::event::Activity;

/// How many entries are listed when the model does not say.
const DEFAULT_LIMIT: usize = 25;

/// The most entries listed, whatever the model says.
const MAX_LIMIT: usize = 5000;

/// How many levels are listed when the model does not say.
const DEFAULT_DEPTH: usize = 2;

#[derive(Deserialize)]
struct Args {
    dir_path: String,
    offset: Option<usize>,
    limit: Option<usize>,
    depth: Option<usize>,
}

/// The tool.
pub struct ListDir {
    spec: ToolSpec,
}

impl ListDir {
    pub(super) fn new() -> Self {
        Self { spec: spec(include_str!("../../tools/list_dir.json")) }
    }
}

impl Tool for ListDir {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        arguments::activity(&self.spec.name, input, |args: Args| disk::shown(cwd, &args.dir_path))
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::Read)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let args = match arguments::parse::<Args>(input) {
                Ok(args) => args,
                Err(answer) => return answer,
            };
            let (cwd, limit) = (cx.cwd.clone(), cx.output_limit);
            disk::run(cx, move |stop| disk::answer(list(&args, &cwd, stop), limit)).await
        })
    }
}

fn list(args: &Args, cwd: &Path, stop: &Stop) -> Result<String, String> {
    let offset = args.offset.unwrap_or(1);
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let depth = args.depth.unwrap_or(DEFAULT_DEPTH);
    if offset == 0 {
        return Err("offset must be a 1-indexed entry number".into());
    }
    if limit == 0 {
        return Err("limit must be greater than zero".into());
    }
    if depth == 0 {
        return Err("depth must be greater than zero".into());
    }
    let root = disk::resolve(cwd, &args.dir_path);
    if stop.hides(&root) {
        return Err(format!("{} may not be read", root.display()));
    }
    let (mut entries, more) = page(&root, depth, offset - 1, limit, stop)?;
    if entries.is_empty() && offset > 1 {
        return Err("offset exceeds directory entry count".into());
    }
    // By components, since in a comparison of texts `a-b` would come between `a` and `a/c`.
    entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    let mut text = format!("Absolute path: {}", root.display());
    for entry in &entries {
        text.push('\n');
        entry.write(&mut text);
    }
    if more {
        text.push_str(&format!("\nMore than {} entries found", entries.len()));
    }
    Ok(text)
}

/// Something in the folder, or below it.
struct Entry {
    /// From the folder on.
    path: PathBuf,
    kind: FileType,
}

impl Entry {
    fn write(&self, text: &mut String) {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        text.extend(std::iter::repeat_n("  ", self.path.components().count() - 1));
        text.push_str(cut_to(&name, LINE_CHARS).0);
        text.push_str(match self.kind {
            kind if kind.is_dir() => "/",
            kind if kind.is_symlink() => "@",
            kind if kind.is_file() => "",
            _ => "?",
        });
    }
}

/// The `limit` entries after the first `skip`, level by level, and whether there are more. Folders below `root` that
/// cannot be read are listed as if they were empty.
fn page(root: &Path, depth: usize, skip: usize, limit: usize, stop: &Stop) -> Result<(Vec<Entry>, bool), String> {
    let mut page = Vec::new();
    let mut skipped = 0;
    let mut folders = VecDeque::from([(PathBuf::new(), 1)]);
    while let Some((folder, level)) = folders.pop_front() {
        let entries = match sorted_entries(root, &folder, stop) {
            Ok(entries) => entries,
            Err(reason) if level == 1 => return Err(reason),
            Err(_) => stop.check().map(|()| Vec::new())?,
        };
        for entry in entries {
            if entry.kind.is_dir() && level < depth {
                folders.push_back((entry.path.clone(), level + 1));
            }
            if skipped < skip {
                skipped += 1;
            } else if page.len() < limit {
                page.push(entry);
            } else {
                return Ok((page, true));
            }
        }
    }
    Ok((page, false))
}

fn sorted_entries(root: &Path, folder: &Path, stop: &Stop) -> Result<Vec<Entry>, String> {
    let unreadable = |error| format!("failed to read directory: {error}");
    let mut entries = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(unreadable)? {
        stop.check()?;
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        entries.push(Entry { path: folder.join(entry.file_name()), kind });
    }
    entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tokio_util::sync::CancellationToken;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a/one.txt", "a/deep/two.txt", "a-b", "z.txt", ".hidden"] {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("pipe")).unwrap());
        folder
    }

    fn list_with(folder: &Path, mut arguments: Value) -> Result<String, String> {
        if arguments.get("dir_path").is_none() {
            arguments["dir_path"] = ".".into();
        }
        let args = arguments::parse(&arguments.to_string()).unwrap();
        list(&args, folder, &Stop::new(CancellationToken::new()))
    }

    #[test]
    fn a_tree_is_indented_and_marked_by_kind() {
        let folder = tree();
        let head = format!("Absolute path: {}\n", folder.path().display());
        for (arguments, expected) in [
            (json!({}), ".hidden\na/\n  deep/\n  one.txt\na-b\nlink@\npipe?\nz.txt"),
            (json!({"depth": 1}), ".hidden\na/\na-b\nlink@\npipe?\nz.txt"),
            (json!({"depth": 9}), ".hidden\na/\n  deep/\n    two.txt\n  one.txt\na-b\nlink@\npipe?\nz.txt"),
            // The nearest entries come first, and are still shown as a tree.
            (json!({"limit": 2}), ".hidden\na/\nMore than 2 entries found"),
            (json!({"limit": 7}), ".hidden\na/\n  deep/\na-b\nlink@\npipe?\nz.txt\nMore than 7 entries found"),
            (json!({"offset": 7, "limit": 7}), "  deep/\n  one.txt"),
            (json!({"limit": 8}), ".hidden\na/\n  deep/\n  one.txt\na-b\nlink@\npipe?\nz.txt"),
        ] {
            assert_eq!(
                list_with(folder.path(), arguments.clone()).unwrap(),
                format!("{head}{expected}"),
                "{arguments}"
            );
        }
    }

    #[test]
    fn an_empty_folder_is_its_path_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        assert_eq!(list_with(folder.path(), json!({"dir_path": path})).unwrap(), format!("Absolute path: {path}"));
    }

    #[test]
    fn what_cannot_be_listed_is_told() {
        let folder = tree();
        for (arguments, expected) in [
            (json!({"offset": 0}), "offset must be a 1-indexed entry number"),
            (json!({"limit": 0}), "limit must be greater than zero"),
            (json!({"depth": 0}), "depth must be greater than zero"),
            (json!({"offset": 9}), "offset exceeds directory entry count"),
            (json!({"dir_path": "none"}), "failed to read directory: No such file or directory (os error 2)"),
            (json!({"dir_path": "z.txt"}), "failed to read directory: Not a directory (os error 20)"),
        ] {
            assert_eq!(list_with(folder.path(), arguments.clone()).unwrap_err(), expected, "{arguments}");
        }
    }
}
