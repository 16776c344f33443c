//! The command line as it is typed.

use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

use super::evolve::EvolveCommand;
use super::json::Form;
use super::sessions::SessionsCommand;
use super::terminal::Color;
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::{Replay, Setup};

/// A coding agent for the terminal that gets sharper with use.
///
/// Without a prompt, on a terminal, it starts a session to stay in. With a prompt, or with text on standard input, it runs one turn: the answer goes to standard output, progress to standard
/// error. `hone demo` shows a whole turn without a key or a network.
#[derive(Debug, Parser)]
#[command(name = "hone", version, args_conflicts_with_subcommands = false, subcommand_precedence_over_arg = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to do it.
    #[command(flatten)]
    pub options: Options,
    /// How to run its turn.
    #[command(flatten)]
    pub turn: TurnOptions,
    /// What the agent shall do; `-` reads it from standard input. Several words are joined.
    #[arg(value_name = "PROMPT")]
    pub prompt: Vec<String>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one turn
    #[command(visible_alias = "e")]
    Exec(Exec),
    /// Go on with an earlier session
    Resume {
        /// The session's id; a list to choose from when left out.
        id: Option<String>,
        /// The latest session of this folder.
        #[arg(long, conflicts_with = "id")]
        last: bool,
        /// Sessions of all folders.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Watch a recorded turn run for real in a scratch repository: no key, no network
    Demo,
    /// Apply a patch in the current folder
    ApplyPatch {
        /// The patch; standard input when left out.
        patch: Option<String>,
    },
    /// Take back what the last turn did to files; what commands did stays
    Undo(UndoOptions),
    /// Go on with a copy of an earlier session
    Fork(Fork),
    /// Look at earlier sessions, and put them in order
    Sessions {
        /// What to do with them.
        #[command(subcommand)]
        command: SessionsCommand,
    },
    /// Learn from earlier turns, and see what was learned
    Evolve {
        /// What to do.
        #[command(subcommand)]
        command: EvolveCommand,
    },
    /// See what was used and what it cost, by day, model and session
    Usage(UsageOptions),
    /// Find what was said and done in past sessions
    Recall(RecallOptions),
    /// Give clients of the Responses API a server that speaks another format
    ResponsesServer(ResponsesServerOptions),
    /// Run a command in the sandbox that the agent's commands run in
    Sandbox(SandboxOptions),
    /// See what would be allowed, asked or refused
    Policy {
        /// What to look at.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Look at the configuration
    Config {
        /// What to look at.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// `hone usage …`
#[derive(Debug, Args)]
pub struct UsageOptions {
    /// Of the last so many days, today among them
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// At most so many sessions, those used last
    #[arg(short, value_name = "N", default_value_t = 10)]
    pub n: usize,
    /// One JSON object, with all sessions
    #[arg(long)]
    pub json: bool,
}

/// `hone exec …`
#[derive(Debug, Args)]
#[command(subcommand_precedence_over_arg = true)]
pub struct Exec {
    /// What else to do than to begin a session.
    #[command(subcommand)]
    pub command: Option<ExecCommand>,
    /// How to run its turn.
    #[command(flatten)]
    pub turn: TurnOptions,
    /// What the agent shall do; `-` reads it from standard input. Several words are joined.
    #[arg(value_name = "PROMPT")]
    pub prompt: Vec<String>,
}

/// `hone exec … COMMAND`
#[derive(Debug, Subcommand)]
pub enum ExecCommand {
    /// Go on with an earlier session
    Resume {
        /// The latest session of this folder.
        #[arg(long)]
        last: bool,
        /// With `--last`: of all folders.
        #[arg(long, requires = "last")]
        all: bool,
        /// How to run its turn.
        #[command(flatten)]
        turn: TurnOptions,
        /// The session (an id, the begin of one, a title, or `last`), then the prompt; with `--last` only the prompt.
        #[arg(value_name = "ID [PROMPT]")]
        words: Vec<String>,
    },
    /// Go on with a copy of an earlier session
    Fork(Fork),
}

/// `hone fork …` and `hone exec … fork …`
#[derive(Debug, Args)]
pub struct Fork {
    /// The latest session of this folder.
    #[arg(long)]
    pub last: bool,
    /// With `--last`: of all folders.
    #[arg(long, requires = "last")]
    pub all: bool,
    /// How to run its turn.
    #[command(flatten)]
    pub turn: TurnOptions,
    /// The session (an id, the begin of one, a title, or `last`), then the prompt; with `--last` only the prompt.
    #[arg(value_name = "ID [PROMPT]")]
    pub words: Vec<String>,
}

/// Options of one turn from the command line. They may stand before `resume` and `fork` or behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TurnOptions {
    /// Tell the turn in lines of JSON on standard output, as Codex does
    #[arg(
        long,
        alias = "experimental-json",
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "codex"
    )]
    pub json: Option<Form>,
}

