//! The keyboard. The only file that names the line editor.
//!
//! One thread owns the editor for the life of the program and stays inside one `readline`: Enter does not leave it but hands
//! the text over and empties the line, so nothing typed ahead is lost and whatever is shown meanwhile goes above a prompt
//! that is always there. Only leaving and the person's own editor end a `readline`.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender as ReplySender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::termios::{OptionalActions, Termios, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, SearchDirection, SearchResult};
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ColorMode, ConditionalEventHandler, Config, Context, EditMode, Editor, Event, EventContext, EventHandler,
    ExternalPrinter as _, Helper, InputMode, KeyCode, KeyEvent, Modifiers, Movement, Prompt, RepeatCount,
};
use tokio::sync::mpsc::UnboundedSender;

use super::complete::Completions;
use super::recall::Recall;
use super::screen::{Printer, Screen};
use super::status::Status;
use crate::exec::editor;

/// How long after Esc a further byte still makes it a sequence.
const ESCAPE_MS: u16 = 50;
/// Within this time a second Ctrl-C leaves.
const TWICE: Duration = Duration::from_secs(1);
/// The longest the main loop may take to say what is given back.
const ANSWER: Duration = Duration::from_secs(2);

/// What the person did.
#[derive(Debug)]
pub enum Input {
    /// Enter.
    Submit(String),
    /// Alt-Enter.
    Queue(String),
    /// Enter while the person is asked something.
    Answer(String),
    /// Esc or Ctrl-C while something runs. The answer goes back into the editor.
    Interrupt(ReplySender<String>),
    /// The first Ctrl-C while nothing runs.
    AskedToLeave,
    /// Ctrl-D, a second Ctrl-C, `/exit`, or the terminal is gone.
    Leave,
    /// Something about the keyboard the person should know.
    Notice(String),
}

/// What the input thread needs.
pub struct Wiring {
    /// Where input goes.
    pub inputs: UnboundedSender<Input>,
    /// What the prompt shows.
    pub status: Arc<Status>,
    /// What was typed before.
    pub recall: Arc<Recall>,
    /// What Tab offers.
    pub completions: Arc<Completions>,
    /// Set while another program has the terminal.
    pub held: Arc<AtomicBool>,
    /// Whether a text ends the program.
    pub leaves: fn(&str) -> bool,
    /// The person's own editor, as a command line.
    pub editor: String,
    /// How the terminal was before, as other programs want it.
    pub terminal: Option<Termios>,
    /// Whether keys are those of vi.
    pub vi: bool,
    /// Whether to use colour.
    pub color: bool,
}

/// An editor that is not reading yet.
pub struct Keyboard {
    editor: Editor<Tab, SharedRecall>,
    wiring: Arc<Wiring>,
    /// The text the person wants to go on with in an editor of their own.
    outside: Arc<Mutex<Option<String>>>,
    leaving: Arc<AtomicBool>,
}

impl Keyboard {
    /// Prepares the editor.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub fn new(wiring: Wiring) -> Result<Self, String> {
        let config = Config::builder()
            .edit_mode(if wiring.vi { EditMode::Vi } else { EditMode::Emacs })
            .keyseq_timeout(Some(ESCAPE_MS))
            .bracketed_paste(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            .color_mode(if wiring.color { ColorMode::Enabled } else { ColorMode::Disabled })
            .build();
        let history = SharedRecall(Arc::clone(&wiring.recall));
        let mut editor = Editor::with_history(config, history).map_err(|error| error.to_string())?;
        let (wiring, outside, leaving) = (Arc::new(wiring), Arc::default(), Arc::default());
        editor.set_helper(Some(Tab { completions: Arc::clone(&wiring.completions), screen: Mutex::new(None) }));
        bind(&mut editor, &wiring, &outside, &leaving);
        Ok(Self { editor, wiring, outside, leaving })
    }

    /// What writes above the prompt; `None` where there is no live prompt.
    pub fn printer(&mut self) -> Option<Printer> {
        let mut printer = self.editor.create_external_printer().ok()?;
        // A terminal that went away is no error: the input thread notices and leaves.
        Some(Box::new(move |text| printer.print(text).unwrap_or_default()))
    }

