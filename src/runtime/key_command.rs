//! Keys that a command prints: `[model_providers.NAME.auth]` of the configuration, for keys that are kept in a vault or
//! live for minutes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::agent::ports::BoxFuture;
use crate::config::provider::CommandAuth;
use crate::exec::{Launch, Sessions, Vars};
use crate::model::provider::{KeySource, Secret};

/// Runs the command when a request needs a key, and again when its last answer is too old.
pub struct KeyCommand {
    auth: CommandAuth,
    cwd: PathBuf,
    vars: Arc<Vars>,
    processes: Arc<Sessions>,
    answer: Mutex<Option<(Instant, Secret)>>,
}

impl KeyCommand {
    /// The command of `auth`, run in `cwd` unless it names a folder of its own.
    #[must_use]
    pub fn new(auth: CommandAuth, cwd: PathBuf, vars: Vars, processes: Arc<Sessions>) -> Self {
        let cwd = auth.cwd.clone().unwrap_or(cwd);
        Self { auth, cwd, vars: Arc::new(vars), processes, answer: Mutex::default() }
    }

    async fn ask(&self) -> Result<Secret, String> {
        let launch = Launch {
            argv: std::iter::once(&self.auth.command).chain(&self.auth.args).cloned().collect(),
            cwd: self.cwd.clone(),
            vars: Arc::clone(&self.vars),
            thread_id: String::new(),
            call_id: String::new(),
            tty: false,
            sandbox: None,
        };
        let running = self.processes.start(&launch).map_err(|error| error.to_string())?;
        if timeout(Duration::from_millis(self.auth.timeout_ms), running.process().ended()).await.is_err() {
            running.kill();
            return Err(format!("it took more than {} ms (`timeout_ms`)", self.auth.timeout_ms));
        }
        let (printed, exit) = running.process().take();
        let printed = printed.text();
        match exit {
            // Anything a command says besides comes before what it was asked for.
            Some(0) => match printed.lines().map(str::trim).rfind(|line| !line.is_empty()) {
                Some(key) => Ok(Secret::new(key)),
                None => Err("it printed nothing".to_owned()),
            },
            // What it printed may hold half a key: it is not repeated.
            code => Err(format!("it ended with exit code {}", code.unwrap_or(-1))),
        }
    }
}

impl KeySource for KeyCommand {
    fn key(&self) -> BoxFuture<'_, Result<Secret, String>> {
        Box::pin(async move {
            let mut answer = self.answer.lock().await;
            if let Some((at, key)) = &*answer
                && at.elapsed() < Duration::from_millis(self.auth.refresh_interval_ms)
            {
                return Ok(key.clone());
            }
            let asked = self.ask().await;
            let key = asked.map_err(|why| format!("the command `{}` gave no key: {why}", self.auth.command))?;
            *answer = Some((Instant::now(), key.clone()));
            Ok(key)
        })
    }
}
