//! Which project the session is in, and whether its own configuration counts.
//!
//! It is given in `[projects."/path"] trust_level`, in any layer but the project's own; [`record`] writes it there.

use std::fs;
use std::io::{self, Write};
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

    /// The folder a person means who speaks about the project `cwd` is in: the repository's, else the root's, else `cwd`.
    #[must_use]
    pub fn named<'a>(&'a self, cwd: &'a Path) -> &'a Path {
        self.repository.as_ref().map(Repository::main_root).or(self.root.as_deref()).unwrap_or(cwd)
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

/// Writes what the person thinks of a folder into a configuration file, which keeps all else as it is.
///
/// # Errors
/// The file cannot be read or written, or would not be a configuration any more; then it is as it was.
pub fn record(file: &Path, folder: &Path, trusted: bool) -> io::Result<()> {
    // What a link leads to is written, not the link replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let name = toml::Value::String(folder.to_string_lossy().into_owned()).to_string();
    let level = format!("trust_level = \"{}\"", if trusted { "trusted" } else { "untrusted" });
    let text = with_level(&text, &format!("[projects.{name}]"), &level);
    if text.parse::<toml::Table>().is_err() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has no room for [projects.{name}]")));
    }
    let dir = file.parent().unwrap_or(&file);
    fs::create_dir_all(dir)?;
    let mut whole = tempfile::NamedTempFile::new_in(dir)?;
    if let Ok(before) = fs::metadata(&file) {
        whole.as_file().set_permissions(before.permissions())?;
    }
    whole.write_all(text.as_bytes())?;
    whole.as_file().sync_all()?;
    whole.persist(&file)?;
    Ok(())
}

/// The text with the level under the header: in place of the one there, else as its first line, else in a new table.
fn with_level(text: &str, header: &str, level: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(head) = lines.iter().position(|line| line.trim() == header) else {
        let gap = if lines.is_empty() { "" } else { "\n" };
        return format!("{}{gap}{header}\n{level}\n", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    };
    let within = lines.iter().skip(head + 1).take_while(|line| !line.trim_start().starts_with('['));
    match within.into_iter().position(|line| line.trim_start().starts_with("trust_level")) {
        Some(at) => lines[head + 1 + at] = level,
        None => lines.insert(head + 1, level),
    }
    lines.join("\n") + "\n"
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
