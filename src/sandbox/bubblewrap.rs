//! Mounts, as the arguments of `bwrap`: everything read-only, the folders that may be written on top of that, and on top of
//! these what stays as it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::carve::around;
use super::spec::{Mode, SandboxSpec, real};

/// The arguments up to the command, which runs in `cwd`.
#[must_use]
pub fn arguments(spec: &SandboxSpec, cwd: &Path) -> Vec<OsString> {
    let mut arguments = Arguments::default();
    // Its own processes, so that no other can be seen or sent a signal, and no rights beyond those of its user.
    arguments.flags(&["--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]);
    if !spec.network {
        arguments.flags(&["--unshare-net"]);
    }
    let roots = roots(spec);
    let everything = Path::new("/");
    arguments.mount(if roots.iter().any(|root| root == everything) { "--bind" } else { "--ro-bind" }, everything);
    arguments.flags(&["--dev", "/dev", "--proc", "/proc"]);
    let (links, kept): (Vec<PathBuf>, Vec<PathBuf>) =
        spec.read_only.iter().cloned().partition(|path| path.is_symlink());
    for root in roots.iter().filter(|root| *root != everything) {
        // A link cannot be mounted over, and would be replaced if what it is in could be written. So all but it is granted.
        for path in around(root, &links) {
            arguments.mount("--bind", &path);
        }
    }
    let mut kept: Vec<PathBuf> = kept.into_iter().chain(links.iter().map(|link| real(link))).collect();
    kept.sort();
    kept.dedup();
    for path in kept.iter().filter(|path| path.exists() && roots.iter().any(|root| path.starts_with(root))) {
        arguments.mount("--ro-bind", path);
    }
    for path in spec.denied_reads.iter().map(|path| real(path)).filter(|path| path.exists()) {
        arguments.hide(&path);
    }
    arguments.flags(&["--chdir"]);
    arguments.0.push(cwd.into());
    arguments.0
}

/// What has to exist to stay as it is.
pub fn to_mask(spec: &SandboxSpec) -> impl Iterator<Item = &Path> {
    let roots = roots(spec);
    let inside = move |path: &&PathBuf| roots.iter().any(|root| path.starts_with(root) && *path != root);
    spec.read_only.iter().filter(inside).map(PathBuf::as_path)
}

/// The folders that may be written and exist, outer ones first, so that no mount hides another.
fn roots(spec: &SandboxSpec) -> Vec<PathBuf> {
    if spec.mode != Mode::WorkspaceWrite {
        return Vec::new();
    }
    // The devices are its own already.
    let mut roots: Vec<PathBuf> =
        spec.writable.iter().map(|root| real(root)).filter(|root| !root.starts_with("/dev")).collect();
    roots.retain(|root| root.exists());
    roots.sort();
    roots.dedup();
    roots
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn flags(&mut self, flags: &[&str]) {
        self.0.extend(flags.iter().map(OsString::from));
    }

    fn mount(&mut self, how: &str, path: &Path) {
        self.0.extend([how.into(), path.into(), path.into()]);
    }

    /// An empty folder nobody may enter, or a device nobody may open: bubblewrap's mounts know no devices.
    fn hide(&mut self, path: &Path) {
        if path.is_dir() {
            self.flags(&["--perms", "000", "--tmpfs"]);
            self.0.push(path.into());
            self.flags(&["--remount-ro"]);
            self.0.push(path.into());
        } else {
            self.0.extend(["--ro-bind".into(), "/dev/null".into(), path.into()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn text(spec: &SandboxSpec, root: &Path) -> String {
        let arguments: Vec<_> = arguments(spec, root).iter().map(|a| a.to_string_lossy().into_owned()).collect();
        arguments.join(" ").replace(&root.display().to_string(), "ROOT")
    }

    #[test]
    fn what_stays_as_it_is_lies_on_top_of_what_may_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("w/.git")).unwrap();
        fs::create_dir_all(root.join("secret")).unwrap();
        fs::write(root.join("key"), "").unwrap();
        let mut spec = SandboxSpec::new(Mode::ReadOnly);
        spec.denied_reads = vec![root.join("secret"), root.join("key"), root.join("not-there")];
        let base = "--unshare-pid --unshare-ipc --cap-drop ALL --unshare-net --ro-bind / / --dev /dev --proc /proc";
        let hidden =
            "--perms 000 --tmpfs ROOT/secret --remount-ro ROOT/secret --ro-bind /dev/null ROOT/key --chdir ROOT";
        assert_eq!(text(&spec, &root), format!("{base} {hidden}"));
        spec.allow(&root.join("w"), true);
        assert_eq!(text(&spec, &root), format!("{base} {hidden}"), "nothing is written in this mode");
        spec.mode = Mode::WorkspaceWrite;
        let written = "--bind ROOT/w ROOT/w --ro-bind ROOT/w/.git ROOT/w/.git";
        assert_eq!(text(&spec, &root), format!("{base} {written} {hidden}"));
    }

    #[test]
    fn a_link_is_kept_by_granting_all_but_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("real")).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        std::os::unix::fs::symlink("real", root.join(".git")).unwrap();
        let mut spec = SandboxSpec::new(Mode::WorkspaceWrite);
        spec.allow(&root, true);
        let text = text(&spec, &root);
        assert!(!text.contains("--bind ROOT ROOT"), "{text}");
        assert!(text.contains("--bind ROOT/src ROOT/src") && text.contains("--ro-bind ROOT/real ROOT/real"), "{text}");
    }
}