    /// Starts reading, in a thread of its own.
    pub fn start(mut self, screen: Screen) {
        if let Some(tab) = self.editor.helper() {
            *tab.screen.lock().unwrap_or_else(PoisonError::into_inner) = Some(screen.clone());
        }
        thread::spawn(move || self.read(&screen));
    }

    fn read(&mut self, screen: &Screen) {
        let wiring = Arc::clone(&self.wiring);
        let prompt = LivePrompt { status: Arc::clone(&wiring.status), live: screen.is_live() };
        let mut initial = String::new();
        loop {
            let line = self.editor.readline_with_initial(&prompt, (&std::mem::take(&mut initial), ""));
            let outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(command) = wiring.status.take_edit() {
                screen.leave();
                screen.flush();
                initial = command;
                continue;
            }
            match line {
                Ok(_) if self.leaving.load(Ordering::Relaxed) => return wiring.leave(screen),
                Ok(_) if outside.is_some() => {
                    initial = self.edit_outside(outside.unwrap_or_default(), screen);
                }
                Ok(line) if wiring.status.is_asking() => wiring.send(Input::Answer(line)),
                // Only where there is no live prompt does the editor itself end a line.
                Ok(line) if (wiring.leaves)(&line) => return wiring.leave(screen),
                Ok(line) if line.trim().is_empty() => screen.detach(),
                Ok(line) => {
                    wiring.recall.remember(&line);
                    wiring.send(Input::Submit(line));
                }
                Err(ReadlineError::Interrupted) => wiring.send(Input::AskedToLeave),
                Err(_) => return wiring.leave(screen),
            }
        }
    }

    /// Lets the person edit `text` in their own editor and returns what came of it.
    fn edit_outside(&self, text: String, screen: &Screen) -> String {
        if let Some(mode) = &self.wiring.terminal {
            tcsetattr(std::io::stdin(), OptionalActions::Drain, mode).unwrap_or_default();
        }
        let edited = editor::edit_text(&self.wiring.editor, &text);
        screen.resume();
        edited.unwrap_or_else(|error| {
            self.wiring.send(Input::Notice(error));
            text
        })
    }
}

impl Wiring {
    fn send(&self, input: Input) {
        // A main loop that is gone wants no input.
        self.inputs.send(input).unwrap_or_default();
    }

    fn leave(&self, screen: &Screen) {
        screen.leave();
        self.send(Input::Leave);
    }

    /// Asks for the running work to be interrupted, and gets what goes back into the editor.
    fn interrupt(&self) -> String {
        let (reply, answer) = channel();
        self.send(Input::Interrupt(reply));
        answer.recv_timeout(ANSWER).unwrap_or_default()
    }
}

/// A key with a meaning of its own.
struct Key {
    wiring: Arc<Wiring>,
    act: fn(&Key, &EventContext<'_>) -> Option<Cmd>,
    outside: Arc<Mutex<Option<String>>>,
    leaving: Arc<AtomicBool>,
    last: Mutex<Option<Instant>>,
}

impl ConditionalEventHandler for Key {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.wiring.status.key_pressed(context.line());
        let pressed = match event {
            Event::KeySeq(keys) => keys.first(),
            _ => None,
        };
        // The begin of a paste must reach the editor, or the paste would be taken for typing.
        let pastes = matches!(pressed, Some(KeyEvent(KeyCode::BracketedPasteStart, _)));
        if !pastes && let Some(text) = self.wiring.status.take_given_back() {
            return Some(restored(text, pressed, context.line()));
        }
        (self.act)(self, context)
    }
}

/// Puts a text back into the line, with the character that is being typed.
fn restored(text: String, pressed: Option<&KeyEvent>, line: &str) -> Cmd {
    let typed = match pressed {
        Some(KeyEvent(KeyCode::Char(c), Modifiers::NONE | Modifiers::SHIFT)) => c.to_string(),
        _ => String::new(),
    };
    match line {
        "" => Cmd::Insert(1, text + &typed),
        line => Cmd::Replace(Movement::WholeBuffer, Some(format!("{text}\n{line}{typed}"))),
    }
}

