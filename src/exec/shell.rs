//! Which shell runs a command, and how it is told to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The shells that read the scripts models write and take `-c` and `-l` as we give them.
const KNOWN: &[&str] = &["bash", "zsh", "sh", "dash", "ksh"];

/// Where to look when a shell is unknown or missing, best first. Every Unix has the last one.
const FALLBACKS: &[&str] = &["/bin/bash", "/usr/bin/bash", "/bin/zsh", "/bin/sh"];

/// The user's shell if it is one we know, else the best there is.
#[must_use]
pub fn of_user(shell: Option<&Path>) -> PathBuf {
    shell.filter(|shell| shell.is_absolute() && is_known(shell) && shell.exists()).map_or_else(fallback, Path::to_owned)
}

/// The shell of a name or path, looked for in `path`; when we do not know it, the best there is.
#[must_use]
pub fn named(name: &str, path: Option<&OsStr>) -> PathBuf {
    let asked = Path::new(name);
    if !is_known(asked) {
        return fallback();
    }
    if asked.is_absolute() {
        return if asked.exists() { asked.to_owned() } else { fallback() };
    }
    let folders = std::env::split_paths(path.unwrap_or(OsStr::new("/usr/bin:/bin")));
    let Some(file) = asked.file_name() else { return fallback() };
    folders.map(|folder| folder.join(file)).find(|file| file.is_absolute() && file.exists()).unwrap_or_else(fallback)
}

/// The command line that runs `script`.
#[must_use]
pub fn argv(shell: &Path, login: bool, script: &str) -> Vec<String> {
    vec![shell.to_string_lossy().into_owned(), if login { "-lc" } else { "-c" }.to_owned(), script.to_owned()]
}

fn is_known(shell: &Path) -> bool {
    shell.file_name().and_then(OsStr::to_str).is_some_and(|name| KNOWN.contains(&name))
}

fn fallback() -> PathBuf {
    FALLBACKS.iter().map(Path::new).find(|shell| shell.exists()).unwrap_or(Path::new("/bin/sh")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_missing_shells_give_way_to_one_that_works() {
        let works = fallback();
        for asked in ["fish", "/usr/bin/python3", "/nowhere/bash", "zsh-that-is-not", "/"] {
            assert_eq!(named(asked, None), works, "{asked}");
        }
        assert_eq!(named("sh", Some(OsStr::new("/nowhere:/bin"))), Path::new("/bin/sh"));
        assert_eq!(of_user(Some(Path::new("/bin/sh"))), Path::new("/bin/sh"));
        assert_eq!(of_user(Some(Path::new("sh"))), works);
        assert_eq!(of_user(None), works);
    }
}
