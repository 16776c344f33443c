//! What the prompt shows, and what the keyboard must know. The main loop sets it, the input thread reads it whenever the
//! prompt is painted or a key is pressed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::text::width;

/// The pictures of the spinner.
const FRAMES: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// The room a model's name gets in the prompt. It is fixed for the life of the program: the editor measures its prompt once.
const MODEL_WIDTH: std::ops::RangeInclusive<usize> = 7..=20;

/// Shared by main loop, screen and input.
#[derive(Debug)]
pub struct Status {
    busy: AtomicBool,
    frame: AtomicUsize,
    percent_left: AtomicU8,
    question: Mutex<Question>,
    /// The question waits: what stood in the line is a message as ever, and leaves it open.
    waits: AtomicBool,
    /// The command that "e" brings into the line.
    editable: Mutex<Option<String>>,
    /// The command that is on its way there.
    edit: Mutex<Option<String>>,
    given_back: Mutex<Option<String>>,
    model: Mutex<String>,
    model_width: usize,
    /// Every prompt that was ever shown. There are some hundreds at most, and the editor wants to borrow them.
    prompts: Mutex<HashMap<String, &'static str>>,
}

/// A question to the person. What was typed before it was there is no answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Question {
    /// There is none.
    #[default]
    None,
    /// It is there, and no key was pressed since.
    Asked,
    /// The first key since was pressed on an empty line: what is there now is the answer.
    Heard,
    /// Something stood in the line already: it is no answer.
    Stale,
}

impl Status {
    /// Nothing runs. A terminal of fewer than 60 columns has no room for the model.
    #[must_use]
    pub fn new(model: &str, columns: usize) -> Self {
        let model_width =
            if columns < 60 { 0 } else { width::width(model).clamp(*MODEL_WIDTH.start(), *MODEL_WIDTH.end()) };
        Self {
            busy: AtomicBool::new(false),
            frame: AtomicUsize::new(0),
            percent_left: AtomicU8::new(100),
            question: Mutex::default(),
            waits: AtomicBool::new(false),
            editable: Mutex::default(),
            edit: Mutex::default(),
            given_back: Mutex::default(),
            model: Mutex::new(model.to_owned()),
            model_width,
            prompts: Mutex::default(),
        }
    }

    /// Whether something runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Whether the person is expected to type: nothing runs, or what runs waits for an answer.
    #[must_use]
    pub fn is_persons_turn(&self) -> bool {
        !self.is_busy() || self.is_asking()
    }

    /// Says whether something runs.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Asks the person something that stays open until it is answered. "e" as an answer brings `editable` into the line.
    pub fn set_waiting(&self, editable: Option<String>) {
        *lock(&self.editable) = editable;
        self.waits.store(true, Ordering::Relaxed);
        *lock(&self.question) = Question::Asked;
    }

    /// Whether the question stays open until it is answered.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// The person wants to edit the command; `false` when there is none.
    pub fn begin_edit(&self) -> bool {
        let command = lock(&self.editable).take();
        let found = command.is_some();
        *lock(&self.edit) = command;
        found
    }

    /// The command the person wants to edit, once.
    pub fn take_edit(&self) -> Option<String> {
        lock(&self.edit).take()
    }

    /// Says whether the person is asked something.
    pub fn set_asking(&self, asking: bool) {
        self.waits.store(false, Ordering::Relaxed);
        *lock(&self.editable) = None;
        *lock(&self.question) = if asking { Question::Asked } else { Question::None };
    }

    /// Whether the person is asked something.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        *lock(&self.question) != Question::None
    }

    /// A key is pressed while `line` stands in the editor.
    pub fn key_pressed(&self, line: &str) {
        let mut question = lock(&self.question);
        if *question == Question::Asked {
            *question = if line.is_empty() { Question::Heard } else { Question::Stale };
        }
    }

    /// Whether what stands in the editor now was typed as an answer.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        *lock(&self.question) == Question::Heard
    }

    /// Keeps a text until it can be put into the editor.
    pub fn give_back(&self, text: String) {
        let mut given_back = lock(&self.given_back);
        *given_back = Some(match given_back.take() {
            Some(earlier) => format!("{earlier}\n{text}"),
            None => text,
        });
    }

    /// The text that is to be put into the editor.
    pub fn take_given_back(&self) -> Option<String> {
        lock(&self.given_back).take()
    }

    /// How much of the context window is left.
    #[must_use]
    pub fn percent_left(&self) -> u8 {
        self.percent_left.load(Ordering::Relaxed)
    }

    /// Says how much of the context window is left.
    pub fn set_percent_left(&self, percent: u8) {
        self.percent_left.store(percent.min(100), Ordering::Relaxed);
    }

    /// Says which model answers.
    pub fn set_model(&self, model: &str) {
        model.clone_into(&mut lock(&self.model));
    }

    /// Turns the spinner.
    pub fn tick(&self) {
        self.frame.fetch_add(1, Ordering::Relaxed);
    }

    /// The prompt as it is now; of the same width every time.
    #[must_use]
    pub fn prompt(&self) -> &'static str {
        let spinner = match (self.is_asking(), self.is_busy()) {
            (true, _) => '?',
            (false, true) => FRAMES[self.frame.load(Ordering::Relaxed) % FRAMES.len()],
            (false, false) => ' ',
        };
        let mut text = format!("{spinner} {:>3}% ", self.percent_left());
        if self.model_width > 0 {
            text.push_str(&fit(&lock(&self.model), self.model_width));
            text.push(' ');
        }
        text.push_str("› ");
        intern(&self.prompts, text)
    }

    /// The same, dimmed.
    #[must_use]
    pub fn styled_prompt(&self) -> &'static str {
        intern(&self.prompts, format!("\x1b[2m{}\x1b[0m", self.prompt()))
    }
}

/// Exactly `columns` of `text`.
fn fit(text: &str, columns: usize) -> String {
    let text = width::one_line(text);
    let text = width::fit(&text, columns);
    format!("{text}{}", " ".repeat(columns.saturating_sub(width::width(&text))))
}

fn intern(known: &Mutex<HashMap<String, &'static str>>, text: String) -> &'static str {
    let mut known = lock(known);
    if let Some(found) = known.get(&text) {
        return found;
    }
    let kept: &'static str = Box::leak(text.clone().into_boxed_str());
    known.insert(text, kept);
    kept
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_never_changes_its_width() {
        let status = Status::new("gpt-5.5", 80);
        let columns = width::width(status.prompt());
        for (busy, percent, model) in [
            (true, 7, "gpt-5.5"),
            (false, 0, "o3"),
            (true, 100, "a-model-with-a-very-long-name-indeed"),
            (false, 50, "模型"),
        ] {
            status.set_busy(busy);
            status.set_percent_left(percent);
            status.set_model(model);
            status.tick();
            assert_eq!(width::width(status.prompt()), columns, "{}", status.prompt());
        }
        status.set_busy(false);
        status.set_asking(true);
        assert_eq!(width::width(status.prompt()), columns, "{}", status.prompt());
        assert!(Status::new("gpt-5.5", 40).prompt().chars().count() < 10);
    }

    #[test]
    fn what_stood_in_the_line_before_the_question_is_no_answer() {
        let status = Status::new("m", 80);
        for (lines, answer) in [(vec![""], true), (vec!["", "y"], true), (vec!["y"], false), (vec!["y", ""], false)] {
            status.set_asking(true);
            lines.iter().for_each(|line| status.key_pressed(line));
            assert_eq!(status.is_answer(), answer, "{lines:?}");
        }
        status.set_asking(false);
        assert!(!status.is_answer());
    }
}
