//! `shell`: runs a program with its arguments. Models of an older generation call it; its answers are theirs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::apply_patch;
use super::arguments;
use super::command::{self, Commands, Ended};
use super::wish::{self, Asked};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::event::Activity;
use crate::protocol::{ToolSpec, Wish};
use crate::text::truncate::OutputLimit;

/// When a command is killed that does not say, in milliseconds.
const DEFAULT_TIMEOUT_MS: u64 = 10_000;

/// The tool.
pub struct Shell {
    spec: ToolSpec,
    commands: Commands,
}

#[derive(serde::Deserialize)]
struct Args {
    command: Vec<String>,
    workdir: Option<String>,
    timeout_ms: Option<u64>,
}

impl Shell {
    /// The tool under `name`, running `commands`.
    #[must_use]
    pub fn named(name: &str, commands: Commands) -> Self {
        let spec = super::spec(include_str!("../../tools/shell.json"));
        Self { spec: ToolSpec { name: name.to_owned(), ..spec }, commands }
    }

    async fn run(&self, args: Args, cx: &ToolCx) -> Output {
        let cwd = command::folder(&cx.cwd, args.workdir.as_deref());
        if let Some(output) = apply_patch::intercepted(&args.command, &cwd, self.commands.sandbox_for(cx).as_ref()) {
            return output;
        }
        let launch = self.commands.launch_program(args.command, cwd, cx);
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
    let output = cut_lines.map_or_else(|| shown.clone(), |lines| format!("Total output lines: {lines}\n\n{shown}"));
    let seconds = (ended.wall.as_secs_f64() * 10.0).round() / 10.0;
    let answer = serde_json::json!({
        "output": output, "metadata": {"exit_code": ended.code(), "duration_seconds": seconds},
    });
    ended.output(answer.to_string(), shown)
}

impl Tool for Shell {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        match arguments::parse::<Args>(input) {
            Ok(args) => {
                let folder = command::folder(cwd, args.workdir.as_deref());
                command::activity(&line(&args.command), self.access(input, cwd), folder)
            }
            Err(_) => command::activity(input, None, PathBuf::from(cwd)),
        }
    }

    fn access(&self, input: &str, cwd: &Path) -> Option<Access> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        Some(apply_patch::command_access(args.command, &cwd))
    }

    fn wish(&self, input: &str, cwd: &Path) -> Option<Wish> {
        let args = arguments::parse::<Args>(input).ok()?;
        let cwd = command::folder(cwd, args.workdir.as_deref());
        arguments::parse::<Asked>(input).ok()?.wish(&cwd)
    }

    fn with_command(&self, input: &str, command: &str) -> Option<String> {
        let argv = arguments::parse::<Args>(input).ok()?.command;
        let argv = match argv.as_slice() {
            [shell, flag, _] if flag == "-lc" || flag == "-c" => vec![shell.clone(), flag.clone(), command.to_owned()],
            _ => ["sh", "-c", command].map(str::to_owned).to_vec(),
        };
        wish::replace(input, "command", argv)
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

/// A command as people read it: the script of a shell, else the words in a row.
fn line(argv: &[String]) -> String {
    match argv {
        [_, flag, script] if flag == "-lc" || flag == "-c" => script.clone(),
        words => words.join(" "),
    }
}
