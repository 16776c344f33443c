//! `hone evolve list` and `hone evolve show`: what is learned.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::here::{self, Here};
use crate::cli::terminal;
use crate::evolution::account::list::{self, Wanted};
use crate::protocol::UserError;
use crate::protocol::learned::Scope;
use crate::runtime::Setup;

/// `hone evolve list …`
#[derive(Debug, Args)]
pub struct List {
    /// What was put away, too
    #[arg(long)]
    pub all: bool,
    /// Of this kind alone
    #[arg(long, value_parser = ["rule", "preference", "fact", "pitfall", "reference", "skill"])]
    pub kind: Option<String>,
    /// What concerns this repository, or you wherever you work
    #[arg(long, value_enum)]
    pub scope: Option<ScopeName>,
    /// For programs: every entry in full
    #[arg(long)]
    pub json: bool,
}

/// A scope as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScopeName {
    /// This repository
    Repo,
    /// You, wherever you work
    User,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Repo => Self::Repo,
            ScopeName::User => Self::User,
        }
    }
}

/// `hone evolve show …`
#[derive(Debug, Args)]
pub struct Show {
    /// The begin of an id, or a skill's name
    pub id: String,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// Lists entries.
///
/// # Errors
/// The configuration or a journal cannot be read.
pub fn run(setup: &Setup, asked: &List) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let account = here.account()?;
    let wanted = Wanted { all: asked.all, kind: asked.kind.clone(), scope: asked.scope.map(Into::into) };
    let entries = list::entries(&account, &wanted);
    here.tell_damage();
    if asked.json {
        let values: Vec<_> = entries.iter().map(|(scope, entry)| json!({"scope": scope, "entry": entry})).collect();
        terminal::print(&here::json(&values)?);
    } else if entries.is_empty() {
        terminal::print("nothing of the kind is learned\n");
    } else {
        terminal::print(&list::lines(&entries));
    }
    Ok(0)
}

/// Shows one entry in full.
///
/// # Errors
/// As [`run`], or there is no such entry.
pub fn show(setup: &Setup, asked: &Show) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let account = here.account()?;
    let (scope, entry) = account.find(&asked.id)?;
    match asked.json {
        true => terminal::print(&here::json(&json!({"scope": scope, "entry": entry}))?),
        false => terminal::print(&list::full(scope, entry)),
    }
    Ok(0)
}
