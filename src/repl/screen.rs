//! Everything that is shown goes through here, above the live prompt.
//!
//! There is no alternate screen and nothing above the last row of output is ever touched, so scrolling back and copying
//! stay right. The one row that still grows while text streams, the partial row, is written anew in place: the printer of
//! the editor takes the prompt away, we go up one row, and it puts the prompt back. A thread of its own does the writing,
//! at most thirty times a second; while nothing runs it sleeps.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::scroll::{Change, Scroll};
use super::status::Status;
use crate::text::style::Style;
use crate::text::width;

/// The shortest time between two paintings.
const FRAME: Duration = Duration::from_millis(33);
/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// Writes a text above the prompt. It ends with a newline.
pub type Printer = Box<dyn FnMut(String) + Send>;

/// The screen. It can be cloned; all clones are the same screen.
#[derive(Clone)]
pub struct Screen {
    messages: Sender<Message>,
    held: Arc<AtomicBool>,
    /// Set while the text in the editor is taller than the terminal: painting above it would push all of it into the
    /// scrollback again with every frame.
    crowded: Arc<AtomicBool>,
    /// Whether there is a terminal that can be painted on.
    live: bool,
}

/// The thread that writes.
pub struct Writer(JoinHandle<()>);

enum Message {
    /// Something is to be shown.
    Change(Change),
    /// A sequence that leaves nothing on the screen.
    Signal(String),
    /// Something runs, or nothing any more; or the prompt has changed.
    Status,
    /// The partial row is no longer the last one above the prompt.
    Detach,
    /// The editor has ended, and the prompt it leaves is the row above the cursor.
    Leave,
    /// Goes on after having been held.
    Resume,
    /// Says when all before it is written.
    Flush(Sender<()>),
    /// Nothing more comes.
    End,
}

impl Screen {
    /// Starts the writer. Without `live`, lines go out as they come and nothing is repainted.
    #[must_use]
    ///
    /// `held` is set while another program has the terminal: then nothing is written until [`Self::resume`].
    pub fn start(
        printer: Printer,
        status: Arc<Status>,
        held: Arc<AtomicBool>,
        live: bool,
        style: Style,
    ) -> (Self, Writer) {
        let (messages, inbox) = channel();
        let canvas = Canvas { printer, live, partial_width: 0, detached: false, marked: false };
        let crowded = Arc::<AtomicBool>::default();
        let waits = [Arc::clone(&held), Arc::clone(&crowded)];
        let writer = std::thread::spawn(move || write(&inbox, canvas, Scroll::new(style), &status, &waits));
        (Self { messages, held, crowded, live }, Writer(writer))
    }

    /// Whether there is a live prompt.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Shows lines.
    pub fn print(&self, text: &str) {
        if !text.is_empty() {
            let newline = if text.ends_with('\n') { "" } else { "\n" };
            self.send(Message::Change(Change::Rows(format!("{text}{newline}"))));
        }
    }

    /// Makes changes, one after the other.
    pub fn apply(&self, changes: Vec<Change>) {
        changes.into_iter().for_each(|change| self.send(Message::Change(change)));
    }

    /// Sends the terminal something that leaves nothing on the screen, such as a bell.
    pub fn signal(&self, sequence: impl Into<String>) {
        if self.live {
            self.send(Message::Signal(sequence.into()));
        }
    }

    /// The prompt has changed.
    pub fn refresh(&self) {
        self.send(Message::Status);
    }

    /// Something else was written between output and prompt, such as a list of completions.
    pub fn detach(&self) {
        self.send(Message::Detach);
    }

    /// The editor has ended: takes the prompt it leaves away, so that what is shown last follows what was shown before.
    pub fn leave(&self) {
        self.send(Message::Leave);
    }

    /// The terminal is ours again.
    pub fn resume(&self) {
        self.held.store(false, Ordering::SeqCst);
        self.send(Message::Detach);
        self.send(Message::Resume);
    }

    /// Says what is in the editor. Nothing is painted while it is too tall to be painted above.
    pub fn edits(&self, text: &str) {
        let tall = text.len() >= rows() && text.lines().count() >= rows();
        self.crowded.store(tall, Ordering::SeqCst);
    }

    /// Returns when everything so far is on the screen, and so all that was typed before it is handled: the editor takes keys
    /// first, and takes one text to show only after the one before.
    pub fn seen(&self) {
        self.flush();
        self.refresh();
        self.flush();
    }

    /// Returns when everything so far is written, though not later than in a second.
    pub fn flush(&self) {
        let (done, written) = channel();
        self.send(Message::Flush(done));
        written.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    }

    /// Returns when everything is written. Nothing is shown any more.
    pub fn close(self, writer: Writer) {
        self.crowded.store(false, Ordering::SeqCst);
        self.flush();
        self.send(Message::End);
        if writer.0.is_finished() {
            writer.0.join().unwrap_or_default();
        }
    }

    fn send(&self, message: Message) {
        // A writer that is gone has no screen to write to.
        self.messages.send(message).unwrap_or_default();
    }
}

/// The terminal's columns now; 80 without one.
#[must_use]
pub fn columns() -> usize {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

/// The terminal's rows now; 24 without one.
fn rows() -> usize {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 => usize::from(size.ws_row),
        _ => 24,
    }
}

