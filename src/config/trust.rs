//! Which project the session is in, and whether its own configuration counts.
//!
//! Trust is only read here. It is given in `[projects."/path"] trust_level`, in any layer but the project's own.

use std::path::{Path, PathBuf};

use super::git::Repository;
use super::layer::{Layer, LayerKind};

/// The project of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The nearest folder above the session's that holds a root marker.
    pub root: Option<PathBuf>,
    /// The git repository the session is in.
    pub repository: Option<Repository>,
    /// What the person thinks of the session's folder.
    pub trust: Trust,
}

/// What the person thinks of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It may configure this program.
    Trusted,
    /// It may not.
    Untrusted,
    /// The person has not said.
    Unknown,
}

impl Project {
    /// Finds the project of `cwd`.
    #[must_use]
    pub fn find(cwd: &Path, markers: &[String], layers: &[Layer]) -> Self {
        let root = cwd.ancestors().find(|dir| markers.iter().any(|marker| dir.join(marker).exists()));
        let mut project =
            Self { root: root.map(Path::to_owned), repository: Repository::find(cwd), trust: Trust::Unknown };
        project.trust = project.trust_of(cwd, layers);
        project
    }

    /// The folders whose `.codex/config.toml` may count: from the root down to `cwd`; `cwd` alone without a root.
    #[must_use]
    pub fn folders<'a>(&self, cwd: &'a Path) -> Vec<&'a Path> {
        let Some(root) = &self.root else { return vec![cwd] };
        let mut folders: Vec<&Path> = cwd.ancestors().take_while(|dir| dir.starts_with(root)).collect();
        folders.reverse();
        folders
    }

    /// What the person thinks of `dir`: said of itself, else of the project's root, else of the main worktree, so that
    /// a linked worktree is trusted as the repository it came from.
    #[must_use]
    pub fn trust_of(&self, dir: &Path, layers: &[Layer]) -> Trust {
        let repository = self.repository.as_ref();
        let candidates = [
            Some(dir),
            self.root.as_deref(),
            repository.map(|repository| repository.root.as_path()),
            repository.map(Repository::main_root),
        ];
        candidates.into_iter().flatten().find_map(|dir| stated(dir, layers)).unwrap_or(Trust::Unknown)
    }
}

/// What the strongest layer says of exactly this folder.
fn stated(dir: &Path, layers: &[Layer]) -> Option<Trust> {
    let outside = layers.iter().rev().filter(|layer| layer.kind != LayerKind::Project);
    let mut tables = outside.filter_map(|layer| layer.get(&["projects"])?.1.get_ref().as_table()).peekable();
    tables.peek()?;
    let real = dir.canonicalize().ok();
    let is_dir = |path: &Path| path == dir || Some(path) == real.as_deref();
    tables.find_map(|projects| {
        let (_, project) = projects.iter().find(|(path, _)| is_dir(Path::new(path.get_ref())))?;
        match project.get_ref().as_table()?.get("trust_level")?.get_ref().as_text()? {
            "trusted" => Some(Trust::Trusted),
            _ => Some(Trust::Untrusted),
        }
    })
}