type Binding = (KeyCode, Modifiers, fn(&Key, &EventContext<'_>) -> Option<Cmd>);

const KEYS: &[Binding] = &[
    (KeyCode::Enter, Modifiers::NONE, submit),
    (KeyCode::Enter, Modifiers::ALT, queue),
    (KeyCode::Char('C'), Modifiers::CTRL, interrupt_or_leave),
    (KeyCode::Esc, Modifiers::NONE, escape),
    (KeyCode::Up, Modifiers::NONE, older),
    (KeyCode::Char('P'), Modifiers::CTRL, older),
    (KeyCode::Down, Modifiers::NONE, newer),
    (KeyCode::Char('N'), Modifiers::CTRL, newer),
];

const VI_COMMAND_KEYS: &[Binding] =
    &[(KeyCode::Char('k'), Modifiers::NONE, vi_older), (KeyCode::Char('j'), Modifiers::NONE, vi_newer)];

fn bind(
    editor: &mut Editor<Tab, SharedRecall>,
    wiring: &Arc<Wiring>,
    outside: &Arc<Mutex<Option<String>>>,
    leaving: &Arc<AtomicBool>,
) {
    let handler = |act| {
        EventHandler::Conditional(Box::new(Key {
            wiring: Arc::clone(wiring),
            act,
            outside: Arc::clone(outside),
            leaving: Arc::clone(leaving),
            last: Mutex::default(),
        }))
    };
    let vi_keys = if wiring.vi { VI_COMMAND_KEYS } else { &[] };
    for (code, modifiers, act) in KEYS.iter().chain(vi_keys) {
        editor.bind_sequence(KeyEvent(*code, *modifiers), handler(*act));
    }
    // Every other key only passes by.
    editor.bind_sequence(Event::Any, handler(|_, _| None));
    editor.bind_sequence(KeyEvent::ctrl('J'), Cmd::Newline);
    editor.bind_sequence(Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]), handler(edit_elsewhere));
}

fn submit(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    let text = context.line();
    let status = &key.wiring.status;
    let leaves = (key.wiring.leaves)(text);
    // What was typed before a question that waits is a message as ever, and the question stays.
    let is_message = status.waits() && !status.is_answer();
    if status.is_asking() && !is_message && !leaves {
        return Some(answer(key, text));
    }
    if text.trim().is_empty() {
        return Some(Cmd::Noop);
    }
    if leaves {
        key.leaving.store(true, Ordering::Relaxed);
        return Some(Cmd::AcceptLine);
    }
    key.wiring.recall.remember(text);
    key.wiring.send(Input::Submit(text.to_owned()));
    Some(Cmd::Kill(Movement::WholeBuffer))
}

/// What stood in the line before the question stays there; pressing Enter on it is no answer but the default one.
fn answer(key: &Key, text: &str) -> Cmd {
    if key.wiring.status.is_answer() {
        key.wiring.send(Input::Answer(text.to_owned()));
        if matches!(text.trim(), "e" | "E" | "edit") && key.wiring.status.begin_edit() {
            // The editor begins anew with the command, the cursor behind it.
            return Cmd::AcceptLine;
        }
        return if text.is_empty() { Cmd::Noop } else { Cmd::Kill(Movement::WholeBuffer) };
    }
    key.wiring.send(Input::Answer(String::new()));
    Cmd::Noop
}

fn queue(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    let text = context.line();
    if text.trim().is_empty() {
        return Some(Cmd::Noop);
    }
    key.wiring.recall.remember(text);
    key.wiring.send(Input::Queue(text.to_owned()));
    Some(Cmd::Kill(Movement::WholeBuffer))
}

fn escape(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    // In vi's insert mode Esc means what it always means there.
    if context.mode() == EditMode::Vi && context.input_mode() != InputMode::Command {
        return None;
    }
    if key.wiring.status.is_asking() {
        key.wiring.send(Input::Answer(String::new()));
    }
    Some(if key.wiring.status.is_busy() { give_back(key, context) } else { Cmd::Noop })
}

fn interrupt_or_leave(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    if key.wiring.status.is_busy() {
        return Some(give_back(key, context));
    }
    if key.wiring.status.is_asking() {
        key.wiring.send(Input::Answer(String::new()));
        return Some(Cmd::Kill(Movement::WholeBuffer));
    }
    if !context.line().is_empty() {
        key.wiring.recall.remember(context.line());
        return Some(Cmd::Kill(Movement::WholeBuffer));
    }
    let mut last = key.last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.replace(Instant::now()).is_some_and(|last| last.elapsed() < TWICE) {
        return Some(Cmd::EndOfFile);
    }
    key.wiring.send(Input::AskedToLeave);
    Some(Cmd::Noop)
}

