//! `hone sessions show`.

use clap::Args;

use super::place::Place;
use super::transcript::{self, markdown};
use super::words::{as_json, heading};
use crate::cli::terminal;
use crate::protocol::UserError;

/// `hone sessions show …`
#[derive(Debug, Args)]
pub struct Show {
    /// The session: an id, the begin of one, a title, or `last`.
    pub id: String,
    /// Everything as JSON: what is known of the session, and its items
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(place: &Place, show: &Show) -> Result<u8, UserError> {
    let session = place.summary(&place.resolve(&show.id)?)?;
    if show.json {
        terminal::print(&as_json(&session)?);
        return Ok(0);
    }
    terminal::print(&heading(&session));
    transcript::read(&session.path, |piece| terminal::print(&markdown(&piece)), |_| {})?;
    Ok(0)
}
