//! A home of sessions, and the program that works in it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder for everything, with a home and a folder to work in.
pub struct Place {
    folder: TempDir,
}

/// The id of the `n`th session a test writes.
pub fn id(n: u64) -> String {
    format!("01a1fca9-{:04x}-7ab3-bf63-{n:012x}", n & 0xffff)
}

/// A session of one turn, as text.
pub fn session_text(id: &str, cwd: &Path, message: &str) -> String {
    let cwd = cwd.display();
    let line = |kind: &str, payload: &str| {
        format!("{{\"timestamp\":\"2026-11-20T19:14:07.601Z\",\"type\":\"{kind}\",\"payload\":{payload}}}\n")
    };
    [
        line("session_meta", &format!(r#"{{"id":"{id}","timestamp":"2026-11-20T19:14:07.601Z","cwd":"{cwd}","originator":"hone","cli_version":"0.1.0","source":"exec","model_provider":"fake"}}"#)),
        line("event_msg", r#"{"type":"task_started","turn_id":"t1"}"#),
        line("turn_context", &format!(r#"{{"cwd":"{cwd}","model":"gpt-5.5","summary":"auto"}}"#)),
        line("response_item", &format!(r#"{{"type":"message","id":"msg_1","role":"user","content":[{{"type":"input_text","text":"{message}"}}]}}"#)),
        line("event_msg", &format!(r#"{{"type":"user_message","message":"{message}"}}"#)),
        line("response_item", r#"{"type":"function_call","id":"fc_1","name":"exec_command","arguments":"{\"cmd\":\"echo hello\"}","call_id":"call_1"}"#),
        line("response_item", r#"{"type":"function_call_output","call_id":"call_1","output":"hello <there>\n"}"#),
        line("response_item", r#"{"type":"message","id":"msg_2","role":"assistant","content":[{"type":"output_text","text":"It says `hello`."}]}"#),
        line("event_msg", r#"{"type":"task_complete","turn_id":"t1","last_agent_message":"It says `hello`."}"#),
    ]
    .concat()
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.work()).unwrap();
        fs::create_dir_all(place.home()).unwrap();
        place
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("home")
    }

    pub fn work(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("work")
    }

    /// Where the session with this id lies, by its name.
    pub fn path(&self, id: &str) -> PathBuf {
        let folder = self.home().join("sessions/2026/11/20");
        fs::create_dir_all(&folder).unwrap();
        folder.join(format!("rollout-2026-11-20T19-14-07-{id}.jsonl"))
    }

    pub fn write(&self, id: &str, text: &str) -> PathBuf {
        let path = self.path(id);
        fs::write(&path, text).unwrap();
        path
    }

    /// A session of this place's folder.
    pub fn session(&self, n: u64, message: &str) -> PathBuf {
        self.write(&id(n), &session_text(&id(n), &self.work(), message))
    }

    pub fn append(&self, path: &Path, text: &str) {
        OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Lets turns run against this server.
    pub fn configure(&self, base_url: &str) {
        let text = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"fake\"\nsandbox_mode = \"danger-full-access\"\napproval_policy = \"never\"\n\
             [model_providers.fake]\nname = \"fake\"\nbase_url = \"{base_url}\"\nenv_key = \"FAKE_KEY\"\nwire_api = \"responses\"\n\
             [projects.{:?}]\ntrust_level = \"trusted\"\n",
            self.work().to_str().unwrap()
        );
        fs::write(self.home().join("config.toml"), text).unwrap();
    }

    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hone"))
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("CODEX_HOME", self.home())
            .env("PATH", "/usr/bin:/bin")
            .env("FAKE_KEY", "key")
            .current_dir(self.work())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What `hone` prints when all goes well.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        out(&output)
    }

    /// The exit code and the complaint when it does not.
    pub fn refused(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}: {}", out(&output));
        (output.status.code().unwrap(), err(&output))
    }
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
