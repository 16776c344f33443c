//! A conversation from nothing, or from its rollout.

use std::path::Path;
use std::sync::Arc;

use super::setup::Prepared;
use crate::agent::ports::Clock;
use crate::agent::ports::{EventSink, Rollout};
use crate::agent::{Conversation, ModelSettings};
use crate::config::clock::SystemClock;
use crate::config::disk::Disk;
use crate::config::git::git_info;
use crate::config::schema::Config;
use crate::context::{self, ContextManager, ContextSettings, Permissions};
use crate::history::History;
use crate::protocol::event::{SessionInfo, TokenCount};
use crate::protocol::rollout_line::{BaseInstructions, SessionMeta, TurnContext};
use crate::protocol::{ErrorKind, Event, RolloutLine, ThreadId, UserError};
use crate::rollout::list::{self, Filter};
use crate::rollout::{self, NoRollout, Recorder};
use crate::text::time::rfc3339;
use crate::text::truncate::OutputLimit;

/// The share of a window that may be filled: the rest is for what estimates miss. Codex's figure.
const USABLE_PERCENT: u64 = 95;

/// Which session to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStart {
    /// A new one.
    New,
    /// The one with this id.
    Resume {
        /// The conversation's id.
        id: String,
    },
    /// A new one that begins with all that was said in the one with this id.
    Fork {
        /// The origin's id.
        id: String,
    },
    /// The one written to last.
    Last {
        /// Of all folders, not only of this one.
        all: bool,
    },
}

/// A session that is ready to start.
pub struct Opened {
    /// What is fixed for it.
    pub info: SessionInfo,
    /// The conversation so far.
    pub conversation: Conversation,
    /// Where it is recorded.
    pub rollout: Arc<dyn Rollout>,
}

/// What a rollout, or nothing, gives a conversation to begin with.
struct Beginning {
    thread_id: ThreadId,
    instructions: Arc<str>,
    history: History,
    tokens: TokenCount,
    recorder: Option<Recorder>,
    resumed: bool,
    title: Option<String>,
}

/// Opens a session. With `prepared.setup.restores`, a resumed one brings its folder, model and effort along, unless the
/// person named others.
///
/// # Errors
/// The session to resume is not there, cannot be read, or is open elsewhere.
pub fn open(
    prepared: &mut Prepared,
    clock: &Arc<SystemClock>,
    events: &dyn EventSink,
    start: &SessionStart,
) -> Result<Opened, UserError> {
    let path = find(prepared, start)?;
    let is_fork = matches!(start, SessionStart::Fork { .. });
    let beginning = match &path {
        Some(path) if is_fork => fork(prepared, clock, events, path)?,
        Some(path) => resume(prepared, clock, events, path)?,
        None => begin(prepared, clock),
    };
    let Beginning { thread_id, instructions, history, mut tokens, recorder, resumed, title } = beginning;
    tokens.context_window = Some(usable_window(prepared));
    let mut context = ContextManager::new(context_settings(prepared), Arc::new(Disk));
    context.adopt(history.items());
    let info = SessionInfo {
        thread_id,
        model: prepared.slug.clone(),
        provider: prepared.provider.id.clone(),
        cwd: prepared.setup.cwd.clone(),
        rollout_path: recorder.as_ref().map(|recorder| recorder.path().to_owned()),
        effort: effort(prepared),
        resumed_items: resumed.then(|| history.len()),
        title,
    };
    let model = model_settings(prepared, instructions);
    let conversation = Conversation { thread_id, history, context, tokens, window: 0, model };
    let rollout: Arc<dyn Rollout> = match recorder {
        Some(recorder) => Arc::new(recorder),
        None => Arc::new(NoRollout),
    };
    Ok(Opened { info, conversation, rollout })
}

/// Puts a conversation under what is prepared by now: another model, effort or folder.
pub fn refit(prepared: &Prepared, info: &mut SessionInfo, conversation: &mut Conversation) {
    conversation.model = model_settings(prepared, Arc::clone(&conversation.model.instructions));
    conversation.tokens.context_window = Some(usable_window(prepared));
    conversation.context.reconfigure(context_settings(prepared));
    info.model.clone_from(&prepared.slug);
    info.effort = effort(prepared);
    info.cwd.clone_from(&prepared.setup.cwd);
}

fn window(prepared: &Prepared) -> u64 {
    prepared.loaded.config.model_context_window.unwrap_or(prepared.model_info.context_window)
}