impl TurnOptions {
    /// These, and those that stand behind a subcommand.
    #[must_use]
    pub fn and(self, behind: Self) -> Self {
        Self { json: behind.json.or(self.json) }
    }
}

/// `hone recall …`
#[derive(Debug, Args)]
pub struct RecallOptions {
    /// What to look for
    #[arg(required_unless_present_any = ["rebuild", "index"])]
    pub query: Vec<String>,
    /// In the sessions of all repositories, not only of this one
    #[arg(long)]
    pub all: bool,
    /// How many passages to show at most
    #[arg(long, short = 'n', default_value_t = 8)]
    pub limit: usize,
    /// Nothing older than this many days
    #[arg(long, value_name = "DAYS")]
    pub since: Option<u64>,
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Put in every session that is not in yet, however long it takes
    #[arg(long)]
    pub index: bool,
    /// Make the index anew from the session files
    #[arg(long)]
    pub rebuild: bool,
}

/// `hone responses-server …`
#[derive(Debug, Args)]
pub struct ResponsesServerOptions {
    /// The address of the server that answers, up to what its format appends
    #[arg(long, value_name = "URL")]
    pub upstream: String,
    /// The format it speaks: `chat` or `messages`
    #[arg(long, value_name = "FORMAT")]
    pub wire: String,
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Ask for this model, whatever clients ask for
    #[arg(long = "upstream-model", value_name = "MODEL")]
    pub upstream_model: Option<String>,
    /// The variable that holds the upstream server's key
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
    /// The variable that holds the token clients must send; without one, a new token is made and printed
    #[arg(long, value_name = "NAME")]
    pub token_env: Option<String>,
    /// Read the token clients must send from standard input
    #[arg(long, conflicts_with = "token_env")]
    pub token_stdin: bool,
    /// Serve whoever connects, without a token; on the loopback only
    #[arg(long, conflicts_with_all = ["token_env", "token_stdin"])]
    pub no_token: bool,
}

/// `hone undo …`
#[derive(Debug, Args)]
pub struct UndoOptions {
    /// The session; the latest of this folder when left out
    pub id: Option<String>,
    /// The latest session of this folder, which is also meant when no session is named
    #[arg(long, conflicts_with = "id")]
    pub last: bool,
    /// Make again what was undone last
    #[arg(long)]
    pub redo: bool,
    /// Also take the turn, and all after it, out of what the model remembers
    #[arg(long, conflicts_with = "redo")]
    pub chat: bool,
    /// Only show what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `hone sandbox …`
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// What it may touch: `read-only`, `workspace-write` or `danger-full-access`; like `--sandbox`
    #[arg(long, value_name = "MODE", conflicts_with = "sandbox")]
    pub mode: Option<String>,
    /// Let it use the network
    #[arg(long)]
    pub network: bool,
    /// By this mechanism, not the best one there is: `bubblewrap`, `landlock` or `seatbelt`
    #[arg(long, value_name = "MECHANISM")]
    pub with: Option<String>,
    /// Show which mechanisms work on this machine, and why others do not
    #[arg(long, exclusive = true)]
    pub probe: bool,
    /// The command, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `hone policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say what would be decided on a command, by which rule, and why
    Check(PolicyCheck),
}

/// `hone policy check …`
#[derive(Debug, Args)]
pub struct PolicyCheck {
    /// Go by the rules of this file, not by those of the home folder and the project; repeatable
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// When to ask: `untrusted`, `on-request` or `never`
    #[arg(long, value_name = "POLICY")]
    pub approval: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    /// The command, after `--`: a script in one word, or a program and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `hone config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show a key's value and where it comes from; all keys that are set when left out
    Explain {
        /// The key, such as `model` or `model_providers.mine.base_url`.
        key: Option<String>,
    },
}

