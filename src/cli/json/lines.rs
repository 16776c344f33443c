//! What each event adds to the stream. Pure: events in, lines out.

use std::collections::HashMap;

use super::line::{Change, ChangeKind, Details, Failure, Item, Line, Status, Todo, Usage};
use crate::protocol::event::{Activity, FileChange, FileChangeKind, PlanStep, StepStatus, ToolResult};
use crate::protocol::{Event, WebSearch};

/// The stream so far: just enough to number what begins and to find it again when it ends.
#[derive(Default)]
pub struct Lines {
    next_id: u64,
    thread_started: bool,
    /// Warnings that came before the conversation, whose line is the first.
    early_warnings: Vec<String>,
    /// The command of every call that runs one.
    calls: HashMap<String, Command>,
    /// Commands that go on after the call that started them, by the number they go on under.
    left_running: HashMap<i32, Command>,
    plan: Option<(String, Vec<Todo>)>,
}

/// A command that runs.
struct Command {
    id: String,
    command: String,
    output: String,
}

impl Lines {
    /// The lines of one event, in order.
    pub fn of(&mut self, event: &Event) -> Vec<Line> {
        match event {
            Event::SessionReady(info) => self.thread_started(info.thread_id.to_string()),
            Event::TurnStarted { .. } => vec![Line::TurnStarted {}],
            Event::Message { text } => vec![self.whole(Details::AgentMessage { text: text.to_string() })],
            Event::Reasoning { parts, .. } => self.reasoning(&parts.join("\n")),
            Event::ToolStarted { call_id, activity } => self.call_started(call_id, activity),
            Event::ToolEnded { call_id, result } => self.call_ended(call_id, result),
            Event::WebSearch(search) => self.searched(search),
            Event::PlanUpdated { steps, .. } => self.planned(steps),
            Event::Warning(message) if self.thread_started => self.warned(message.clone()),
            Event::Warning(message) => {
                self.early_warnings.push(message.clone());
                Vec::new()
            }
            Event::Reconnecting { attempt, max, detail, .. } => {
                vec![Line::Error { message: format!("Reconnecting... {attempt}/{max} ({detail})") }]
            }
            Event::FellBack(fallback) => self.warned(fallback.to_string()),
            Event::TurnCompleted(summary) => {
                let total = summary.total_usage;
                let usage = Usage {
                    input_tokens: total.input_tokens,
                    cached_input_tokens: total.cached_input_tokens,
                    cache_write_input_tokens: total.cache_write_input_tokens,
                    output_tokens: total.output_tokens,
                    reasoning_output_tokens: total.reasoning_output_tokens,
                };
                self.plan_completed().into_iter().chain([Line::TurnCompleted { usage }]).collect()
            }
            Event::TurnFailed { error, .. } => {
                let message = error.message.clone();
                let mut lines = vec![Line::Error { message: message.clone() }];
                lines.extend(self.plan_completed());
                lines.push(Line::TurnFailed { error: Failure { message } });
                lines
            }
            _ => Vec::new(),
        }
    }

    /// Warnings that found no place, because there was no conversation to tell them in.
    pub fn untold(&mut self) -> Vec<String> {
        std::mem::take(&mut self.early_warnings)
    }

    fn thread_started(&mut self, thread_id: String) -> Vec<Line> {
        self.thread_started = true;
        let mut lines = vec![Line::ThreadStarted { thread_id }];
        for warning in self.untold() {
            lines.extend(self.warned(warning));
        }
        lines
    }

    fn warned(&mut self, message: String) -> Vec<Line> {
        vec![self.whole(Details::Error { message })]
    }

    fn reasoning(&mut self, text: &str) -> Vec<Line> {
        let told = (!text.trim().is_empty()).then(|| self.whole(Details::Reasoning { text: text.to_owned() }));
        told.into_iter().collect()
    }

