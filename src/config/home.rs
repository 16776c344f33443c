//! Where things are kept: `$CODEX_HOME`, and the person's home folder.
//!
//! Finding them creates nothing. Whoever is about to write calls [`Home::create`] first.

use std::io;
use std::path::{Path, PathBuf, absolute};

use super::environment::Environment;
use super::error::ConfigError;

/// Where this program is.
///
/// # Errors
/// The operating system does not tell.
pub fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// The folder of configuration, skills and sessions, and the person's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    dir: PathBuf,
    user: Option<PathBuf>,
}

impl Home {
    /// `$CODEX_HOME`, else `~/.codex`. An empty variable counts as unset.
    ///
    /// # Errors
    /// There is a file at that path, it cannot be reached, or there is no home folder to look in.
    pub fn find(env: &Environment) -> Result<Self, ConfigError> {
        let user = env.get_os("HOME").map(PathBuf::from).or_else(std::env::home_dir);
        let (dir, origin) = match (env.get_os("CODEX_HOME"), &user) {
            (Some(dir), _) => (absolute(dir).unwrap_or_else(|_| dir.into()), "CODEX_HOME is"),
            (None, Some(user)) => (user.join(".codex"), "the home folder is"),
            (None, None) => {
                return Err(ConfigError::new("cannot tell where your home folder is").hint("set HOME or CODEX_HOME"));
            }
        };
        match dir.metadata() {
            Ok(found) if !found.is_dir() => {
                let message = format!("{origin} {}, but that is a file", dir.display());
                Err(ConfigError::new(message).hint("set CODEX_HOME to a folder, or move the file away"))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let message = format!("{origin} {}, which cannot be used: {error}", dir.display());
                Err(ConfigError::new(message).hint("set CODEX_HOME to a folder you can write to"))
            }
            _ => Ok(Self { dir, user }),
        }
    }

    /// The folder itself; it need not exist yet.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path inside it.
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.join(path)
    }

    /// The person's home folder.
    #[must_use]
    pub fn user(&self) -> Option<&Path> {
        self.user.as_deref()
    }

    /// Makes sure the folder exists.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(&self) -> Result<(), ConfigError> {
        std::fs::create_dir_all(&self.dir).map_err(|error| {
            ConfigError::new(format!("cannot create {}: {error}", self.dir.display()))
                .hint("set CODEX_HOME to a folder you can write to")
        })
    }

    /// `path` with a leading `~/` replaced by the person's home folder.
    pub(super) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.user) {
            (Some(rest), Some(user)) => user.join(rest),
            _ => PathBuf::from(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_and_nothing_is_created() {
        let folder = tempfile::tempdir().unwrap();
        let user = folder.path().join("user");
        let chosen = folder.path().join("a/b");
        for (codex_home, expected) in
            [(chosen.to_str().unwrap(), chosen.clone()), ("", user.join(".codex")), ("rel", absolute("rel").unwrap())]
        {
            let env: Environment = [("HOME", user.to_str().unwrap()), ("CODEX_HOME", codex_home)].into_iter().collect();
            let home = Home::find(&env).unwrap();
            assert_eq!(home.dir(), expected);
            assert_eq!(home.user(), Some(user.as_path()));
            assert!(!home.dir().exists());
        }
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let inside = file.join("x");
        let error = |path: &Path| {
            let env: Environment = [("HOME", "/home/u"), ("CODEX_HOME", path.to_str().unwrap())].into_iter().collect();
            Home::find(&env).unwrap_err().message
        };
        assert_eq!(error(&file), format!("CODEX_HOME is {}, but that is a file", file.display()));
        let expected =
            format!("CODEX_HOME is {}, which cannot be used: Not a directory (os error 20)", inside.display());
        assert_eq!(error(&inside), expected);
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_named() {
        let env: Environment = [("HOME", "/home/u"), ("CODEX_HOME", "/proc/nowhere/x")].into_iter().collect();
        let home = Home::find(&env).unwrap();
        assert!(home.create().unwrap_err().message.starts_with("cannot create /proc/nowhere/x: "));
        assert_eq!(home.expand("~/x"), Path::new("/home/u/x"));
    }
}