/// A printer for where there is no live prompt.
#[must_use]
pub fn plain_printer() -> Printer {
    Box::new(|text| {
        let mut out = io::stdout();
        // A reader that went away is no error.
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
    })
}

fn write(
    inbox: &Receiver<Message>,
    mut canvas: Canvas,
    mut scroll: Scroll,
    status: &Status,
    waits: &[Arc<AtomicBool>],
) {
    let mut pending = Pending::default();
    let mut painted = Instant::now();
    loop {
        let wait = if pending.is_some() {
            Some(FRAME.saturating_sub(painted.elapsed()))
        } else if status.is_busy() && canvas.live {
            Some(TICK.saturating_sub(painted.elapsed()))
        } else {
            // Without a live prompt, a mark says that it is the person's turn, once there is nothing more to write.
            (status.is_persons_turn() && !canvas.live && !canvas.marked).then_some(FRAME)
        };
        let message = match wait {
            Some(wait) => inbox.recv_timeout(wait),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let flushed = match message {
            Ok(Message::Change(change)) => {
                scroll.apply(change, columns());
                pending.changed = true;
                None
            }
            Ok(Message::Signal(sequence)) => {
                pending.signals.push_str(&sequence);
                None
            }
            Ok(Message::Status) => {
                pending.refresh = true;
                None
            }
            Ok(Message::Detach) => {
                canvas.detached = true;
                canvas.marked = false;
                None
            }
            Ok(Message::Leave) => {
                canvas.take_prompt_away();
                None
            }
            Ok(Message::Resume) => None,
            Ok(Message::Flush(done)) => Some(done),
            Err(RecvTimeoutError::Timeout) => {
                if !canvas.live && !canvas.marked && status.is_persons_turn() && !pending.is_some() {
                    canvas.mark();
                } else if status.is_busy() && painted.elapsed() >= TICK {
                    status.tick();
                    pending.refresh = true;
                }
                None
            }
            Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return,
        };
        if waits.iter().any(|wait| wait.load(Ordering::SeqCst)) {
            painted = Instant::now();
            continue;
        }
        if pending.is_some() && (flushed.is_some() || painted.elapsed() >= FRAME) {
            canvas.paint(std::mem::take(&mut pending), &mut scroll);
            painted = Instant::now();
        }
        if let Some(done) = flushed {
            done.send(()).unwrap_or_default();
        }
    }
}

/// What was not written yet, besides what the scroll holds.
#[derive(Default)]
struct Pending {
    changed: bool,
    signals: String,
    refresh: bool,
}

impl Pending {
    fn is_some(&self) -> bool {
        self.changed || !self.signals.is_empty() || self.refresh
    }
}

/// The rows next to the prompt.
struct Canvas {
    printer: Printer,
    live: bool,
    /// The width of the partial row that is on the screen; 0 when there is none.
    partial_width: usize,
    detached: bool,
    /// Whether the mark of a terminal without a live prompt is what was written last.
    marked: bool,
}

impl Canvas {
    /// Writes the mark.
    fn mark(&mut self) {
        self.marked = true;
        (self.printer)("› ".to_owned());
    }

    /// Goes back to the row of the prompt and clears from there.
    fn take_prompt_away(&mut self) {
        if self.live {
            (self.printer)("\x1b[A\r\x1b[J".to_owned());
        }
    }

    fn paint(&mut self, pending: Pending, scroll: &mut Scroll) {
        if !self.live {
            let rows = scroll.take_rows();
            if !rows.is_empty() {
                self.marked = false;
                (self.printer)(rows);
            }
            return;
        }
        let mut text = pending.signals;
        if pending.changed {
            let columns = columns();
            text.push_str(&self.erase_partial(columns));
            text.push_str(&scroll.take_rows());
            let partial = scroll.partial(columns);
            self.partial_width = width::width(&width::clean_line(&partial));
            if !partial.is_empty() {
                text.push_str(&partial);
                text.push('\n');
            }
            if text.is_empty() {
                return;
            }
        }
        if !text.ends_with('\n') {
            // Rows were only taken away, or nothing changes but the prompt. The printer wants to end a row, so it gets one.
            text.push_str("\x1b[A\n");
        }
        (self.printer)(text);
    }

    /// Goes back to where the partial row begins and clears from there.
    fn erase_partial(&mut self, columns: usize) -> String {
        let detached = std::mem::take(&mut self.detached);
        if self.partial_width == 0 || detached {
            return String::new();
        }
        // A terminal that became narrower has broken the row into several.
        format!("\x1b[{}A\r\x1b[J", self.partial_width.div_ceil(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    #[test]
    fn nothing_is_painted_above_a_text_that_is_taller_than_the_terminal_and_all_of_it_afterwards() {
        let shown = Arc::<Mutex<String>>::default();
        let paper = Arc::clone(&shown);
        let printer =
            Box::new(move |text: String| paper.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text));
        let (screen, writer) =
            Screen::start(printer, Arc::new(Status::new("m", 80)), Arc::default(), true, Style::PLAIN);
        screen.edits(&"line\n".repeat(10_000));
        screen.print("said meanwhile");
        screen.flush();
        assert_eq!(*shown.lock().unwrap(), "");
        screen.edits("");
        screen.flush();
        assert_eq!(*shown.lock().unwrap(), "said meanwhile\n");
        screen.close(writer);
    }
}
