//! One turn from the command line: the answer on standard output, progress on standard error, the truth in the exit code.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::args::Options;
use super::progress::Progress;
use super::signals::Interrupts;
use super::{stdin, terminal};
use crate::agent::TurnEnd;
use crate::agent::ports::EventSink;
use crate::protocol::op::{Op, UserInput};
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::{AgentRuntime, Prepared, Session, SessionStart};

/// Runs one turn of a new or resumed session and returns the exit code.
///
/// # Errors
/// The turn could not begin. A turn that began and failed is an exit code, since it has already said why.
pub fn run(options: &Options, words: &[String], start: &SessionStart) -> Result<u8, UserError> {
    let prepared = options.setup()?.prepare()?;
    let prompt = stdin::prompt(words)?;
    run_prompt(prepared, options, &prompt, start)
}

/// Runs one turn with a ready prompt.
///
/// # Errors
/// See [`run`].
pub fn run_prompt(prepared: Prepared, options: &Options, prompt: &str, start: &SessionStart) -> Result<u8, UserError> {
    // One thread is enough for one turn, and starts fastest; heavy tools take threads of their own.
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the operating system gives no event queue: {error}"))
    })?;
    let end = executor.block_on(turn(prepared, options, prompt, start));
    // A blocking read that nobody waits for any more must not hold up the exit.
    executor.shutdown_background();
    end
}

async fn turn(prepared: Prepared, options: &Options, prompt: &str, start: &SessionStart) -> Result<u8, UserError> {
    let streams_answer = io::stdout().is_terminal();
    let progress = Arc::new(Progress::start(terminal::colored(options.color), streams_answer));
    let end = converse(prepared, Arc::<Progress>::clone(&progress), prompt, start).await;
    progress.finish();
    let end = end?;
    let answer = if let TurnEnd::Completed(Some(text)) = &end { text } else { "" };
    if !streams_answer && matches!(end, TurnEnd::Completed(_)) {
        terminal::print(answer);
        terminal::print(if answer.ends_with('\n') { "" } else { "\n" });
    }
    if let Some(file) = &options.output_last_message {
        write_answer(file, answer)?;
    }
    Ok(end.exit_code())
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

fn write_answer(file: &Path, answer: &str) -> Result<(), UserError> {
    std::fs::write(file, answer).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot write the answer to {}: {error}", file.display()))
            .hint("give -o a file in a folder that can be written to; the session holds the answer too")
    })
}
