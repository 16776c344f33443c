//! What a piece of injected context is.
//!
//! A fragment is a value the model should know, and two ways between that value and text: `write` says what to send so that
//! the model knows it, given what it was told last; `read` says what a text of the history told it. One law holds for every
//! fragment and is tested for all: reading what was written gives back the value. The history itself is therefore the only
//! memory of what was shown, and a session resumes from its items alone.

use std::borrow::Cow;

use super::settings::{ContextSettings, Today};

/// Where the context comes from at the start of a turn.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The settings of the session.
    pub settings: &'a ContextSettings,
    /// The day and the place.
    pub today: &'a Today,
    /// The text of the AGENTS.md files that apply.
    pub project_doc: Option<&'a str>,
    /// The listing of skills.
    pub skills: Option<&'a str>,
    /// What was learned before, line by line.
    pub learned: Option<&'a str>,
}

/// Which message a fragment is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The developer message: words of the program.
    Developer,
    /// The user message: words on the person's behalf.
    User,
}

/// What a text of the history says of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing: it is another fragment, or the person's own words.
    Nothing,
    /// That the value no longer holds.
    Gone,
    /// The value.
    Value(String),
}

/// One kind of injected context.
pub struct Fragment {
    /// For people: warnings, documentation and tests.
    pub name: &'static str,
    /// Where it goes.
    pub place: Place,
    /// How its text begins and ends, white space around it aside; `None` for text that carries no mark.
    pub marks: Option<(&'static str, &'static str)>,
    /// The most bytes its value may have. What is over is cut out of its middle, with a warning.
    pub bound: fn(&ContextSettings) -> usize,
    /// What the model should know now.
    pub value: for<'a> fn(&Sources<'a>) -> Option<Cow<'a, str>>,
    /// What to send. Called only when `now` differs from `told`; may still decide that nothing is to be said.
    pub write: fn(now: Option<&str>, told: Option<&str>, settings: &ContextSettings) -> Option<String>,
    /// What `text`, a part of a message in this fragment's place, says. `told` is what was said before it.
    pub read: fn(text: &str, told: Option<&str>, settings: &ContextSettings) -> Told,
}

/// The inside of `text` when it starts with `open` and ends with `close`, white space around it aside.
#[must_use]
pub fn inside<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.trim().strip_prefix(open)?.strip_suffix(close)
}
