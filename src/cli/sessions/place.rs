//! Where sessions are looked for.

use std::path::{Path, PathBuf};

use crate::config::{Environment, home::Home};
use crate::protocol::{ErrorKind, UserError};
use crate::rollout::index::{self, SessionSummary};
use crate::rollout::list::Filter;
use crate::rollout::resolve;

/// Where sessions are looked for. They can be looked at whatever state the configuration is in, so it is not read.
pub struct Place {
    pub(super) home: PathBuf,
    pub(super) cwd: PathBuf,
    pub(super) env: Environment,
}

impl Place {
    pub(super) fn find(cwd: PathBuf) -> Result<Self, UserError> {
        let env = Environment::capture();
        let home = Home::find(&env)?.dir().to_owned();
        Ok(Self { home, cwd, env })
    }

    /// The file of the session `id` means.
    pub(super) fn resolve(&self, id: &str) -> Result<PathBuf, UserError> {
        resolve::resolve(&self.home, id, Filter { cwd: Some(&self.cwd), provider: None })
    }

    /// What is known of the session at `path`.
    pub(super) fn summary(&self, path: &Path) -> Result<SessionSummary, UserError> {
        summary(&self.home, path)
    }
}

/// What is known of the session at `path`.
pub(super) fn summary(home: &Path, path: &Path) -> Result<SessionSummary, UserError> {
    let found = index::scan(home)?.sessions.into_iter().find(|session| session.path == path);
    found.ok_or_else(|| {
        UserError::new(ErrorKind::Storage, format!("{} is gone", path.display()))
            .hint("`hone sessions list --all` shows what there is")
    })
}
