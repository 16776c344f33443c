//! What a person watches on standard error while a turn runs.
//!
//! When the answer is piped elsewhere, standard output stays empty until it is complete; on a terminal it appears as it is
//! written.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::writer::EventWriter;
use crate::protocol::Event;
use crate::protocol::event::{Activity, CompactionReason, FileChangeKind, SessionInfo, StepStatus, ToolResult};
use crate::text::style::Style;

/// Lines of a command's output that are shown.
const OUTPUT_LINES: usize = 8;

/// Shows a turn on standard error. With `streams_answer`, messages are written to standard output as they come.
#[must_use]
pub fn start(color: bool, streams_answer: bool) -> Arc<EventWriter> {
    let mut page = Page { style: Style { color }, streams_answer, ..Page::default() };
    EventWriter::start(streams_answer, move |event| {
        let Some(event) = event else { return };
        // A person who closed the terminal still gets the turn finished and recorded.
        let (answer, progress) = page.render(&event);
        io::stdout().write_all(answer.as_bytes()).and_then(|()| io::stdout().flush()).unwrap_or_default();
        io::stderr().write_all(progress.as_bytes()).unwrap_or_default();
    })
}

/// The page so far: just enough to know where a line begins.
#[derive(Default)]
struct Page {
    style: Style,
    streams_answer: bool,
    /// Where the session works: paths below it are shown without it.
    folder: PathBuf,
    /// The title of every call that runs, and which of them was announced last.
    running: HashMap<String, String>,
    last_announced: String,
    /// Text of the running message has been written to standard output and its line is still open.
    line_open: bool,
    /// A message that may turn out to be the answer, which is the caller's to print: held back until something follows.
    held: Option<Arc<str>>,
}

impl Page {
    /// What an event adds to standard output and to standard error.
    fn render(&mut self, event: &Event) -> (String, String) {
        match event {
            Event::MessageDelta(delta) => {
                self.line_open = true;
                (delta.clone(), String::new())
            }
            Event::Message { text } if self.streams_answer => {
                let shown = std::mem::take(&mut self.line_open);
                (if shown { "\n".to_owned() } else { paragraph(text) }, String::new())
            }
            Event::Message { text } => {
                let earlier = self.held.replace(Arc::clone(text));
                (String::new(), earlier.map(|text| paragraph(&text)).unwrap_or_default())
            }
            _ => {
                // A stream that broke, or was cut, leaves its line open.
                let answer = if std::mem::take(&mut self.line_open) { "\n" } else { "" };
                let mut progress = String::new();
                if goes_on(event)
                    && let Some(text) = self.held.take()
                {
                    progress = paragraph(&text);
                }
                progress.push_str(&self.line(event));
                (answer.to_owned(), progress)
            }
        }
    }

    fn line(&mut self, event: &Event) -> String {
        let style = self.style;
        match event {
            Event::SessionReady(info) => {
                self.folder.clone_from(&info.cwd);
                header(style, info)
            }
            Event::Reasoning { text, .. } if !text.is_empty() => format!("{}\n", style.dim(text.trim())),
            Event::ToolStarted { activity, .. } if is_plan(activity) => String::new(),
            Event::ToolStarted { call_id, activity } => {
                let title = title(style, activity);
                call_id.clone_into(&mut self.last_announced);
                self.running.insert(call_id.clone(), title.clone());
                title
            }
            Event::ToolEnded { call_id, result } => match self.running.remove(call_id) {
                None if result.ok => String::new(),
                // Among calls that run side by side, an end must say whose it is.
                Some(title) if self.last_announced != *call_id => beside(&title, &ended(style, result, &self.folder)),
                _ => ended(style, result, &self.folder),
            },
            Event::WebSearch(search) => format!("{} {}\n", style.bold("search"), one_line(&search.query)),
            Event::PlanUpdated { explanation, steps } => {
                let mut text = explanation.as_ref().map(|why| format!("{}\n", style.dim(why))).unwrap_or_default();
                for step in steps {
                    text.push_str(&match step.status {
                        StepStatus::Completed => style.green(&format!("  [x] {}\n", step.step)),
                        StepStatus::InProgress => style.bold(&format!("  [>] {}\n", step.step)),
                        StepStatus::Pending => format!("  [ ] {}\n", step.step),
                    });
                }
                text
            }
            Event::SteerQueued { text } => format!("[steer] queued: {text}\n"),
            Event::SteerInserted { text } => format!("[steer] inserted: {text}\n"),
            Event::Reconnecting { attempt, max, delay, detail } => {
                let wait = format!("Reconnecting {attempt}/{max} in {}: {detail}", seconds(*delay));
                format!("{}\n", style.yellow(&wait))
            }
            Event::FellBack(fallback) => format!("{}\n", style.yellow(&fallback.to_string())),
            Event::CompactionStarted { reason: CompactionReason::ContextLimit } => {
                format!("{}\n", style.dim("the conversation fills its window; summarising it …"))
            }
            Event::CompactionStarted { reason: CompactionReason::UserRequested } => {
                format!("{}\n", style.dim("summarising the conversation …"))
            }
            Event::Compacted { before, after } => {
                format!("{}\n", style.dim(&format!("compacted: {before} → {after} tokens")))
            }
            Event::CompactionUndone { before, after } => {
                format!("{}\n", style.dim(&format!("compaction undone: {before} → {after} tokens")))
            }
            Event::Warning(text) => format!("{} {text}\n", style.yellow("warning:")),
            Event::TurnCompleted(summary) => {
                let total = summary.total_usage;
                let cached = total.cached_input_tokens;
                let line = format!(
                    "tokens: {} in ({cached} cached), {} out · {}",
                    total.input_tokens,
                    total.output_tokens,
                    seconds(summary.duration)
                );
                format!("{}\n", style.dim(&line))
            }
            Event::TurnFailed { error, .. } => format!("{} {error}\n", style.red("error:")),
            Event::TurnAborted { .. } => format!("{}\n", style.yellow("interrupted")),
            _ => String::new(),
        }
    }
}

