//! What an event looks like: lines that are finished, and the row that still grows.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::width::{fitting, shorten, width};
use crate::protocol::Event;
use crate::protocol::event::{Activity, CompactionReason, FileChangeKind, SessionInfo, StepStatus, ToolResult};

/// Lines of a command's output that are shown at once.
const OUTPUT_LINES: usize = 8;
/// Messages of the person longer than this are folded.
const MESSAGE_LINES: usize = 20;
/// What is kept of folded texts.
const KEPT_BYTES: usize = 8 << 20;

/// Colours, or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether there are any.
    pub color: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Less important.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// More important.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Wrong, or gone.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Right, or new.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// To be noticed.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
}

/// What changes on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Finished lines, each with its newline.
    pub settled: String,
    /// The row that still grows.
    pub partial: String,
}

/// The page so far.
#[derive(Debug, Default)]
pub struct Page {
    style: Style,
    hide_reasoning: bool,
    stream: Stream,
    running: HashMap<String, String>,
    folded: Folded,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(style: Style, hide_reasoning: bool) -> Self {
        Self { style, hide_reasoning, ..Self::default() }
    }

    /// The colours in use.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// What was folded so far.
    #[must_use]
    pub fn folded(&self) -> &Folded {
        &self.folded
    }

    /// What an event changes on a screen of `columns`.
    pub fn take(&mut self, event: &Event, columns: usize) -> Update {
        match event {
            Event::MessageDelta(delta) => self.stream.push(delta, columns),
            Event::Message { text } => {
                let settled = match self.stream.finish() {
                    // Nothing was streamed.
                    None => format!("{}\n\n", text.trim_end()),
                    Some(rest) => format!("{rest}\n"),
                };
                Update { settled, partial: String::new() }
            }
            // What the model thinks meanwhile does not cut its message.
            Event::ReasoningDelta(_) | Event::TokenCount(_) => {
                Update { settled: String::new(), partial: self.stream.partial.clone() }
            }
            _ => {
                // A stream that broke, or was cut, leaves its row as it is.
                let mut settled = self.stream.finish().unwrap_or_default();
                settled.push_str(&self.line(event, columns));
                Update { settled, partial: String::new() }
            }
        }
    }

    /// A message of the person, as it is echoed.
    pub fn echo(&mut self, text: &str) -> String {
        let lines = text.lines().count();
        let shown = if lines > MESSAGE_LINES {
            let number = self.folded.keep("pasted".to_owned(), text);
            format!("[pasted {lines} lines #{number}]")
        } else {
            text.replace('\n', "\n  ")
        };
        format!("{}\n", self.style.bold(&format!("› {}", visible(&shown))))
    }

    fn line(&mut self, event: &Event, columns: usize) -> String {
        let style = self.style;
        match event {
            Event::SessionReady(info) => header(style, info),
            Event::Reasoning { text } if !text.is_empty() && !self.hide_reasoning => {
                format!("{}\n", style.dim(visible(text.trim()).as_str()))
            }
            Event::ToolStarted { activity, .. } if is_plan(activity) => String::new(),
            Event::ToolStarted { call_id, activity } => {
                let title = title(activity);
                let line = format!("{} {}\n", style.dim("•"), shorten(&title, columns.saturating_sub(3)));
                self.running.insert(call_id.clone(), title);
                line
            }
            Event::ToolEnded { call_id, result } => match self.running.remove(call_id) {
                None if result.ok => String::new(),
                title => self.ended(title.as_deref().unwrap_or("tool"), result, columns),
            },
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
            Event::SteerQueued { text } => format!("{}\n", style.dim(&steer("queued", text, columns))),
            Event::SteerInserted { text } => format!("{}\n", style.dim(&steer("inserted", text, columns))),
            Event::Reconnecting { attempt, max, delay, detail } => {
                let wait = format!("Reconnecting {attempt}/{max} in {}: {detail}", seconds(*delay));
                format!("{}\n", style.yellow(&wait))
            }
            Event::CompactionStarted { reason: CompactionReason::ContextLimit } => {
                format!("{}\n", style.dim("The conversation fills its window; summarising it …"))
            }
            Event::CompactionStarted { reason: CompactionReason::UserRequested } => {
                format!("{}\n", style.dim("Summarising the conversation …"))
            }
            Event::Compacted { before, after } => {
                format!("Compacted: {before} → {after} tokens; /compact undo takes it back\n")
            }
            Event::CompactionUndone { before, after } => format!("Compaction undone: {before} → {after} tokens\n"),
            Event::Warning(text) => format!("{} {text}\n", style.yellow("warning:")),
            Event::TurnCompleted(summary) => {
                let total = summary.total_usage;
                let line = format!(
                    "{} · {} in ({} cached), {} out",
                    seconds(summary.duration),
                    total.input_tokens,
                    total.cached_input_tokens,
                    total.output_tokens
                );
                format!("{}\n\n", style.dim(&line))
            }
            Event::TurnFailed { error, .. } => format!("{} {error}\n\n", style.red("error:")),
            Event::TurnAborted { .. } => format!("{}\n\n", style.yellow("interrupted")),
            _ => String::new(),
        }
    }