fn usable_window(prepared: &Prepared) -> u64 {
    window(prepared) * USABLE_PERCENT / 100
}

/// The file of the session to resume; `None` begins a new one.
fn find(prepared: &Prepared, start: &SessionStart) -> Result<Option<std::path::PathBuf>, UserError> {
    let home = prepared.loaded.home.dir();
    let missing = |message: String, hint: &str| Err(UserError::new(ErrorKind::Usage, message).hint(hint));
    match start {
        SessionStart::New => Ok(None),
        SessionStart::Resume { id } | SessionStart::Fork { id } => {
            let Ok(thread) = id.parse() else {
                let message = format!("`{id}` is not the id of a session");
                return missing(
                    message,
                    "an id looks like 01a1fa61-5e16-7461-9399-893050643317; --last takes the latest",
                );
            };
            match list::find(home, thread)? {
                Some(path) => Ok(Some(path)),
                None => missing(
                    format!("there is no session {id} under {}", home.join("sessions").display()),
                    "check the id, and that CODEX_HOME is the one the session was recorded in",
                ),
            }
        }
        SessionStart::Last { all } => {
            let cwd = (!all).then_some(prepared.setup.cwd.as_path());
            let filter = Filter { cwd, provider: Some(&prepared.provider.id) };
            match list::latest(home, filter)? {
                Some(path) => Ok(Some(path)),
                None if *all => missing("there is no session to resume".into(), "begin one: hone \"…\""),
                None => missing(
                    format!("there is no session of {} to resume", prepared.setup.cwd.display()),
                    "begin one, or add --all for sessions of other folders",
                ),
            }
        }
    }
}

fn begin(prepared: &Prepared, clock: &Arc<SystemClock>) -> Beginning {
    let thread_id = ThreadId::new();
    let config = &prepared.loaded.config;
    let instructions: Arc<str> = config.instructions.as_deref().unwrap_or_else(|| context::base_instructions()).into();
    let recorder = new_recorder(prepared, clock, thread_id, &instructions, None);
    Beginning {
        thread_id,
        instructions,
        history: History::new(),
        tokens: TokenCount::default(),
        recorder,
        resumed: false,
        title: None,
    }
}

fn new_recorder(
    prepared: &Prepared,
    clock: &Arc<SystemClock>,
    thread_id: ThreadId,
    instructions: &str,
    forked_from_id: Option<ThreadId>,
) -> Option<Recorder> {
    (!prepared.setup.ephemeral).then(|| {
        let meta = SessionMeta {
            id: thread_id,
            timestamp: rfc3339(clock.unix_ms()),
            cwd: prepared.setup.cwd.clone(),
            originator: prepared.provider.originator.clone(),
            cli_version: env!("CARGO_PKG_VERSION").to_owned(),
            source: prepared.setup.source.into(),
            model_provider: Some(prepared.provider.id.clone()),
            base_instructions: Some(BaseInstructions { text: instructions.to_owned() }),
            git: git_info(&prepared.setup.cwd),
            forked_from_id,
            other: serde_json::Map::new(),
        };
        Recorder::create(prepared.loaded.home.dir(), &clock.local_now(), meta, Arc::<SystemClock>::clone(clock))
    })
}

/// A new session with the history of another, whose file is left alone.
fn fork(
    prepared: &mut Prepared,
    clock: &Arc<SystemClock>,
    events: &dyn EventSink,
    path: &Path,
) -> Result<Beginning, UserError> {
    let mut beginning = read(prepared, events, path)?;
    let origin = std::mem::replace(&mut beginning.thread_id, ThreadId::new());
    beginning.recorder = new_recorder(prepared, clock, beginning.thread_id, &beginning.instructions, Some(origin));
    if let Some(recorder) = &beginning.recorder {
        for item in beginning.history.items() {
            recorder.append(&RolloutLine::Item(item.clone()))?;
        }
    }
    Ok(beginning)
}

fn resume(
    prepared: &mut Prepared,
    clock: &Arc<SystemClock>,
    events: &dyn EventSink,
    path: &Path,
) -> Result<Beginning, UserError> {
    let home = prepared.loaded.home.dir();
    // The lock comes first, so that nobody writes between our reading and our going on.
    let recorder = (!prepared.setup.ephemeral)
        .then(|| Recorder::resume(home, path, Arc::<SystemClock>::clone(clock)))
        .transpose()?;
    Ok(Beginning { recorder, ..read(prepared, events, path)? })
}

