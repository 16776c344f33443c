//! Layers: the places values come from, and how they add up.
//!
//! A layer is one parsed table with the text it was parsed from, so that every value knows its line. Layers are never
//! changed by merging; a merged table is made from them.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::path;
use super::value::{Data, Table, Value, own_table, own_value};

/// One source of values.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What kind of source it is.
    pub kind: LayerKind,
    /// Where its text is.
    pub origin: Origin,
    /// Its values.
    pub table: Table,
}

/// The kinds of layers, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// A variable of the environment.
    Environment,
    /// `/etc/codex/config.toml`.
    System,
    /// `$CODEX_HOME/config.toml`.
    User,
    /// The chosen `[profiles.NAME]`, then `$CODEX_HOME/NAME.config.toml`.
    Profile,
    /// `.codex/config.toml` of a trusted project; nearer to the session's folder is stronger.
    Project,
    /// `-c`, then flags of their own such as `--model`.
    CommandLine,
}

/// Where a layer's text is.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A file.
    File(Arc<TextFile>),
    /// A variable or a flag, by its name.
    Word(String),
}

/// A file and what was in it.
#[derive(Debug)]
pub struct TextFile {
    /// Where it is.
    pub path: PathBuf,
    /// What was in it.
    pub text: String,
}

/// Where a value stands: `FILE:LINE:COLUMN`, or the name of a flag or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file; both numbers count from one.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column in characters.
        column: usize,
    },
    /// On the command line or in the environment.
    Word(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Origin {
    /// Where the bytes at `offset` stand.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        match self {
            Self::File(file) => {
                let before = &file.text[..file.text.floor_char_boundary(offset)];
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
                let column = 1 + before[line_start..].chars().count();
                Place::File { path: file.path.clone(), line, column }
            }
            Self::Word(word) => Place::Word(word.clone()),
        }
    }

    /// The line at `span` with carets under it; empty for what is in no file.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> String {
        let (Self::File(file), Place::File { line, column, .. }) = (self, self.place(span.start)) else {
            return String::new();
        };
        let text = file.text.lines().nth(line - 1).unwrap_or_default();
        let start = text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at);
        let len = file.text.get(span.clone()).map_or(1, |marked| marked.lines().next().unwrap_or("").chars().count());
        let indent: String = text[..start].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let gutter = " ".repeat(line.to_string().len());
        format!("\n  {line} | {text}\n  {gutter} | {indent}{}", "^".repeat(len.max(1)))
    }
}

impl Layer {
    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML.
    pub fn read(kind: LayerKind, path: &Path) -> Result<Option<Self>, ConfigError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(ConfigError::unreadable(path, &error)),
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
            ConfigError::new(format!("{}:{line}: this is not UTF-8 text", path.display()))
                .hint("save the file as UTF-8")
        })?;
        let file = Arc::new(TextFile { path: path.to_owned(), text });
        let origin = Origin::File(file.clone());
        let broken = |span: Range<usize>, what: &str| {
            let excerpt = origin.excerpt(&span);
            ConfigError::new(format!("{}: this is not TOML: {what}{excerpt}", origin.place(span.start)))
        };
        let table = DeTable::parse(&file.text).map_err(|e| broken(e.span().unwrap_or(0..0), e.message()))?;
        let table = own_table(table.into_inner()).map_err(|(span, what)| broken(span, &what))?;
        Ok(Some(Self { kind, origin, table }))
    }

    /// A layer of the single value at `path`.
    #[must_use]
    pub fn single(kind: LayerKind, word: String, path: &[String], value: Data) -> Self {
        let mut data = value;
        for segment in path.iter().rev() {
            let entry = (Spanned::new(0..0, segment.clone()), Spanned::new(0..0, data));
            data = Data::Table(Table::from_iter([entry]));
        }
        let table = if let Data::Table(table) = data { table } else { Table::new() };
        Self { kind, origin: Origin::Word(word), table }
    }

    /// A layer of one `-c` argument, `KEY=VALUE`: the value is TOML, or else the text itself.
    ///
    /// # Errors
    /// There is no `=`, or the key is none.
    pub fn from_override(text: &str) -> Result<Self, ConfigError> {
        let usage = "write -c KEY=VALUE, for example -c model_verbosity=low";
        let Some((key, value)) = split_assignment(text) else {
            return Err(ConfigError::new(format!("-c {text}: there is no `=`")).hint(usage));
        };
        let segments =
            path::split(key).map_err(|error| ConfigError::new(format!("-c {text}: {}", error.message)).hint(usage))?;
        Ok(Self::single(LayerKind::CommandLine, format!("-c {}", key.trim()), &segments, parse_or_text(value)))
    }

    /// The value at a path, with the key it stands under.
    #[must_use]
    pub fn get<S: AsRef<str>>(&self, path: &[S]) -> Option<(&Spanned<String>, &Value)> {
        let (last, tables) = path.split_last()?;
        let mut table = &self.table;
        for segment in tables {
            table = table.get(segment.as_ref())?.get_ref().as_table()?;
        }
        table.get_key_value(last.as_ref())
    }

    /// The text at a path.
    #[must_use]
    pub fn get_str<S: AsRef<str>>(&self, path: &[S]) -> Option<&str> {
        self.get(path)?.1.get_ref().as_text()
    }
}

/// No file there, or a path that leads through something that is no folder.
pub(super) fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Splits at the first `=` that stands in no quotes.
fn split_assignment(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&text[..at], &text[at + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn parse_or_text(text: &str) -> Data {
    let text = text.trim();
    match DeValue::parse(text).ok().and_then(|value| own_value(value).ok()) {
        Some(value) => value.into_inner(),
        None => Data::Text(text.trim_matches(['"', '\'']).to_owned()),
    }
}
