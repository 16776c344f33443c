//! `hone evolve approve`, `reject`, `pin`, `unpin`, `revive`, `forget`, `edit`, `add`: what the person decides about entries.

use clap::Args;
use std::io::IsTerminal as _;

use super::here::{Here, tell};
use crate::evolution::account::wish::{Wish, grant, write_down};
use crate::evolution::account::{is_present, title, waits};
use crate::exec::editor;
use crate::protocol::learned::{Entry, Scope};
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::Setup;
use crate::text::terms::terms;

/// Entries by the begins of their ids.
#[derive(Debug, Args)]
pub struct Ids {
    /// The begins of ids, or skills' names
    #[arg(required = true)]
    pub ids: Vec<String>,
}

/// `hone evolve approve …`
#[derive(Debug, Args)]
pub struct Approve {
    /// The begins of ids, or skills' names
    #[arg(required_unless_present = "all")]
    pub ids: Vec<String>,
    /// Everything that waits for you
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

/// `hone evolve forget …`
#[derive(Debug, Args)]
pub struct Forget {
    /// The begins of ids
    #[arg(required_unless_present = "query")]
    pub ids: Vec<String>,
    /// Everything that speaks of all these words
    #[arg(long, conflicts_with = "ids")]
    pub query: Option<String>,
}

/// `hone evolve edit …`
#[derive(Debug, Args)]
pub struct Edit {
    /// The begin of an id
    pub id: String,
    /// What it says from now on; without it your editor opens
    #[arg(long)]
    pub text: Option<String>,
}

/// `hone evolve add …`
#[derive(Debug, Args)]
pub struct Add {
    /// What holds, in one or two sentences
    #[arg(required = true)]
    pub text: Vec<String>,
    /// It concerns you wherever you work, not this repository
    #[arg(long)]
    pub user: bool,
}

/// Does the same with each entry.
///
/// # Errors
/// There is no such entry, or the wish does not fit it. What was done before stays done.
pub fn run(setup: &Setup, ids: &[String], wish: &Wish) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    for id in ids {
        let granted = grant(here.store(), id, wish, here.now_ms)?;
        tell(done(wish), &granted);
    }
    Ok(0)
}

const fn done(wish: &Wish) -> &'static str {
    match wish {
        Wish::Approve => "approved",
        Wish::Reject => "rejected",
        Wish::Pin => "pinned",
        Wish::Unpin => "unpinned",
        Wish::Edit(_) => "changed",
        Wish::Forget => "forgotten",
        Wish::Revive => "revived",
    }
}

/// Brings into use what is named, or all that waits.
///
/// # Errors
/// As [`run`], or nothing waits.
pub fn approve(setup: &Setup, asked: &Approve) -> Result<u8, UserError> {
    if !asked.all {
        return run(setup, &asked.ids, &Wish::Approve);
    }
    let ids: Vec<String> = {
        let here = Here::find(setup)?;
        here.account()?.entries().filter(|(_, entry)| waits(entry)).map(|(_, entry)| entry.id().0.clone()).collect()
    };
    if ids.is_empty() {
        crate::cli::terminal::print("nothing waits for you\n");
        return Ok(0);
    }
    run(setup, &ids, &Wish::Approve)
}

/// Forgets what is named, or what speaks of something.
///
/// # Errors
/// As [`run`], or nothing speaks of it.
pub fn forget(setup: &Setup, asked: &Forget) -> Result<u8, UserError> {
    let Some(query) = &asked.query else { return run(setup, &asked.ids, &Wish::Forget) };
    let wanted = terms(query);
    let speaks = |entry: &Entry| {
        let held = terms(&title(entry));
        is_present(entry) && !wanted.is_empty() && wanted.iter().all(|term| held.contains(term))
    };
    let ids: Vec<String> = {
        let here = Here::find(setup)?;
        here.account()?.entries().filter(|(_, entry)| speaks(entry)).map(|(_, entry)| entry.id().0.clone()).collect()
    };
    if ids.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, format!("nothing learned speaks of \"{query}\""))
            .hint("`hone evolve list` shows what there is"));
    }
    run(setup, &ids, &Wish::Forget)
}

/// Changes the text of an entry.
///
/// # Errors
/// There is no such entry, the text may not be kept, or the editor could not be used.
pub fn edit(setup: &Setup, asked: &Edit) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let before = title(here.account()?.find(&asked.id)?.1);
    let text = match &asked.text {
        Some(text) => text.clone(),
        None if std::io::stdin().is_terminal() => editor::edit_text(here.loaded.env.editor(), &before)
            .map_err(|error| UserError::new(ErrorKind::Failed, error))?,
        None => {
            return Err(UserError::new(ErrorKind::Usage, "there is no terminal to edit on")
                .hint("say what it should say: hone evolve edit ID --text \"…\""));
        }
    };
    if text.trim() == before {
        crate::cli::terminal::print("nothing was changed\n");
        return Ok(0);
    }
    let wish = Wish::Edit(text);
    let granted = grant(here.store(), &asked.id, &wish, here.now_ms)?;
    tell(done(&wish), &granted);
    Ok(0)
}

/// Writes down something of the person's own.
///
/// # Errors
/// The text may not be kept, or is known already.
pub fn add(setup: &Setup, asked: &Add) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let scope = if asked.user { Scope::User } else { Scope::Repo };
    let granted = write_down(here.store(), scope, &asked.text.join(" "), here.now_ms)?;
    tell("added", &granted);
    Ok(0)
}
