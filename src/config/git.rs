//! What a repository's files say, read without starting git: it takes microseconds instead of milliseconds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::protocol::rollout_line::GitInfo;

/// A repository and the worktree that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top folder of the worktree.
    pub root: PathBuf,
    /// Where this worktree's HEAD is.
    git_dir: PathBuf,
    /// Where branches and settings are, shared by all worktrees.
    common_dir: PathBuf,
}

impl Repository {
    /// The repository that holds `dir`.
    #[must_use]
    pub fn find(dir: &Path) -> Option<Self> {
        dir.ancestors().find_map(|root| {
            let dot_git = root.join(".git");
            let git_dir = if dot_git.is_dir() { dot_git } else { linked_git_dir(root, &dot_git)? };
            let common_dir = match read(&git_dir.join("commondir")) {
                Some(path) => normalize(&git_dir.join(path.trim())),
                None => git_dir.clone(),
            };
            git_dir.join("HEAD").exists().then(|| Self { root: root.to_owned(), git_dir, common_dir })
        })
    }

    /// The top folder of the main worktree: of a linked worktree the one it was made from.
    #[must_use]
    pub fn main_root(&self) -> &Path {
        match self.common_dir.file_name() {
            Some(name) if name == ".git" => self.common_dir.parent().unwrap_or(&self.root),
            _ => &self.root,
        }
    }

    /// Commit, branch and origin.
    #[must_use]
    pub fn info(&self) -> GitInfo {
        let head = read(&self.git_dir.join("HEAD")).unwrap_or_default();
        let (commit_hash, branch) = match head.trim().strip_prefix("ref:").map(str::trim) {
            Some(reference) => (self.resolve(reference), reference.strip_prefix("refs/heads/").map(str::to_owned)),
            None => (hash(&head), None),
        };
        let repository_url = read(&self.common_dir.join("config")).and_then(|config| origin_url(&config));
        GitInfo { commit_hash, branch, repository_url }
    }

    /// The commit a reference names; none before the first commit.
    fn resolve(&self, reference: &str) -> Option<String> {
        let loose = |dir: &Path| read(&dir.join(reference)).and_then(|text| hash(&text));
        loose(&self.git_dir).or_else(|| loose(&self.common_dir)).or_else(|| {
            let packed = fs::read(self.common_dir.join("packed-refs")).ok()?;
            let end = memchr::memmem::find(&packed, format!(" {reference}\n").as_bytes())?;
            let start = memchr::memrchr(b'\n', &packed[..end]).map_or(0, |newline| newline + 1);
            hash(std::str::from_utf8(&packed[start..end]).ok()?)
        })
    }
}

/// Commit, branch and origin of the repository that holds `cwd`.
#[must_use]
pub fn git_info(cwd: &Path) -> Option<GitInfo> {
    Repository::find(cwd).map(|repository| repository.info())
}

/// Where the `.git` file of a linked worktree or a submodule points.
fn linked_git_dir(root: &Path, dot_git: &Path) -> Option<PathBuf> {
    let text = read(dot_git)?;
    Some(normalize(&root.join(text.strip_prefix("gitdir:")?.trim())))
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    (matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// Takes `..` out of a path by its text; `commondir` is full of them.
fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// The address of `origin` in a git configuration, without credentials.
fn origin_url(config: &str) -> Option<String> {
    let mut in_origin = false;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default();
            in_origin = section
                .split_once(char::is_whitespace)
                .is_some_and(|(kind, name)| kind.eq_ignore_ascii_case("remote") && name.trim() == "\"origin\"");
        } else if let (true, Some((key, value))) = (in_origin, line.split_once('='))
            && key.trim().eq_ignore_ascii_case("url")
        {
            return Some(without_credentials(value.trim().trim_matches('"')));
        }
    }
    None
}

