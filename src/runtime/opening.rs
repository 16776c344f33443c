//! A conversation from nothing, or from its rollout.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::containment;
use super::setup::Prepared;
use crate::agent::ports::Clock;
use crate::agent::ports::{EventSink, Rollout};
use crate::agent::{CompactionSettings, Conversation, ModelSettings};
use crate::config::clock::SystemClock;
use crate::config::disk::Disk;
use crate::config::git::git_info;
use crate::config::schema::Config;
use crate::context::{self, ContextManager, ContextSettings, Permissions};
use crate::exec::Containment;
use crate::history::{History, compaction};
use crate::protocol::event::{SessionInfo, TokenCount};
use crate::protocol::rollout_line::{BaseInstructions, SessionMeta, TurnContext};
use crate::protocol::{Event, ThreadId, UserError};
use crate::rollout::list::Filter;
use crate::rollout::resolve::resolve;
use crate::rollout::{self, NoRollout, Origin, Recorder};
use crate::sandbox::{Mechanism, Mode, Sandbox};
use crate::text::time::rfc3339;
use crate::text::truncate::OutputLimit;

/// The share of a window that may be filled: the rest is for what estimates miss. Codex's figure.
const USABLE_PERCENT: u64 = 95;

/// Which session to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStart {
    /// A new one.
    New,
    /// An earlier one.
    Resume {
        /// The conversation's id, the begin of it, its title, or `last`.
        id: String,
    },
    /// The one written to last.
    Last {
        /// Of all folders, not only of this one.
        all: bool,
    },
    /// A new one that begins with all that another one said so far.
    Fork {
        /// That one, like [`SessionStart::Resume`]'s; the one written to last when left out.
        id: Option<String>,
        /// The one written to last of all folders, not only of this one.
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
    /// How often the history was replaced, and the last summary; `None` for a new conversation.
    resumed: Option<(u32, Option<String>)>,
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
    let beginning = match start {
        SessionStart::New => begin(prepared, clock),
        SessionStart::Resume { id } => resume(prepared, clock, events, &find(prepared, id, false)?)?,
        SessionStart::Last { all } => resume(prepared, clock, events, &find(prepared, "last", *all)?)?,
        SessionStart::Fork { id, all } => {
            let path = find(prepared, id.as_deref().unwrap_or("last"), *all)?;
            fork(prepared, clock, events, &path)?
        }
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
        sandbox: prepared.sandbox_name(),
        rollout_path: recorder.as_ref().map(|recorder| recorder.path().to_owned()),
        effort: effort(prepared),
        resumed_items: resumed.as_ref().map(|_| history.len()),
        title,
    };
    let model = model_settings(prepared, instructions);
    let (compactions, summary) = resumed.unwrap_or_default();
    let conversation = Conversation { thread_id, history, context, tokens, window: compactions, summary, model };
    let rollout: Arc<dyn Rollout> = match recorder {
        Some(recorder) => Arc::new(recorder),
        None => Arc::new(NoRollout),
    };
    Ok(Opened { info, conversation, rollout })
}

/// The file of the session a person means.
fn find(prepared: &Prepared, id: &str, all: bool) -> Result<PathBuf, UserError> {
    let cwd = (!all).then_some(prepared.setup.cwd.as_path());
    resolve(prepared.loaded.home.dir(), id, Filter { cwd, provider: Some(&prepared.provider.id) })
}

/// Puts a conversation under what is prepared by now: another model, effort or folder.
pub fn refit(prepared: &Prepared, info: &mut SessionInfo, conversation: &mut Conversation) {
    conversation.model = model_settings(prepared, Arc::clone(&conversation.model.instructions));
    conversation.tokens.context_window = Some(usable_window(prepared));
    conversation.context.reconfigure(context_settings(prepared));
    info.model.clone_from(&prepared.slug);
    info.effort = effort(prepared);
    info.sandbox = prepared.sandbox_name();
    info.cwd.clone_from(&prepared.setup.cwd);
}

fn window(prepared: &Prepared) -> u64 {
    prepared.loaded.config.model_context_window.unwrap_or(prepared.model_info.context_window)
}

fn usable_window(prepared: &Prepared) -> u64 {
    window(prepared) * USABLE_PERCENT / 100
}

fn begin(prepared: &Prepared, clock: &Arc<SystemClock>) -> Beginning {
    let thread_id = ThreadId::new();
    let config = &prepared.loaded.config;
    let instructions: Arc<str> = config.instructions.as_deref().unwrap_or_else(|| context::base_instructions()).into();
    let recorder = (!prepared.setup.ephemeral).then(|| {
        let meta = description(prepared, clock, thread_id, &instructions);
        Recorder::create(prepared.loaded.home.dir(), &clock.local_now(), meta, Arc::<SystemClock>::clone(clock))
    });
    Beginning {
        thread_id,
        instructions,
        history: History::new(),
        tokens: TokenCount::default(),
        recorder,
        resumed: None,
        title: None,
    }
}

