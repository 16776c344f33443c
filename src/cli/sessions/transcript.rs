//! A conversation as people read it, from its file: what the person said, what the model answered, what it did.
//!
//! It is read line by line and in the order of the file. What a compaction or a rollback took from the model's sight is
//! still there, with a note where that happened.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use crate::history::prompts::is_prompt;
use crate::protocol::item::{ItemKind, Role};
use crate::protocol::rollout_line::RolloutEvent;
use crate::protocol::{ErrorKind, Item, RolloutLine, UserError};
use crate::rollout::Reader;

/// How much of a call has room on its line.
const CALL_CHARS: usize = 120;

/// A piece of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What the person said.
    Person(String),
    /// What the model said.
    Model(String),
    /// A tool's name and what it was called with, on one line.
    Call(String),
    /// What a tool answered.
    Output(String),
    /// Something that happened to the conversation.
    Note(String),
}

/// Shows `piece` every piece of the session at `path`, and `item` every item before it.
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path, mut piece: impl FnMut(Piece), mut item: impl FnMut(&Item)) -> Result<(), UserError> {
    let failed = |error: std::io::Error| {
        UserError::new(ErrorKind::Storage, format!("could not read the session file {}: {error}", path.display()))
            .hint("`hone sessions repair` looks at what is wrong with session files")
    };
    let mut reader = Reader::new(File::open(path).map_err(failed)?);
    let wanted = |line: &crate::rollout::LineKind<'_>| {
        let events = ["turn_aborted", "thread_rolled_back", "task_complete"];
        match line.kind {
            Some("event_msg") => line.event.is_none_or(|event| events.contains(&event)),
            Some(kind) => matches!(kind, "response_item" | "compacted"),
            None => true,
        }
    };
    while let Some(entry) = reader.next_line(wanted).map_err(failed)? {
        if let RolloutLine::Item(found) = &entry.line {
            item(found);
        }
        if let Some(found) = piece_of(&entry.line) {
            piece(found);
        }
    }
    Ok(())
}

fn piece_of(line: &RolloutLine) -> Option<Piece> {
    let note = |text: String| Some(Piece::Note(text));
    match line {
        RolloutLine::Item(item) => piece_of_item(item),
        RolloutLine::Compacted(_) => {
            note("the conversation was compacted here; the model saw a summary from now on".into())
        }
        RolloutLine::Event(RolloutEvent::TurnAborted { .. }) => note("the turn was interrupted".into()),
        RolloutLine::Event(RolloutEvent::ThreadRolledBack { num_turns: 1 }) => {
            note("the last turn was taken back".into())
        }
        RolloutLine::Event(RolloutEvent::ThreadRolledBack { num_turns }) => {
            note(format!("the last {num_turns} turns were taken back"))
        }
        RolloutLine::Event(RolloutEvent::TaskComplete { error: Some(error), .. }) => {
            note(format!("the turn failed: {}", error["message"].as_str().unwrap_or("no reason was recorded")))
        }
        _ => None,
    }
}

fn piece_of_item(item: &Item) -> Option<Piece> {
    match item.kind() {
        ItemKind::Message(Role::User) if is_prompt(item) => Some(Piece::Person(with_images(item))),
        ItemKind::Message(Role::Assistant) => Some(item.text()).filter(|text| !text.is_empty()).map(Piece::Model),
        ItemKind::Call(call) => Some(Piece::Call(call_line(&call.name, &item.call_input().unwrap_or_default()))),
        ItemKind::Output { .. } => Some(Piece::Output(output_text(&item.to_value()["output"]))),
        ItemKind::Hosted => {
            let value = item.to_value();
            Some(Piece::Call(call_line(value["type"].as_str().unwrap_or("hosted tool"), &value["action"].to_string())))
        }
        _ => None,
    }
}

/// The text of an output, which is a string or a list of parts.
fn output_text(output: &serde_json::Value) -> String {
    match output {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n")
        }
        other => other.to_string(),
    }
}

fn with_images(item: &Item) -> String {
    let value = item.to_value();
    let is_image = |part: &&serde_json::Value| part["type"] == "input_image";
    let images = value["content"].as_array().map_or(0, |parts| parts.iter().filter(is_image).count());
    let text = item.text();
    match images {
        0 => text,
        1 => format!("{text}\n[an image]").trim_start().to_owned(),
        more => format!("{text}\n[{more} images]").trim_start().to_owned(),
    }
}

/// A call on one line: the command itself for those that run one, else the arguments.
fn call_line(name: &str, input: &str) -> String {
    let arguments = serde_json::from_str::<serde_json::Value>(input).ok();
    let command = arguments.as_ref().and_then(|arguments| {
        ["cmd", "command", "path", "file_path", "pattern"].iter().find_map(|key| match &arguments[*key] {
            serde_json::Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            serde_json::Value::Array(words) => {
                let words: Vec<&str> = words.iter().filter_map(serde_json::Value::as_str).collect();
                Some(Cow::Owned(words.join(" ")))
            }
            _ => None,
        })
    });
    let what = command.unwrap_or(Cow::Borrowed(input));
    let words: Vec<&str> = what.split_whitespace().collect();
    let line = words.join(" ");
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(CALL_CHARS).collect();
    if line.chars().nth(CALL_CHARS).is_some() {
        shown.push('…');
    }
    if name.is_empty() { shown } else { format!("{name}: {shown}") }
}

/// A piece as Markdown, with an empty line behind it. Outputs are left out: a line for each call tells what was done.
#[must_use]
pub fn markdown(piece: &Piece) -> String {
    match piece {
        Piece::Person(text) => format!("## You\n\n{}\n\n", text.trim()),
        Piece::Model(text) => format!("## Assistant\n\n{}\n\n", text.trim()),
        Piece::Call(line) => format!("- {}\n\n", code(line)),
        Piece::Output(_) => String::new(),
        Piece::Note(text) => format!("*{text}*\n\n"),
    }
}

/// Inline code that holds whatever backticks are in it.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_fit_one_line() {
        for (name, input, line) in [
            ("exec_command", r#"{"cmd":"ls\n -l","workdir":"/x"}"#, "exec_command: ls -l"),
            ("shell", r#"{"command":["bash","-lc","ls"]}"#, "shell: bash -lc ls"),
            ("apply_patch", "*** Begin Patch\n*** Add File: a\n", "apply_patch: *** Begin Patch *** Add File: a"),
            ("update_plan", r#"{"plan":[]}"#, r#"update_plan: {"plan":[]}"#),
            ("broken", "{", "broken: {"),
        ] {
            assert_eq!(call_line(name, input), line);
        }
        assert!(call_line("f", &"x".repeat(500)).ends_with("x…"));
    }

    #[test]
    fn backticks_do_not_end_the_code() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a `b` ``c``"), "``` a `b` ``c`` ```");
    }
}
