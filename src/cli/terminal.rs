//! What is written where: answers on standard output, everything else on standard error.

use clap::ValueEnum;
use std::io::{self, IsTerminal, Write};

use crate::config::Environment;
use crate::protocol::UserError;

/// When to colour what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether standard error shall be coloured.
#[must_use]
pub fn colored(when: Color) -> bool {
    match when {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stderr().is_terminal() && Environment::capture().get("NO_COLOR").is_none(),
    }
}

/// Writes to standard output. A reader that went away is no error.
pub fn print(text: &str) {
    io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).unwrap_or_default();
}

/// Writes to standard error. A terminal that went away is no error.
pub fn print_error(text: &str) {
    io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Tells a person what went wrong.
pub fn complain(error: &UserError) {
    print_error(&format!("error: {error}\n"));
}

/// A text as it stands in a page.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{1b}' => out.push('␛'),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
    out
}
