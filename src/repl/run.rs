//! From start to end: sets the threads up, then does one thing after the other.

use rustix::termios::{InputModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::approval::{Asked, Asker};
use super::commands;
use super::complete::Completions;
use super::console::{Console, Parts, ShellEnd};
use super::input::{Input, Keyboard, Wiring};
use super::recall::{Recall, RecallFile};
use super::screen::{self, Screen};
use super::status::Status;
use crate::agent::ports::EventSink;
use crate::cli::signals::Interrupts;
use crate::protocol::{ErrorKind, Event, UserError};
use crate::runtime::{AgentRuntime, Prepared, SessionStart};
use crate::text::style::Style;

/// Runs an interactive session and returns the exit code. `pick` begins with the list of sessions.
///
/// # Errors
/// It could not begin.
pub fn run(prepared: Prepared, start: &SessionStart, pick: Option<&str>, color: bool) -> Result<u8, UserError> {
    // The model's side needs a thread of its own, so that the main loop answers at once whatever the tools do.
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let executor = executor.map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the operating system gives no event queue: {error}"))
    })?;
    let terminal = tcgetattr(io::stdin()).ok();
    if let Some(mut early) = terminal.clone().filter(|_| !is_dumb()) {
        // Enter typed before the editor is up shall still be Enter to it, and not a newline.
        early.input_modes.remove(InputModes::ICRNL);
        set_terminal(&early);
    }
    let end = executor.block_on(session(prepared, start, pick, color, terminal.as_ref()));
    // The keyboard's thread may still be in the editor, which holds the terminal in a mode of its own.
    terminal.iter().for_each(set_terminal);
    executor.shutdown_background();
    let farewell = end?;
    let mut out = io::stdout();
    let paste_off = if is_dumb() { "\n" } else { "\r\x1b[K\x1b[?2004l" };
    let farewell = farewell.map(|text| format!("{text}\n")).unwrap_or_default();
    out.write_all(format!("{paste_off}{farewell}").as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
    Ok(0)
}

/// A terminal that cannot be set stays as it is.
fn set_terminal(mode: &Termios) {
    tcsetattr(io::stdin(), OptionalActions::Drain, mode).unwrap_or_default();
}

/// Whether this is a terminal a person can hold a session in.
#[must_use]
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

async fn session(
    prepared: Prepared,
    start: &SessionStart,
    pick: Option<&str>,
    color: bool,
    terminal: Option<&Termios>,
) -> Result<Option<String>, UserError> {
    let (sink, events) = unbounded_channel();
    let (questions_sink, questions) = unbounded_channel();
    let (inputs, typed) = unbounded_channel();
    let (shell_ends, ended) = unbounded_channel();
    let recall_file = (!prepared.is_ephemeral()).then(|| RecallFile::of(prepared.loaded().home.dir()));
    let recall = Arc::new(Recall::new(recall_file.as_ref().map(RecallFile::read).unwrap_or_default()));
    let completions = Arc::new(Completions::new(commands::names(), prepared.folder()));
    let live = !is_dumb();
    let status = Arc::new(Status::new(prepared.model(), if live { screen::columns() } else { 0 }));
    let held = Arc::new(AtomicBool::new(false));
    let editor = prepared.loaded().env.editor().to_owned();
    let vi = prepared.loaded().config.edit_mode == crate::config::schema::EditMode::Vi;
    let mut keyboard = Keyboard::new(Wiring {
        inputs,
        status: Arc::clone(&status),
        recall,
        completions: Arc::clone(&completions),
        held: Arc::clone(&held),
        leaves: commands::leaves,
        editor,
        terminal: terminal.cloned(),
        vi,
        color: color && live,
    })
    .map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the terminal cannot be used: {error}"))
            .hint("give a prompt: hone \"explain this repository\"")
    })?;
    let printer = if live { keyboard.printer() } else { None };
    let live = printer.is_some();
    let printer = printer.unwrap_or_else(screen::plain_printer);
    let style = Style { color: color && live };
    let (screen, writer) = Screen::start(printer, Arc::clone(&status), held, live, style);

    let runtime = AgentRuntime::start(prepared, Arc::new(Sink(sink))).await?.asking(Arc::new(Asker(questions_sink)));
    let parts = Parts { runtime, screen: screen.clone(), status, completions, style, recall_file, shell_ends };
    let mut console = Console::new(parts);
    let mut desk = Desk { events, questions, typed, ended };
    console.open(start).await?;
    desk.show_events(&mut console);
    if start != &SessionStart::New {
        commands::resume::show_last_exchange(&mut console).await;
    }
    if let Some(argument) = pick {
        commands::resume::list(&mut console, argument).await;
    }
    if start != &SessionStart::New {
        console.ask_what_was_left_open().await;
    }
    commands::permissions::ask_for_trust(&mut console);
    screen.flush();
    keyboard.start(screen.clone());
    desk.work(&mut console).await;
    let farewell = console.close().await;
    desk.events.close();
    screen.close(writer);
    Ok(farewell)
}