/// Options that hold for every way of running a turn, before or after a subcommand.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// Work in this folder
    #[arg(short = 'C', long = "cd", value_name = "DIR", global = true)]
    pub cd: Option<PathBuf>,
    /// The model
    #[arg(short, long, value_name = "MODEL", global = true)]
    pub model: Option<String>,
    /// Use a model of this machine: the provider `--local-provider` names, else `ollama`
    #[arg(long, global = true)]
    pub oss: bool,
    /// A provider of this machine, such as `ollama`, `lmstudio` or `vllm`
    #[arg(long, value_name = "ID", global = true)]
    pub local_provider: Option<String>,
    /// Use the vLLM server at this address, in Chat Completions
    #[arg(long, value_name = "URL", global = true, conflicts_with_all = ["oss", "local_provider"])]
    pub vllm_endpoint: Option<String>,
    /// Speak Chat Completions with the provider
    #[arg(long, global = true)]
    pub use_chat_completion: bool,
    /// A profile of the configuration
    #[arg(short, long, value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// Set a key of the configuration for this run; VALUE is TOML, or text
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", global = true)]
    pub config: Vec<String>,
    /// Also write the answer to this file
    #[arg(short = 'o', long, value_name = "FILE", global = true)]
    pub output_last_message: Option<PathBuf>,
    /// Do not record the session
    #[arg(long, global = true)]
    pub ephemeral: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub color: Color,
    /// Record the model's side of the conversation as a tape
    #[arg(long, value_name = "FILE", global = true)]
    pub record: Option<PathBuf>,
    /// Let a tape speak for the model
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "record")]
    pub replay: Option<PathBuf>,
    /// What commands may touch: `read-only`, `workspace-write` or `danger-full-access`
    #[arg(short, long, value_name = "MODE", global = true)]
    pub sandbox: Option<String>,
    /// When to ask before a command runs: `untrusted`, `on-request` or `never`
    #[arg(short = 'a', long, value_name = "POLICY", global = true)]
    pub ask_for_approval: Option<String>,
    /// Run commands without asking and without a sandbox
    #[arg(long, alias = "yolo", global = true, conflicts_with_all = ["sandbox", "ask_for_approval"])]
    pub dangerously_bypass_approvals_and_sandbox: bool,
    /// Let commands write in this folder too, under `workspace-write`
    #[arg(long, value_name = "DIR", global = true)]
    pub add_dir: Vec<PathBuf>,
    /// With `exec`: work outside a repository too
    #[arg(long, global = true)]
    pub skip_git_repo_check: bool,
}

impl Options {
    /// The folder to work in, absolute and without links.
    ///
    /// # Errors
    /// It does not exist.
    pub fn working_folder(&self) -> Result<PathBuf, UserError> {
        working_folder(self.cd.as_deref())
    }

    /// What the options ask of the runtime.
    ///
    /// # Errors
    /// The folder to work in does not exist.
    pub fn setup(&self) -> Result<Setup, UserError> {
        let mut flags = Vec::new();
        if let Some(model) = &self.model {
            flags.push(("model", model.clone(), "--model"));
        }
        if let Some(provider) = self.local_provider.as_deref().or(self.oss.then_some("ollama")) {
            let flag = if self.local_provider.is_some() { "--local-provider" } else { "--oss" };
            flags.push(("model_provider", provider.to_owned(), flag));
        }
        if let Some(url) = &self.vllm_endpoint {
            let values = [
                ("model_provider", "vllm".to_owned()),
                ("model_providers.vllm.name", "vLLM".to_owned()),
                ("model_providers.vllm.base_url", with_version(url)),
                ("model_providers.vllm.wire_api", "chat".to_owned()),
            ];
            flags.extend(values.map(|(key, value)| (key, value, "--vllm-endpoint")));
        }
        let mut overrides = self.config.clone();
        overrides.extend(self.use_chat_completion.then(|| "use_chat_completion=true".to_owned()));
        if let Some(sandbox) = &self.sandbox {
            flags.push(("sandbox_mode", sandbox.clone(), "--sandbox"));
        }
        if let Some(policy) = &self.ask_for_approval {
            flags.push(("approval_policy", policy.clone(), "--ask-for-approval"));
        }
        if self.dangerously_bypass_approvals_and_sandbox {
            flags.push(("sandbox_mode", "danger-full-access".to_owned(), "--dangerously-bypass-approvals-and-sandbox"));
            flags.push(("approval_policy", "never".to_owned(), "--dangerously-bypass-approvals-and-sandbox"));
        }
        let add_dirs = self.add_dir.iter().map(|dir| existing_folder(dir, "--add-dir")).collect::<Result<_, _>>()?;
        Ok(Setup {
            add_dirs,
            cwd: self.working_folder()?,
            profile: self.profile.clone(),
            overrides,
            flags,
            ephemeral: self.ephemeral,
            record: self.record.clone(),
            environment: None,
            replay: self.replay.clone().map(Replay::File),
            source: "exec",
            cwd_named: self.cd.is_some(),
            assumes_model: false,
            restores: false,
        })
    }
}

/// An address as people write it, with the `/v1` that belongs to it when they left it out.
fn with_version(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    if host.contains('/') { url.to_owned() } else { format!("{url}/v1") }
}

/// The folder to work in, absolute: the one that was named, else the current one.
///
/// # Errors
/// It does not exist, or is no folder.
pub fn working_folder(cd: Option<&Path>) -> Result<PathBuf, UserError> {
    existing_folder(cd.unwrap_or(Path::new(".")), "-C")
}

fn existing_folder(wanted: &Path, flag: &str) -> Result<PathBuf, UserError> {
    let folder = std::path::absolute(wanted).and_then(std::fs::canonicalize);
    match folder {
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => Err(UserError::new(ErrorKind::Usage, format!("{} is not a folder", wanted.display()))
            .hint(format!("give {flag} a folder"))),
        Err(error) => Err(UserError::new(ErrorKind::Usage, format!("cannot work in {}: {error}", wanted.display()))
            .hint(format!("give {flag} an existing folder"))),
    }
}
