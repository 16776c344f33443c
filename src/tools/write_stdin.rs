//! `write_stdin`: types into a command that `exec_command` left running, or looks at it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::arguments;
use super::command::{self, Commands, Glance, Waited};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::exec::Process;
use crate::protocol::event::Activity;
use crate::protocol::{ToolSpec, Wish};

/// What Ctrl-C types.
const CTRL_C: &str = "\u{3}";

/// How long a call waits after typing, in milliseconds, when it does not say, and between which bounds it may say.
const DEFAULT_YIELD_MS: u64 = 250;
const LONGEST_YIELD_MS: u64 = 30_000;

/// How long a mere look waits at least: models like to look again and again.
const SHORTEST_POLL: Duration = Duration::from_secs(5);

/// The tool.
pub struct WriteStdin {
    spec: ToolSpec,
    commands: Commands,
}

#[derive(serde::Deserialize)]
struct Args {
    session_id: i32,
    chars: Option<String>,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
}

impl Args {
    fn chars(&self) -> &str {
        self.chars.as_deref().unwrap_or_default()
    }

    /// How long to wait for the process to end.
    fn patience(&self, longest_poll: Duration) -> Duration {
        let asked = self.yield_time_ms.unwrap_or(DEFAULT_YIELD_MS);
        match self.chars() {
            "" => Duration::from_millis(asked).min(longest_poll).max(SHORTEST_POLL),
            _ => Duration::from_millis(asked.clamp(DEFAULT_YIELD_MS, LONGEST_YIELD_MS)),
        }
    }
}

impl WriteStdin {
    /// The tool, for the sessions of `commands`.
    #[must_use]
    pub fn new(commands: Commands) -> Self {
        Self { spec: super::spec(include_str!("../../tools/write_stdin.json")), commands }
    }

    async fn run(&self, args: Args, cx: &ToolCx) -> Output {
        let (started, id) = (Instant::now(), args.session_id);
        let Some(process) = self.commands.sessions.find(id) else {
            return Output::failed(format!("write_stdin failed: Unknown process id {id}"));
        };
        let patience = args.patience(self.commands.longest_poll);
        let typed = tokio::select! {
            biased;
            () = cx.cancel.cancelled() => return command::aborted(),
            typed = type_into(&process, args.chars(), patience) => typed,
        };
        if let Err(refusal) = typed {
            return Output::failed(format!("write_stdin failed: {refusal}"));
        }
        // Interrupted, this call ends; the process, which another call started, goes on.
        if command::wait(&process, patience, &cx.cancel).await == Waited::Interrupted {
            return command::aborted();
        }
        let (printed, exit) = process.take();
        if exit.is_some() {
            self.commands.sessions.forget(id);
        }
        if let Some(error) = process.sandbox_failure(&printed) {
            return Output::failed(format!("write_stdin failed: {error}"));
        }
        Glance { wall: started.elapsed(), printed, state: exit.ok_or(id), session: Some(id) }
            .output(command::limit(cx, args.max_output_tokens))
    }
}

/// Types `chars`. A terminal nobody reads from takes no more at some point; then what is left by the end of `patience`
/// is not typed.
async fn type_into(process: &Process, chars: &str, patience: Duration) -> Result<(), &'static str> {
    match chars {
        "" => {}
        CTRL_C if !process.has_terminal() => process.interrupt(),
        _ if !process.has_terminal() => {
            return Err("stdin is closed for this session; rerun exec_command with tty=true to keep stdin open");
        }
        _ => match tokio::time::timeout(patience, process.write(chars.as_bytes())).await {
            Ok(Ok(())) => {}
            // It ended in the meantime, which the answer will say.
            Ok(Err(_)) => {}
            Err(_) => return Err("the command does not read its terminal; not everything could be typed"),
        },
    }
    Ok(())
}

impl Tool for WriteStdin {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, _cwd: &Path) -> Activity {
        arguments::activity("write_stdin", input, |args: Args| match args.chars() {
            "" => format!("look at session {}", args.session_id),
            chars => format!("type {chars:?} into session {}", args.session_id),
        })
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::None)
    }

    /// What is typed into a shell runs as if it were a command of its own. Within the sandbox that changes nothing.
    fn wish(&self, input: &str, _cwd: &Path) -> Option<Wish> {
        let args: Args = arguments::parse(input).ok()?;
        let types = !matches!(args.chars(), "" | CTRL_C);
        let process = self.commands.sessions.find(args.session_id).filter(|_| types)?;
        let typing = (process.has_terminal() && !process.is_contained()).then_some(args.session_id)?;
        Some(Wish { typing: Some(typing), ..Wish::default() })
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            match arguments::parse(input) {
                Ok(args) => self.run(args, cx).await,
                Err(answer) => answer,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_waits_longer_than_a_line_typed() {
        let longest = Duration::from_secs(300);
        for (chars, asked, seconds) in [
            (None, None, 5.0),
            (Some(""), Some(1), 5.0),
            (Some(""), Some(60_000), 60.0),
            (Some(""), Some(1_000_000), 300.0),
            (Some("x"), None, 0.25),
            (Some("x"), Some(1), 0.25),
            (Some("x"), Some(60_000), 30.0),
        ] {
            let args =
                Args { session_id: 1, chars: chars.map(str::to_owned), yield_time_ms: asked, max_output_tokens: None };
            assert_eq!(args.patience(longest), Duration::from_secs_f64(seconds), "{chars:?} {asked:?}");
        }
    }
}