/// A terminal that understands nothing but text.
fn is_dumb() -> bool {
    let env = crate::config::Environment::capture();
    matches!(env.get("TERM"), None | Some("dumb" | "cons25" | "emacs"))
}

/// Hands events over to the main loop.
struct Sink(UnboundedSender<Event>);

impl EventSink for Sink {
    fn emit(&self, event: Event) {
        // A main loop that is gone shows nothing.
        self.0.send(event).unwrap_or_default();
    }
}

/// What lies on the main loop's desk.
struct Desk {
    events: UnboundedReceiver<Event>,
    questions: UnboundedReceiver<Asked>,
    typed: UnboundedReceiver<Input>,
    ended: UnboundedReceiver<ShellEnd>,
}

impl Desk {
    /// One thing after the other, until the person leaves.
    async fn work(&mut self, console: &mut Console) {
        let mut interrupts = Interrupts::listen().ok();
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => console.handle(&event),
                Some(asked) = self.questions.recv() => {
                    self.show_events(console);
                    console.open_question(asked);
                }
                input = self.typed.recv() => {
                    let Some(input) = input else { return };
                    // What happened before this was typed is shown before it.
                    self.show_events(console);
                    if !take(console, input).await {
                        return;
                    }
                }
                Some(end) = self.ended.recv() => console.shell_ended(end).await,
                signal = next_signal(&mut interrupts) => {
                    if signal && console.is_busy() {
                        console.interrupt();
                    } else {
                        return;
                    }
                }
            }
        }
    }

    fn show_events(&mut self, console: &mut Console) {
        while let Ok(event) = self.events.try_recv() {
            console.handle(&event);
        }
    }
}

/// Whether the next signal asks for an interrupt, and not for the end.
async fn next_signal(interrupts: &mut Option<Interrupts>) -> bool {
    match interrupts {
        Some(interrupts) => interrupts.next_is_interrupt().await,
        None => std::future::pending().await,
    }
}

/// Does what the person wants; `false` when that is to leave.
async fn take(console: &mut Console, input: Input) -> bool {
    match input {
        Input::Submit(text) if console.is_early_answer(&text) || console.is_early_reply(&text) => {}
        Input::Submit(text) if console.is_asked() => {
            console.remember(&text);
            submit(console, text).await;
            console.ask_again();
        }
        Input::Submit(text) => {
            console.decline();
            console.remember(&text);
            submit(console, text).await;
        }
        Input::Answer(text) if console.is_asked() => {
            if let Some(command) = console.reply(text) {
                console.remember(&command);
                submit(console, command).await;
                console.ask_again();
            }
        }
        Input::Answer(text) => {
            if let Some(text) = console.answer(text).await {
                console.remember(&text);
                submit(console, text).await;
            }
        }
        Input::Queue(text) => {
            console.decline();
            console.remember(&text);
            console.enqueue(text);
        }
        Input::Interrupt(reply) => reply.send(console.interrupt()).unwrap_or_default(),
        Input::AskedToLeave => console.say("Press Ctrl-C again to leave."),
        Input::Notice(text) => console.say(&text),
        Input::Leave => return false,
    }
    true
}

async fn submit(console: &mut Console, text: String) {
    if let Some(command) = text.strip_prefix('!').map(str::trim).filter(|command| !command.is_empty()) {
        if let Err(error) = console.run_shell(command) {
            console.complain(&error);
        }
    } else if let Some((name, argument)) = commands::parse(&text) {
        commands::run(console, name, argument).await;
    } else {
        console.submit(text.trim().to_owned());
    }
}
