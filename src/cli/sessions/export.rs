//! `hone sessions export`: a conversation as Markdown, JSON or a page.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::html;
use super::place::{self, Place};
use super::transcript::{self, markdown};
use super::words::{as_json, heading};
use crate::cli::terminal;
use crate::protocol::{ErrorKind, UserError};
use crate::rollout::index::SessionSummary;

/// `hone sessions export …`
#[derive(Debug, Args)]
pub struct Export {
    /// The session: an id, the begin of one, a title, or `last`.
    pub id: String,
    /// What to write
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    // It takes the place of the option of the same letter that other commands have, and needs its name for that.
    /// Write to this file instead of standard output
    #[arg(id = "output_last_message", short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A form of an exported conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown.
    #[default]
    Md,
    /// The items as the model saw and said them, with what is known of the session.
    Json,
    /// A page that needs nothing else.
    Html,
}

impl Format {
    /// What people call it, which is also how its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Md, Self::Json, Self::Html].into_iter().find(|format| format.ending() == name)
    }
}

/// The conversation whose file is `path`, for others to read.
///
/// # Errors
/// The file is gone or cannot be read.
pub fn conversation(home: &Path, path: &Path, format: Format) -> Result<String, UserError> {
    let session = place::summary(home, path)?;
    match format {
        Format::Md => as_markdown(&session),
        Format::Json => as_json(&session),
        Format::Html => html::page(&session),
    }
}

pub(super) fn run(place: &Place, export: &Export) -> Result<u8, UserError> {
    let text = conversation(&place.home, &place.resolve(&export.id)?, export.format)?;
    match &export.output {
        None => terminal::print(&text),
        Some(file) => {
            fs::write(file, text).map_err(|error| {
                UserError::new(ErrorKind::Storage, format!("could not write {}: {error}", file.display()))
                    .hint("give -o a file in a folder that can be written to")
            })?;
            terminal::print_error(&format!("wrote {}\n", file.display()));
        }
    }
    Ok(0)
}

fn as_markdown(session: &SessionSummary) -> Result<String, UserError> {
    let mut text = heading(session);
    transcript::read(&session.path, |piece| text.push_str(&markdown(&piece)), |_| {})?;
    Ok(text)
}
