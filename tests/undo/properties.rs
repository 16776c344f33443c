//! Any sequence of writes, undone, leaves what was there before.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hone::agent::ports::{Checkpoints, Clock};
use hone::protocol::{ThreadId, TurnId};
use hone::tools::apply_patch;
use hone::undo::{Checkpointer, Direction, Undo};
use proptest::prelude::*;

use super::kit::Node;

struct Noon;

impl Clock for Noon {
    fn unix_ms(&self) -> u64 {
        1_800_000_000_000
    }
    fn local_date(&self) -> String {
        "2027-01-15".into()
    }
    fn time_zone(&self) -> String {
        "Etc/UTC".into()
    }
}

const PATHS: [&str; 7] = ["a", "b", "d/a", "d/e/b", "n/x", "n/m/y", "link"];

#[derive(Clone, Debug)]
enum Write {
    Add(usize, u8),
    Delete(usize),
    Move(usize, usize, u8),
}

impl Write {
    fn hunk(&self, root: &Path) -> Option<String> {
        match *self {
            Self::Add(path, n) => Some(format!("*** Add File: {}\n+{n}\n", PATHS[path])),
            Self::Delete(path) => Some(format!("*** Delete File: {}\n", PATHS[path])),
            Self::Move(from, to, n) => {
                let text = fs::read_to_string(root.join(PATHS[from])).ok()?;
                let line = text.lines().next()?;
                let target = if from == to { String::new() } else { format!("*** Move to: {}\n", PATHS[to]) };
                Some(format!("*** Update File: {}\n{target}@@\n-{line}\n+{line}{n}\n", PATHS[from]))
            }
        }
    }

    fn paths(&self, root: &Path) -> Vec<PathBuf> {
        match *self {
            Self::Add(path, _) | Self::Delete(path) => vec![root.join(PATHS[path])],
            Self::Move(from, to, _) => vec![root.join(PATHS[from]), root.join(PATHS[to])],
        }
    }
}

fn a_write() -> impl Strategy<Value = Write> {
    let path = 0..PATHS.len();
    prop_oneof![
        (path.clone(), any::<u8>()).prop_map(|(path, n)| Write::Add(path, n)),
        path.clone().prop_map(Write::Delete),
        (path.clone(), path, any::<u8>()).prop_map(|(from, to, n)| Write::Move(from, to, n)),
    ]
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Node> {
    let mut nodes = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let node = if metadata.is_symlink() {
                Node::Link(fs::read_link(&path).unwrap())
            } else if metadata.is_dir() {
                folders.push(path.clone());
                Node::Folder(metadata.mode())
            } else {
                Node::File(metadata.mode(), fs::read(&path).unwrap())
            };
            nodes.insert(path, node);
        }
    }
    nodes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undo_and_redo_are_each_others_inverse(turns in prop::collection::vec(prop::collection::vec(a_write(), 1..5), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        let (home, root) = (dir.path().join("home"), dir.path().join("work"));
        fs::create_dir_all(root.join("d/e")).unwrap();
        fs::write(root.join("a"), "first\nsecond").unwrap();
        fs::write(root.join("d/e/b"), "1\r\n2\r\n").unwrap();
        fs::set_permissions(root.join("d/e/b"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("n/behind", root.join("link")).unwrap();

        let thread = ThreadId::new();
        let checkpoints = Checkpointer::new(&home, thread, Arc::new(Noon));
        let mut trees = vec![tree(&root)];
        for writes in &turns {
            let turn = TurnId::new();
            for write in writes {
                let Some(hunk) = write.hunk(&root) else { continue };
                let paths = write.paths(&root);
                prop_assert_eq!(checkpoints.before_write(turn, &paths), None);
                // Some of these patches cannot be applied; then nothing has changed.
                let _applied = apply_patch::run(&format!("*** Begin Patch\n{hunk}*** End Patch"), &root);
                prop_assert_eq!(checkpoints.after_write(turn, &paths), None);
            }
            prop_assert_eq!(checkpoints.turn_ended(turn), None);
            let now = tree(&root);
            if trees.last() != Some(&now) {
                trees.push(now);
            }
        }
        let undo = Undo::new(&home);
        let there = trees.iter().rev().skip(1).map(|tree| (Direction::Undo, tree));
        let back = trees.iter().skip(1).map(|tree| (Direction::Redo, tree));
        for (direction, expected) in there.chain(back) {
            let plan = undo.plan(thread, direction).unwrap().unwrap();
            prop_assert!(plan.notes.is_empty(), "{:?}", plan.notes);
            undo.apply(&plan).unwrap();
            prop_assert_eq!(&tree(&root), expected);
        }
        prop_assert!(undo.plan(thread, Direction::Redo).unwrap().is_none());
    }
}
