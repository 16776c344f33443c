//! The policy's settings, from the configuration and the command line.

use std::path::PathBuf;

use super::containment;
use super::setup::Setup;
use crate::agent::ports::Clock as _;
use crate::config::Loaded;
use crate::config::clock::SystemClock;
use crate::config::rules;
use crate::config::schema::ApprovalPolicy;
use crate::config::trust::Trust;
use crate::exec::containment::{ladder, real};
use crate::policy::{Approval, Sandbox, Settings, Switches};
use crate::sandbox::Mode;

/// What the policy goes by in a session, and the files of rules that could not be used. `files` stand in for those of the
/// home folder and the project, when there are any.
#[must_use]
pub fn settings(setup: &Setup, loaded: &Loaded, files: &[PathBuf]) -> (Settings, Vec<String>) {
    let mode = containment::mode(loaded);
    let spec = containment::spec(setup.roots(), loaded, mode);
    let found = match files {
        [] => {
            let trusted = |folder: &&std::path::Path| loaded.project.trust_of(folder, &loaded.layers) == Trust::Trusted;
            let mut found = rules::load(&loaded.home, loaded.project.folders(&setup.cwd).into_iter().filter(trusted));
            let own = rules::project_file(&loaded.home, loaded.project.named(&setup.cwd));
            found.add(Some(own).filter(|file| file.exists()));
            found
        }
        files => {
            let mut found = rules::Loaded::default();
            found.add(files.iter().map(|file| setup.cwd.join(file)));
            found
        }
    };
    let mut found = found;
    found.forget_before(&SystemClock::new(&loaded.env).local_date());
    let settings = Settings {
        approval: approval(loaded),
        sandbox: match mode {
            Mode::ReadOnly => Sandbox::ReadOnly,
            Mode::WorkspaceWrite => Sandbox::WorkspaceWrite,
            Mode::DangerFullAccess => Sandbox::DangerFullAccess,
        },
        available: !spec.contains() || ladder().best().is_some(),
        // Without a sandbox these still tell the work from the rest.
        writable: if spec.contains() { spec.writable } else { setup.roots().cloned().collect() },
        protected: spec.read_only,
        hidden: spec.denied_reads.iter().map(|place| real(place)).collect(),
        network: spec.network,
        home: loaded.home.user().map(Into::into),
        rules: found.rules,
    };
    (settings, found.errors.iter().map(ToString::to_string).collect())
}

/// The approval policy of the configuration. Where it has none: `untrusted` in a folder the person does not trust, else
/// `on-request`, as with Codex.
#[must_use]
pub fn approval(loaded: &Loaded) -> Approval {
    match &loaded.config.approval_policy {
        Some(ApprovalPolicy::Untrusted) => Approval::Untrusted,
        Some(ApprovalPolicy::OnFailure) => Approval::OnFailure,
        Some(ApprovalPolicy::OnRequest) => Approval::OnRequest,
        Some(ApprovalPolicy::Never) => Approval::Never,
        Some(ApprovalPolicy::Granular(switches)) => {
            let on = |name: &str| switches.get(name).copied().unwrap_or(true);
            Approval::Granular(Switches { sandbox: on("sandbox_approval"), rules: on("rules") })
        }
        None if loaded.project.trust == Trust::Untrusted => Approval::Untrusted,
        None => Approval::OnRequest,
    }
}
