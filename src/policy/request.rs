//! What is about to happen, and what was decided on it.

use std::path::{Path, PathBuf};

/// What a call of a tool is about to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it touches.
    pub access: Access<'a>,
    /// The folder that relative paths start at. Absolute.
    pub cwd: &'a Path,
    /// Set when the model asks for more than it may.
    pub escalation: Option<Escalation<'a>>,
}

/// What a call touches, as its tool declares it.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// Nothing outside the program.
    None,
    /// Files, to read them.
    Read,
    /// Files, to write them.
    Write(&'a [PathBuf]),
    /// Whatever this command touches: a program and its arguments.
    Exec(&'a [String]),
}

/// The model's wish for more than it may: `sandbox_permissions = "require_escalated"` to leave the sandbox,
/// `"with_additional_permissions"` for more within it.
#[derive(Clone, Copy, Debug)]
pub struct Escalation<'a> {
    /// What it wants within the sandbox, in words such as "write /srv"; `None` to leave it.
    pub within: Option<&'a str>,
    /// The question the model would ask, if it gave one.
    pub justification: Option<&'a str>,
    /// The prefix of commands it would like never to be asked for again.
    pub prefix_rule: Option<&'a [String]>,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Do it, without a word.
    Allow,
    /// Ask the person first.
    Ask,
    /// Do not do it; tell the model why.
    Refuse,
}

impl Verdict {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Refuse => "refuse",
        }
    }
}

/// A verdict, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Why, in one line for people and models.
    pub reason: String,
    /// The rule that decided, by where it stands (`default.rules:3`) and what it says. `None` when none did.
    pub rule: Option<String>,
    /// Whether it runs in the sandbox, once it runs. `false` under `danger-full-access`, for an escalation, and for
    /// commands a rule allows.
    pub contained: bool,
    /// What makes it dangerous, when something does.
    pub danger: Option<String>,
    /// What "always" would add as a rule that allows, when asking: a prefix of the command. `None` when no rule could or
    /// should cover it.
    pub always: Option<Vec<String>>,
}
