//! The program itself, in a home and a project of its own, with nothing of the environment the tests run in.

use serde_json::Value;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use super::FakeServer;

/// The longest a program may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scratch home and a scratch project.
pub struct World {
    dir: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, or 128 and the signal.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A run that goes on.
pub struct Running {
    child: Child,
    stdout: Pipe,
    stderr: Pipe,
}

/// What came through a pipe so far, gathered by a thread.
struct Pipe {
    text: Arc<(Mutex<Vec<u8>>, Condvar)>,
    reader: JoinHandle<()>,
}

impl World {
    /// A home without a configuration.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir_all(dir.path().join("user/.codex")).unwrap();
        std::fs::create_dir_all(dir.path().join("project/.git")).unwrap();
        let world = Self { dir };
        world.write_project(".git/HEAD", "ref: refs/heads/main\n");
        world
    }

    /// A home whose provider is at `base_url`. Its key is needed and set.
    pub fn at(base_url: &str) -> Self {
        let world = Self::new();
        world.write_home(
            "config.toml",
            &format!(
                "model = \"test-model\"\nmodel_provider = \"fake\"\nsandbox_mode = \"danger-full-access\"\n\
                 approval_policy = \"never\"\n\n[model_providers.fake]\nname = \"Fake\"\n\
                 base_url = \"{base_url}\"\nenv_key = \"FAKE_KEY\"\nrequest_max_retries = 1\nstream_max_retries = 1\n"
            ),
        );
        world
    }

    /// A home whose provider is `server`.
    pub fn of(server: &FakeServer) -> Self {
        Self::at(&server.base_url)
    }

    pub fn root(&self) -> PathBuf {
        std::fs::canonicalize(self.dir.path()).unwrap()
    }

    pub fn home(&self) -> PathBuf {
        self.root().join("user/.codex")
    }

    pub fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    pub fn write_home(&self, name: &str, text: &str) {
        write(&self.home().join(name), text);
    }

    pub fn write_project(&self, name: &str, text: &str) {
        write(&self.project().join(name), text);
    }

    /// A file of the project; empty when there is none.
    pub fn read_project(&self, name: &str) -> String {
        std::fs::read_to_string(self.project().join(name)).unwrap_or_default()
    }

    /// Makes a pipe with a name in the project, by which a command and a test wait for each other.
    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.project().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// The program in the project, with nothing on standard input.
    pub fn hone(&self, args: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_hone")), args)
    }

    /// Another program, or the same by another name.
    pub fn program(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().current_dir(self.project()).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.root().join("user"));
        command
            .env("CODEX_HOME", self.home())
            .env("TMPDIR", self.root())
            .env("FAKE_KEY", "sk-fake-key")
            .env("TZ", "UTC");
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        run(&mut self.hone(args), b"")
    }

    /// Runs the program to its end, with this on standard input.
    pub fn pipe(&self, args: &[&str], stdin: &str) -> Ended {
        run(self.hone(args).stdin(Stdio::piped()), stdin.as_bytes())
    }

    /// Starts the program.
    pub fn start(&self, args: &[&str]) -> Running {
        start(&mut self.hone(args))
    }

    /// Every session file.
    pub fn sessions(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.home().join("sessions")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }

    /// The only session file.
    pub fn session(&self) -> PathBuf {
        let sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        sessions.into_iter().next().unwrap()
    }

    /// Its lines.
    pub fn lines(&self) -> Vec<Value> {
        lines(&std::fs::read_to_string(self.session()).unwrap())
    }

    /// Its items.
    pub fn items(&self) -> Vec<Value> {
        let lines = self.lines().into_iter().filter(|line| line["type"] == "response_item");
        lines.map(|mut line| line["payload"].take()).collect()
    }

    /// Its events' names.
    pub fn events(&self) -> Vec<String> {
        let lines = self.lines().into_iter().filter(|line| line["type"] == "event_msg");
        lines.map(|line| line["payload"]["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of the only session.
    pub fn session_id(&self) -> String {
        self.lines()[0]["payload"]["id"].as_str().unwrap().to_owned()
    }
}

/// The lines of a session file, each of which must be whole.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Runs `command` to its end, with this on standard input if that is a pipe.
pub fn run(command: &mut Command, stdin: &[u8]) -> Ended {
    let mut running = start(command);
    if let Some(mut pipe) = running.child.stdin.take() {
        // A program that does not want its input may have gone.
        drop(pipe.write_all(stdin));
    }
    running.wait()
}

/// Starts `command`.
pub fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = Pipe::read(child.stdout.take().unwrap());
    let stderr = Pipe::read(child.stderr.take().unwrap());
    Running { child, stdout, stderr }
}

impl Running {
    /// Sends it a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(&self.child.id().to_string(), name);
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        !is_alive(&self.child.id().to_string())
    }

    /// Whether it has a file of this name open. Linux alone.
    pub fn has_open(&self, name: &str) -> bool {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|path| path.ends_with(name))
    }

    /// Returns once standard error holds `text`.
    pub fn wait_for(&self, text: &str) {
        let (seen, arrived) = &*self.stderr.text;
        let missing = |seen: &mut Vec<u8>| !String::from_utf8_lossy(seen).contains(text);
        let (seen, timeout) = arrived.wait_timeout_while(seen.lock().unwrap(), PATIENCE, missing).unwrap();
        assert!(!timeout.timed_out(), "no `{text}` in: {}", String::from_utf8_lossy(&seen));
    }

    /// Waits for its end.
    pub fn wait(self) -> Ended {
        self.wait_at_most(PATIENCE)
    }

    /// Waits for its end, which must come in time.
    pub fn wait_at_most(mut self, patience: Duration) -> Ended {
        use std::os::unix::process::ExitStatusExt as _;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > patience {
                self.child.kill().unwrap();
                panic!(
                    "still there after {patience:?}: {}",
                    String::from_utf8_lossy(&self.stderr.text.0.lock().unwrap())
                );
            }
            thread::sleep(Duration::from_millis(1));
        };
        let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap();
        Ended { code, stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

impl Pipe {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new((Mutex::default(), Condvar::new()));
        let shared: Arc<(Mutex<Vec<u8>>, Condvar)> = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut space = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut space) {
                shared.0.lock().unwrap().extend_from_slice(&space[..count]);
                shared.1.notify_all();
            }
        });
        Self { text, reader }
    }

    fn all(self) -> String {
        self.reader.join().unwrap();
        String::from_utf8_lossy(&self.text.0.lock().unwrap()).into_owned()
    }
}

impl Ended {
    /// Checks the exit code, and shows everything when it is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Checks that standard error holds these texts.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no `{text}` in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }
}

/// Sends a signal by its name.
pub fn signal(pid: &str, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap().success());
}

/// Whether a process lives.
pub fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.trim_start().starts_with(['Z', 'X']))
}

/// Checks that a process is gone; a killed one takes a moment.
pub fn gone(pid: &str) {
    let started = Instant::now();
    while is_alive(pid) {
        assert!(started.elapsed() < Duration::from_secs(5), "{pid} is still there");
        thread::yield_now();
    }
}

/// The outputs a request carries, by call id, in order.
pub fn outputs(input: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let outputs = input.iter().filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")));
    outputs.map(|item| (text(&item["call_id"]), text(&item["output"]))).collect()
}
