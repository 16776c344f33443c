//! Floor 3: what was said and done in past sessions, to be found again.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | [`Index`]: the file, opened, rebuilt when it is broken |
//! | [`words`] | texts and questions as the words they are found by, in every script |
//! | [`add`] | putting sessions in, as far as they are read |
//! | [`search`] | finding |
//! | [`snippet`] | the part of a text that answers |
//!
//! `$CODEX_HOME/hone/index.sqlite` is made from the session files alone: it can be deleted, and is made anew when it cannot be read or is of
//! another version. It holds texts of sessions, redacted before they get here, so nobody but its owner may read it. Nothing here
//! knows how sessions are recorded; the runtime reads them and puts them in.

pub mod add;
pub mod search;
pub mod snippet;
pub mod words;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::protocol::{ErrorKind, UserError};

/// Changes with the tables and with how texts are split, so that an index of another version is made anew.
const VERSION: i64 = 1;
/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(3);

const TABLES: &str = "
    CREATE TABLE files (
        id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, project TEXT NOT NULL, cwd TEXT NOT NULL,
        size INTEGER NOT NULL, modified_ms INTEGER NOT NULL, offset INTEGER NOT NULL, turn INTEGER NOT NULL, asked TEXT NOT NULL
    );
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY, file INTEGER NOT NULL, turn INTEGER NOT NULL, role TEXT NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX passages_file ON passages (file);
    CREATE VIRTUAL TABLE found USING fts5 (
        words, around, project, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
    );
    CREATE VIRTUAL TABLE vocabulary USING fts5vocab (found, row);
";

/// The index over past sessions. One per thread; several processes may have it open.
pub struct Index {
    connection: Connection,
}

/// Why nothing was found or put in.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecallError(#[from] rusqlite::Error);

impl From<RecallError> for UserError {
    fn from(error: RecallError) -> Self {
        Self::new(ErrorKind::Storage, format!("the index of past sessions cannot be used: {error}"))
            .hint("`hone recall --rebuild` makes it anew from the session files")
    }
}

/// Where the index of a home is.
#[must_use]
pub fn path(home: &Path) -> PathBuf {
    home.join("hone/index.sqlite")
}

impl Index {
    /// Opens the index of a home, or makes it. What is no index, or one of another version, is replaced by an empty one.
    ///
    /// # Errors
    /// The file cannot be made or read.
    pub fn open(home: &Path) -> Result<Self, UserError> {
        let path = path(home);
        private(&path).map_err(|error| unusable(&path, &error.to_string()))?;
        match Self::at(&path) {
            Ok(index) => Ok(index),
            Err(error) if is_broken(&error) => {
                delete(&path).map_err(|error| unusable(&path, &error.to_string()))?;
                private(&path).map_err(|error| unusable(&path, &error.to_string()))?;
                Self::at(&path).map_err(|error| unusable(&path, &error.to_string()))
            }
            Err(error) => Err(unusable(&path, &error.to_string())),
        }
    }

    /// Opens the index of a home for a look, when there is one that can be read.
    #[must_use]
    pub fn existing(home: &Path) -> Option<Self> {
        let path = path(home);
        path.is_file().then(|| Self::at(&path).ok()).flatten()
    }

    /// Forgets everything, so that it is made anew.
    ///
    /// # Errors
    /// The file cannot be deleted or made.
    pub fn rebuild(home: &Path) -> Result<Self, UserError> {
        let path = path(home);
        delete(&path).map_err(|error| unusable(&path, &error.to_string()))?;
        Self::open(home)
    }

    fn at(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        // A crash of the machine may lose the last sessions put in, which are put in again; it never breaks the file.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        let mut index = Self { connection };
        index.prepare()?;
        Ok(index)
    }

    /// Makes the tables, unless they are there.
    fn prepare(&mut self) -> rusqlite::Result<()> {
        let version = |connection: &Connection| -> rusqlite::Result<i64> {
            connection.pragma_query_value(None, "user_version", |row| row.get(0))
        };
        if version(&self.connection)? == VERSION {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        match version(&transaction)? {
            // Another process was quicker.
            VERSION => return Ok(()),
            0 => transaction.execute_batch(TABLES)?,
            _ => {
                // Another version's tables are none of ours.
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
                    Some("it is of another version".to_owned()),
                ));
            }
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    }
}

/// Whether a file is no index that anybody could read.
fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Makes the file, and its folder, for its owner alone. SQLite gives the files beside it the same rights.
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

fn delete(path: &Path) -> io::Result<()> {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(Path::new(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn unusable(path: &Path, why: &str) -> UserError {
    UserError::new(ErrorKind::Storage, format!("cannot use the index of past sessions, {}: {why}", path.display()))
        .hint("it is made from the session files: delete it, and it is made anew")
}
