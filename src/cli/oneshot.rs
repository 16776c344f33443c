//! One turn from the command line: the answer on standard output, progress on standard error, the truth in the exit code.
//! With `--json`, standard output tells it all in lines of JSON instead.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::args::{Options, TurnOptions};
use super::json::{self, Form};
use super::progress;
use super::signals::Interrupts;
use super::writer::EventWriter;
use super::{stdin, terminal};
use crate::agent::TurnEnd;
use crate::agent::ports::EventSink;
use crate::config::trust::Trust;
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::{AgentRuntime, Prepared, Session, SessionStart, Setup};

/// What one turn is run with.
pub struct OneShot<'a> {
    /// Options of the program.
    pub options: &'a Options,
    /// Options of the turn.
    pub turn: TurnOptions,
    /// Which session it belongs to.
    pub start: SessionStart,
    /// Whether it runs only where the person keeps versions or said that all is well.
    pub guarded: bool,
}

impl<'a> OneShot<'a> {
    /// A turn that runs in any folder.
    #[must_use]
    pub fn new(options: &'a Options, turn: TurnOptions, start: SessionStart) -> Self {
        Self { options, turn, start, guarded: false }
    }

    /// Refuses to run outside a repository, as Codex does, since nobody watches.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }

    /// Runs the turn `words` ask for and returns the exit code.
    ///
    /// # Errors
    /// The turn could not begin. A turn that began and failed is an exit code, since it has already said why.
    pub fn run(&self, words: &[String]) -> Result<u8, UserError> {
        // Programs that know Codex do not always name a model.
        let setup = Setup { assumes_model: self.turn.json.is_some(), ..without_questions(self.options.setup()?) };
        let prepared = setup.prepare()?;
        self.check_folder(&prepared)?;
        let prompt = stdin::prompt(words)?;
        self.run_prompt(prepared, &prompt)
    }

    fn check_folder(&self, prepared: &Prepared) -> Result<(), UserError> {
        let project = &prepared.loaded().project;
        let waived = self.options.skip_git_repo_check || self.options.dangerously_bypass_approvals_and_sandbox;
        if !self.guarded || waived || project.repository.is_some() || project.trust == Trust::Trusted {
            return Ok(());
        }
        // The words are Codex's: programs look for them.
        let message = "Not inside a trusted directory and --skip-git-repo-check was not specified.";
        let hint = format!(
            "{} is in no git repository; go to one, make one with `git init`, or add --skip-git-repo-check",
            prepared.folder().display()
        );
        Err(UserError::new(ErrorKind::Usage, message).hint(hint))
    }

    /// Runs one turn with a ready prompt.
    ///
    /// # Errors
    /// See [`OneShot::run`].
    pub fn run_prompt(&self, prepared: Prepared, prompt: &str) -> Result<u8, UserError> {
        // One thread is enough for one turn, and starts fastest; heavy tools take threads of their own.
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            UserError::new(ErrorKind::Failed, format!("the operating system gives no event queue: {error}"))
        })?;
        let end = executor.block_on(self.tell(prepared, prompt));
        // A blocking read that nobody waits for any more must not hold up the exit.
        executor.shutdown_background();
        end
    }

    /// Runs the turn and tells it.
    async fn tell(&self, prepared: Prepared, prompt: &str) -> Result<u8, UserError> {
        let streams_answer = io::stdout().is_terminal();
        let writer: Arc<EventWriter> = match self.turn.json {
            Some(form) => json::start(form),
            None => progress::start(terminal::colored(self.options.color), streams_answer),
        };
        let end = converse(prepared, Arc::<EventWriter>::clone(&writer), prompt, &self.start).await;
        writer.finish();
        let end = end?;
        let answer = if let TurnEnd::Completed(Some(text)) = &end { text } else { "" };
        if self.turn.json.is_none() && !streams_answer && matches!(end, TurnEnd::Completed(_)) {
            terminal::print(answer);
            terminal::print(if answer.ends_with('\n') { "" } else { "\n" });
        }
        if let Some(file) = &self.options.output_last_message {
            write_answer(file, answer)?;
        }
        Ok(self.exit_code(&end))
    }

    fn exit_code(&self, end: &TurnEnd) -> u8 {
        match (self.turn.json, end) {
            // Whoever reads Codex's lines expects its exit code too: 1, whatever failed.
            (Some(Form::Codex), TurnEnd::Failed(_)) => ErrorKind::Failed.exit_code(),
            _ => end.exit_code(),
        }
    }
}

async fn converse(
    prepared: Prepared,
    events: Arc<dyn EventSink>,
    prompt: &str,
    start: &SessionStart,
) -> Result<TurnEnd, UserError> {
    let mut runtime = AgentRuntime::start(prepared, events).await?;
    let end = match runtime.open(start) {
        Ok(session) => {
            // What earlier one-shots left is reviewed while this one waits for the model.
            let review = runtime.review_meanwhile();
            let end = run_to_end(session, prompt).await;
            if let Some(review) = review {
                review.finish().await;
            }
            Ok(end)
        }
        Err(error) => Err(error),
    };
    runtime.shutdown().await;
    end
}

/// Runs the turn; the first signal interrupts it, and the session is closed with everything recorded.
async fn run_to_end(session: Session, prompt: &str) -> TurnEnd {
    let interrupts = Interrupts::listen();
    let end = {
        let turn = session.run(UserInput { text: prompt.to_owned() });
        tokio::pin!(turn);
        match interrupts {
            Ok(mut interrupts) => loop {
                tokio::select! {
                    biased;
                    end = &mut turn => break end,
                    () = interrupts.next() => session.send(Op::Interrupt),
                }
            },
            Err(_) => turn.await,
        }
    };
    session.close().await;
    end
}

/// Nobody is asked in a run of one turn, as with `codex exec`, whatever the configuration says; only the command line can say
/// that what would be asked elsewhere is refused here.
fn without_questions(mut setup: Setup) -> Setup {
    const KEY: &str = "approval_policy";
    let named = setup.flags.iter().any(|(key, ..)| *key == KEY)
        || setup.overrides.iter().any(|text| text.split('=').next().is_some_and(|key| key.trim().starts_with(KEY)));
    if !named {
        setup.flags.push((KEY, "never".to_owned(), "a run without a person"));
    }
    setup
}

fn write_answer(file: &Path, answer: &str) -> Result<(), UserError> {
    std::fs::write(file, answer).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot write the answer to {}: {error}", file.display()))
            .hint("give -o a file in a folder that can be written to; the session holds the answer too")
    })
}
