//! `hone evolve why` and `hone evolve why-not`: where an entry comes from, and what became of something that is not known.

use clap::Args;

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::account::{why, why_not};
use crate::protocol::UserError;
use crate::runtime::Setup;

/// `hone evolve why …`
#[derive(Debug, Args)]
pub struct Why {
    /// The begin of an id, or a skill's name
    pub id: String,
}

/// `hone evolve why-not …`
#[derive(Debug, Args)]
pub struct WhyNot {
    /// What it is about
    #[arg(required = true)]
    pub query: Vec<String>,
}

/// Tells where an entry comes from, what it brought and who may change it.
///
/// # Errors
/// There is no such entry, or records cannot be read.
pub fn run(setup: &Setup, asked: &Why) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    terminal::print(&why::why(&here.account()?, &asked.id)?);
    Ok(0)
}

/// Tells what became of what was said about something.
///
/// # Errors
/// Records cannot be read.
pub fn not(setup: &Setup, asked: &WhyNot) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    terminal::print(&why_not::why_not(&here.account()?, &asked.query.join(" "))?);
    Ok(0)
}