    fn ended(&mut self, title: &str, result: &ToolResult, columns: usize) -> String {
        let style = self.style;
        let mut text = String::new();
        for change in &result.changes {
            text.push_str(&change_lines(style, change));
        }
        let mut more = String::new();
        if result.changes.is_empty() {
            // What a tool read is for the model; what a command printed, or why something failed, is for people too.
            let lines = if result.exit_code.is_some() || !result.ok { OUTPUT_LINES } else { 0 };
            let hidden = result.output.lines().count().saturating_sub(lines);
            for line in result.output.lines().take(lines) {
                let line = shorten(&visible(line), columns.saturating_sub(3));
                text.push_str(&format!("  {}\n", style.dim(&line)));
            }
            if hidden > 0 {
                let number = self.folded.keep(title.to_owned(), &result.output);
                more = format!(" · {hidden} more lines: /show {number}");
            }
        }
        let took = seconds(result.duration);
        let end = match result.exit_code {
            Some(0) => style.dim(&format!("ok in {took}{more}")),
            Some(code) => style.red(&format!("exit {code} in {took}{more}")),
            None if result.ok => style.dim(&format!("done in {took}{more}")),
            None => style.red(&format!("failed in {took}{more}")),
        };
        // Among calls that run side by side, an end must say whose it is.
        let whose = if self.running.is_empty() { String::new() } else { format!("{}: ", shorten(title, 40)) };
        format!("{text}  {whose}{end}\n")
    }
}

/// Texts that are shown in part; `/show N` shows the whole.
#[derive(Debug, Default)]
pub struct Folded {
    kept: VecDeque<(usize, String, String)>,
    bytes: usize,
    count: usize,
}

impl Folded {
    fn keep(&mut self, title: String, text: &str) -> usize {
        self.count += 1;
        self.bytes += text.len();
        self.kept.push_back((self.count, title, text.to_owned()));
        while self.bytes > KEPT_BYTES && self.kept.len() > 1 {
            self.bytes -= self.kept.pop_front().map_or(0, |(_, _, text)| text.len());
        }
        self.count
    }

    /// The title and text of a number; the last one without.
    #[must_use]
    pub fn get(&self, number: Option<usize>) -> Option<(usize, &str, &str)> {
        let wanted = number.unwrap_or(self.count);
        self.kept.iter().find(|kept| kept.0 == wanted).map(|(number, title, text)| (*number, &**title, &**text))
    }
}

/// Text as it streams in: whole rows settle, the last one grows.
#[derive(Debug, Default)]
struct Stream {
    partial: String,
    begun: bool,
}

