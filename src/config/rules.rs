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

/// A rule with the day its line names.
fn dated(rule: Rule, text: &str) -> Rule {
    let line = text.lines().nth(rule.line - 1).unwrap_or_default();
    let until = line.rsplit_once(UNTIL).map(|(_, date)| date.trim().to_owned());
    Rule { until: until.filter(|date| date.len() == DATE), ..rule }
}

/// What stands in front of the last day of a rule, in a comment at the end of its line.
const UNTIL: &str = "# until ";
const DATE: usize = "2026-11-20".len();

/// The file of the home folder with the rules that hold in one project. The project's path is its name, so that no two
/// projects share one.
#[must_use]
pub fn project_file(home: &Home, project: &Path) -> PathBuf {
    let name = project.to_string_lossy().replace('%', "%25").replace('/', "%2F");
    home.join("rules/projects").join(format!("{name}.rules"))
}

impl Loaded {
    /// Leaves out what is over. `today` is `YYYY-MM-DD`.
    pub fn forget_before(&mut self, today: &str) {
        self.rules.retain(|rule| rule.until.as_deref().is_none_or(|until| until >= today));
    }

    /// Takes in files.
    pub fn add(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        for file in files {
            match fs::read_to_string(&file) {
                Err(error) => self.errors.push(unreadable(&file, &error)),
                Ok(text) => match read(&text, &file.display().to_string()) {
                    Ok(rules) => self.rules.extend(rules.into_iter().map(|rule| dated(rule, &text))),
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
    append(home.join("rules/default.rules"), render(prefix))
}

/// The same for one project alone, until the end of a day, `YYYY-MM-DD`.
///
/// # Errors
/// See [`allow`].
pub fn allow_in_project(home: &Home, project: &Path, prefix: &[String], until: &str) -> io::Result<PathBuf> {
    append(project_file(home, project), format!("{}  {UNTIL}{until}\n", render(prefix).trim_end()))
}

fn append(path: PathBuf, line: String) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.lock()?;
    let text = fs::read_to_string(&path)?;
    if text.lines().any(|known| known == line.trim_end()) {
        return Ok(path);
    }
    let begin = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{begin}{line}").as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

/// Takes a rule out of its file; `false` when it is not a line of its own there, so that only a person can.
///
/// # Errors
/// The file cannot be read or written, and is as it was.
pub fn revoke(rule: &Rule) -> io::Result<bool> {
    let path = Path::new(&rule.file);
    let text = fs::read_to_string(path)?;
    let words: Vec<String> = rule.pattern.iter().filter_map(|words| words.first().cloned()).collect();
    let line = text.lines().nth(rule.line - 1).unwrap_or_default();
    let written = line.split(UNTIL).next().unwrap_or_default().trim_end();
    if written != render(&words).trim_end() {
        return Ok(false);
    }
    let kept = text.split_inclusive('\n').enumerate().filter(|(at, _)| at + 1 != rule.line).map(|(_, line)| line);
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(kept.collect::<String>().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(true)
}
