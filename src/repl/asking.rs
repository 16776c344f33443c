//! The person is asked about a call, while its turn waits.
//!
//! The question stays open until it is answered: messages typed meanwhile are messages as ever. Leaving the program drops it
//! unanswered; the session, resumed, asks it again.

use super::approval::{Asked, Heard, Stage, is_short};
use super::console::Console;
use super::render::width;
use crate::agent::grants;
use crate::config::rules;
use crate::protocol::event::Activity;
use crate::protocol::{Answer, ErrorKind, UserError};

/// How many days a rule for a project counts.
const DAYS: i64 = 30;

impl Console {
    /// Asks the person.
    pub fn open_question(&mut self, asked: Asked) {
        self.decline();
        self.page.cut();
        self.asked = Some(asked);
        self.screen.signal("\x07\x1b]9;Hone asks\x07");
        self.show_asked();
    }

    /// Shows the question as it stands. Only what is typed from now on is an answer.
    fn show_asked(&mut self) {
        let Some(asked) = &self.asked else { return };
        self.say(&asked.text(self.page.style(), &self.clock.date_in(DAYS)));
        self.screen.seen();
        if asked.stage != Stage::Edit {
            let editable = asked.command().filter(|_| asked.stage == Stage::Whether);
            self.status.set_waiting(editable.map(str::to_owned));
        }
        self.screen.refresh();
    }

    /// Whether a line that was sent before the question was there looks like an answer to it. It does not count.
    pub fn is_early_reply(&mut self, line: &str) -> bool {
        let early = self.asked.is_some() && is_short(line);
        if early {
            self.say("That was typed before the question was there, so it does not count.");
            self.show_asked();
        }
        early
    }

    /// Whether a question about a call is open.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Takes a line as the answer to the question. Returns a command, which is none and leaves the question open.
    pub fn reply(&mut self, line: String) -> Option<String> {
        let Some(asked) = &mut self.asked else { return Some(line) };
        if line.starts_with('/') && asked.stage != Stage::Edit {
            return Some(line);
        }
        match asked.hear(&line) {
            Heard::Answer(answer) => {
                if let Answer::Edited(command) = &answer {
                    let command = command.lines().map(width::exact).collect::<Vec<_>>().join("\n  ");
                    self.say(&format!("{} {command}", self.page.style().bold("Instead: $")));
                }
                self.answer_with(answer);
            }
            Heard::InProject(prefix) => match self.allow_in_project(&prefix) {
                Ok(said) => {
                    self.say(&said);
                    self.answer_with(Answer::Always);
                }
                Err(error) => {
                    self.complain(&error);
                    self.show_asked();
                }
            },
            Heard::Next(stage) => {
                asked.stage = stage;
                self.show_asked();
            }
            Heard::Not(why) => {
                self.say(why);
                self.show_asked();
            }
        }
        None
    }

    /// Shows the question again, after something else was done.
    pub fn ask_again(&mut self) {
        self.show_asked();
    }

    /// Answers the question, if there is one.
    pub fn answer_with(&mut self, answer: Answer) {
        if let Some(asked) = self.asked.take() {
            // A turn that was interrupted wants no answer any more.
            asked.reply.send(answer).unwrap_or_default();
            self.status.set_asking(false);
            self.screen.refresh();
        }
    }

    /// Drops the question, which stays unanswered.
    pub fn leave_unanswered(&mut self) {
        if self.asked.take().is_some() {
            self.status.set_asking(false);
        }
    }

    fn project_rules(&self) -> String {
        let loaded = self.runtime.loaded();
        rules::project_file(&loaded.home, loaded.project.named(&self.folder())).display().to_string()
    }

    fn allow_in_project(&self, prefix: &[String]) -> Result<String, UserError> {
        let (loaded, until) = (self.runtime.loaded(), self.clock.date_in(DAYS));
        let folder = self.folder();
        let written = rules::allow_in_project(&loaded.home, loaded.project.named(&folder), prefix, &until);
        written.map(|file| format!("Written to {}; it counts until {until}.", file.display())).map_err(|error| {
            UserError::new(
                ErrorKind::Storage,
                format!("the rule cannot be written to {}: {error}", self.project_rules()),
            )
            .hint("s allows it in this session, y this time")
        })
    }

    /// Asks again what was left open when the person went. A yes lets the model do just that once, and tells it so.
    pub async fn ask_what_was_left_open(&mut self) {
        let Some(session) = &self.session else { return };
        let Some(activity) = session.open_question().await else { return };
        let style = self.page.style();
        let what: Vec<String> =
            grants::what(&activity).lines().map(|line| format!("  {}", width::exact(line))).collect();
        self.say(&format!("{}\n{}", style.bold("When you left, this was waiting for your answer:"), what.join("\n")));
        self.ask("May it be done now?", move |console| Box::pin(async move { console.allow_left_open(&activity) }));
    }

    fn allow_left_open(&mut self, activity: &Activity) {
        self.runtime.grants().add_once(activity);
        self.submit(format!("Yes, you may do now what I left open: {}", grants::what(activity)));
    }
}
