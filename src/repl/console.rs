//! The session a person is in, and what can be done with it. The main loop and the commands work on this.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::approval::Asked;
use super::complete::Completions;
use super::present::{Page, clean_output};
use super::recall::RecallFile;
use super::render::lines::Lines;
use super::screen::{Screen, columns};
use super::scroll::{Change, joined};
use super::status::Status;
use super::unheard::Unheard;
use crate::agent::Conversation;
use crate::agent::ports::{BoxFuture, Clock};
use crate::config::clock::SystemClock;
use crate::history::compaction::context_left_percent;
use crate::protocol::event::TokenCount;
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{Answer, ErrorKind, Event, Item, Role, UserError};
use crate::rollout::shelf;
use crate::runtime::evolution::IdleReview;
use crate::runtime::shell::ShellResult;
use crate::runtime::{AgentRuntime, Change as Setting, Session, SessionStart};
use crate::text::style::Style;
use crate::text::width;

/// A turn that took longer rings when it ends.
const LONG_TURN: Duration = Duration::from_secs(10);

/// A person's session and all around it.
pub struct Console {
    /// What sessions share.
    pub runtime: AgentRuntime,
    /// The session; `None` only while it is exchanged for another.
    pub session: Option<Session>,
    /// Where everything is shown.
    pub screen: Screen,
    /// What the prompt shows.
    pub status: Arc<Status>,
    /// How events look.
    pub page: Page,
    /// What Tab offers.
    pub completions: Arc<Completions>,
    /// The sessions last listed, for `/resume N`.
    pub listed: Vec<String>,
    /// The name of the conversation.
    pub title: Option<String>,
    /// Tokens so far.
    pub tokens: TokenCount,
    /// Where what was typed is kept; `None` for an ephemeral session.
    recall_file: Option<RecallFile>,
    /// The time.
    pub clock: SystemClock,
    queue: VecDeque<String>,
    turn_runs: bool,
    turn_began: Option<Instant>,
    /// The person's own command that runs.
    shell: Option<CancellationToken>,
    shell_ends: UnboundedSender<ShellEnd>,
    /// A name that waits for the session's first line.
    unrecorded_title: bool,
    question: Option<Question>,
    /// A question about a call, whose turn waits for it.
    pub(super) asked: Option<Asked>,
    unheard: Unheard,
    /// What is to be learned of the turns so far, while nothing else runs.
    review: Option<IdleReview>,
}

/// What a yes to a question does.
type OnYes = Box<dyn for<'a> FnOnce(&'a mut Console) -> BoxFuture<'a, ()> + Send + Sync>;

/// Something the person is asked.
struct Question {
    text: String,
    on_yes: OnYes,
    /// What an outspoken no does, where it is more than leaving the question.
    on_no: Option<OnYes>,
}

/// How a command of the person's ended.
pub struct ShellEnd {
    /// The command.
    pub command: String,
    /// What came of it.
    pub result: Result<ShellResult, UserError>,
}

/// What a console is made of.
pub struct Parts {
    /// What sessions share.
    pub runtime: AgentRuntime,
    /// Where everything is shown.
    pub screen: Screen,
    /// What the prompt shows.
    pub status: Arc<Status>,
    /// What Tab offers.
    pub completions: Arc<Completions>,
    /// Colours.
    pub style: Style,
    /// Where what was typed is kept.
    pub recall_file: Option<RecallFile>,
    /// Where ends of the person's commands are told.
    pub shell_ends: UnboundedSender<ShellEnd>,
}

