//! A home, a project and a command line of their own for each test.

use hone::config::{ConfigError, Environment, LoadRequest, Loaded, load};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The places of one test. Paths in texts are shown as `HOME`, `PROJECT` and `ETC`.
pub struct World {
    dir: TempDir,
    /// What is loaded.
    pub request: LoadRequest,
}

impl World {
    /// An empty home and an empty project that is a git repository.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let home = dir.path().join("user/.codex");
        let project = dir.path().join("project");
        std::fs::create_dir_all(&home).unwrap();
        let env: Environment = [("HOME", dir.path().join("user")), ("CODEX_HOME", home)].into_iter().collect();
        let mut request = LoadRequest::new(&project, env);
        request.system_file = dir.path().join("etc.toml");
        let world = Self { dir, request };
        world.project_file(".git/HEAD", "ref: refs/heads/main\n");
        world
    }

    /// A world with this `config.toml`.
    pub fn with(config: &str) -> Self {
        let world = Self::new();
        world.home_file("config.toml", config);
        world
    }

    pub fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    pub fn home_file(&self, name: &str, text: &str) {
        write(&self.dir.path().join("user/.codex").join(name), text);
    }

    pub fn system_file(&self, text: &str) {
        write(&self.request.system_file, text);
    }

    pub fn project_file(&self, name: &str, text: &str) {
        write(&self.project().join(name), text);
    }

    /// Adds `-c` arguments.
    pub fn over(mut self, overrides: &[&str]) -> Self {
        self.request.overrides.extend(overrides.iter().map(|text| (*text).to_owned()));
        self
    }

    /// Sets `--profile`.
    pub fn profile(mut self, name: &str) -> Self {
        self.request.profile = Some(name.to_owned());
        self
    }

    /// Lets the person trust the project.
    pub fn trusted(self) -> Self {
        let trust = format!("projects.\"{}\".trust_level=\"trusted\"", self.project().display());
        let path = self.dir.path().join("user/.codex/config.toml");
        let config = std::fs::read_to_string(&path).unwrap_or_default();
        write(&path, &format!("{trust}\n{config}"));
        self
    }

    pub fn load(&self) -> Loaded {
        load(self.request.clone()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error's message and hint, with places by their short names.
    pub fn error(&self) -> String {
        let error: ConfigError = load(self.request.clone()).expect_err("this configuration must not load");
        let error: hone::protocol::UserError = error.into();
        assert_eq!(error.kind, hone::protocol::ErrorKind::Usage);
        self.short(&error.to_string())
    }

    pub fn warnings(&self) -> Vec<String> {
        self.load().warnings.iter().map(|warning| self.short(warning)).collect()
    }

    /// `text` with this world's folders by their short names.
    pub fn short(&self, text: &str) -> String {
        let dir = self.dir.path().display().to_string();
        text.replace(&format!("{dir}/user/.codex"), "HOME")
            .replace(&format!("{dir}/project"), "PROJECT")
            .replace(&format!("{dir}/etc.toml"), "ETC")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
