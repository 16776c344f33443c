//! What an event looks like. The looks are in [`render`](super::render); here is what is known between two events: whether
//! a message is being written, which calls run, what was folded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::render::fold::Folds;
use super::render::lines::{self, Lines};
use super::render::{diff, width};
use super::scroll::{Change, joined};
use crate::protocol::Event;
use crate::protocol::event::{Activity, ToolResult};
use crate::text::style::Style;

/// Messages of the person longer than this are folded.
const MESSAGE_LINES: usize = 20;

/// Rows that stand together; between two kinds is a blank row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Person,
    Thought,
    Answer,
    Work,
    /// The head of a session and the end of a turn stand alone.
    Edge,
}

/// The page so far.
#[derive(Debug, Default)]
pub struct Page {
    style: Style,
    hide_reasoning: bool,
    /// Paths are shown as seen from here.
    folder: PathBuf,
    /// A message is being written.
    streaming: bool,
    last: Option<Block>,
    running: HashMap<String, Activity>,
    /// The call whose first row is the last row of the page.
    above: Option<String>,
    folds: Folds,
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
    pub fn folds(&self) -> &Folds {
        &self.folds
    }

    /// Something else was shown below the last row.
    pub fn cut(&mut self) {
        self.above = None;
    }

    /// Says where the session works.
    pub fn set_folder(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
    }

    /// What an event changes on a screen of `columns`.
    pub fn take(&mut self, event: &Event, columns: usize) -> Vec<Change> {
        match event {
            Event::MessageDelta(delta) => return self.grow(delta),
            Event::Message { .. } if self.streaming => return self.end(),
            Event::Message { text } => return self.message(text),
            _ => {}
        }
        let mut changes = if cuts(event) { self.end() } else { Vec::new() };
        if let Some((block, rows)) = self.rows(event, Lines::new(columns, self.style)) {
            changes.extend(self.place(block, Change::Rows(joined(&rows)), rows.is_empty()));
        }
        if let Event::ToolStarted { call_id, activity } = event
            && !is_plan(activity)
        {
            self.above = Some(call_id.clone());
        }
        changes
    }

    /// A whole message of the model.
    pub fn message(&mut self, text: &str) -> Vec<Change> {
        let mut changes = self.grow(text);
        changes.extend(self.end());
        changes
    }

    /// A message of the person, as it is echoed. It never stands within a message of the model.
    pub fn echo(&mut self, text: &str, columns: usize) -> Vec<Change> {
        let count = text.lines().count();
        let rows = if count > MESSAGE_LINES {
            let number = self.folds.add("pasted".to_owned(), text.to_owned());
            Lines::new(columns, self.style).user(&format!("[pasted {count} lines · /show {number}]"))
        } else {
            Lines::new(columns, self.style).user(text)
        };
        self.place(Block::Person, Change::After(joined(&rows)), rows.is_empty())
    }

    fn grow(&mut self, delta: &str) -> Vec<Change> {
        let mut changes = Vec::with_capacity(2);
        if !self.streaming {
            changes.push(Change::Gap);
            (self.streaming, self.last, self.above) = (true, Some(Block::Answer), None);
        }
        changes.push(Change::Grow(delta.to_owned()));
        changes
    }

    fn end(&mut self) -> Vec<Change> {
        if std::mem::take(&mut self.streaming) { vec![Change::End] } else { Vec::new() }
    }

    /// Sets rows off from those of another kind. What comes while a message is written goes above its last row.
    fn place(&mut self, block: Block, rows: Change, empty: bool) -> Vec<Change> {
        if empty {
            return Vec::new();
        }
        self.above = None;
        if self.streaming {
            return vec![rows];
        }
        let mut changes = Vec::with_capacity(3);
        let stands_alone = block == Block::Edge;
        if self.last.replace(block) != Some(block) || stands_alone {
            changes.push(Change::Gap);
        }
        changes.push(rows);
        if stands_alone {
            changes.push(Change::Gap);
        }
        changes
    }

