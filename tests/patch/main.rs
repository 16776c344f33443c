//! Patches end as the real Codex's `apply_patch` ends them, or better in the ways `docs/alignment.md` lists.
//!
//! The cases in `cases.jsonl` were recorded by `oracle.py`, which says how to make more; `PATCH_CASES` names another file.

// In a test program also helpers may panic; the lint's own exception only knows test functions.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod files;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use hone::tools::apply_patch::standalone::{self, Ended};

#[derive(Deserialize)]
struct Case {
    files: Tree,
    patch: String,
    exit: u8,
    #[serde(default)]
    stderr: String,
    after: Option<Tree>,
}

type Tree = BTreeMap<String, Content>;

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Content {
    Text(String),
    Binary { hex: String },
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Binary { hex } => {
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            }
        }
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(
            |error| Self::Binary { hex: error.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect() },
            Self::Text,
        )
    }
}

fn write_tree(root: &Path, tree: &Tree) {
    for (name, content) in tree {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.bytes()).unwrap();
    }
}

fn read_tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                tree.insert(name, Content::from_bytes(fs::read(path).unwrap()));
            }
        }
    }
    tree
}

/// How we may end a case. Everything but `Same` has its paragraph in `docs/alignment.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    Same,
    AllOrNothing,
    StackedHeaders,
    FinalNewline,
    Order,
    MoveOntoItself,
}

fn compare(case: &Case, ours: &Ended, tree: &Tree) -> Result<Agreement, String> {
    let theirs = case.after.as_ref().unwrap_or(&case.files);
    match (case.exit, ours.code) {
        (0, 0) => compare_trees(case, theirs, tree),
        (1, 1) if *tree != case.files => Err("failed, but changed files".into()),
        (1, 0) if case.stderr.contains("Unexpected line found in update hunk: '@@") => Ok(Agreement::StackedHeaders),
        // Their order of writing and deleting is the patch's, ours is the one that works.
        (1, 0) if case.stderr == "Failed to write file $CWD/a.txt/below" && !tree.contains_key("a.txt") => {
            Ok(Agreement::Order)
        }
        // They go on without the file that was moved onto itself, and fail when the patch comes back to it.
        (0, 1) if ours.stderr.contains("/below: Not a directory") && moves_onto_itself(&case.patch) => {
            Ok(Agreement::MoveOntoItself)
        }
        (1, _) if lost_onto_itself(case) => Ok(Agreement::MoveOntoItself),
        (1, 1) if !same_message(&case.stderr, &ours.stderr) => Err("failed with another message".into()),
        (1, 1) if case.after.is_some() => Ok(Agreement::AllOrNothing),
        (1, 1) => Ok(Agreement::Same),
        _ => Err("ended with another exit code".into()),
    }
}

fn lost_onto_itself(case: &Case) -> bool {
    let missed = case.stderr.starts_with("Failed to read file") || case.stderr.starts_with("Failed to delete file");
    missed && moves_onto_itself(&case.patch)
}

fn moves_onto_itself(patch: &str) -> bool {
    let normal = |path: &str| path.trim_end().trim_start_matches("./").replace("sub/../", "").replace("./", "");
    let lines: Vec<&str> = patch.lines().collect();
    lines.windows(2).any(|pair| {
        match (pair[0].trim().strip_prefix("*** Update File: "), pair[1].strip_prefix("*** Move to: ")) {
            (Some(from), Some(to)) => normal(from) == normal(to),
            _ => false,
        }
    })
}

/// Our first line is theirs, but for the operating system's reason at its end. A patch with stacked headers may go wrong for
/// us later than for them.
fn same_message(theirs: &str, ours: &str) -> bool {
    let ours = ours.lines().next().unwrap_or_default();
    let what = |message: &str| message.split_once(": ").map_or(message, |(what, _)| what).to_owned();
    let is_reason = theirs.starts_with("Failed to read");
    ours == theirs
        || ours.strip_prefix(theirs).is_some_and(|rest| rest.starts_with(": "))
        || is_reason && what(ours) == what(theirs)
        // We write last, so everything else that is wrong comes first.
        || theirs.starts_with("Failed to write file")
        || theirs.contains("Unexpected line found in update hunk: '@@")
}

fn compare_trees(case: &Case, theirs: &Tree, ours: &Tree) -> Result<Agreement, String> {
    let before = &case.files;
    let mut agreement = Agreement::Same;
    let unterminated =
        before.values().any(|content| matches!(content, Content::Text(text) if !text.ends_with(['\n', '\r'])));
    for (name, our) in ours {
        match (theirs.get(name), our) {
            (Some(their), our) if their == our => {}
            (Some(Content::Text(their)), Content::Text(our))
                if unterminated && (["\n", "\r\n", "\r"].iter().any(|ending| *their == format!("{our}{ending}"))) =>
            {
                agreement = agreement.max(Agreement::FinalNewline);
            }
            (None, _) if before.contains_key(name) && moves_onto_itself(&case.patch) => {
                agreement = Agreement::MoveOntoItself
            }
            (their, our) => return Err(format!("{name}: theirs {their:?}, ours {our:?}")),
        }
    }
    match theirs.keys().find(|name| !ours.contains_key(*name)) {
        Some(name) => Err(format!("{name} is missing")),
        None => Ok(agreement),
    }
}

fn run(case: &Case) -> (Ended, Tree) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write_tree(&root, &case.files);
    let mut ended = standalone::run(&[OsString::from(&case.patch)], &mut std::io::empty(), &root);
    ended.stderr = ended.stderr.replace(root.to_str().unwrap(), "$CWD");
    (ended, read_tree(&root))
}

#[test]
fn random_patches_end_as_codex_ends_them() {
    let recorded = std::env::var_os("PATCH_CASES");
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/patch/cases.jsonl");
    let path = recorded.clone().unwrap_or_else(|| default.into());
    let mut seen: BTreeMap<Agreement, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
        let case: Case = serde_json::from_str(line).unwrap();
        let (ended, tree) = run(&case);
        match compare(&case, &ended, &tree) {
            Ok(agreement) => *seen.entry(agreement).or_default() += 1,
            Err(why) => failures.push(format!(
                "line {number}: {why}\nfiles: {:?}\npatch:\n{}\ntheirs: {} {}\nours: {} {}\n",
                case.files, case.patch, case.exit, case.stderr, ended.code, ended.stderr
            )),
        }
    }
    println!("{seen:?}");
    assert!(
        failures.is_empty(),
        "{} cases differ; the first:\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n")
    );
    if recorded.is_none() {
        assert_eq!(seen.len(), 6, "the recorded cases show every way to end: {seen:?}");
    }
}
