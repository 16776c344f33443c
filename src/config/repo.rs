//! Which repository a folder belongs to, as a name a folder can have.
//!
//! Worktrees of one repository share it; a copy of it elsewhere, or another repository at the same place, does not.

use std::path::{Path, PathBuf};

use super::git::Repository;

/// What what is learned belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id: the name of the main folder and digits that tell it from others of that name.
    pub id: String,
    /// The folder that paths are relative to: the worktree, or the folder itself outside a repository.
    pub root: PathBuf,
}

impl Project {
    /// The project that `cwd` is in.
    #[must_use]
    pub fn of(cwd: &Path) -> Self {
        let cwd = cwd.canonicalize().unwrap_or_else(|_| cwd.to_owned());
        let Some(repository) = Repository::find(&cwd) else {
            return Self { id: id(&cwd, None), root: cwd };
        };
        let origin = repository.info().repository_url;
        Self { id: id(repository.main_root(), origin.as_deref()), root: repository.root }
    }
}

fn id(folder: &Path, origin: Option<&str>) -> String {
    let name: String = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(folder.as_os_str().as_encoded_bytes());
    context.update(&[0]);
    context.update(origin.unwrap_or_default().as_bytes());
    let digits: String = context.finish().as_ref().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn repository(folder: &Path, origin: &str) {
        fs::create_dir_all(folder.join(".git")).unwrap();
        fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(folder.join(".git/config"), format!("[remote \"origin\"]\n\turl = {origin}\n")).unwrap();
    }

    #[test]
    fn worktrees_share_and_unrelated_projects_never_do() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let (main, linked, other) = (dir.join("a/app"), dir.join("linked"), dir.join("b/app"));
        repository(&main, "https://host/app.git");
        repository(&other, "https://host/app.git");
        fs::create_dir_all(main.join(".git/worktrees/linked")).unwrap();
        fs::write(main.join(".git/worktrees/linked/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(main.join(".git/worktrees/linked/commondir"), "../..\n").unwrap();
        fs::create_dir_all(linked.join("src")).unwrap();
        fs::write(linked.join(".git"), format!("gitdir: {}\n", main.join(".git/worktrees/linked").display())).unwrap();
        let project = Project::of(&main);
        assert!(project.id.starts_with("app-"), "{project:?}");
        let of_worktree = Project::of(&linked.join("src"));
        assert_eq!((of_worktree.id, of_worktree.root), (project.id.clone(), linked));
        assert_ne!(Project::of(&other).id, project.id);
        repository(&main, "https://host/another.git");
        assert_ne!(Project::of(&main).id, project.id);
        assert_ne!(Project::of(&dir).id, Project::of(&dir.join("a")).id);
    }
}