    fn rows(&mut self, event: &Event, lines: Lines) -> Option<(Block, Vec<String>)> {
        let work = |rows| Some((Block::Work, rows));
        match event {
            Event::SessionReady(info) => {
                self.running.clear();
                self.set_folder(&info.cwd);
                let mut rows = lines.session(env!("CARGO_PKG_VERSION"), info);
                rows.extend(info.resumed_items.iter().flat_map(|items| lines.resumed(info.title.as_deref(), *items)));
                Some((Block::Edge, rows))
            }
            Event::Reasoning { text, .. } if !self.hide_reasoning => Some((Block::Thought, lines.reasoning(text))),
            // The plan is shown by an event of its own.
            Event::ToolStarted { activity, .. } if is_plan(activity) => None,
            Event::ToolStarted { call_id, activity } => {
                let row = lines.started(activity, &self.folder);
                self.running.insert(call_id.clone(), activity.clone());
                work(vec![row])
            }
            Event::ToolEnded { call_id, result } => work(self.ended(call_id, result, lines)),
            Event::PlanUpdated { explanation, steps } => work(lines.plan(explanation.as_deref(), steps)),
            Event::SteerQueued { text } => work(vec![lines.steer_queued(text)]),
            Event::SteerInserted { text } => work(vec![lines.steer_inserted(text)]),
            Event::Reconnecting { attempt, max, delay, detail } => {
                work(lines.reconnecting(*attempt, *max, *delay, detail))
            }
            Event::FellBack(fallback) => work(lines.fell_back(fallback)),
            Event::CompactionStarted { reason } => work(vec![lines.compacting(*reason)]),
            Event::Compacted { before, after } => work(vec![lines.compacted(*before, *after)]),
            Event::CompactionUndone { before, after } => work(vec![lines.compaction_undone(*before, *after)]),
            Event::Warning(text) => work(lines.warning(text)),
            Event::Learned(lessons) => Some((Block::Edge, lines.learned(lessons))),
            Event::TurnCompleted(summary) => Some((Block::Edge, vec![lines.completed(summary)])),
            Event::TurnFailed { error, .. } => Some((Block::Edge, lines.error(error))),
            Event::TurnAborted { .. } => Some((Block::Edge, vec![lines.interrupted()])),
            _ => None,
        }
    }

    /// The end of a call: what it changed, then one row that says how it went and where its output is.
    fn ended(&mut self, call_id: &str, result: &ToolResult, lines: Lines) -> Vec<String> {
        let activity = self.running.remove(call_id);
        if activity.is_none() && result.ok {
            return Vec::new();
        }
        let changes = result.changes.iter();
        let mut rows: Vec<_> =
            changes.flat_map(|change| diff::render(change, &self.folder, lines.width, lines.style)).collect();
        // Of a change the diff says it all; of everything else the whole output can be asked for.
        let folded = (result.changes.is_empty() || !result.ok) && !result.output.trim().is_empty();
        let show = folded.then(|| {
            let title = activity.as_ref().map(|activity| lines::title(activity, &self.folder));
            self.folds
                .add(title.map_or_else(|| "tool".to_owned(), |title| title.text().to_owned()), result.output.clone())
        });
        let below_its_own = self.above.as_deref() == Some(call_id);
        let named = activity.as_ref().filter(|_| !below_its_own).map(|activity| (activity, self.folder.as_path()));
        rows.push(lines.ended(named, result, show));
        rows
    }
}

/// Whether a message that is being written will not go on: it was cut, or its stream broke and it begins anew.
fn cuts(event: &Event) -> bool {
    matches!(
        event,
        Event::SessionReady(_)
            | Event::Reconnecting { .. }
            | Event::FellBack(_)
            | Event::SteerInserted { .. }
            | Event::CompactionStarted { .. }
            | Event::TurnCompleted(_)
            | Event::TurnFailed { .. }
            | Event::TurnAborted { .. }
    )
}

/// Whether this sets the plan.
fn is_plan(activity: &Activity) -> bool {
    matches!(activity, Activity::Other { tool, .. } if tool == "update_plan")
}

