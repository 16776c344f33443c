//! The tool calls of one response.
//!
//! A call starts the moment its item is complete, while the response still streams. Calls that may run side by side do; one
//! that may not waits for all before it and holds up all after it. Outputs go back in the order of the calls, however they
//! finish. Whatever goes wrong with a tool becomes its output; nothing here can fail a turn.

use futures_util::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::checkpoint::Checkpoint;
use super::gate::{Gate, Passed};
use super::ports::{Clock, EventSink, Lessons, Output, Tool, ToolCx};
use super::toolbox::Toolbox;
use crate::context::learned;
use crate::protocol::event::{Activity, ToolResult};
use crate::protocol::item::{Call, OutputPart};
use crate::protocol::{CallForm, Event, Item, new_item_id};
use crate::text::truncate::{self, OutputLimit};

/// How long interrupted tools may take, all together, to return by themselves before they are dropped.
const GRACE: Duration = Duration::from_millis(150);

/// The running and finished calls of one response, in order.
pub struct Dispatch {
    toolbox: Arc<Toolbox>,
    clock: Arc<dyn Clock>,
    keepers: Keepers,
    lessons: Option<Arc<dyn Lessons>>,
    cx: ToolCx,
    running: Vec<Running>,
}

/// What every call passes on its way.
#[derive(Clone)]
pub struct Keepers {
    /// Whether it may run.
    pub gate: Arc<Gate>,
    /// What it is about to write to is kept first.
    pub checkpoint: Checkpoint,
}

struct Running {
    call: Call,
    parallel: bool,
    /// Set when the call may run, or may not.
    decided: CancellationToken,
    /// Set when the call has ended, however it ended.
    ended: CancellationToken,
    task: JoinHandle<Output>,
    report: Report,
}

/// Tells the front end, exactly once, how a call ended.
#[derive(Clone)]
struct Report {
    call_id: String,
    is_command: bool,
    /// When it began to run, set anew once it passed the gate: a person who thinks about a question is no slow command.
    started_ms: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
}

impl Dispatch {
    /// No calls yet. `cx` is what each call is told, its call id aside.
    pub fn new(
        toolbox: Arc<Toolbox>,
        clock: Arc<dyn Clock>,
        keepers: Keepers,
        lessons: Option<Arc<dyn Lessons>>,
        cx: ToolCx,
    ) -> Self {
        Self { toolbox, clock, keepers, lessons, cx, running: Vec::new() }
    }

    /// Whether any call has started.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts the call `item` holds, if it is one that gets an answer.
    pub fn start(&mut self, item: &Item) {
        let Some(call) = item.call() else { return };
        if matches!(call.form, CallForm::LocalShell | CallForm::ToolSearch) {
            return; // Not offered. History answers a call that nobody ran.
        }
        let input = item.call_input();
        let tool = call.namespace.is_none().then(|| self.toolbox.get(&call.name)).flatten();
        let activity = match (&tool, &input) {
            (Some(tool), Some(input)) => tool.activity(input, &self.cx.cwd),
            _ => Activity::Other { tool: call.name.to_string(), summary: String::new() },
        };
        let report = Report {
            call_id: call.call_id.to_string(),
            is_command: matches!(activity, Activity::Exec { .. }),
            started_ms: Arc::new(AtomicU64::new(self.clock.unix_ms())),
            clock: Arc::clone(&self.clock),
            events: Arc::clone(&self.cx.events),
        };
        let note = self.lessons.as_ref().and_then(|lessons| lessons.with_call(&activity));
        let started = Event::ToolStarted { call_id: report.call_id.clone(), activity: activity.clone() };
        self.cx.events.emit(started);

        let parallel = tool.as_ref().is_none_or(|tool| tool.spec().parallel);
        let blockers = self.running.iter().filter(|earlier| !(parallel && earlier.parallel));
        let blockers: Vec<_> = blockers.map(|earlier| earlier.ended.clone()).collect();
        let earlier: Vec<_> = self.running.iter().map(|earlier| earlier.decided.clone()).collect();
        let (decided, ended) = (CancellationToken::new(), CancellationToken::new());
        let task = tokio::spawn({
            let (call, cx) = (call.clone(), ToolCx { call_id: report.call_id.clone(), ..self.cx.clone() });
            let (report, ended) = (report.clone(), ended.clone().drop_guard());
            let order = Order { earlier, decided: decided.clone().drop_guard() };
            let (keepers, wanted) = (self.keepers.clone(), Wanted { call, tool, input, activity });
            async move {
                let _ended = ended;
                for blocker in blockers {
                    blocker.cancelled().await;
                }
                let (output, told) = carry_out(wanted, &keepers, order, cx, &report).await;
                // People and statistics get the output as it is; only the model reads the notes.
                let note = note.as_ref().filter(|_| told.ran).map(learned::with_call);
                noted(note, noted(told.note, report.end(output)))
            }
        });
        self.running.push(Running { call: call.clone(), parallel, decided, ended, task, report });
    }

    /// Waits for all calls and returns their outputs in call order. When the turn is interrupted meanwhile, unfinished calls
    /// are ended and answered as aborted.
    pub async fn join(&mut self) -> Vec<Item> {
        let mut outputs = Vec::with_capacity(self.running.len());
        let grace = async {
            self.cx.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        }
        .shared();
        for running in std::mem::take(&mut self.running) {
            let (form, call_id) = (running.call.form, running.call.call_id.clone());
            let output = end(running, grace.clone()).await;
            let id = new_item_id(form.output_id_prefix());
            outputs.push(Item::output(form, &call_id, Some(id), &bounded(output.parts, self.cx.output_limit)));
        }
        outputs
    }
}

