//! Where `.rules` files are, and how a rule gets into one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::home::Home;
use crate::policy::rules::{Rule, RuleError, read, render};

/// The rules of all files, and which files could not be used. One bad file takes nothing from the others.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rules, those of the person before those of projects.
    pub rules: Vec<Rule>,
    /// What is wrong with the files that do not count.
    pub errors: Vec<RuleError>,
}

/// The files of the home folder and of `projects`, folders that are trusted: `rules/*.rules` and `.codex/rules/*.rules`,
/// by name. What cannot be read is in [`Loaded::errors`].
#[must_use]
pub fn load<'a>(home: &Home, projects: impl IntoIterator<Item = &'a Path>) -> Loaded {
    let folders = std::iter::once(home.join("rules")).chain(projects.into_iter().map(|dir| dir.join(".codex/rules")));
    let mut loaded = Loaded::default();
    for folder in folders {
        match files(&folder) {
            Ok(files) => loaded.add(files),
            Err(error) => loaded.errors.push(unreadable(&folder, &error)),
        }
    }
    loaded
}

impl Loaded {
    /// Takes in files.
    pub fn add(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        for file in files {
            match fs::read_to_string(&file) {
                Err(error) => self.errors.push(unreadable(&file, &error)),
                Ok(text) => match read(&text, &file.display().to_string()) {
                    Ok(rules) => self.rules.extend(rules),
                    Err(error) => self.errors.push(error),
                },
            }
        }
    }
}

fn unreadable(file: &Path, error: &io::Error) -> RuleError {
    RuleError { file: file.display().to_string(), line: 1, message: format!("it cannot be read: {error}") }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rules") && file.is_file());
    files.sort();
    Ok(files)
}

/// Adds a rule that allows `prefix` from now on to `rules/default.rules` of the home folder; does nothing when a rule there
/// says so already. Returns the file.
///
/// # Errors
/// The file cannot be written. It is as it was then, or ends in a line that is not whole.
pub fn allow(home: &Home, prefix: &[String]) -> io::Result<PathBuf> {
    let folder = home.join("rules");
    fs::create_dir_all(&folder)?;
    let path = folder.join("default.rules");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.lock()?;
    let text = fs::read_to_string(&path)?;
    let line = render(prefix);
    if text.lines().any(|known| known == line.trim_end()) {
        return Ok(path);
    }
    let begin = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{begin}{line}").as_bytes())?;
    file.sync_all()?;
    Ok(path)
}