impl Console {
    /// A console without a session yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { runtime, screen, status, completions, style, recall_file, shell_ends } = parts;
        let loaded = runtime.loaded();
        let page = Page::new(style, loaded.config.hide_agent_reasoning);
        let clock = SystemClock::new(&loaded.env);
        Self {
            runtime,
            session: None,
            screen,
            status,
            page,
            completions,
            listed: Vec::new(),
            title: None,
            tokens: TokenCount::default(),
            recall_file,
            clock,
            queue: VecDeque::new(),
            turn_runs: false,
            turn_began: None,
            shell: None,
            shell_ends,
            unrecorded_title: false,
            question: None,
            asked: None,
            unheard: Unheard::default(),
            review: None,
        }
    }

    /// Opens a session in place of the present one.
    ///
    /// # Errors
    /// It cannot be opened; then the present one goes on.
    pub async fn open(&mut self, start: &SessionStart) -> Result<(), UserError> {
        let session = self.runtime.open(start)?;
        if let Some(earlier) = self.session.replace(session) {
            earlier.close().await;
        }
        let Some(info) = self.session.as_ref().map(|session| session.info().clone()) else { return Ok(()) };
        self.show(&Event::SessionReady(info.clone()));
        self.title = info.title;
        self.unrecorded_title = false;
        self.status.set_model(&info.model);
        self.completions.set_folder(&info.cwd);
        self.recount().await;
        Ok(())
    }

    /// Goes on with the session under other settings. Only while nothing runs.
    pub async fn change(&mut self, change: Setting) {
        if let Some(session) = self.session.take() {
            self.session = self.runtime.change(session, change).await;
        }
        if let Some(info) = self.session.as_ref().map(|session| session.info().clone()) {
            self.status.set_model(&info.model);
            self.page.set_folder(&info.cwd);
            self.completions.set_folder(&info.cwd);
        }
        self.recount().await;
    }

    /// Looks at how many tokens the conversation takes now.
    pub async fn recount(&mut self) {
        let tokens = self.with_conversation(|conversation| conversation.tokens).await.unwrap_or_default();
        self.count(tokens);
        self.screen.refresh();
    }

    /// What `look` finds in the conversation, once no turn runs.
    pub async fn with_conversation<R: Send + 'static>(
        &self,
        look: impl FnOnce(&Conversation) -> R + Send + 'static,
    ) -> Option<R> {
        self.session.as_ref()?.with(|conversation| look(conversation)).await
    }

    /// The folder of the session.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.session.as_ref().map(|session| session.info().cwd.clone()).unwrap_or_default()
    }

    /// Whether anything runs or waits to.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.turn_runs || self.shell.is_some() || !self.queue.is_empty()
    }

    /// Shows a text.
    pub fn say(&self, text: &str) {
        self.screen.print(text);
    }

    /// Tells what went wrong.
    pub fn complain(&self, error: &UserError) {
        self.screen.print(&joined(&Lines::new(columns(), self.page.style()).error(error)));
    }

    /// Shows a message of the person.
    pub fn echo(&mut self, text: &str) {
        let changes = self.page.echo(text, columns());
        self.screen.apply(changes);
    }

    /// Shows a whole message of the model.
    pub fn show_message(&mut self, text: &str) {
        let changes = self.page.message(text);
        self.screen.apply(changes);
    }

    /// Says that something has to wait.
    pub fn refuse(&self, what: &str) {
        self.say(&format!("Cannot {what} while work is running or queued."));
    }

    /// Asks the person. Only a yes that is typed after the question is there does it.
    pub fn ask(
        &mut self,
        question: &str,
        on_yes: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, ()> + Send + Sync + 'static,
    ) {
        self.put(Question { text: question.to_owned(), on_yes: Box::new(on_yes), on_no: None });
    }

    /// The same, where an outspoken no does something as well; Enter alone still leaves the question.
    pub fn ask_either(
        &mut self,
        question: &str,
        on_yes: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, ()> + Send + Sync + 'static,
        on_no: impl for<'a> FnOnce(&'a mut Self) -> BoxFuture<'a, ()> + Send + Sync + 'static,
    ) {
        let on_no: OnYes = Box::new(on_no);
        self.put(Question { text: question.to_owned(), on_yes: Box::new(on_yes), on_no: Some(on_no) });
    }

    fn put(&mut self, question: Question) {
        self.question = Some(question);
        self.show_question();
        self.screen.seen();
        self.status.set_asking(true);
        self.screen.refresh();
    }

    fn show_question(&self) {
        if let Some(question) = &self.question {
            let keys = if question.on_no.is_some() { "[y/n, Enter: later]" } else { "[y/N]" };
            self.say(&self.page.style().bold(&format!("{} {keys}", question.text)));
        }
    }

    /// Whether a line answers the question, though it was sent before the question was there. It does not count.
    pub fn is_early_answer(&self, line: &str) -> bool {
        let early = self.question.is_some() && (says_yes(line) || says_no(line));
        if early {
            self.say("That was typed before the question was there, so it does not count.");
            self.show_question();
        }
        early
    }

    /// Takes the answer to the question. Returns a line that is none: it leaves the question, and is for someone else.
    pub async fn answer(&mut self, line: String) -> Option<String> {
        let outspoken = matches!(line.trim().to_lowercase().as_str(), "n" | "no");
        if let Some(question) = self.question.take_if(|question| outspoken && question.on_no.is_some()) {
            self.status.set_asking(false);
            if let Some(on_no) = question.on_no {
                on_no(self).await;
            }
            return None;
        }
        if !says_yes(&line) {
            self.decline();
            return Some(line).filter(|line| !says_no(line));
        }
        self.status.set_asking(false);
        self.screen.refresh();
        if let Some(question) = self.question.take() {
            (question.on_yes)(self).await;
        }
        None
    }

    /// Leaves the question, if there is one, with a no.
    pub fn decline(&mut self) {
        if let Some(question) = self.question.take() {
            self.status.set_asking(false);
            if question.on_no.is_none() {
                self.say("Nothing was changed.");
            }
        }
    }

    /// Asks for a turn that answers nothing.
    pub fn begin(&mut self, op: Op) {
        if let Some(session) = &self.session {
            session.send(op);
            self.set_turn_runs(true);
        }
    }

    /// Sends a message: it joins the running turn, or begins one.
    pub fn submit(&mut self, text: String) {
        // Without a live prompt, what was typed stays where it was typed.
        if self.screen.is_live() {
            self.echo(&text);
        }
        self.send(text);
    }

    /// Sends a message without showing it.
    pub fn send(&mut self, text: String) {
        if self.shell.is_some() {
            // A command of the person's runs first; the model shall see what came of it.
            return self.enqueue(text);
        }
        self.unheard.send(&text);
        self.begin(Op::Steer(UserInput { text }));
    }

    /// Keeps a message until nothing runs any more.
    pub fn enqueue(&mut self, text: String) {
        if !self.is_busy() {
            return self.submit(text);
        }
        self.show(&Event::SteerQueued { text: text.clone() });
        self.queue.push_back(text);
    }

    /// Notes what the person typed for the sessions to come.
    pub fn remember(&self, text: &str) {
        let Some(session) = &self.session else { return };
        let seconds = self.clock.unix_ms() / 1000;
        let id = session.info().thread_id.to_string();
        // A home that cannot be written is told by the session itself; losing a line of recall is no reason to stop.
        self.recall_file.as_ref().map_or(Ok(()), |file| file.append(&id, seconds, text)).unwrap_or_default();
    }

    /// Interrupts what runs. Returns what was typed and not used.
    pub fn interrupt(&mut self) -> String {
        self.answer_with(Answer::NoAndStop);
        let mut unused: Vec<String> = self.unheard.interrupt().into_iter().collect();
        if let Some(session) = &self.session {
            unused.extend(session.withdraw().into_iter().map(|input| input.text));
            if self.turn_runs {
                session.send(Op::Interrupt);
            }
        }
        if let Some(shell) = &self.shell {
            shell.cancel();
        }
        unused.extend(self.queue.drain(..));
        unused.join("\n")
    }

    /// Takes an event: shows it and keeps track.
    pub fn handle(&mut self, event: &Event) {
        if matches!(event, Event::SessionReady(_)) {
            // It was shown when the session was opened, before whatever the command that opened it had to say.
            return;
        }
        self.show(event);
        if let Some(text) = self.unheard.take(event) {
            self.say("Your message was not sent; the next key you press brings it back to the prompt.");
            self.status.give_back(text);
        }
        match event {
            Event::TurnStarted { .. } => {
                self.turn_began = Some(Instant::now());
                self.set_turn_runs(true);
                self.record_title();
            }
            Event::TokenCount(tokens) => self.count(*tokens),
            Event::TurnCompleted(_) | Event::TurnFailed { .. } | Event::TurnAborted { .. } => self.turn_ended(),
            _ => {}
        }
    }

    /// Shows an event without taking note of it.
    pub fn show(&mut self, event: &Event) {
        let changes = self.page.take(event, columns());
        self.screen.apply(changes);
    }

    fn turn_ended(&mut self) {
        self.leave_unanswered();
        self.set_turn_runs(false);
        if self.turn_began.take().is_some_and(|began| began.elapsed() >= LONG_TURN) {
            self.screen.signal("\x07\x1b]9;Hone has finished\x07");
        }
        self.send_next();
    }

    /// Sends the first message that waits.
    fn send_next(&mut self) {
        if self.turn_runs || self.shell.is_some() {
            return;
        }
        if let Some(text) = self.queue.pop_front() {
            self.show(&Event::SteerInserted { text: text.clone() });
            self.submit(text);
        }
    }

    fn set_turn_runs(&mut self, runs: bool) {
        self.turn_runs = runs;
        // Dropping the earlier one calls it off: the person went on. What it did not finish is in the outbox.
        self.review = if self.is_busy() { None } else { self.runtime.review_when_idle() };
        self.status.set_busy(self.turn_runs || self.shell.is_some());
        self.screen.refresh();
    }

    fn count(&mut self, tokens: TokenCount) {
        self.tokens = tokens;
        self.status.set_percent_left(
            tokens.context_window.map_or(100, |window| context_left_percent(window, tokens.last.total_tokens)),
        );
    }

    /// Names the conversation.
    ///
    /// # Errors
    /// The name cannot be recorded.
    pub fn rename(&mut self, title: &str) -> Result<(), UserError> {
        self.title = Some(title.to_owned());
        self.unrecorded_title = true;
        // A session that was never written to shall not come to be for its name alone.
        let exists = self.session.as_ref().and_then(|session| session.info().rollout_path.clone());
        if exists.is_some_and(|path| path.exists()) {
            self.write_title()?;
        }
        Ok(())
    }

    fn record_title(&mut self) {
        if self.unrecorded_title
            && let Err(error) = self.write_title()
        {
            self.complain(&error);
        }
    }

    fn write_title(&mut self) -> Result<(), UserError> {
        self.unrecorded_title = false;
        let (Some(session), Some(title)) = (&self.session, &self.title) else { return Ok(()) };
        session.record(&shelf::name_line(title))?;
        shelf::announce(self.runtime.loaded().home.dir(), session.info().thread_id, title, &self.clock);
        Ok(())
    }

    /// Runs a command of the person's in their shell; its end comes as a [`ShellEnd`].
    ///
    /// # Errors
    /// Something else runs.
    pub fn run_shell(&mut self, command: &str) -> Result<(), UserError> {
        if self.is_busy() {
            return Err(UserError::new(ErrorKind::Usage, "Cannot run a command while work is running or queued."));
        }
        self.screen.apply(vec![Change::Gap]);
        self.screen.print(&self.page.style().bold(&format!("! {}", width::one_line(command))));
        let cancel = CancellationToken::new();
        self.shell = Some(cancel.clone());
        self.review = None;
        self.status.set_busy(true);
        self.screen.refresh();
        let (shell, ends, command) = (self.runtime.shell(), self.shell_ends.clone(), command.to_owned());
        tokio::spawn(async move {
            let result = shell.run(&command, &cancel).await;
            // A console that is gone wants no ends.
            ends.send(ShellEnd { command, result }).map_err(drop).unwrap_or_default();
        });
        Ok(())
    }

    /// Shows how a command of the person's ended and lets the model know.
    pub async fn shell_ended(&mut self, end: ShellEnd) {
        match &end.result {
            Ok(result) => {
                let shown = clean_output(&result.output);
                self.screen.print(&shown);
                if result.exit_code != 0 {
                    self.screen.print(&self.page.style().red(&format!("exit {}", result.exit_code)));
                }
                let item = Item::message(Role::User, &[shell_record(&end.command, result)]);
                if let Some(session) = &self.session
                    && let Err(error) = session.note(item).await
                {
                    self.complain(&error);
                }
            }
            Err(error) => self.complain(error),
        }
        self.shell = None;
        self.set_turn_runs(self.turn_runs);
        self.send_next();
    }

    /// Ends the session. Returns what the person can go on with.
    pub async fn close(mut self) -> Option<String> {
        let info = self.session.as_ref().map(|session| session.info().clone());
        self.review = None;
        self.leave_unanswered();
        self.interrupt();
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        self.runtime.shutdown().await;
        let info = info?;
        let recorded = info.rollout_path.is_some_and(|path| path.exists());
        recorded.then(|| format!("To go on with this session: hone resume {}", info.thread_id))
    }
}

fn says_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

fn says_no(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "" | "n" | "no")
}

/// A command of the person's as the model sees it; the form is Codex's.
fn shell_record(command: &str, result: &ShellResult) -> String {
    let ShellResult { exit_code, duration, output } = result;
    let output = crate::text::truncate::middle(output, crate::text::truncate::OutputLimit::Tokens(10_000));
    format!(
        "<user_shell_command>\n<command>\n{command}\n</command>\n<result>\nExit code: {exit_code}\n\
         Duration: {:.4} seconds\nOutput:\n{output}\n</result>\n</user_shell_command>",
        duration.as_secs_f64()
    )
}
