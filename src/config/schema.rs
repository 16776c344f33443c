//! The configuration as the program uses it.
//!
//! The fields mirror the used keys of [`KEYS`](super::keys::KEYS), where their meaning stands; a test holds the defaults of
//! both together. Values were checked when they were read, so everything here makes sense on its own.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::provider::{FallbackModel, Provider};
use super::secret::Secret;

/// All settings, every layer merged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The model's slug; `None` leaves the choice to the provider.
    pub model: Option<String>,
    /// The chosen provider's id; [`Config::provider`] is the provider itself.
    pub model_provider: String,
    /// The model's window in tokens, when it is not the one we know.
    pub model_context_window: Option<u64>,
    /// Compact when the conversation is longer than this, in tokens.
    pub model_auto_compact_token_limit: Option<u64>,
    /// Asks for the summary when a conversation is compacted, in place of our own words: that of
    /// `experimental_compact_prompt_file` if there is one.
    pub compact_prompt: Option<String>,
    /// The file it came from.
    pub experimental_compact_prompt_file: Option<PathBuf>,
    /// `reasoning.effort`.
    pub model_reasoning_effort: Option<String>,
    /// `reasoning.summary`: `auto`, `concise`, `detailed` or `none`.
    pub model_reasoning_summary: Option<String>,
    /// `text.verbosity`: `low`, `medium` or `high`.
    pub model_verbosity: Option<String>,
    /// The provider's tier as configured; `fast` goes over the wire as `priority`.
    pub service_tier: Option<String>,
    /// The base instructions that replace ours: those of `model_instructions_file` if there is one.
    pub instructions: Option<String>,
    /// The file they came from.
    pub model_instructions_file: Option<PathBuf>,
    /// Goes in front of the developer message.
    pub developer_instructions: Option<String>,
    /// Whether the model is told what it may do.
    pub include_permissions_instructions: bool,
    /// Whether the model is told folder, shell, date and time zone.
    pub include_environment_context: bool,
    /// When to ask before a command runs; `None` leaves it to the front end.
    pub approval_policy: Option<ApprovalPolicy>,
    /// What commands may touch; `None` leaves it to the front end.
    pub sandbox_mode: Option<SandboxMode>,
    /// The details of [`SandboxMode::WorkspaceWrite`].
    pub sandbox_workspace_write: SandboxWorkspaceWrite,
    /// What commands cannot read in a sandbox. Absolute.
    pub sandbox_denied_reads: Vec<PathBuf>,
    /// What a command may use up, in every mode.
    pub sandbox_limits: SandboxLimits,
    /// Which variables commands get.
    pub shell_environment_policy: ShellEnvironmentPolicy,
    /// Whether commands run with the login shell's environment.
    pub allow_login_shell: bool,
    /// How much of a tool's output the model gets, in tokens; `None` is the model's usual.
    pub tool_output_token_limit: Option<u64>,
    /// The longest wait for a running command, in milliseconds.
    pub background_terminal_max_timeout: u64,
    /// How many bytes of a project's AGENTS.md files the model gets.
    pub project_doc_max_bytes: u64,
    /// File names to try where there is no AGENTS.md.
    pub project_doc_fallback_filenames: Vec<String>,
    /// What the root of a project holds.
    pub project_root_markers: Vec<String>,
    /// Whether the model's thinking is hidden from people.
    pub hide_agent_reasoning: bool,
    /// Which keys the line editor of a session goes by.
    pub edit_mode: EditMode,
    /// Tools on and off.
    pub tools: Tools,
    /// Skills on and off.
    pub skills: Skills,
    /// What is learned from turns.
    pub evolution: Evolution,
    /// Speak Chat Completions with the provider, whatever its table says.
    pub use_chat_completion: Option<bool>,
    /// Another address for the provider `openai`; already part of that provider.
    pub openai_base_url: Option<String>,
    /// Every provider there is by its id, the built-in ones among them.
    pub model_providers: BTreeMap<String, Provider>,
    /// Models that answer when the chosen one cannot; the provider's own list wins over it.
    pub fallback_models: Vec<FallbackModel>,
    /// How long a model that failed is left alone.
    pub fallback_cooldown_seconds: u64,
    /// What turns may use.
    pub limits: Limits,
    /// What models cost, by the beginning of their slug.
    pub prices: BTreeMap<String, Price>,
}

