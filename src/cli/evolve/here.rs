//! What is learned where the command was given.

use std::sync::Arc;

use crate::agent::ports::Clock as _;
use crate::cli::terminal;
use crate::config::Loaded;
use crate::config::clock::SystemClock;
use crate::evolution::Mode;
use crate::evolution::account::Account;
use crate::evolution::account::wish::Granted;
use crate::evolution::account::{list, title};
use crate::evolution::ports::Store;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::{Learning, Setup};
use crate::store::DiskStore;

/// The store of this folder, and the time.
pub struct Here {
    /// The configuration.
    pub loaded: Loaded,
    /// What is learned.
    pub learning: Learning,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Here {
    /// Finds it. It can be looked at in every mode; a note says so when nothing is learned.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn find(setup: &Setup) -> Result<Self, UserError> {
        let loaded = setup.load()?;
        let clock = Arc::new(SystemClock::new(&loaded.env));
        let now_ms = clock.unix_ms();
        let learning = Learning::told(&loaded, &setup.cwd, clock);
        if learning.settings.mode == Mode::Off {
            terminal::print_error("note: learning is off (`mode = \"off\"` under [evolution] in config.toml)\n");
        }
        Ok(Self { loaded, learning, now_ms })
    }

    /// Where it is kept.
    #[must_use]
    pub fn store(&self) -> &DiskStore {
        &self.learning.store
    }

    /// What there is.
    ///
    /// # Errors
    /// A journal cannot be read.
    pub fn account(&self) -> Result<Account<'_>, UserError> {
        Account::read(self.store())
    }

    /// Tells of damage that reading met.
    pub fn tell_damage(&self) {
        for damage in self.store().damage() {
            terminal::print_error(&format!("warning: {damage}\n"));
        }
    }
}

/// Tells what was done, and how it is taken back.
pub fn tell(did: &str, granted: &Granted) {
    let (id, what) = (list::short(&granted.entry.id().0), title(&granted.entry));
    terminal::print(&format!("{did} {id}: {what}\n  hone evolve undo {} takes it back\n", granted.operation.id));
}

/// A value as JSON, for programs.
///
/// # Errors
/// It has no such form.
pub fn json(value: &impl serde::Serialize) -> Result<String, UserError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| UserError::new(ErrorKind::Failed, format!("this has no form in JSON: {error}")))?;
    Ok(text + "\n")
}
