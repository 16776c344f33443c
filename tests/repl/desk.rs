//! A home, a folder and a server to hold sessions with.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::terminal::Terminal;
use crate::support::{FakeServer, Gate, Reply, Step, speech};

const OPEN: &str = "sandbox_mode = \"danger-full-access\"\napproval_policy = \"never\"\n";

pub struct Desk {
    pub server: FakeServer,
    pub home: TempDir,
    pub folder: TempDir,
}

impl Desk {
    pub fn new(replies: Vec<Reply>) -> Self {
        Self::configured("", 0, replies)
    }

    /// With further keys of the configuration, and a stream that may break so often.
    pub fn configured(keys: &str, retries: u32, replies: Vec<Reply>) -> Self {
        let server = FakeServer::start(replies);
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // Nobody is asked, unless that is what a test is about.
        let open = if keys.contains("sandbox_mode") { "" } else { OPEN };
        let config = format!(
            "{keys}{open}model = \"gpt-x\"\nmodel_provider = \"fake\"\nallow_login_shell = false\n\n\
             [model_providers.fake]\nname = \"Fake\"\nbase_url = \"{}\"\nstream_max_retries = {retries}\n",
            server.base_url
        );
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        Self { server, home, folder }
    }

    pub fn start(&self, arguments: &[&str]) -> Terminal {
        self.start_sized(arguments, 24, 80)
    }

    pub fn start_sized(&self, arguments: &[&str], rows: u16, columns: u16) -> Terminal {
        self.start_in("xterm-256color", arguments, rows, columns)
    }

    /// Starts in a terminal of this kind.
    pub fn start_in(&self, kind: &str, arguments: &[&str], rows: u16, columns: u16) -> Terminal {
        self.start_with(&[("TERM", kind)], arguments, rows, columns)
    }

    /// In an environment with these variables.
    pub fn start_with(&self, env: &[(&str, &str)], arguments: &[&str], rows: u16, columns: u16) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hone"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(env.iter().copied());
        command.env("CODEX_HOME", self.home.path()).env("HOME", self.home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
        let terminal = Terminal::start(command, rows, columns);
        terminal.wait_for("›");
        terminal
    }

    /// The texts of the person's messages in request number `index`, context left out.
    pub fn prompts(&self, index: usize) -> Vec<String> {
        let requests = self.server.wait_for_requests(index + 1);
        let texts = requests[index].input().iter().filter(|item| item["role"] == "user").flat_map(texts);
        texts.filter(|text| !text.starts_with(['<', '#'])).collect()
    }
}

fn texts(item: &Value) -> Vec<String> {
    let parts = item["content"].as_array().cloned().unwrap_or_default();
    parts.iter().filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
}

/// A whole answer.
pub fn answer(text: &str) -> Reply {
    Reply::sse(&speech::response(&[speech::message(text)]))
}

/// An answer that says its first words, then waits for the gate.
pub fn slow_answer(first: &str, gate: &Gate, rest: &str) -> Reply {
    let begin = speech::sse(&[speech::created(), speech::delta(first)]);
    let whole = format!("{first}{rest}");
    let end = speech::sse(&[speech::delta(rest), speech::done(speech::message(&whole)), speech::completed()]);
    Reply::stream(vec![Step::Write(begin), Step::Wait(gate.clone()), Step::Write(end)])
}

/// A call of a command.
pub fn command(script: &str) -> Reply {
    let call = speech::call("c1", "exec_command", &serde_json::json!({"cmd": script, "yield_time_ms": 30_000}));
    Reply::sse(&speech::response(&[call]))
}
