//! What is allowed, whatever mechanism enforces it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::limits::Limits;

/// The folders that decide what programs do later: a repository's hooks and configuration, an agent's own instructions.
/// Within a folder that may be written they stay as they are.
pub const METADATA: &[&str] = &[".git", ".codex", ".agents"];

/// As many links in a row as Linux follows.
const LINKS: u8 = 40;

/// How much commands may touch. The names are those of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read everything, write nothing.
    ReadOnly,
    /// Write in certain folders.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

impl Mode {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::WorkspaceWrite => "workspace-write",
            Self::DangerFullAccess => "danger-full-access",
        }
    }
}

/// What commands may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSpec {
    /// How much.
    pub mode: Mode,
    /// The folders that may be written, in [`Mode::WorkspaceWrite`]. Absolute.
    pub writable: Vec<PathBuf>,
    /// What stays as it is within them, whether it exists yet or not. Absolute.
    pub read_only: Vec<PathBuf>,
    /// What cannot be read (nor written) in any mode but [`Mode::DangerFullAccess`]. Absolute.
    pub denied_reads: Vec<PathBuf>,
    /// Whether the network may be used: TCP, UDP, and the sockets of other programs on this machine.
    pub network: bool,
    /// What processes may use up. Counts in every mode.
    pub limits: Limits,
}

impl SandboxSpec {
    /// No sandbox, no limits.
    #[must_use]
    pub fn unrestricted() -> Self {
        Self { network: true, ..Self::new(Mode::DangerFullAccess) }
    }

    /// A mode with nothing to write and no network.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            writable: Vec::new(),
            read_only: Vec::new(),
            denied_reads: Vec::new(),
            network: false,
            limits: Limits::default(),
        }
    }

    /// Whether anything is contained.
    #[must_use]
    pub fn contains(&self) -> bool {
        self.mode != Mode::DangerFullAccess
    }

    /// Lets `root` be written. With `protect`, its [`METADATA`] stays as it is, and so does the folder of a repository that
    /// its `.git` file leads to.
    pub fn allow(&mut self, root: &Path, protect: bool) {
        let root = real(root);
        if protect {
            self.read_only.extend(METADATA.iter().map(|name| root.join(name)));
            self.read_only.extend(repository_elsewhere(&root.join(".git")));
        }
        if !self.writable.contains(&root) {
            self.writable.push(root);
        }
    }

    /// Whether this program may write the file at `path` on a command's behalf, as if the command did. Links are
    /// followed, those that lead to nothing yet as well.
    ///
    /// # Errors
    /// Why not.
    pub fn check_write(&self, path: &Path) -> Result<(), WriteDenied> {
        let denied = |reason| Err(WriteDenied { path: path.to_owned(), reason });
        match self.mode {
            Mode::DangerFullAccess => return Ok(()),
            Mode::ReadOnly => return denied(Reason::ReadOnly),
            Mode::WorkspaceWrite => {}
        }
        let leads_to = real(path);
        if !self.writable.iter().any(|root| leads_to.starts_with(real(root))) {
            return denied(Reason::Outside);
        }
        let kept = self.read_only.iter().chain(&self.denied_reads);
        if kept.into_iter().any(|kept| is_in(&leads_to, kept) || is_in(&leads_to, &real(kept))) {
            return denied(Reason::Protected);
        }
        Ok(())
    }
}

/// A file that may not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} may not be written: {reason}", path.display())]
pub struct WriteDenied {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a file may not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nothing may.
    #[error("the sandbox mode is read-only")]
    ReadOnly,
    /// It is in no folder that may be written, or a link leads out of one.
    #[error("it is outside the folders that may be written")]
    Outside,
    /// It is kept as it is.
    #[error("it is kept read-only inside a folder that may be written")]
    Protected,
}

/// Whether `path` is `folder` or in it. Some file systems take `.GIT` for `.git`, so case does not count.
fn is_in(path: &Path, folder: &Path) -> bool {
    let mut inner = path.components();
    folder
        .components()
        .all(|outer| inner.next().is_some_and(|inner| inner.as_os_str().eq_ignore_ascii_case(outer.as_os_str())))
}