impl Config {
    /// The chosen provider. Loading made sure there is one.
    #[must_use]
    pub fn provider(&self) -> Option<&Provider> {
        self.model_providers.get(&self.model_provider)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: None,
            model_provider: "openai".to_owned(),
            model_context_window: None,
            model_auto_compact_token_limit: None,
            compact_prompt: None,
            experimental_compact_prompt_file: None,
            model_reasoning_effort: None,
            model_reasoning_summary: None,
            model_verbosity: None,
            service_tier: None,
            instructions: None,
            model_instructions_file: None,
            developer_instructions: None,
            include_permissions_instructions: true,
            include_environment_context: true,
            approval_policy: None,
            sandbox_mode: None,
            sandbox_workspace_write: SandboxWorkspaceWrite::default(),
            sandbox_denied_reads: Vec::new(),
            sandbox_limits: SandboxLimits::default(),
            shell_environment_policy: ShellEnvironmentPolicy::default(),
            allow_login_shell: true,
            tool_output_token_limit: None,
            background_terminal_max_timeout: 300_000,
            project_doc_max_bytes: 32_768,
            project_doc_fallback_filenames: Vec::new(),
            project_root_markers: vec![".git".to_owned()],
            hide_agent_reasoning: false,
            edit_mode: EditMode::Emacs,
            tools: Tools::default(),
            skills: Skills::default(),
            evolution: Evolution::default(),
            use_chat_completion: None,
            openai_base_url: None,
            model_providers: BTreeMap::new(),
            fallback_models: Vec::new(),
            fallback_cooldown_seconds: 900,
            limits: Limits::default(),
            prices: BTreeMap::new(),
        }
    }
}

/// What turns may use; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Tokens one turn may use, sent and received.
    pub tokens_per_turn: Option<u64>,
    /// US dollars all sessions together may cost in a day.
    pub cost_per_day: Option<f64>,
}

/// What a million tokens of a model cost, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Price {
    /// Tokens sent.
    pub input: f64,
    /// Those of them read from the provider's cache.
    pub cached_input: Option<f64>,
    /// Those of them written to it.
    pub cache_write: Option<f64>,
    /// Tokens the model wrote.
    pub output: f64,
}

/// When to ask before a command runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalPolicy {
    /// Unless the command is known to be harmless.
    Untrusted,
    /// When it failed in the sandbox.
    OnFailure,
    /// When the model asks to.
    OnRequest,
    /// Never.
    Never,
    /// Codex's table of single switches.
    Granular(BTreeMap<String, bool>),
}

/// Which keys a line editor goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditMode {
    /// Those of Emacs, as in most shells.
    #[default]
    Emacs,
    /// Those of vi.
    Vi,
}

/// What commands may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// They may read everything and write nothing.
    ReadOnly,
    /// They may write the session's folder and temporary files.
    WorkspaceWrite,
    /// Everything the person may.
    DangerFullAccess,
}

/// The details of [`SandboxMode::WorkspaceWrite`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SandboxWorkspaceWrite {
    /// Folders that may be written besides the session's. Absolute.
    pub writable_roots: Vec<PathBuf>,
    /// Whether commands may use the network.
    pub network_access: bool,
    /// Whether `$TMPDIR` may not be written.
    pub exclude_tmpdir_env_var: bool,
    /// Whether `/tmp` may not be written.
    pub exclude_slash_tmp: bool,
    /// Whether `.git`, `.codex` and `.agents` stay as they are in folders that may be written.
    pub protect_metadata: bool,
}

impl Default for SandboxWorkspaceWrite {
    fn default() -> Self {
        Self {
            writable_roots: Vec::new(),
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
            protect_metadata: true,
        }
    }
}

/// What a command may use up; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SandboxLimits {
    /// What one process may take for its data, in MiB.
    pub memory_mb: Option<u64>,
    /// How many processes and threads there may be beside those the person has.
    pub processes: Option<u64>,
    /// How large a file may become that a process writes, in MiB.
    pub file_size_mb: Option<u64>,
    /// How long a command may run, in seconds.
    pub wall_time_sec: Option<u64>,
}

