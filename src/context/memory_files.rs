//! Files held in memory, which count how often they are read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::agent::ports::{EntryKind, Files, Stamp};

/// A tree of files. Folders exist where files are below them, and change when their entries do.
#[derive(Default)]
pub struct MemoryFiles {
    tree: Mutex<Tree>,
    pub reads: AtomicUsize,
    pub lists: AtomicUsize,
    pub stamps: AtomicUsize,
}

#[derive(Default)]
struct Tree {
    clock: i128,
    files: BTreeMap<PathBuf, (i128, Result<Vec<u8>, io::ErrorKind>)>,
    folders: BTreeMap<PathBuf, i128>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Tree {
    /// `path` with every link on it followed.
    fn resolve(&self, path: &Path) -> PathBuf {
        let mut path = path.to_owned();
        while let Some((from, to)) = self.links.iter().find(|(from, _)| path.starts_with(from)) {
            path = to.join(path.strip_prefix(from).unwrap());
        }
        path
    }
}

/// The paths of `map` that lie in `dir` or deeper.
fn below<'a, T>(map: &'a BTreeMap<PathBuf, T>, dir: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
    map.range(dir.to_owned()..).map(|(path, _)| path).take_while(move |path| path.starts_with(dir))
}

impl MemoryFiles {
    pub fn write(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.put(path, Ok(bytes.into()));
    }

    /// A file that is there and cannot be read.
    pub fn write_unreadable(&self, path: &str) {
        self.put(path, Err(io::ErrorKind::PermissionDenied));
    }

    /// A link from `path` to the folder `target`.
    pub fn link(&self, path: &str, target: &str) {
        self.tree.lock().unwrap().links.insert(path.into(), target.into());
    }

    pub fn remove(&self, path: &str) {
        let mut tree = self.tree.lock().unwrap();
        tree.clock += 1;
        let Tree { clock, files, folders, .. } = &mut *tree;
        assert!(files.remove(Path::new(path)).is_some(), "{path}");
        folders.insert(Path::new(path).parent().unwrap().to_owned(), *clock);
        while let Some(empty) = folders.keys().find(|dir| !files.keys().any(|file| file.starts_with(dir))).cloned() {
            folders.remove(&empty);
            if let Some(changed) = empty.parent().and_then(|dir| folders.get_mut(dir)) {
                *changed = *clock;
            }
        }
    }

    /// Reads and lists since the last call.
    pub fn take_counts(&self) -> (usize, usize) {
        self.stamps.store(0, Relaxed);
        (self.reads.swap(0, Relaxed), self.lists.swap(0, Relaxed))
    }

    fn put(&self, path: &str, content: Result<Vec<u8>, io::ErrorKind>) {
        let mut tree = self.tree.lock().unwrap();
        tree.clock += 1;
        let Tree { clock, files, folders, .. } = &mut *tree;
        let mut is_new = files.insert(path.into(), (*clock, content)).is_none();
        for dir in Path::new(path).ancestors().skip(1) {
            let fresh = !folders.contains_key(dir);
            if is_new {
                folders.insert(dir.to_owned(), *clock);
            }
            is_new = fresh;
        }
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.reads.fetch_add(1, Relaxed);
        let tree = self.tree.lock().unwrap();
        match tree.files.get(&tree.resolve(path)) {
            Some((_, Ok(bytes))) => Ok(bytes.clone()),
            Some((_, Err(kind))) => Err((*kind).into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.stamps.fetch_add(1, Relaxed);
        let tree = self.tree.lock().unwrap();
        let path = &tree.resolve(path);
        let file = tree.files.get(path).map(|(changed, content)| Stamp {
            modified_ns: *changed,
            len: content.as_ref().map_or(0, |bytes| bytes.len() as u64),
            kind: EntryKind::File,
        });
        let dir = || {
            let changed = tree.folders.get(path)?;
            Some(Stamp { modified_ns: *changed, len: 0, kind: EntryKind::Dir })
        };
        file.or_else(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        self.lists.fetch_add(1, Relaxed);
        let tree = self.tree.lock().unwrap();
        let dir = &tree.resolve(dir);
        let name =
            |path: &Path| (path.parent() == Some(dir)).then(|| path.file_name().unwrap().to_str().unwrap().to_owned());
        let files = below(&tree.files, dir).filter_map(|path| Some((name(path)?, EntryKind::File)));
        let dirs = below(&tree.folders, dir).chain(below(&tree.links, dir));
        let dirs = dirs.filter_map(|path| Some((name(path)?, EntryKind::Dir)));
        let mut entries: Vec<_> = files.chain(dirs).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }
}