/// An address without what logs in: for `http` and `https` everything before the `@`, otherwise the password only, since
/// the user of an `ssh` address is part of where it leads.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((login, host)) = authority.rsplit_once('@') else { return url.to_owned() };
    if scheme.starts_with("http") {
        return format!("{scheme}://{host}{path}");
    }
    let user = login.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_branch_is_read_loose_then_packed() {
        let dir = tempfile::tempdir().unwrap();
        let git = dir.path().join(".git");
        write(git.join("HEAD"), "ref: refs/heads/feature/x\n");
        assert_eq!(
            git_info(dir.path()),
            Some(GitInfo { branch: Some("feature/x".into()), ..GitInfo::default() }),
            "before the first commit"
        );
        let packed = format!("# pack-refs with: peeled\n{A} refs/heads/feature/x-y\n{B} refs/heads/feature/x\n^{A}\n");
        write(git.join("packed-refs"), &packed);
        assert_eq!(git_info(dir.path()).unwrap().commit_hash.as_deref(), Some(B));
        write(git.join("refs/heads/feature/x"), &format!("{A}\n"));
        assert_eq!(git_info(&dir.path().join("not/there/yet")).unwrap().commit_hash.as_deref(), Some(A));
    }

    #[test]
    fn a_detached_head_has_no_branch() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path().join(".git/HEAD"), &format!("{A}\n"));
        let expected = GitInfo { commit_hash: Some(A.into()), ..GitInfo::default() };
        assert_eq!(git_info(dir.path()), Some(expected));
    }

    #[test]
    fn a_linked_worktree_shares_branches_and_origin() {
        let dir = tempfile::tempdir().unwrap();
        let (main, linked) = (dir.path().join("main"), dir.path().join("linked"));
        write(main.join(".git/HEAD"), "ref: refs/heads/main\n");
        write(main.join(".git/refs/heads/side"), B);
        write(main.join(".git/config"), "[core]\n\turl = no\n[remote \"origin\"]\n\turl = https://u:p@h/r.git\n");
        write(main.join(".git/worktrees/linked/HEAD"), "ref: refs/heads/side\n");
        write(main.join(".git/worktrees/linked/commondir"), "../..\n");
        write(linked.join(".git"), &format!("gitdir: {}\n", main.join(".git/worktrees/linked").display()));
        let repository = Repository::find(&linked).unwrap();
        assert_eq!((repository.root.as_path(), repository.main_root()), (linked.as_path(), main.as_path()));
        let expected = GitInfo {
            commit_hash: Some(B.into()),
            branch: Some("side".into()),
            repository_url: Some("https://h/r.git".into()),
        };
        assert_eq!(repository.info(), expected);
    }

    #[test]
    fn no_repository_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(git_info(dir.path()), None);
    }

    #[test]
    fn what_git_itself_made_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=trunk"];
            let run = std::process::Command::new("git").args(identity).args(args).current_dir(dir.path()).output();
            String::from_utf8(run.unwrap().stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q"]);
        git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        git(&["remote", "add", "origin", "ssh://git:secret@host:22/o/r"]);
        let expected = GitInfo {
            commit_hash: Some(git(&["rev-parse", "HEAD"])),
            branch: Some("trunk".into()),
            repository_url: Some("ssh://git@host:22/o/r".into()),
        };
        assert_eq!(git_info(dir.path()), Some(expected.clone()));
        git(&["pack-refs", "--all"]);
        assert_eq!(git_info(dir.path()), Some(expected));
    }

    #[test]
    fn addresses_lose_what_logs_in() {
        for (url, expected) in [
            ("https://user:tok@host/a/b.git", "https://host/a/b.git"),
            ("https://ghp_token@host/a", "https://host/a"),
            ("https://host/a@b", "https://host/a@b"),
            ("https://u:p@ss@host", "https://host"),
            ("ssh://git@host/a", "ssh://git@host/a"),
            ("git@host:a/b.git", "git@host:a/b.git"),
            ("/srv/git/a.git", "/srv/git/a.git"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }
}
