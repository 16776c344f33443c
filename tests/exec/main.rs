//! Real processes: how they start, what is kept of what they print, and that none is left behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test needs is there, or the test fails")]

mod env;
mod kill;
mod output;
mod terminal;
mod tools;

use hone::agent::ports::{EventSink, Output, Tool, ToolCx};
use hone::exec::{CommandEnv, EnvPolicy, Sessions};
use hone::protocol::Event;
use hone::protocol::item::OutputPart;
use hone::text::truncate::OutputLimit;
use hone::tools::command::Commands;
use hone::tools::{ACCEPTED, TOOLS, ToolDeps};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The tools over a home folder of their own, which is also where commands run.
struct Bench {
    home: tempfile::TempDir,
    deps: ToolDeps,
    cx: ToolCx,
    warnings: Arc<Warnings>,
}

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl EventSink for Warnings {
    fn emit(&self, event: Event) {
        if let Event::Warning(text) = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(&[], &EnvPolicy::default(), &[])
    }

    fn with(vars: &[(&str, &str)], policy: &EnvPolicy, withheld: &[String]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let base = [("HOME", home.path().to_str().unwrap()), ("SHELL", "/bin/bash"), ("PATH", env!("PATH"))];
        let vars = base.iter().chain(vars).map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let commands = Commands {
            sessions: Arc::new(Sessions::new()),
            env: Arc::new(CommandEnv::new(vars, policy, withheld, true)),
            sandbox: None,
            longest_poll: Duration::from_secs(300),
        };
        let warnings = Arc::new(Warnings::default());
        let cx = ToolCx {
            call_id: "call_1".into(),
            thread_id: "thread_1".into(),
            cwd: home.path().to_owned(),
            output_limit: OutputLimit::Tokens(10_000),
            permit: hone::agent::ports::Permit::default(),
            cancel: CancellationToken::new(),
            events: Arc::clone(&warnings) as _,
        };
        Self { home, deps: ToolDeps { commands, freeform_patch: true, past: None }, cx, warnings }
    }

    fn sessions(&self) -> &Sessions {
        &self.deps.commands.sessions
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn tool(&self, name: &str) -> Box<dyn Tool> {
        let built = TOOLS.iter().chain(ACCEPTED).map(|build| build(&self.deps));
        built.into_iter().find(|tool| tool.spec().name == name).unwrap()
    }

    async fn call(&self, tool: &str, args: Value) -> Output {
        self.tool(tool).call(&args.to_string(), &self.cx).await
    }

    /// Runs a script without the profile.
    async fn exec(&self, script: &str) -> Output {
        self.call("exec_command", json!({"cmd": script, "login": false})).await
    }

    /// Starts a script and goes on when it has written a line of its own into the pipe `$READY`, which is returned; with it
    /// comes the call, still running.
    async fn begin(self: &Arc<Self>, script: &str) -> (String, tokio::task::JoinHandle<Output>) {
        let pipe = self.path("ready");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = format!("READY={}; {script}", pipe.display());
        let bench = Arc::clone(self);
        let call = tokio::spawn(async move { bench.exec(&script).await });
        let line = tokio::task::spawn_blocking(move || std::fs::read_to_string(pipe).unwrap()).await.unwrap();
        (line.trim().to_owned(), call)
    }
}

fn text(output: &Output) -> &str {
    match output.parts.as_slice() {
        [OutputPart::Text(text)] => text,
        parts => panic!("{parts:?}"),
    }
}

/// The number a command goes on under.
fn session_id(output: &Output) -> i64 {
    let text = text(output);
    let (_, rest) = text.split_once("Process running with session ID ").unwrap_or_else(|| panic!("{text}"));
    rest.lines().next().unwrap().parse().unwrap()
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.trim_start().starts_with(['Z', 'X']))
}

/// A killed process takes a moment to be gone.
async fn gone(pid: &str) {
    let started = Instant::now();
    while is_alive(pid) {
        assert!(started.elapsed() < Duration::from_secs(5), "{pid} is still there");
        tokio::task::yield_now().await;
    }
}
