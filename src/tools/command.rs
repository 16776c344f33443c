//! What the tools that run commands share: what they run in, and how they wait and report.

use crate::agent::ports::{Access, Output, ToolCx};
use crate::exec::capture::Captured;
use crate::exec::containment;
use crate::exec::{CommandEnv, Containment, Launch, Process, Sessions, SpawnError, Vars, shell};
use crate::protocol::Event;
use crate::protocol::event::Activity;
use crate::protocol::item::OutputPart;
use crate::text::truncate::{self, OutputLimit};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What commands run in. One for the life of the program.
#[derive(Clone)]
pub struct Commands {
    /// The processes that run.
    pub sessions: Arc<Sessions>,
    /// The environment they get.
    pub env: Arc<CommandEnv>,
    /// What they may touch; `None` for all that the person may.
    pub sandbox: Option<Containment>,
    /// The longest a look at a running command may wait: `background_terminal_max_timeout` of the configuration.
    pub longest_poll: Duration,
}

/// A script and the shell to run it.
pub struct Script<'a> {
    /// The script.
    pub text: &'a str,
    /// The shell.
    pub shell: PathBuf,
    /// Whether as a login shell.
    pub login: bool,
}

impl Commands {
    /// A script with the shell a call asks for.
    pub fn script<'a>(&self, text: &'a str, asked_shell: Option<&str>, asked_login: Option<bool>) -> Script<'a> {
        Script { text, shell: self.env.shell(asked_shell), login: self.env.wants_login(asked_login) }
    }

    /// Prepares a script's start. The login shell's environment stands in for the login shell itself; finding it out is
    /// what may take time here.
    pub async fn launch_script(&self, script: &Script<'_>, cwd: PathBuf, tty: bool, cx: &ToolCx) -> Launch {
        let vars = if script.login { self.login_vars(&script.shell, cx).await } else { self.env.plain() };
        self.launch(shell::argv(&script.shell, false, script.text), cwd, vars, tty, cx)
    }

    async fn login_vars(&self, shell: &Path, cx: &ToolCx) -> Arc<Vars> {
        let (vars, warning) = self.env.login(shell, &self.sessions).await;
        if let Some(warning) = warning {
            cx.events.emit(Event::Warning(warning));
        }
        vars
    }

    /// Prepares a program's start.
    pub fn launch_program(&self, argv: Vec<String>, cwd: PathBuf, cx: &ToolCx) -> Launch {
        self.launch(argv, cwd, self.env.plain(), false, cx)
    }

    /// What holds a call.
    pub fn sandbox_for(&self, cx: &ToolCx) -> Option<Containment> {
        containment::for_call(self.sandbox.as_ref(), &cx.permit)
    }

    fn launch(&self, argv: Vec<String>, cwd: PathBuf, vars: Arc<Vars>, tty: bool, cx: &ToolCx) -> Launch {
        let (thread_id, call_id) = (cx.thread_id.clone(), cx.call_id.clone());
        let sandbox = self.sandbox_for(cx);
        Launch { argv, cwd, vars, thread_id, call_id, tty, sandbox }
    }

    /// Runs a command to its end or to `timeout`, when it is killed. `None` when the person interrupts.
    pub async fn run(
        &self,
        launch: &Launch,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Option<Ended>, SpawnError> {
        let started = Instant::now();
        let running = self.sessions.start(launch)?;
        let waited = wait(running.process(), timeout, cancel).await;
        if waited == Waited::Interrupted {
            running.kill();
            return Ok(None);
        }
        let (printed, exit) = running.process().take();
        if let Some(error) = running.process().sandbox_failure(&printed) {
            return Err(error.into());
        }
        Ok(Some(Ended { exit, wall: started.elapsed(), printed }))
    }
}

/// A command that was run to its end or to its timeout.
pub struct Ended {
    /// Its exit code; `None` when it was killed for taking too long.
    pub exit: Option<i32>,
    /// How long it took.
    pub wall: Duration,
    printed: Captured,
}

impl Ended {
    /// The exit code that stands for a timeout.
    const TIMED_OUT: i32 = 124;

    /// The exit code for the model.
    pub fn code(&self) -> i32 {
        self.exit.unwrap_or(Self::TIMED_OUT)
    }

