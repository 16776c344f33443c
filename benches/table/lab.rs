//! Where a scenario runs: a home, a repository, a server, and the release binary.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::row::Row;
use super::server::{Answer, Exchange, Server};

/// The binary that is measured.
pub const HONE: &str = env!("CARGO_BIN_EXE_hone");

/// How often memory is looked at. It is looked at in a run of its own, which is not timed.
const LOOK: Duration = Duration::from_millis(1);

/// A fresh home and repository, on a disk rather than in memory, since a turn ends on the disk.
pub struct Lab {
    /// `$CODEX_HOME`.
    pub home: PathBuf,
    /// The repository the agent works in.
    pub work: PathBuf,
    pub server: Server,
    runs: usize,
    _folder: TempDir,
}

/// One run of the binary, as seen from outside.
pub struct Run {
    /// From the start of the process to its end.
    pub wall: Duration,
    /// What it asked of the model.
    pub exchanges: Vec<Exchange>,
}

impl Lab {
    pub fn new(runs: usize) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (home, work, server) = (root.join("home"), root.join("work"), Server::start());
        fs::create_dir_all(&home).unwrap();
        // As much of a repository as is looked at, without a need for git.
        fs::create_dir_all(work.join(".git")).unwrap();
        fs::write(work.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(home.join("config.toml"), config(&server.base_url)).unwrap();
        Self { home, work, server, runs, _folder: folder }
    }

    /// Calls `measure` once to warm up and then as often as is counted.
    pub fn row(&self, unit: &'static str, mut measure: impl FnMut() -> f64) -> Row {
        measure();
        Row::new(unit, (0..self.runs).map(|_| measure()).collect())
    }

    /// The same where `measure` gives several numbers, all of which count.
    pub fn rows(&self, unit: &'static str, mut measure: impl FnMut() -> Vec<f64>) -> Row {
        measure();
        Row::new(unit, (0..self.runs).flat_map(|_| measure()).collect())
    }

    /// Runs a turn against `answers`, to its good end.
    pub fn turn(&self, answers: &[Answer]) -> Run {
        self.run(&["exec", "go"], answers)
    }

    /// Runs the binary against `answers`, to its good end.
    pub fn run(&self, args: &[&str], answers: &[Answer]) -> Run {
        self.server.script(answers);
        let begin = Instant::now();
        let mut child = self.spawn(args);
        let status = child.wait().unwrap();
        let wall = begin.elapsed();
        assert!(status.success(), "hone {args:?}: {status}\n{}", fs::read_to_string(self.errors()).unwrap_or_default());
        Run { wall, exchanges: self.server.exchanges() }
    }

    /// The most memory a turn had at once, in MB, where the system tells.
    pub fn peak_of_turn(&self, args: &[&str], answers: &[Answer]) -> Option<f64> {
        self.server.script(answers);
        watch(vec![self.spawn(args)], "VmHWM:")
    }

    /// The most anonymous memory `count` turns at once had together, in MB, where the system tells.
    pub fn anonymous_of_many(&self, count: usize, answers: &[Answer]) -> Option<f64> {
        self.server.script(answers);
        watch((0..count).map(|_| self.spawn(&["exec", "go"])).collect(), "RssAnon:")
    }

    /// Starts the binary. Its answer goes nowhere, its progress to a file.
    pub fn spawn(&self, args: &[&str]) -> Child {
        let errors = File::create(self.errors()).unwrap();
        Command::new(HONE)
            .args(args)
            .current_dir(&self.work)
            // Nothing of the person's own: no profile that a shell reads, no key, no proxy.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("CODEX_HOME", &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap()
    }

    fn errors(&self) -> PathBuf {
        self.home.join("stderr")
    }
}

/// Looks at a line of `/proc/PID/status` of all `children` until they have ended; the highest sum in MB.
fn watch(mut children: Vec<Child>, line: &str) -> Option<f64> {
    let mut peak = None;
    loop {
        let seen: Vec<f64> = children.iter().filter_map(|child| status_of(child.id(), line)).collect();
        if !seen.is_empty() {
            peak = Some(seen.iter().sum::<f64>().max(peak.unwrap_or_default()));
        }
        children.retain_mut(|child| child.try_wait().unwrap().is_none());
        if children.is_empty() {
            return peak;
        }
        thread::sleep(LOOK);
    }
}

/// A line of `/proc/ID/status` in MB, where the system tells.
pub fn status_of(id: u32, line: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes = status.lines().find_map(|row| row.strip_prefix(line))?;
    Some(kilobytes.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}

fn config(base_url: &str) -> String {
    format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"bench\"\napproval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n\
         model_context_window = 400000000\nmodel_auto_compact_token_limit = 390000000\n\n\
         [model_providers.bench]\nname = \"bench\"\nbase_url = \"{base_url}\"\nrequest_max_retries = 0\nstream_max_retries = 0\n"
    )
}
