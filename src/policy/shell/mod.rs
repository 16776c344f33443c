//! A shell script as the simple commands it may run, in whatever order and under whatever condition.
//!
//! This is no shell: it reads what bash, zsh and POSIX shells agree on, and flattens groups, conditions and loops into the
//! commands within them, since a policy must answer for each. What it does not understand makes the script *unknown*; the
//! commands that were found are kept even so, because one of them may be dangerous.

mod quote;
mod read;

pub use read::parse;

/// A script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Every simple command found, those in substitutions before the one that uses them.
    pub commands: Vec<Simple>,
    /// Why there may be more to it than `commands`.
    pub unknown: Option<&'static str>,
}

impl Script {
    /// Keeps the first reason.
    pub(super) fn mark(&mut self, reason: &'static str) {
        self.unknown.get_or_insert(reason);
    }
}

/// A program and its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simple {
    /// The program first. Empty when there are only assignments or redirections.
    pub words: Vec<Word>,
    /// Variables set for it, or for the shell when there is no program: `NAME=value`.
    pub assigns: Vec<Word>,
    /// Files opened for it.
    pub redirects: Vec<Redirect>,
    /// Whether another command writes into it.
    pub piped: bool,
}

/// One argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What the program gets, with expansions as they are written.
    pub text: String,
    /// Whether `text` is exactly what the program gets.
    pub fixed: bool,
    /// Whether an option may come of it that cannot be seen: `$x`, `*`, `{a,-b}`.
    pub may_be_option: bool,
}

impl Word {
    /// A word that is what it looks like.
    #[must_use]
    pub fn fixed(text: impl Into<String>) -> Self {
        Self { text: text.into(), fixed: true, may_be_option: false }
    }
}

/// A file opened for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// To read.
    Read(Word),
    /// To write.
    Write(Word),
    /// A text given as input.
    Text(Word),
}
