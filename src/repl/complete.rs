//! What Tab offers: commands after `/`, files of the folder after `@`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ignore::WalkBuilder;

/// Files that are looked at, at most. Larger folders are offered in part.
const MAX_FILES: usize = 50_000;
/// How many completions are offered.
const MAX_OFFERS: usize = 24;
/// How long a look at the folder is good for.
const FRESH: Duration = Duration::from_secs(10);

/// Something Tab can put into the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is shown in a list.
    pub shown: String,
    /// What is put into the line.
    pub text: String,
}

/// What there is to complete from.
#[derive(Debug)]
pub struct Completions {
    commands: Vec<&'static str>,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    folder: PathBuf,
    looked: Option<Instant>,
    /// Relative to the folder, the one changed last first.
    paths: Vec<String>,
}

impl Completions {
    /// Offers `commands`, each with its slash, and the files of `folder`.
    #[must_use]
    pub fn new(commands: Vec<&'static str>, folder: &Path) -> Self {
        Self { commands, files: Mutex::new(Files { folder: folder.to_owned(), ..Files::default() }) }
    }

    /// Offers the files of another folder from now on.
    pub fn set_folder(&self, folder: &Path) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) =
            Files { folder: folder.to_owned(), ..Files::default() };
    }

    /// What fits in front of the cursor at `pos`, and where the part begins that it replaces.
    #[must_use]
    pub fn at(&self, line: &str, pos: usize) -> (usize, Vec<Offer>) {
        let typed = &line[..pos];
        if typed.starts_with('/') && !typed.contains(char::is_whitespace) {
            let fits = self.commands.iter().filter(|name| name.starts_with(typed));
            return (0, fits.map(|name| Offer { shown: (*name).to_owned(), text: format!("{name} ") }).collect());
        }
        let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        match typed[start..].strip_prefix('@') {
            Some(part) => (start, self.files(part)),
            None => (pos, Vec::new()),
        }
    }

    fn files(&self, part: &str) -> Vec<Offer> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            files.paths = walk(&files.folder);
            files.looked = Some(Instant::now());
        }
        matching(&files.paths, part)
    }
}

/// The paths whose name or whole begins with `part`, then those that hold it somewhere.
fn matching(paths: &[String], part: &str) -> Vec<Offer> {
    let lower = part.to_lowercase();
    let rank = |path: &str| {
        let path = path.to_lowercase();
        let name = path.rsplit('/').next().unwrap_or_default();
        match (path.starts_with(&lower) || name.starts_with(&lower), path.contains(&lower)) {
            (true, _) => Some(0),
            (false, true) => Some(1),
            (false, false) => None,
        }
    };
    let mut found: Vec<_> = paths.iter().filter_map(|path| Some((rank(path)?, path))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    let offers = found.into_iter().take(MAX_OFFERS);
    offers.map(|(_, path)| Offer { shown: path.clone(), text: format!("@{path} ") }).collect()
}

/// The files below `folder` that are not ignored, the one changed last first.
fn walk(folder: &Path) -> Vec<String> {
    let entries = WalkBuilder::new(folder).hidden(true).require_git(false).build().filter_map(Result::ok);
    let mut files: Vec<(SystemTime, String)> = entries
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let modified =
                entry.metadata().ok().and_then(|meta| meta.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
            Some((modified, entry.path().strip_prefix(folder).ok()?.to_str()?.to_owned()))
        })
        .take(MAX_FILES)
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    files.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(completions: &Completions, line: &str) -> (usize, Vec<String>) {
        let (start, offers) = completions.at(line, line.len());
        (start, offers.into_iter().map(|offer| offer.text).collect())
    }

    #[test]
    fn commands_and_files_are_offered_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["src/main.rs", "src/deep/remain.rs", "ignored/main.rs", "README.md"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::write(folder.path().join(".gitignore"), "ignored/\n").unwrap();
        let completions = Completions::new(vec!["/model", "/new", "/help"], folder.path());
        assert_eq!(texts(&completions, "/m"), (0, vec!["/model ".to_owned()]));
        assert_eq!(texts(&completions, "/model x").1, Vec::<String>::new());
        assert_eq!(
            texts(&completions, "look at @mai"),
            (8, vec!["@src/main.rs ".into(), "@src/deep/remain.rs ".into()])
        );
        assert_eq!(texts(&completions, "mail me@home").1, Vec::<String>::new());
    }
}
