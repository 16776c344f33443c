//! What goes wrong with the sandbox itself. Never what goes wrong with a command in it.

use std::io;

/// The sandbox could not be set up, so that nothing was run in it. It is no failure of the command, and nothing that
/// asking for more rights would mend.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No mechanism works on this machine. The text says of each why.
    #[error("nothing on this machine can enforce the sandbox, so the command was not run: {0}")]
    Unavailable(String),
    /// The mechanism asked for does not work here.
    #[error("the sandbox by {mechanism} does not work on this machine, so the command was not run: {reason}")]
    NotThisOne {
        /// Its name.
        mechanism: &'static str,
        /// Why.
        reason: String,
    },
    /// A step of the setup was refused.
    #[error("the sandbox could not be set up ({step}: {source}), so the command was not run")]
    Setup {
        /// What was tried.
        step: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// Bubblewrap ended before the command began.
    #[error("the sandbox could not be set up, so the command was not run: {0}")]
    Wrapper(String),
}

impl SandboxError {
    /// Of a step.
    pub(super) fn setup(step: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Setup { step, source: io::Error::other(source) }
    }
}