/// The conversation recorded at `path`.
fn read(prepared: &mut Prepared, events: &dyn EventSink, path: &Path) -> Result<Beginning, UserError> {
    let rollout::Loaded { meta, folded, notice } = rollout::load(path)?;
    if let Some(notice) = notice {
        events.emit(Event::Warning(notice));
    }
    if prepared.setup.restores {
        let cwd = folded.turn_context.as_ref().map_or(&meta.cwd, |context| &context.cwd);
        restore(prepared, cwd, folded.turn_context.as_deref());
    }
    let config = &prepared.loaded.config;
    let recorded = meta.base_instructions.map(|base| base.text);
    let instructions = recorded.or_else(|| config.instructions.clone());
    let tokens = folded.token_info.unwrap_or_default();
    Ok(Beginning {
        thread_id: meta.id,
        instructions: instructions.map_or_else(|| context::base_instructions().into(), Into::into),
        history: folded.history,
        tokens: TokenCount { total: tokens.total_token_usage, last: tokens.last_token_usage, context_window: None },
        recorder: None,
        resumed: true,
        title: folded.name,
    })
}

/// Goes back to the folder, model and effort of a session's last turn. What the command line names stays.
fn restore(prepared: &mut Prepared, cwd: &Path, context: Option<&TurnContext>) {
    let named = |key| prepared.setup.flags.iter().any(|(name, ..)| *name == key);
    let keeps_model = named("model");
    if !prepared.setup.cwd_named && cwd.is_dir() {
        prepared.setup.cwd = cwd.to_owned();
    }
    if let Some(context) = context.filter(|context| !keeps_model && !context.model.is_empty()) {
        prepared.choose_model(&context.model);
        prepared.loaded.config.model_reasoning_effort.clone_from(&context.effort);
    }
}

fn effort(prepared: &Prepared) -> Option<String> {
    prepared.loaded.config.model_reasoning_effort.clone().or_else(|| prepared.model_info.default_effort.clone())
}

fn model_settings(prepared: &Prepared, instructions: Arc<str>) -> ModelSettings {
    let (config, info) = (&prepared.loaded.config, &prepared.model_info);
    let limit = config.tool_output_token_limit.map(|tokens| OutputLimit::Tokens(tokens as usize));
    ModelSettings {
        slug: prepared.slug.clone(),
        instructions,
        effort: effort(prepared),
        summary: config.model_reasoning_summary.clone().filter(|summary| summary != "none"),
        verbosity: info
            .takes_verbosity()
            .then(|| config.model_verbosity.clone().or_else(|| info.default_verbosity.clone()))
            .flatten(),
        service_tier: config.service_tier.clone(),
        parallel_tool_calls: info.parallel_calls,
        output_limit: limit.unwrap_or(info.output_limit),
        cwd: prepared.setup.cwd.clone(),
        approval_policy: "never".to_owned(),
        sandbox_mode: "danger-full-access".to_owned(),
    }
}

fn context_settings(prepared: &Prepared) -> ContextSettings {
    let (config, loaded) = (&prepared.loaded.config, &prepared.loaded);
    ContextSettings {
        cwd: prepared.setup.cwd.clone(),
        codex_home: loaded.home.dir().to_owned(),
        user_home: loaded.home.user().map(Path::to_owned),
        shell: shell_name(loaded.env.get("SHELL")),
        developer_instructions: config.developer_instructions.clone(),
        include_permissions: config.include_permissions_instructions,
        include_environment: config.include_environment_context,
        project_doc_max_bytes: config.project_doc_max_bytes as usize,
        project_doc_fallback_filenames: config.project_doc_fallback_filenames.clone(),
        project_root_markers: config.project_root_markers.clone(),
        permissions: Permissions {
            sandbox_mode: "danger-full-access".to_owned(),
            network: true,
            approval_policy: "never".to_owned(),
            writable_roots: Vec::new(),
        },
        include_skills: config.skills.include_instructions,
        disabled_skills: disabled_skills(config),
        context_window: Some(window(prepared)),
    }
}

fn disabled_skills(config: &Config) -> Vec<String> {
    config.skills.config.iter().filter(|switch| !switch.enabled).filter_map(|switch| switch.name.clone()).collect()
}

fn shell_name(shell: Option<&str>) -> String {
    let name = shell.and_then(|shell| Path::new(shell).file_name()).and_then(|name| name.to_str());
    name.unwrap_or("sh").to_owned()
}