    fn call_started(&mut self, call_id: &str, activity: &Activity) -> Vec<Line> {
        // What a patch changes is known when it is done; other tools have no place in this format.
        let Activity::Exec { command, argv, .. } = activity else { return Vec::new() };
        let quoted = shlex::try_join(argv.iter().map(String::as_str)).ok().filter(|_| !argv.is_empty());
        let command =
            Command { id: self.new_id(), command: quoted.unwrap_or_else(|| command.clone()), output: String::new() };
        let item = command.item(None, Status::InProgress);
        self.calls.insert(call_id.to_owned(), command);
        vec![Line::ItemStarted { item }]
    }

    fn call_ended(&mut self, call_id: &str, result: &ToolResult) -> Vec<Line> {
        let started_here = self.calls.remove(call_id);
        let Some(mut command) =
            started_here.or_else(|| result.session.and_then(|session| self.left_running.remove(&session)))
        else {
            return self.changed(&result.changes);
        };
        command.output.push_str(&result.output);
        if let (None, Some(session)) = (result.exit_code, result.session) {
            self.left_running.insert(session, command);
            return Vec::new();
        }
        let status = if result.ok { Status::Completed } else { Status::Failed };
        vec![Line::ItemCompleted { item: command.item(result.exit_code, status) }]
    }

    fn changed(&mut self, changes: &[FileChange]) -> Vec<Line> {
        if changes.is_empty() {
            return Vec::new();
        }
        let mut changes: Vec<Change> = changes.iter().map(Change::from).collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let id = self.new_id();
        let item = |status| Item { id: id.clone(), details: Details::FileChange { changes: changes.clone(), status } };
        vec![
            Line::ItemStarted { item: item(Status::InProgress) },
            Line::ItemCompleted { item: item(Status::Completed) },
        ]
    }

    fn searched(&mut self, WebSearch { id, query, action }: &WebSearch) -> Vec<Line> {
        let details = Details::WebSearch { id: id.clone(), query: query.clone(), action: action.clone() };
        let item = Item { id: self.new_id(), details };
        vec![Line::ItemStarted { item: item.clone() }, Line::ItemCompleted { item }]
    }

    fn planned(&mut self, steps: &[PlanStep]) -> Vec<Line> {
        let items: Vec<Todo> = steps.iter().map(Todo::from).collect();
        let details = Details::TodoList { items: items.clone() };
        if let Some((id, known)) = &mut self.plan {
            *known = items;
            return vec![Line::ItemUpdated { item: Item { id: id.clone(), details } }];
        }
        let id = self.new_id();
        self.plan = Some((id.clone(), items));
        vec![Line::ItemStarted { item: Item { id, details } }]
    }

    fn plan_completed(&mut self) -> Option<Line> {
        let (id, items) = self.plan.take()?;
        Some(Line::ItemCompleted { item: Item { id, details: Details::TodoList { items } } })
    }

    /// Something that is told once, when it is done.
    fn whole(&mut self, details: Details) -> Line {
        Line::ItemCompleted { item: Item { id: self.new_id(), details } }
    }

    fn new_id(&mut self) -> String {
        let id = format!("item_{}", self.next_id);
        self.next_id += 1;
        id
    }
}

impl Command {
    fn item(&self, exit_code: Option<i32>, status: Status) -> Item {
        let details = Details::CommandExecution {
            command: self.command.clone(),
            aggregated_output: self.output.clone(),
            exit_code,
            status,
        };
        Item { id: self.id.clone(), details }
    }
}

impl From<&FileChange> for Change {
    fn from(change: &FileChange) -> Self {
        let kind = match change.kind {
            FileChangeKind::Add => ChangeKind::Add,
            FileChangeKind::Delete => ChangeKind::Delete,
            FileChangeKind::Update { .. } => ChangeKind::Update,
        };
        Self { path: change.path.display().to_string(), kind }
    }
}

impl From<&PlanStep> for Todo {
    fn from(step: &PlanStep) -> Self {
        Self { text: step.step.clone(), completed: step.status == StepStatus::Completed }
    }
}