/// Where a path really leads: links followed, `.` and `..` gone. What does not exist is taken as written.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    follow(path, LINKS)
}

fn follow(path: &Path, links: u8) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut found = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = found.pop(),
            component => found.push(component),
        }
        if let (Ok(target), 1..) = (fs::read_link(&found), links) {
            let parent = found.parent().unwrap_or(&found);
            found = follow(&parent.join(target), links - 1);
        }
    }
    found
}

/// The folder that a `.git` file names: worktrees and submodules keep their repository elsewhere. With it comes the
/// repository it belongs to, whose hooks and configuration it shares.
fn repository_elsewhere(git: &Path) -> Vec<PathBuf> {
    let Some(folder) = fs::read_to_string(git).ok().and_then(|text| {
        let named = text.strip_prefix("gitdir:")?.trim();
        (!named.is_empty()).then(|| real(&git.parent().unwrap_or(git).join(named)))
    }) else {
        return Vec::new();
    };
    let common = fs::read_to_string(folder.join("commondir")).ok().map(|named| real(&folder.join(named.trim())));
    [Some(folder), common].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn writes_are_checked_where_they_lead() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        for made in [&root.join("sub"), &root.join(".git/hooks"), &outside] {
            fs::create_dir_all(made).unwrap();
        }
        symlink(&outside, root.join("out")).unwrap();
        symlink(outside.join("not-yet"), root.join("dangling")).unwrap();
        symlink(".git/hooks", root.join("hooks")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink(&root, folder.path().join("alias")).unwrap();
        let mut spec = SandboxSpec::new(Mode::WorkspaceWrite);
        spec.allow(&root, true);
        for allowed in ["a", "sub/a", "new/folders/a", "sub/../a", ".gitignore", ".github/a"] {
            assert_eq!(spec.check_write(&root.join(allowed)), Ok(()), "{allowed}");
        }
        assert_eq!(spec.check_write(&folder.path().join("alias/a")), Ok(()));
        for (path, reason) in [
            ("../outside/a", Reason::Outside),
            ("out/a", Reason::Outside),
            ("out/../../etc/a", Reason::Outside),
            ("dangling", Reason::Outside),
            ("dangling/a", Reason::Outside),
            ("new/../../a", Reason::Outside),
            (".git/config", Reason::Protected),
            (".git", Reason::Protected),
            (".GIT/config", Reason::Protected),
            ("hooks/pre-commit", Reason::Protected),
            ("sub/../.git/config", Reason::Protected),
            (".codex/config.toml", Reason::Protected),
            (".agents/skills/a", Reason::Protected),
        ] {
            let denied = spec.check_write(&root.join(path)).unwrap_err();
            assert_eq!(denied.reason, reason, "{path}");
        }
        spec.mode = Mode::ReadOnly;
        assert_eq!(spec.check_write(&root.join("a")).unwrap_err().reason, Reason::ReadOnly);
        assert_eq!(SandboxSpec::unrestricted().check_write(Path::new("/etc/passwd")), Ok(()));
    }

    #[test]
    fn the_repository_of_a_worktree_is_protected_too() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (repository, tree) = (root.join("main/.git"), root.join("tree"));
        fs::create_dir_all(repository.join("worktrees/tree")).unwrap();
        fs::create_dir_all(&tree).unwrap();
        fs::write(repository.join("worktrees/tree/commondir"), "../..\n").unwrap();
        fs::write(tree.join(".git"), "gitdir: ../main/.git/worktrees/tree\n").unwrap();
        let mut spec = SandboxSpec::new(Mode::WorkspaceWrite);
        spec.allow(&tree, true);
        spec.allow(&root, false);
        assert!(spec.check_write(&repository.join("hooks/pre-commit")).is_err());
        assert!(spec.check_write(&root.join("main/a")).is_ok());
    }
}
