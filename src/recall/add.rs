//! Putting sessions in. A session is put in piece by piece as it grows; what is in stays in, and is put in once.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::{Index, RecallError, words};

/// How far a session file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The file's size when it was read last, in bytes.
    pub size: u64,
    /// When it was changed last, in milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// Everything before this byte is in.
    pub offset: u64,
    /// The number of the last turn that is in, from 1.
    pub turn: u32,
    /// What was asked in that turn.
    pub asked: String,
}

/// A session a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// The file.
    pub path: &'a Path,
    /// The conversation's id.
    pub thread: &'a str,
    /// The repository's id.
    pub project: &'a str,
    /// Where it worked.
    pub cwd: &'a Path,
}

/// Something that was said or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The turn, from 1.
    pub turn: u32,
    /// Who said it: `user`, `assistant`, or `tool`.
    pub role: &'static str,
    /// When, in milliseconds since the Unix epoch; 0 when nobody knows.
    pub at_ms: u64,
    /// The text, redacted and shortened.
    pub text: String,
    /// What was asked in the turn.
    pub around: String,
}

impl Index {
    /// How far a file was read; `None` when it is new.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn progress(&self, path: &Path) -> Result<Option<Progress>, RecallError> {
        let mut statement =
            self.connection.prepare("SELECT size, modified_ms, offset, turn, asked FROM files WHERE path = ?1")?;
        let progress = statement.query_row([path.to_string_lossy()], |row| {
            Ok(Progress {
                size: row.get::<_, i64>(0)?.unsigned_abs(),
                modified_ms: row.get::<_, i64>(1)?.unsigned_abs(),
                offset: row.get::<_, i64>(2)?.unsigned_abs(),
                turn: row.get(3)?,
                asked: row.get(4)?,
            })
        });
        Ok(progress.optional()?)
    }

    /// Puts passages in, and how far the file is read with them: both or neither. When somebody else was there since `before`,
    /// nothing is put in.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn add(
        &mut self,
        session: &Session<'_>,
        before: Option<&Progress>,
        passages: &[Passage],
        after: &Progress,
    ) -> Result<bool, RecallError> {
        let path = session.path.to_string_lossy();
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let known: Option<(i64, i64)> = transaction
            .query_row("SELECT id, offset FROM files WHERE path = ?1", [&path], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if known.map(|(_, offset)| offset.unsigned_abs()) != before.map(|before| before.offset) {
            return Ok(false);
        }
        let (size, modified_ms, offset) = (stored(after.size), stored(after.modified_ms), stored(after.offset));
        let cwd = session.cwd.to_string_lossy();
        transaction.execute(
            "INSERT INTO files (path, thread, project, cwd, size, modified_ms, offset, turn, asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (path) DO UPDATE SET size = ?5, modified_ms = ?6, offset = ?7, turn = ?8, asked = ?9",
            params![path, session.thread, session.project, cwd, size, modified_ms, offset, after.turn, after.asked],
        )?;
        let file = match known {
            Some((file, _)) => file,
            None => transaction.last_insert_rowid(),
        };
        let mark = words::mark(session.project);
        {
            let mut kept = transaction
                .prepare("INSERT INTO passages (file, turn, role, at_ms, text) VALUES (?1, ?2, ?3, ?4, ?5)")?;
            let mut found =
                transaction.prepare("INSERT INTO found (rowid, words, around, project) VALUES (?1, ?2, ?3, ?4)")?;
            for passage in passages {
                kept.execute(params![file, passage.turn, passage.role, stored(passage.at_ms), passage.text])?;
                let id = transaction.last_insert_rowid();
                found.execute(params![id, words::of_text(&passage.text), words::of_text(&passage.around), mark])?;
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Takes everything of a file out: it is gone, or was written anew.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn remove(&mut self, path: &Path) -> Result<(), RecallError> {
        let path = path.to_string_lossy();
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let file: Option<i64> =
            transaction.query_row("SELECT id FROM files WHERE path = ?1", [&path], |row| row.get(0)).optional()?;
        if let Some(file) = file {
            transaction
                .execute("DELETE FROM found WHERE rowid IN (SELECT id FROM passages WHERE file = ?1)", [file])?;
            transaction.execute("DELETE FROM passages WHERE file = ?1", [file])?;
            transaction.execute("DELETE FROM files WHERE id = ?1", [file])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The files that are in.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn files(&self) -> Result<Vec<String>, RecallError> {
        let mut statement = self.connection.prepare("SELECT path FROM files")?;
        let files = statement.query_map([], |row| row.get(0))?;
        Ok(files.collect::<Result<_, _>>()?)
    }
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
