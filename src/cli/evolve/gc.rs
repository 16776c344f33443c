//! `hone evolve gc`: erases what was forgotten, and lets go of old records.

use clap::Args;

use super::here::Here;
use crate::cli::terminal;
use crate::evolution::ports::{Store as _, StoreError};
use crate::protocol::learned::Scope;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::Setup;
use crate::store::gc::{Limits, Swept};

/// How long a log of one project may be, in bytes.
const LOG: usize = 64 * 1024 * 1024;

/// `hone evolve gc …`
#[derive(Debug, Args)]
pub struct Gc {
    /// Only tell what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Let go of turns that were reviewed, and of what was shown in them, after so many days
    #[arg(long, value_name = "DAYS", default_value_t = 180)]
    pub older_than: u64,
}

/// Sweeps all projects.
///
/// # Errors
/// The configuration cannot be read, or the disk says no.
pub fn run(setup: &Setup, asked: &Gc) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let before_ms = here.now_ms.saturating_sub(asked.older_than.saturating_mul(24 * 60 * 60 * 1000));
    let limits = Limits { before_ms, bytes: LOG };
    let swept = sweep(&here, limits, asked.dry_run).map_err(|error| match error {
        StoreError::Failed(error) => error,
        other => UserError::new(ErrorKind::Storage, other.to_string()).hint("try again when that is done"),
    })?;
    terminal::print(&told(swept, asked.dry_run));
    Ok(0)
}

fn sweep(here: &Here, limits: Limits, dry_run: bool) -> Result<Swept, StoreError> {
    // What concerns the person everywhere may have been said in any project, so it is looked for in all of them.
    let of_user = here.store().forgotten(Scope::User)?;
    let mut swept = Swept::default();
    for learning in here.learning.all_projects() {
        let store = &learning.store;
        let of_repo = store.forgotten(Scope::Repo)?;
        let gone = [of_repo.as_slice(), &of_user].concat();
        swept += store.sweep(limits, &gone, dry_run)?;
        swept += store.erase(Scope::Repo, &of_repo, dry_run)?;
        for damage in store.damage() {
            terminal::print_error(&format!("warning: {damage}\n"));
        }
    }
    swept += here.store().erase(Scope::User, &of_user, dry_run)?;
    Ok(swept)
}

/// What went, for people.
fn told(swept: Swept, dry_run: bool) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let parts: Vec<String> = [
        count(swept.erased, "forgotten entry erased", "forgotten entries erased"),
        count(swept.cleaned, "record cleaned of it", "records cleaned of them"),
        count(swept.dropped, "old record dropped", "old records dropped"),
        count(swept.damaged, "damaged line set aside", "damaged lines set aside"),
        count(swept.strays, "leftover file removed", "leftover files removed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match (parts.is_empty(), dry_run) {
        (true, _) => "nothing to let go of\n".to_owned(),
        (false, false) => format!("{}\n", parts.join(", ")),
        (false, true) => format!("would be: {}; nothing was changed\n", parts.join(", ")),
    }
}
