//! What the context depends on, as plain values. The runtime fills them in from the configuration.

use std::path::PathBuf;

/// Everything that decides what the model is shown besides the conversation.
#[derive(Clone, Debug)]
pub struct ContextSettings {
    /// The folder of the turn. Absolute.
    pub cwd: PathBuf,
    /// `$CODEX_HOME`. Absolute.
    pub codex_home: PathBuf,
    /// The person's home folder, where `.agents/skills` is looked for.
    pub user_home: Option<PathBuf>,
    /// The shell commands run in, by its bare name.
    pub shell: String,
    /// Config key `developer_instructions`.
    pub developer_instructions: Option<String>,
    /// Whether the model is told what it may do.
    pub include_permissions: bool,
    /// Whether the model is told where and when it works.
    pub include_environment: bool,
    /// The most bytes of AGENTS.md files of the project; 0 leaves them out. The person's own file is not counted.
    pub project_doc_max_bytes: usize,
    /// Names to look for in folders that have no AGENTS.md.
    pub project_doc_fallback_filenames: Vec<String>,
    /// What marks the root of a project. When empty, only the current folder counts as the project.
    pub project_root_markers: Vec<String>,
    /// What the model may do.
    pub permissions: Permissions,
    /// Whether skills are offered. A skill the person names is loaded either way.
    pub include_skills: bool,
    /// Skills that are switched off, by name, by folder or by the path of their SKILL.md.
    pub disabled_skills: Vec<String>,
    /// The model's window in tokens, when known. Decides how long the listing of skills may be.
    pub context_window: Option<u64>,
}

/// What the model may do, by the names the configuration uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// `danger-full-access`, `workspace-write` or `read-only`.
    pub sandbox_mode: String,
    /// Whether commands reach the network.
    pub network: bool,
    /// `never`, `on-request`, …
    pub approval_policy: String,
    /// Folders that may be written to; empty when the mode knows no such limit.
    pub writable_roots: Vec<PathBuf>,
    /// Whether `.git`, `.codex` and `.agents` stay as they are in those folders.
    pub protected: bool,
    /// Whether commands cannot add, rename or remove entries of a folder that holds one of these.
    pub fixed_entries: bool,
}

impl ContextSettings {
    /// Settings with the defaults Codex has: everything is shown, commands run without a sandbox and without asking.
    #[must_use]
    pub fn new(cwd: impl Into<PathBuf>, codex_home: impl Into<PathBuf>) -> Self {
        Self {
            cwd: cwd.into(),
            codex_home: codex_home.into(),
            user_home: None,
            shell: "bash".into(),
            developer_instructions: None,
            include_permissions: true,
            include_environment: true,
            project_doc_max_bytes: 32 * 1024,
            project_doc_fallback_filenames: Vec::new(),
            project_root_markers: vec![".git".into()],
            permissions: Permissions {
                sandbox_mode: "danger-full-access".into(),
                network: true,
                approval_policy: "never".into(),
                writable_roots: Vec::new(),
                protected: false,
                fixed_entries: false,
            },
            include_skills: true,
            disabled_skills: Vec::new(),
            context_window: None,
        }
    }
}

/// When the turn begins, where the person is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Today {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// The IANA name.
    pub time_zone: String,
}