/// Interrupts, and puts what was not used into the line, in front of what is being typed if that is where the cursor is.
fn give_back(key: &Key, context: &EventContext<'_>) -> Cmd {
    let text = key.wiring.interrupt();
    match (text.is_empty(), context.line().is_empty()) {
        (true, _) => Cmd::Noop,
        (false, true) => Cmd::Insert(1, text),
        (false, false) => Cmd::Replace(Movement::WholeBuffer, Some(format!("{text}\n{}", context.line()))),
    }
}

fn older(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    // Within a text of several lines the arrow moves up first.
    if context.line()[..context.pos()].contains('\n') {
        return None;
    }
    Some(recalled(context, key.wiring.recall.older(context.line())))
}

fn newer(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    if context.line()[context.pos()..].contains('\n') {
        return None;
    }
    Some(recalled(context, key.wiring.recall.newer()))
}

fn vi_older(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    (context.input_mode() == InputMode::Command).then(|| older(key, context)).flatten()
}

fn vi_newer(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    (context.input_mode() == InputMode::Command).then(|| newer(key, context)).flatten()
}

fn recalled(context: &EventContext<'_>, text: Option<String>) -> Cmd {
    match text {
        None => Cmd::Noop,
        Some(text) if context.line().is_empty() => Cmd::Insert(1, text),
        Some(text) => Cmd::Replace(Movement::WholeBuffer, Some(text)),
    }
}

fn edit_elsewhere(key: &Key, context: &EventContext<'_>) -> Option<Cmd> {
    *key.outside.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.line().to_owned());
    key.wiring.held.store(true, Ordering::SeqCst);
    Some(Cmd::AcceptLine)
}

/// The prompt as it is whenever the editor paints it; nothing where the screen writes a mark of its own.
struct LivePrompt {
    status: Arc<Status>,
    live: bool,
}

impl Prompt for LivePrompt {
    fn raw(&self) -> &str {
        if self.live { self.status.prompt() } else { "" }
    }

    fn styled(&self) -> &str {
        if self.live { self.status.styled_prompt() } else { "" }
    }
}

/// What Tab does.
struct Tab {
    completions: Arc<Completions>,
    screen: Mutex<Option<Screen>>,
}

impl Helper for Tab {}
impl Validator for Tab {}
impl Highlighter for Tab {}

impl Hinter for Tab {
    type Hint = String;

    /// There are no hints; but this is asked whenever the text has changed.
    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        if let Some(screen) = &*self.screen.lock().unwrap_or_else(PoisonError::into_inner) {
            screen.edits(line);
        }
        None
    }
}

impl Completer for Tab {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, offers) = self.completions.at(line, pos);
        if offers.len() > 1
            && let Some(screen) = &*self.screen.lock().unwrap_or_else(PoisonError::into_inner)
        {
            screen.detach();
        }
        let pairs = offers.into_iter().map(|offer| Pair { display: offer.shown, replacement: offer.text });
        Ok((start, pairs.collect()))
    }
}

/// The editor's view of what was typed before; Ctrl-R searches it.
struct SharedRecall(Arc<Recall>);

impl SharedRecall {
    fn search_with(
        &self,
        start: usize,
        dir: SearchDirection,
        test: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'static>> {
        let (idx, entry, pos) = self.0.find(start, dir == SearchDirection::Reverse, test)?;
        Some(SearchResult { entry: Cow::Owned(entry), idx, pos })
    }
}

impl History for SharedRecall {
    fn get(&self, index: usize, _: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        let found = self.0.get(index);
        Ok(found.map(|entry| SearchResult { pos: entry.len(), entry: Cow::Owned(entry), idx: index }))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        self.0.remember(line);
        Ok(true)
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        self.add(&line)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn set_max_len(&mut self, _: usize) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    fn save(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        Ok(())
    }

    fn search(&self, term: &str, start: usize, dir: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        Ok(self.search_with(start, dir, |text| text.find(term)))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        dir: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        Ok(self.search_with(start, dir, |text| text.starts_with(term).then_some(term.len())))
    }
}
