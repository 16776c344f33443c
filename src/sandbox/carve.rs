//! A folder without some of what is in it, for mechanisms that can only grant: as a list of what to grant.

use std::fs;
use std::path::{Path, PathBuf};

/// What to grant so that all of `root` is covered that is there now, and nothing of `holes`. When no hole is in it that
/// is `root` itself. Otherwise whatever comes into being beside a hole later is not covered. Links are left out, since a
/// grant would go to where they lead.
#[must_use]
pub fn around(root: &Path, holes: &[PathBuf]) -> Vec<PathBuf> {
    let mut grants = Vec::new();
    carve(root, holes, &mut grants);
    grants
}

fn carve(path: &Path, holes: &[PathBuf], grants: &mut Vec<PathBuf>) {
    if holes.iter().any(|hole| path.starts_with(hole)) {
        return;
    }
    if !holes.iter().any(|hole| hole.starts_with(path)) {
        return grants.push(path.to_owned());
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink())) {
        carve(&entry.path(), holes, grants);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beside_a_hole_is_granted_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for made in ["a/b/c", "a/hole/x", "d"] {
            fs::create_dir_all(root.join(made)).unwrap();
        }
        fs::write(root.join("f"), "").unwrap();
        std::os::unix::fs::symlink("a/hole", root.join("link")).unwrap();
        assert_eq!(around(root, &[]), [root.to_owned()]);
        assert_eq!(around(root, &["/elsewhere".into()]), [root.to_owned()]);
        assert!(around(root, &[root.to_owned()]).is_empty());
        let mut grants = around(root, &[root.join("a/hole"), root.join("not-yet")]);
        grants.sort();
        assert_eq!(grants, ["a/b", "d", "f"].map(|path| root.join(path)));
    }
}
