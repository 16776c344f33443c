//! `shell_command`: runs a script in the user's shell. Models of an older generation call it; its answers are theirs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::apply_patch;
use super::arguments;
use super::command::{self, Commands, Ended};
use super::wish::{self, Asked};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::exec::shell;
use crate::protocol::event::Activity;
use crate::protocol::{ToolSpec, Wish};
use crate::text::truncate::OutputLimit;

/// When a script is killed that does not say, in milliseconds.
const DEFAULT_TIMEOUT_MS: u64 = 10_000;

/// The tool.
pub struct ShellCommand {
    spec: ToolSpec,
    commands: Commands,
}

#[derive(serde::Deserialize)]
struct Args {
    command: String,
    workdir: Option<String>,
    login: Option<bool>,
    timeout_ms: Option<u64>,
}

impl ShellCommand {
    /// The tool, running `commands`.
    #[must_use]
    pub fn new(commands: Commands) -> Self {
        Self { spec: super::spec(include_str!("../../tools/shell_command.json")), commands }
    }

    async fn run(&self, args: Args, cx: &ToolCx) -> Output {
        let script = self.commands.script(&args.command, None, args.login);
        let cwd = command::folder(&cx.cwd, args.workdir.as_deref());
        if let Some(output) = apply_patch::intercepted(
            &shell::argv(&script.shell, script.login, script.text),
            &cwd,
            self.commands.sandbox_for(cx).as_ref(),
        ) {
            return output;
        }
        let launch = self.commands.launch_script(&script, cwd, false, cx).await;
        let timeout = Duration::from_millis(args.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS));
        match self.commands.run(&launch, timeout, &cx.cancel).await {
            Ok(Some(ended)) => answer(&ended, cx.output_limit),
            Ok(None) => command::aborted(),
            Err(error) => Output::failed(format!("execution error: {error}")),
        }
    }
}

fn answer(ended: &Ended, limit: OutputLimit) -> Output {
    let (shown, cut_lines) = ended.text(limit);
    let lines = cut_lines.map(|lines| format!("Total output lines: {lines}\n")).unwrap_or_default();
    let seconds = (ended.wall.as_secs_f64() * 10.0).round() / 10.0;
    let answer = format!("Exit code: {}\nWall time: {seconds} seconds\n{lines}Output:\n{shown}", ended.code());
    ended.output(answer, shown)
}

impl Tool for ShellCommand {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        match arguments::parse::<Args>(input) {
            Ok(args) => {
                let folder = command::folder(cwd, args.workdir.as_deref());
                command::activity(&args.command, self.access(input, cwd), folder)
            }
            Err(_) => command::activity(input, None, PathBuf::from(cwd)),
        }
    }

    fn access(&self, input: &str, cwd: &Path) -> Option<Access> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        let script = self.commands.script(&args.command, None, args.login);
        Some(apply_patch::command_access(shell::argv(&script.shell, script.login, script.text), &cwd))
    }

    fn wish(&self, input: &str, cwd: &Path) -> Option<Wish> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        arguments::parse::<Asked>(input).ok()?.wish(&cwd)
    }

    fn with_command(&self, input: &str, command: &str) -> Option<String> {
        wish::replace(input, "command", command)
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