/// Whether `event` shows that the turn goes on, so that a message before it was not its answer.
fn goes_on(event: &Event) -> bool {
    matches!(
        event,
        Event::ToolStarted { .. }
            | Event::SteerInserted { .. }
            | Event::Reconnecting { .. }
            | Event::FellBack(_)
            | Event::CompactionStarted { .. }
    )
}

fn header(style: Style, info: &SessionInfo) -> String {
    let mut text = format!("{} {}\n", style.bold("hone"), env!("CARGO_PKG_VERSION"));
    let mut row = |name: &str, value: &str| text.push_str(&format!("{} {value}\n", style.dim(&format!("{name:<9}"))));
    row("folder", &info.cwd.display().to_string());
    let effort = info.effort.as_ref().map(|effort| format!(" ({effort})")).unwrap_or_default();
    row("model", &format!("{}{effort} · {}", info.model, info.provider));
    row("sandbox", info.sandbox.as_deref().unwrap_or("none: commands run with your permissions"));
    let resumed = info.resumed_items.map(|items| format!(" (resumed, {items} items)")).unwrap_or_default();
    match &info.rollout_path {
        Some(_) => row("session", &format!("{}{resumed}", info.thread_id)),
        None => row("session", &format!("{}{resumed}, not recorded", info.thread_id)),
    }
    text
}

/// Whether this sets the plan, which is shown by an event of its own.
fn is_plan(activity: &Activity) -> bool {
    matches!(activity, Activity::Other { tool, .. } if tool == "update_plan")
}

fn title(style: Style, activity: &Activity) -> String {
    match activity {
        Activity::Exec { command, .. } => format!("{} {}\n", style.bold("$"), one_line(command)),
        Activity::Patch { paths } => {
            let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            format!("{} {}\n", style.bold("patch"), names.join(" "))
        }
        Activity::Other { tool, summary } => format!("{} {}\n", style.bold(tool), one_line(summary)),
    }
}

fn ended(style: Style, result: &ToolResult, folder: &Path) -> String {
    let short = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let mut text = String::new();
    for change in &result.changes {
        let path = short(&change.path);
        let line = match &change.kind {
            FileChangeKind::Add => format!("  A {path}"),
            FileChangeKind::Delete => format!("  D {path}"),
            FileChangeKind::Update { moved_to: None } => format!("  M {path}"),
            FileChangeKind::Update { moved_to: Some(to) } => format!("  R {path} → {}", short(to)),
        };
        text.push_str(&format!("{line}\n"));
        for line in change.diff.lines().skip_while(|line| !line.starts_with("@@")) {
            let shown = match line.as_bytes().first() {
                Some(b'+') => style.green(line),
                Some(b'-') => style.red(line),
                _ => style.dim(line),
            };
            text.push_str(&format!("    {shown}\n"));
        }
    }
    // What a tool read is for the model; what a command printed, or why something failed, is for people too.
    if result.changes.is_empty() && (result.exit_code.is_some() || !result.ok) {
        text.push_str(&excerpt(style, &result.output));
    }
    let took = seconds(result.duration);
    let end = match result.exit_code {
        Some(0) => style.dim(&format!("  ok in {took}")),
        Some(code) => style.red(&format!("  exit {code} in {took}")),
        None if result.ok => style.dim(&format!("  done in {took}")),
        None => style.red(&format!("  failed in {took}")),
    };
    text.push_str(&format!("{end}\n"));
    text
}

/// An end with the title it belongs to: on one line when there is nothing more to show.
fn beside(title: &str, ended: &str) -> String {
    let title = if ended.lines().count() == 1 { title.trim_end() } else { title };
    format!("{title}{ended}")
}

/// The first lines of an output, and how many more there are.
fn excerpt(style: Style, output: &str) -> String {
    let mut text = String::new();
    let mut lines = output.lines();
    for line in lines.by_ref().take(OUTPUT_LINES) {
        text.push_str(&format!("  {}\n", style.dim(&one_line(line))));
    }
    match lines.count() {
        0 => {}
        more => text.push_str(&format!("  {}\n", style.dim(&format!("… {more} more lines")))),
    }
    text
}

/// A text on one line of bearable length, control characters made visible: what a tool printed must not steer the terminal.
fn one_line(text: &str) -> String {
    let clean = text.trim_end().chars().map(|c| {
        if c == '\n' {
            '⏎'
        } else if c.is_control() && c != '\t' {
            '·'
        } else {
            c
        }
    });
    let mut line: String = clean.clone().take(200).collect();
    if clean.count() > 200 {
        line.push('…');
    }
    line
}

fn paragraph(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
