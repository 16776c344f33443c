//! `exec_command`: runs a command line, and leaves it running when it takes long.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::apply_patch;
use super::arguments;
use super::command::{self, Commands, Glance, Waited};
use super::wish::{self, Asked};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::exec::shell;
use crate::protocol::event::Activity;
use crate::protocol::item::OutputPart;
use crate::protocol::{ToolSpec, Wish};

/// How long a call waits, in milliseconds, when it does not say, and between which bounds it may say.
const DEFAULT_YIELD_MS: u64 = 10_000;
const SHORTEST_YIELD_MS: u64 = 250;
const LONGEST_YIELD_MS: u64 = 30_000;

/// The tool.
pub struct ExecCommand {
    spec: ToolSpec,
    commands: Commands,
}

#[derive(serde::Deserialize)]
struct Args {
    cmd: String,
    workdir: Option<String>,
    shell: Option<String>,
    login: Option<bool>,
    tty: Option<bool>,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
}

impl ExecCommand {
    /// The tool, running `commands`.
    #[must_use]
    pub fn new(commands: Commands) -> Self {
        Self { spec: super::spec(include_str!("../../tools/exec_command.json")), commands }
    }

    async fn run(&self, args: Args, cx: &ToolCx) -> Output {
        let started = Instant::now();
        let script = self.commands.script(&args.cmd, args.shell.as_deref(), args.login);
        let cwd = command::folder(&cx.cwd, args.workdir.as_deref());
        if let Some(output) = apply_patch::intercepted(
            &shell::argv(&script.shell, script.login, script.text),
            &cwd,
            self.commands.sandbox_for(cx).as_ref(),
        ) {
            return framed(output, started);
        }
        let launch = self.commands.launch_script(&script, cwd, args.tty.unwrap_or(false), cx).await;
        let running = match self.commands.sessions.start(&launch) {
            Ok(running) => running,
            Err(error) => return Output::failed(format!("exec_command failed: {error}")),
        };
        let patience = args.yield_time_ms.unwrap_or(DEFAULT_YIELD_MS).clamp(SHORTEST_YIELD_MS, LONGEST_YIELD_MS);
        if command::wait(running.process(), Duration::from_millis(patience), &cx.cancel).await == Waited::Interrupted {
            running.kill();
            return command::aborted();
        }
        let (printed, exit) = running.process().take();
        if let Some(error) = running.process().sandbox_failure(&printed) {
            return Output::failed(format!("exec_command failed: {error}"));
        }
        let state = exit.ok_or_else(|| running.keep());
        Glance { wall: started.elapsed(), printed, state, session: None }
            .output(command::limit(cx, args.max_output_tokens))
    }
}

/// The frame around the answer to a command that was not started. A refusal has none.
fn framed(mut output: Output, started: Instant) -> Output {
    if let (true, Some(OutputPart::Text(text))) = (output.ok, output.parts.first_mut()) {
        *text = format!("Wall time: {:.4} seconds\nOutput:\n{text}", started.elapsed().as_secs_f64());
    }
    output
}

impl Tool for ExecCommand {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        match arguments::parse::<Args>(input) {
            Ok(args) => {
                command::activity(&args.cmd, self.access(input, cwd), command::folder(cwd, args.workdir.as_deref()))
            }
            Err(_) => command::activity(input, None, PathBuf::from(cwd)),
        }
    }

    fn access(&self, input: &str, cwd: &Path) -> Option<Access> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        let script = self.commands.script(&args.cmd, args.shell.as_deref(), args.login);
        Some(apply_patch::command_access(shell::argv(&script.shell, script.login, script.text), &cwd))
    }

    fn wish(&self, input: &str, cwd: &Path) -> Option<Wish> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        arguments::parse::<Asked>(input).ok()?.wish(&cwd)
    }

    fn with_command(&self, input: &str, command: &str) -> Option<String> {
        wish::replace(input, "cmd", command)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let args = match arguments::parse(input) {
                Ok(args) => args,
                Err(answer) => return answer,
            };
            // Cancelled while the login shell runs, the call is dropped, and what it started goes with it.
            tokio::select! {
                biased;
                output = self.run(args, cx) => output,
                () = cx.cancel.cancelled() => command::aborted(),
            }
        })
    }
}