    /// What it printed, headed by a line about the timeout if there was one, cut to `limit`; and how many lines it had
    /// if it was cut.
    pub fn text(&self, limit: OutputLimit) -> (String, Option<usize>) {
        let printed = self.printed.text();
        let whole = match self.exit {
            Some(_) => printed,
            None => format!("command timed out after {} milliseconds\n{printed}", self.wall.as_millis()),
        };
        match truncate::middle(&whole, limit) {
            Cow::Borrowed(_) if self.printed.omitted == 0 => (whole, None),
            cut => (cut.into_owned(), Some(whole.lines().count())),
        }
    }

    /// The answer: `text` for the model, `shown` for people.
    pub fn output(&self, text: String, shown: String) -> Output {
        let code = self.code();
        let parts = vec![OutputPart::Text(text)];
        Output { parts, ok: code == 0, exit_code: Some(code), shown, ..Output::default() }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The process ended, or the time was up.
    Over,
    /// The person interrupts.
    Interrupted,
}

/// Waits for the end of a process, for at most `limit`.
pub async fn wait(process: &Process, limit: Duration, cancel: &CancellationToken) -> Waited {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Waited::Interrupted,
        // Whether it ended or the time did is for the process to say.
        _either = tokio::time::timeout(limit, process.ended()) => Waited::Over,
    }
}

/// The answer to an interrupted call. Whoever called words its own.
pub fn aborted() -> Output {
    Output::failed("aborted")
}

/// What a call told of a process that it looked at. The frame is Codex's, which models know.
pub struct Glance {
    /// How long the call took.
    pub wall: Duration,
    /// What the process printed since the last look.
    pub printed: Captured,
    /// Its exit code, or the number it goes on under.
    pub state: Result<i32, i32>,
    /// The number it went on under before this call.
    pub session: Option<i32>,
}

impl Glance {
    /// The answer, its text cut to `limit`.
    pub fn output(&self, limit: OutputLimit) -> Output {
        let text = self.printed.text();
        let omitted = usize::try_from(self.printed.omitted).unwrap_or(usize::MAX);
        let tokens = truncate::estimate_tokens(text.len().saturating_add(omitted));
        let shown = truncate::with_omission(&text, omitted, limit).into_owned();
        let state = match self.state {
            Ok(code) => format!("Process exited with code {code}"),
            Err(id) => format!("Process running with session ID {id}"),
        };
        let (chunk, wall) = (Uuid::now_v7().as_u128() & 0xFF_FFFF, self.wall.as_secs_f64());
        let answer = format!(
            "Chunk ID: {chunk:06x}\nWall time: {wall:.4} seconds\n{state}\nOriginal token count: {tokens}\nOutput:\n{shown}"
        );
        Output {
            parts: vec![OutputPart::Text(answer)],
            ok: matches!(self.state, Ok(0) | Err(_)),
            exit_code: self.state.ok(),
            session: self.session.or(self.state.err()),
            shown,
            changes: Vec::new(),
        }
    }
}

/// The limit of a call that asked for one: it can only get less.
pub fn limit(cx: &ToolCx, asked: Option<usize>) -> OutputLimit {
    asked.map_or(cx.output_limit, |tokens| cx.output_limit.at_most_tokens(tokens))
}

/// The folder a call asks for.
pub fn folder(cwd: &Path, asked: Option<&str>) -> PathBuf {
    match asked {
        Some(asked) if !asked.is_empty() => cwd.join(asked),
        _ => cwd.to_owned(),
    }
}

/// What a command is about to do, for people: as the model wrote it, or the files it changes when it is nothing but a patch.
/// `access` is what it will touch; `None` when it cannot be read.
pub fn activity(command: &str, access: Option<Access>, cwd: PathBuf) -> Activity {
    match access {
        Some(Access::Write(paths)) => {
            let short = |path: PathBuf| path.strip_prefix(&cwd).map(Path::to_owned).unwrap_or(path);
            Activity::Patch { paths: paths.into_iter().map(short).collect() }
        }
        Some(Access::Exec(argv)) => Activity::Exec { command: command.to_owned(), argv, cwd },
        _ => Activity::Exec { command: command.to_owned(), argv: Vec::new(), cwd },
    }
}