/// Output of a program, several lines of it, as a terminal may be sent it.
#[must_use]
pub fn clean_output(text: &str) -> String {
    text.trim_end().lines().map(width::clean_line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repl::scroll::Scroll;
    use std::time::Duration;

    /// What is on a page of 60 columns after these events, and the row that still grows.
    fn shown(page: &mut Page, events: &[Event]) -> (String, String) {
        let mut scroll = Scroll::new(Style::PLAIN);
        for change in events.iter().flat_map(|event| page.take(event, 60)) {
            scroll.apply(change, 60);
        }
        (scroll.take_rows(), scroll.partial(60))
    }

    fn started(id: &str) -> Event {
        let activity = Activity::Exec { command: format!("echo {id}"), argv: Vec::new(), cwd: "/".into() };
        Event::ToolStarted { call_id: id.to_owned(), activity }
    }

    fn ended(id: &str, output: &str) -> Event {
        let result = ToolResult { ok: true, exit_code: Some(0), output: output.to_owned(), ..ToolResult::default() };
        Event::ToolEnded { call_id: id.to_owned(), result }
    }

    fn delta(text: &str) -> Event {
        Event::MessageDelta(text.to_owned())
    }

    #[test]
    fn a_row_that_does_not_stand_below_its_call_says_whose_it_is() {
        let mut page = Page::default();
        let events = [started("a"), ended("a", "x"), started("b"), started("c"), ended("b", ""), ended("c", "y\nz\n")];
        let expected = "\
$ echo a
  ✓ 0 ms · 1 line · /show 1
$ echo b
$ echo c
$ echo b  ✓ 0 ms
$ echo c  ✓ 0 ms · 2 lines · /show 2
";
        assert_eq!(shown(&mut page, &events).0, expected);
        assert_eq!(page.folds().get(2).unwrap().output, "y\nz\n");
    }

    #[test]
    fn news_during_a_message_does_not_cut_it_but_a_broken_stream_does() {
        let queued = Event::SteerQueued { text: "wait".into() };
        let events = [started("a"), delta("One **wo"), queued, ended("a", ""), delta("rd**")];
        let (rows, partial) = shown(&mut Page::default(), &events);
        assert_eq!(rows, "$ echo a\n\n[steer] queued: wait\n$ echo a  ✓ 0 ms\n");
        assert_eq!(partial, "One word");

        let broke =
            Event::Reconnecting { attempt: 1, max: 5, delay: Duration::from_millis(200), detail: "reset".into() };
        let events =
            [delta("One wo"), broke, delta("One"), delta(" word."), Event::Message { text: "One word.".into() }];
        let (rows, partial) = shown(&mut Page::default(), &events);
        assert_eq!(rows, "One wo\n\nReconnecting 1/5 in 200 ms: reset\n\nOne word.\n");
        assert_eq!(partial, "");
    }

    #[test]
    fn a_long_paste_is_folded_and_a_message_waits_for_the_row_that_grows() {
        let mut page = Page::default();
        let paste = "line\n".repeat(132);
        assert_eq!(page.echo(&paste, 60)[1], Change::After("› [pasted 132 lines · /show 1]\n".into()));
        assert_eq!(page.folds().get(1).unwrap().output, paste);
        shown(&mut page, &[delta("One")]);
        assert_eq!(page.echo("one\ntwo", 60), [Change::After("› one\n  two\n".into())]);
    }

    #[test]
    fn a_compaction_is_a_row_when_it_begins_and_one_when_it_ends() {
        let reason = crate::protocol::event::CompactionReason::UserRequested;
        let events = [
            Event::CompactionStarted { reason },
            Event::Compacted { before: 210_400, after: 12_300 },
            Event::CompactionUndone { before: 12_300, after: 210_400 },
        ];
        let rows = shown(&mut Page::default(), &events).0;
        assert_eq!(
            rows,
            "Summarising the conversation …\nCompacted: 210.4k → 12.3k tokens; /compact undo takes it ba…\n\
             Compaction undone: 12.3k → 210.4k tokens\n"
        );
    }

    #[test]
    fn what_is_shown_cannot_steer_the_terminal() {
        assert_eq!(clean_output("a\x1b[2Jb\n\x07c\n"), "ab\n␇c");
    }
}