/// Which variables commands get. Applied in the order of the fields; patterns ignore case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ShellEnvironmentPolicy {
    /// Where to start.
    pub inherit: Inherit,
    /// Whether variables whose name holds KEY, SECRET or TOKEN are kept.
    pub ignore_default_excludes: bool,
    /// Patterns of names to drop.
    pub exclude: Vec<String>,
    /// Variables to set.
    pub set: BTreeMap<String, Secret>,
    /// Patterns of names to keep; all when empty.
    pub include_only: Vec<String>,
}

impl Default for ShellEnvironmentPolicy {
    fn default() -> Self {
        Self {
            inherit: Inherit::All,
            ignore_default_excludes: true,
            exclude: Vec::new(),
            set: BTreeMap::new(),
            include_only: Vec::new(),
        }
    }
}

/// Which variables a command's environment starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inherit {
    /// All.
    All,
    /// The few a shell needs.
    Core,
    /// None.
    None,
}

/// Tools on and off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tools {
    /// Whether the tool that shows an image to the model is offered.
    pub view_image: bool,
    /// The tool that keeps a plan.
    pub update_plan: Switch,
}

impl Default for Tools {
    fn default() -> Self {
        Self { view_image: true, update_plan: Switch::default() }
    }
}

/// Something that is on unless it is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Switch {
    /// On or off.
    pub enabled: bool,
}

impl Default for Switch {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Skills on and off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Skills {
    /// Whether the model is told which skills there are.
    pub include_instructions: bool,
    /// Single skills.
    pub config: Vec<SkillSwitch>,
}

impl Default for Skills {
    fn default() -> Self {
        Self { include_instructions: true, config: Vec::new() }
    }
}

/// One skill on or off, by its name or its path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SkillSwitch {
    /// The skill's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The skill's file or folder. Absolute.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// On or off.
    #[serde(default = "on")]
    pub enabled: bool,
}

const fn on() -> bool {
    true
}

/// What is learned from turns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Evolution {
    /// How much happens by itself.
    pub mode: EvolutionMode,
    /// When turns are reviewed.
    pub trigger: EvolutionTrigger,
    /// Who reviews.
    pub reviewer: Reviewer,
    /// The model that reviews; `None` for the session's.
    pub review_model: Option<String>,
    /// Tokens that reviews by a model may use in a day.
    pub daily_tokens: u64,
    /// Requests that one review by a model may make.
    pub review_requests: u32,
    /// Tokens that one may use, sent and received.
    pub review_tokens: u64,
    /// How long one may wait for its model, in milliseconds.
    pub review_ms: u64,
    /// After how many turns that ask for none a review is made all the same.
    pub review_turns: u32,
    /// Tokens of learned text a session may begin with.
    pub start_tokens: u32,
    /// Tokens of earlier sessions a message may bring along.
    pub recall_tokens: u32,
    /// How many of a hundred exposures are left out by chance.
    pub withhold_percent: u8,
}

impl Default for Evolution {
    fn default() -> Self {
        Self {
            mode: EvolutionMode::Auto,
            trigger: EvolutionTrigger::AfterTurn,
            reviewer: Reviewer::Model,
            review_model: None,
            daily_tokens: 20_000,
            review_requests: 2,
            review_tokens: 8_000,
            review_ms: 60_000,
            review_turns: 3,
            start_tokens: 800,
            recall_tokens: 600,
            withhold_percent: 5,
        }
    }
}

/// How much is learned by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvolutionMode {
    /// Nothing is read or written.
    Off,
    /// Turns are recorded.
    Observe,
    /// What is found waits for approval.
    Suggest,
    /// What is safe comes into use at once.
    Auto,
}

/// When turns are reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvolutionTrigger {
    /// While the person is idle.
    AfterTurn,
    /// By a timer.
    Scheduled,
    /// When the person asks.
    Manual,
}

/// Who reviews turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reviewer {
    /// The program's own rules.
    Rules,
    /// A model too.
    Model,
}
