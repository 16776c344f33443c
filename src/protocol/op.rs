//! What a front end may ask of a session.

/// A request to a session. Requests are taken in the order they were made.
#[derive(Clone, Debug)]
pub enum Op {
    /// Starts a turn, or waits for the running one to end first.
    Submit(UserInput),
    /// Joins the running turn at its next safe point; starts a turn when none runs.
    Steer(UserInput),
    /// Ends the running turn now, its processes included. Queued submissions wait.
    Interrupt,
    /// Replaces the conversation by a summary of it, in a turn of its own.
    Compact {
        /// What the person wants the summary to keep.
        keep: Option<String>,
    },
    /// Takes the newest compaction back, in a turn of its own.
    UndoCompact,
    /// Ends the session after the running turn was interrupted; no child process is left behind.
    Shutdown,
}

/// What the person sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInput {
    /// The message.
    pub text: String,
}