/// What a session that begins now is.
fn description(prepared: &Prepared, clock: &SystemClock, id: ThreadId, instructions: &str) -> SessionMeta {
    SessionMeta {
        id,
        timestamp: rfc3339(clock.unix_ms()),
        cwd: prepared.setup.cwd.clone(),
        originator: prepared.provider.originator.clone(),
        cli_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: prepared.setup.source.into(),
        model_provider: Some(prepared.provider.id.clone()),
        base_instructions: Some(BaseInstructions { text: instructions.to_owned() }),
        git: git_info(&prepared.setup.cwd),
        forked_from_id: None,
        other: serde_json::Map::new(),
    }
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
    let loaded = rollout::load(path)?;
    let thread_id = loaded.meta.id;
    Ok(go_on(prepared, events, loaded, thread_id, recorder).0)
}

fn fork(
    prepared: &mut Prepared,
    clock: &Arc<SystemClock>,
    events: &dyn EventSink,
    path: &Path,
) -> Result<Beginning, UserError> {
    // Another process may be writing to the origin; all that counts is what it holds at this moment.
    let origin = Origin::open(path)?;
    let loaded = rollout::load_first(path, origin.len())?;
    let (mut beginning, was) = go_on(prepared, events, loaded, ThreadId::new(), None);
    if !prepared.setup.ephemeral {
        let mut meta = description(prepared, clock, beginning.thread_id, &beginning.instructions);
        meta.forked_from_id = Some(was.id);
        // The origin's lines are copied as they are, so the fork's are numbered as they are.
        meta.other.extend(was.other.into_iter().filter(|(key, _)| key == "history_mode"));
        let clock: Arc<SystemClock> = Arc::clone(clock);
        let home = prepared.loaded.home.dir();
        beginning.recorder = Some(Recorder::fork(home, &clock.local_now(), meta, origin, clock)?);
    }
    Ok(beginning)
}

/// The beginning that goes on with what a file says, and what that file's session is.
fn go_on(
    prepared: &mut Prepared,
    events: &dyn EventSink,
    loaded: rollout::Loaded,
    thread_id: ThreadId,
    recorder: Option<Recorder>,
) -> (Beginning, Box<SessionMeta>) {
    let rollout::Loaded { mut meta, folded, notice } = loaded;
    if let Some(notice) = notice {
        events.emit(Event::Warning(notice));
    }
    if prepared.setup.restores {
        let cwd = folded.turn_context.as_ref().map_or(&meta.cwd, |context| &context.cwd);
        restore(prepared, cwd, folded.turn_context.as_deref());
    }
    let recorded = meta.base_instructions.take().map(|base| base.text);
    let instructions = recorded.or_else(|| prepared.loaded.config.instructions.clone());
    let tokens = folded.token_info.unwrap_or_default();
    let beginning = Beginning {
        thread_id,
        instructions: instructions.map_or_else(|| context::base_instructions().into(), Into::into),
        history: folded.history,
        tokens: TokenCount { total: tokens.total_token_usage, last: tokens.last_token_usage, context_window: None },
        recorder,
        resumed: Some((folded.compactions, folded.summary)),
        title: folded.name,
    };
    (beginning, meta)
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
        approval_policy: super::permissions::approval(&prepared.loaded).name().to_owned(),
        sandbox_mode: containment::mode(&prepared.loaded).name().to_owned(),
        compaction: compaction_settings(prepared),
    }
}

fn compaction_settings(prepared: &Prepared) -> CompactionSettings {
    let config = &prepared.loaded.config;
    CompactionSettings {
        limit: compaction::limit(window(prepared), config.model_auto_compact_token_limit),
        prompt: config.compact_prompt.as_deref().map(Arc::from),
        remote: prepared.provider.id == "openai",
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
        permissions: permissions(prepared),
        include_skills: config.skills.include_instructions,
        disabled_skills: disabled_skills(config),
        context_window: Some(window(prepared)),
    }
}

/// What the model is told about what it may do.
fn permissions(prepared: &Prepared) -> Permissions {
    let containment = prepared.sandbox();
    let sandbox = containment.as_ref().map(Containment::sandbox);
    let spec = sandbox.map(Sandbox::spec).filter(|spec| spec.contains());
    Permissions {
        sandbox_mode: containment::mode(&prepared.loaded).name().to_owned(),
        network: spec.is_none_or(|spec| spec.network),
        approval_policy: super::permissions::approval(&prepared.loaded).name().to_owned(),
        writable_roots: spec.map(|spec| spec.writable.clone()).unwrap_or_default(),
        protected: spec.is_some_and(|spec| spec.mode == Mode::WorkspaceWrite && spec.read_only.len() > 1),
        fixed_entries: sandbox.is_some_and(|sandbox| {
            sandbox.mechanism() == Some(Mechanism::Landlock)
                && spec.is_some_and(|spec| spec.mode == Mode::WorkspaceWrite)
        }),
    }
}

fn disabled_skills(config: &Config) -> Vec<String> {
    config.skills.config.iter().filter(|switch| !switch.enabled).filter_map(|switch| switch.name.clone()).collect()
}

fn shell_name(shell: Option<&str>) -> String {
    let name = shell.and_then(|shell| Path::new(shell).file_name()).and_then(|name| name.to_str());
    name.unwrap_or("sh").to_owned()
}
