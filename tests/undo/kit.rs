//! A folder, a home, a scripted model, and the program.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::support::speech::{call, custom_call, message, response};
use super::support::{FakeServer, Reply};

/// What a run of the program printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A folder to work in and a home, both new.
pub struct World {
    _dir: tempfile::TempDir,
    pub root: PathBuf,
    pub home: PathBuf,
    pub work: PathBuf,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let (home, work) = (root.join("home"), root.join("work"));
        fs::create_dir(&home).unwrap();
        fs::create_dir(&work).unwrap();
        Self { _dir: dir, root, home, work }
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) {
        let path = self.work.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.work.join(path)).unwrap()
    }

    /// The program, ready to run against `server`.
    pub fn command(&self, server: Option<&FakeServer>, args: &[&str]) -> Command {
        let base_url = server.map_or("http://127.0.0.1:9/v1", |server| server.base_url.as_str());
        let config = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"fake\"\nsandbox_mode = \"danger-full-access\"\n\
             [model_providers.fake]\nname = \"Fake\"\nbase_url = \"{base_url}\"\nrequest_max_retries = 0\n\
             [projects.{:?}]\ntrust_level = \"trusted\"\n",
            fs::canonicalize(&self.work).unwrap().to_str().unwrap()
        );
        if fs::write(self.home.join("config.toml"), config).is_err() {
            assert!(self.home.join("config.toml").exists());
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_hone"));
        command.args(args).current_dir(&self.work).env_clear();
        command.env("CODEX_HOME", &self.home).env("HOME", &self.root).env("SHELL", "/bin/sh");
        // No git, nor anything else but what a shell has in itself.
        command.env("PATH", "/nonexistent").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn hone(&self, server: Option<&FakeServer>, args: &[&str]) -> Ran {
        let output = self.command(server, args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// One turn in which the model makes these calls, one response each, and says that it is done.
    pub fn turn(&self, args: &[&str], calls: &[serde_json::Value]) -> Ran {
        let server = FakeServer::start(replies(calls));
        let ran = self.hone(Some(&server), args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let requests = server.requests();
        for output in requests.last().unwrap().input().iter().filter_map(|item| item["output"].as_str()) {
            assert!(!output.contains("failed"), "{output}");
        }
        ran
    }

    /// Everything in the folder of the test, but for the home.
    pub fn tree(&self) -> BTreeMap<PathBuf, Node> {
        let mut nodes = BTreeMap::new();
        walk(&self.root, &mut nodes);
        nodes.retain(|path, _| !path.starts_with(&self.home));
        nodes
    }

    pub fn undo(&self) -> Ran {
        self.hone(None, &["undo", "--yes"])
    }
}

/// The answers of a model that makes these calls.
pub fn replies(calls: &[serde_json::Value]) -> Vec<Reply> {
    let reply = |item| Reply::sse(&response(&[item]));
    calls.iter().cloned().chain([message("Done.")]).map(reply).collect()
}

pub fn patch(body: &str) -> serde_json::Value {
    custom_call("c_patch", "apply_patch", &format!("*** Begin Patch\n{body}*** End Patch\n"))
}

pub fn shell(script: &str) -> serde_json::Value {
    call("c_exec", "exec_command", &json!({"cmd": script, "login": false}))
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    File(u32, Vec<u8>),
    Link(PathBuf),
    Folder(u32),
}

fn walk(path: &Path, nodes: &mut BTreeMap<PathBuf, Node>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let node = if metadata.is_symlink() {
        Node::Link(fs::read_link(path).unwrap())
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), nodes);
        }
        Node::Folder(metadata.mode())
    } else {
        Node::File(metadata.mode(), fs::read(path).unwrap())
    };
    nodes.insert(path.to_owned(), node);
}