/// The output of a call, however it ends. A call that still runs when `grace` is over is dropped.
async fn end(Running { call, mut task, report, .. }: Running, grace: impl Future<Output = ()>) -> Output {
    let joined = tokio::select! {
        biased;
        joined = &mut task => joined,
        () = grace => {
            task.abort();
            (&mut task).await
        }
    };
    joined.unwrap_or_else(|error| {
        report.end(if error.is_cancelled() {
            report.aborted()
        } else {
            Output::failed(format!("{} crashed. This is a bug of the tool; another way may work.", call.name))
        })
    })
}

impl Report {
    fn end(&self, output: Output) -> Output {
        // A command that printed nothing has nothing to show; the frame around its output is for the model.
        let parts_say_it = output.shown.is_empty() && output.exit_code.is_none();
        let shown = if parts_say_it { texts(&output.parts) } else { output.shown.clone() };
        let result = ToolResult {
            ok: output.ok,
            exit_code: output.exit_code,
            session: output.session,
            duration: Duration::from_millis(self.elapsed_ms()),
            output: shown,
            changes: output.changes.clone(),
        };
        self.events.emit(Event::ToolEnded { call_id: self.call_id.clone(), result });
        output
    }

    fn aborted(&self) -> Output {
        #[allow(clippy::cast_precision_loss, reason = "tenths of a second")]
        let seconds = (self.elapsed_ms() as f64 / 1000.0).max(0.1);
        Output::failed(if self.is_command {
            format!("Wall time: {seconds:.1} seconds\naborted by user")
        } else {
            format!("aborted by user after {seconds:.1}s")
        })
    }

    fn elapsed_ms(&self) -> u64 {
        self.clock.unix_ms().saturating_sub(self.started_ms.load(Ordering::Relaxed))
    }

    fn restart(&self) {
        self.started_ms.store(self.clock.unix_ms(), Ordering::Relaxed);
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        for running in &self.running {
            running.task.abort();
        }
    }
}

/// What is known of how a call was carried out.
#[derive(Default)]
struct Told {
    ran: bool,
    /// What the model is told ahead of the output.
    note: Option<String>,
}

/// What a call wants.
struct Wanted {
    call: Call,
    /// `None` when there is none of its name.
    tool: Option<Arc<dyn Tool>>,
    /// `None` when it carries none.
    input: Option<String>,
    activity: Activity,
}

/// Its place among the calls of the response, until it is decided on.
struct Order {
    earlier: Vec<CancellationToken>,
    #[allow(dead_code, reason = "says so when it is dropped")]
    decided: DropGuard,
}

/// A call from its tool's name to its output: through the gate, and then around the tool.
async fn carry_out(
    Wanted { call, tool, input, activity }: Wanted,
    keepers: &Keepers,
    order: Order,
    cx: ToolCx,
    report: &Report,
) -> (Output, Told) {
    let stopped = |output| (output, Told::default());
    if cx.cancel.is_cancelled() {
        return stopped(report.aborted());
    }
    let Some(tool) = tool else {
        let kind = if call.form == CallForm::Custom { "custom tool call" } else { "call" };
        let namespace = call.namespace.as_deref().unwrap_or("");
        return stopped(Output::failed(format!("unsupported {kind}: {namespace}{}", call.name)));
    };
    let Some(input) = input else {
        return stopped(Output::failed("failed to parse function arguments: the call carries none"));
    };
    let go = match keepers.gate.pass(tool.as_ref(), input, &activity, &cx, &order.earlier).await {
        Passed::Go(go) => go,
        Passed::Stop(answer) => return stopped(answer),
        Passed::Aborted => return stopped(report.aborted()),
    };
    drop(order);
    report.restart();
    let cx = ToolCx { permit: go.permit, ..cx };
    let output = keepers.checkpoint.around(go.access, tool.call(&go.input, &cx)).await;
    // A tool that ended because it was told to has nothing better to say than that.
    let aborted = cx.cancel.is_cancelled() && !output.ok && output.exit_code.is_none();
    (if aborted { report.aborted() } else { output }, Told { ran: true, note: go.note })
}

/// An output with what is known of its call ahead of it.
fn noted(note: Option<String>, mut output: Output) -> Output {
    let Some(note) = note else { return output };
    match output.parts.first_mut() {
        Some(OutputPart::Text(text)) => text.insert_str(0, &note),
        _ => output.parts.insert(0, OutputPart::Text(note)),
    }
    output
}

fn texts(parts: &[OutputPart]) -> String {
    let texts = parts.iter().map(|part| match part {
        OutputPart::Text(text) => text.as_str(),
        OutputPart::Image { .. } => "[image]",
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A last guard over what enters history. Tools shorten their own outputs; a fifth more than the limit is let through, so
/// that a text with its header is not cut twice.
fn bounded(parts: Vec<OutputPart>, limit: OutputLimit) -> Vec<OutputPart> {
    let guard = match limit {
        OutputLimit::Tokens(tokens) => OutputLimit::Tokens(tokens.saturating_mul(6) / 5),
        OutputLimit::Bytes(bytes) => OutputLimit::Bytes(bytes.saturating_mul(6) / 5),
    };
    let shorten = |part| match part {
        OutputPart::Text(text) if text.len() > guard.bytes().max(1024) => {
            OutputPart::Text(truncate::middle(&text, guard).into_owned())
        }
        part => part,
    };
    parts.into_iter().map(shorten).collect()
}
