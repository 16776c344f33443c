//! `--json`: a turn told in lines of JSON, for programs.
//!
//! | file | what it holds |
//! |---|---|
//! | [`mod@line`] | one line, as Codex writes it |
//! | [`lines`] | what each event adds |
//!
//! Standard output gets these lines and nothing else, one write each; `docs/events.md` describes them.

pub mod line;
pub mod lines;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::terminal;
use super::writer::EventWriter;
use line::Line;
use lines::Lines;

/// In which form a turn is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// As Codex tells it, for whatever reads that.
    Codex,
}

/// Tells a turn on standard output.
#[must_use]
pub fn start(Form::Codex: Form) -> Arc<EventWriter> {
    let mut lines = Lines::default();
    EventWriter::start(false, move |event| match event {
        Some(event) => lines.of(&event).iter().for_each(print),
        None => {
            for warning in lines.untold() {
                terminal::print_error(&format!("warning: {warning}\n"));
            }
        }
    })
}

fn print(line: &Line) {
    // Strings and numbers alone always serialise.
    let Ok(mut text) = serde_json::to_string(line) else { return };
    text.push('\n');
    terminal::print(&text);
}