impl Stream {
    fn push(&mut self, delta: &str, columns: usize) -> Update {
        self.begun = true;
        let mut settled = String::new();
        for piece in delta.split_inclusive('\n') {
            self.partial.push_str(&visible(piece.trim_end_matches('\n')));
            while width(&self.partial) >= columns {
                let at = fitting(&self.partial, columns.saturating_sub(1).max(1));
                settled.push_str(&self.partial[..at]);
                settled.push('\n');
                self.partial.drain(..at);
            }
            if piece.ends_with('\n') {
                settled.push_str(&self.partial);
                settled.push('\n');
                self.partial.clear();
            }
        }
        Update { settled, partial: self.partial.clone() }
    }

    /// The last row; `None` when there was no text at all.
    fn finish(&mut self) -> Option<String> {
        let begun = std::mem::take(&mut self.begun);
        let rest = std::mem::take(&mut self.partial);
        begun.then(|| if rest.is_empty() { String::new() } else { format!("{rest}\n") })
    }
}

fn header(style: Style, info: &SessionInfo) -> String {
    let effort = info.effort.as_ref().map(|effort| format!(" {effort}")).unwrap_or_default();
    let mut text =
        format!("{} {} · {}{effort} · {}\n", style.bold("hone"), env!("CARGO_PKG_VERSION"), info.model, info.provider);
    let title = info.title.as_ref().map(|title| format!(" · {title}")).unwrap_or_default();
    let resumed = if info.resumed_items.is_some() { " · resumed" } else { "" };
    text.push_str(&format!("{}\n", style.dim(&format!("{}{title}{resumed}", info.cwd.display()))));
    text
}

fn change_lines(style: Style, change: &crate::protocol::event::FileChange) -> String {
    let path = change.path.display();
    let mut text = match &change.kind {
        FileChangeKind::Add => format!("  A {path}\n"),
        FileChangeKind::Delete => format!("  D {path}\n"),
        FileChangeKind::Update { moved_to: None } => format!("  M {path}\n"),
        FileChangeKind::Update { moved_to: Some(to) } => format!("  R {path} → {}\n", to.display()),
    };
    for line in change.diff.lines().skip_while(|line| !line.starts_with("@@")) {
        let line = visible(line);
        let shown = match line.as_bytes().first() {
            Some(b'+') => style.green(&line),
            Some(b'-') => style.red(&line),
            _ => style.dim(&line),
        };
        text.push_str(&format!("    {shown}\n"));
    }
    text
}

/// Whether this sets the plan, which is shown by an event of its own.
fn is_plan(activity: &Activity) -> bool {
    matches!(activity, Activity::Other { tool, .. } if tool == "update_plan")
}

fn title(activity: &Activity) -> String {
    let title = match activity {
        Activity::Exec { command, .. } => format!("$ {command}"),
        Activity::Patch { paths } => {
            let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            format!("patch {}", names.join(" "))
        }
        Activity::Other { tool, summary } => format!("{tool} {summary}"),
    };
    visible(&title.replace('\n', "⏎"))
}

fn steer(what: &str, text: &str, columns: usize) -> String {
    let line = format!("[steer] {what}: {}", visible(&text.replace('\n', "⏎")));
    shorten(&line, columns.saturating_sub(1))
}

/// A text without what would steer the terminal.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' && c != '\n' { '·' } else { c }).collect()
}

/// A duration for people.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_text_settles_row_by_row() {
        let mut stream = Stream::default();
        assert_eq!(stream.push("hel", 8), Update { settled: String::new(), partial: "hel".into() });
        assert_eq!(stream.push("lo wo\nrld", 8), Update { settled: "hello w\no\n".into(), partial: "rld".into() });
        assert_eq!(stream.finish().as_deref(), Some("rld\n"));
        assert_eq!(stream.finish(), None);
    }

    #[test]
    fn a_long_paste_is_folded_and_can_be_shown() {
        let mut page = Page::default();
        let text = "line\n".repeat(132);
        assert_eq!(page.echo(&text), "› [pasted 132 lines #1]\n");
        assert_eq!(page.folded().get(Some(1)).unwrap().2, text);
        assert_eq!(page.echo("one\ntwo"), "› one\n  two\n");
    }

    #[test]
    fn what_is_shown_cannot_steer_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb"), "a·[2Jb");
    }
}
