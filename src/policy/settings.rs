//! What a person allows in general.

use std::path::PathBuf;

use super::rules::Rule;

/// When to ask: `approval_policy` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Unless the command is known to read only.
    Untrusted,
    /// An older name; decides as [`Approval::OnRequest`] does, as with Codex.
    OnFailure,
    /// When the model asks to leave the sandbox, a rule says so, or the command is dangerous.
    OnRequest,
    /// Never: what would be asked is refused.
    Never,
    /// As [`Approval::OnRequest`], with kinds of questions switched off: those are refused.
    Granular(Switches),
}

/// Which questions may be asked: the table form of `approval_policy`. The names are Codex's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// `sandbox_approval`: questions about leaving the sandbox and about dangerous commands.
    pub sandbox: bool,
    /// `rules`: questions that a rule asks for.
    pub rules: bool,
}

impl Approval {
    /// As the configuration has it; `None` for a name nobody knows.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "untrusted" => Self::Untrusted,
            "on-failure" => Self::OnFailure,
            "on-request" => Self::OnRequest,
            "never" => Self::Never,
            _ => return None,
        })
    }

    /// In a word, as in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::OnFailure => "on-failure",
            Self::OnRequest => "on-request",
            Self::Never => "never",
            Self::Granular(_) => "granular",
        }
    }

    pub(super) const fn asks_about_sandbox(self) -> bool {
        !matches!(self, Self::Never | Self::Granular(Switches { sandbox: false, .. }))
    }

    pub(super) const fn asks_about_rules(self) -> bool {
        !matches!(self, Self::Never | Self::Granular(Switches { rules: false, .. }))
    }
}

/// How much commands may touch: `sandbox_mode` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// Read everything, write nothing.
    ReadOnly,
    /// Write in [`Settings::writable`].
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

impl Sandbox {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::WorkspaceWrite => "workspace-write",
            Self::DangerFullAccess => "danger-full-access",
        }
    }

    /// As the configuration has it; `None` for a name nobody knows.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::ReadOnly, Self::WorkspaceWrite, Self::DangerFullAccess].into_iter().find(|mode| mode.name() == name)
    }
}

/// All that a judgement depends on besides the request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When to ask.
    pub approval: Approval,
    /// What commands may touch.
    pub sandbox: Sandbox,
    /// Whether this machine can hold commands to `sandbox`. A sandbox that cannot be had is no reason to ask: what needs
    /// one is refused.
    pub available: bool,
    /// Folders that may be written under [`Sandbox::WorkspaceWrite`], the session's among them. Absolute. Under
    /// [`Sandbox::DangerFullAccess`] they tell what is the work from what is not.
    pub writable: Vec<PathBuf>,
    /// What stays as it is within them, such as `.git`. Absolute.
    pub protected: Vec<PathBuf>,
    /// What nothing may read. Absolute, links followed.
    pub hidden: Vec<PathBuf>,
    /// Whether commands in the sandbox may use the network.
    pub network: bool,
    /// The person's own folder, which `~` and `$HOME` stand for.
    pub home: Option<PathBuf>,
    /// The rules of all files.
    pub rules: Vec<Rule>,
}

impl Settings {
    /// Settings without rules, home or folders to write, on a machine with a sandbox.
    #[must_use]
    pub const fn new(approval: Approval, sandbox: Sandbox) -> Self {
        Self {
            approval,
            sandbox,
            available: true,
            writable: Vec::new(),
            protected: Vec::new(),
            hidden: Vec::new(),
            network: false,
            home: None,
            rules: Vec::new(),
        }
    }
}
