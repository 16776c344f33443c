//! Every path that a write to some path may touch.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// As many links in a row as Linux follows.
const LINKS: u8 = 40;

/// All paths that writing to, or removing, `path` may touch, by their real names: the entry itself, what it leads to when it is
/// a link, and the folders that would have to be made.
#[must_use]
pub fn touched(path: &Path) -> BTreeSet<PathBuf> {
    let mut places = BTreeSet::new();
    let mut entry = real(path);
    for _ in 0..LINKS {
        let parents = entry.ancestors().skip(1);
        places.extend(parents.take_while(|folder| fs::symlink_metadata(folder).is_err()).map(Path::to_owned));
        places.insert(entry.clone());
        let Ok(target) = fs::read_link(&entry) else { break };
        entry = real(&entry.parent().unwrap_or(&entry).join(target));
    }
    places
}

/// The path with the links on the way to it followed, but not it itself. What does not exist is taken as written.
fn real(path: &Path) -> PathBuf {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    };
    fs::canonicalize(parent).unwrap_or_else(|_| real(parent)).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_missing_folders_are_touched_too() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("folder")).unwrap();
        symlink("../real/new/file", root.join("real/link")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for (path, expected) in [
            ("real/x", vec!["real/x"]),
            ("folder/x", vec!["real/x"]),
            ("a/b/c", vec!["a", "a/b", "a/b/c"]),
            ("folder/link", vec!["real/link", "real/new", "real/new/file"]),
            ("loop", vec!["loop"]),
        ] {
            let expected: BTreeSet<_> = expected.iter().map(|path| root.join(path)).collect();
            assert_eq!(touched(&root.join(path)), expected, "{path}");
        }
    }
}
