//! What the prompt shows. The main loop sets it, the input thread reads it whenever the prompt is painted.

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
    model: Mutex<String>,
    model_width: usize,
    /// Every prompt that was ever shown. There are some hundreds at most, and the editor wants to borrow them.
    prompts: Mutex<HashMap<String, &'static str>>,
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

    /// Says whether something runs.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
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
        let spinner = if self.is_busy() { FRAMES[self.frame.load(Ordering::Relaxed) % FRAMES.len()] } else { ' ' };
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
        assert!(Status::new("gpt-5.5", 40).prompt().chars().count() < 10);
    }
}
