//! The keys a configuration can hold.
//!
//! [`KEYS`] is the one list of them: what is checked, what `config explain` says and the table in
//! `docs/configuration.md` come from it. A key this program uses has a field in [`Config`](super::schema::Config) as well;
//! the others are Codex's, listed so that a Codex user's file brings no warnings. To add a key: its line here, its field
//! there.

use super::path;

/// One key, or one table of keys.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name within its table.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// The built-in value as TOML; empty when there is none.
    pub default: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Whether this program uses it.
    pub used: bool,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is not empty.
    Name,
    /// A text that is not shown to anyone.
    Secret,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// One of these texts, or a table.
    ChoiceOrTable(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number that is not negative.
    Count,
    /// A number that is not negative.
    Amount,
    /// A file or folder. A relative one starts at the folder of the file that names it, on the command line at the
    /// folder of the session; `~/` is the home folder.
    Path,
    /// Files or folders.
    Paths,
    /// Texts.
    Texts,
    /// A table of texts with names of the person's choice.
    TextMap,
    /// The same; values are hidden where their name sounds like a secret.
    SecretMap,
    /// A table with these keys.
    Table(&'static [Key]),
    /// An array of such tables.
    Tables(&'static [Key]),
    /// Texts, or tables with these keys in their place.
    TextsOrTables(&'static [Key]),
    /// Tables with these keys, each under a name of the person's choice.
    Named(&'static [Key]),
    /// Whatever it is, it is kept.
    Anything,
}

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc, used: true }
}

const fn unused(name: &'static str) -> Key {
    let doc = "Codex knows this key; this program does not use it.";
    Key { name, kind: Kind::Anything, default: "", doc, used: false }
}

const SUMMARIES: &[&str] = &["auto", "concise", "detailed", "none"];
const VERBOSITIES: &[&str] = &["low", "medium", "high"];
const APPROVALS: &[&str] = &["untrusted", "on-failure", "on-request", "never"];
const SANDBOXES: &[&str] = &["read-only", "workspace-write", "danger-full-access"];
const INHERIT: &[&str] = &["all", "core", "none"];
const TRUST: &[&str] = &["trusted", "untrusted"];
const PROVIDERS: &str = "The provider's id: `openai`, `anthropic`, `openrouter`, `ollama`, `lmstudio`, `vllm`, or one of `[model_providers]`.";

/// Every key at the top of a file, those in use first.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("model", Kind::Name, "", "The model's slug."),
    key("model_provider", Kind::Name, r#""openai""#, PROVIDERS),
    key("model_context_window", Kind::Count, "", "The model's window in tokens, when it is not the one we know."),
    key("model_auto_compact_token_limit", Kind::Count, "", "Compact a conversation of this many tokens; never later than at nine tenths of the window."),
    key("compact_prompt", Kind::Text, "", "Asks for the summary when a conversation is compacted, in place of our words."),
    key("experimental_compact_prompt_file", Kind::Path, "", "The same from a file; it wins over `compact_prompt`."),
    key("model_reasoning_effort", Kind::Name, "", "How hard the model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or what else the model knows."),
    key("model_reasoning_summary", Kind::Choice(SUMMARIES), "", "How the model sums up its thinking."),
    key("model_verbosity", Kind::Choice(VERBOSITIES), "", "How much the model writes."),
    key("service_tier", Kind::Name, "", "The provider's tier: `fast`, `flex` or an id of the provider's."),
    key("instructions", Kind::Text, "", "Replaces the base instructions."),
    key("model_instructions_file", Kind::Path, "", "The same from a file; it wins over `instructions`."),
    key("developer_instructions", Kind::Text, "", "Added in front of the developer message."),
    key("include_permissions_instructions", Kind::Bool, "true", "Tell the model what it may do."),
    key("include_environment_context", Kind::Bool, "true", "Tell the model folder, shell, date and time zone."),
    key("approval_policy", Kind::ChoiceOrTable(APPROVALS), "", "When to ask before a command runs; by the trust in the project when left out."),
    key("sandbox_mode", Kind::Choice(SANDBOXES), "", "What commands may touch; by the trust in the project when left out."),
    key("sandbox_workspace_write", Kind::Table(SANDBOX_WORKSPACE_WRITE), "", "The details of `workspace-write`."),
    key("sandbox_denied_reads", Kind::Paths, "[]", "What commands cannot read in a sandbox."),
    key("sandbox_limits", Kind::Table(SANDBOX_LIMITS), "", "What a command may use up, in every mode."),
    key("shell_environment_policy", Kind::Table(SHELL_ENVIRONMENT_POLICY), "", "Which variables commands get."),
    key("allow_login_shell", Kind::Bool, "true", "Run commands with the login shell's environment."),
    key("tool_output_token_limit", Kind::Count, "", "How much of a tool's output the model gets, in tokens."),
    key("background_terminal_max_timeout", Kind::Count, "300000", "The longest wait for a running command, in milliseconds."),
    key("project_doc_max_bytes", Kind::Count, "32768", "How much of all AGENTS.md the model gets; 0 for none."),
    key("project_doc_fallback_filenames", Kind::Texts, "[]", "File names to try where there is no AGENTS.md."),
    key("project_root_markers", Kind::Texts, r#"[".git"]"#, "What the root of a project holds; `[]` looks at no parent folder."),
    key("hide_agent_reasoning", Kind::Bool, "false", "Do not show the model's thinking."),
    key("edit_mode", Kind::Choice(&["emacs", "vi"]), "\"emacs\"", "Which keys the prompt of a session goes by."),
    key("tools", Kind::Table(TOOLS), "", "Tools on and off."),
    key("skills", Kind::Table(SKILLS), "", "Skills on and off."),
    key("evolution", Kind::Table(EVOLUTION), "", "What is learned from turns."),
    key("use_chat_completion", Kind::Bool, "", "Speak Chat Completions with the provider, whatever its table says."),
    key("openai_base_url", Kind::Name, "", "Another address for the provider `openai`; the variable `OPENAI_BASE_URL` does the same."),
    key("model_providers", Kind::Named(MODEL_PROVIDER), "", "Providers of your own."),
    key("fallback_models", Kind::TextsOrTables(FALLBACK), "[]", "Models that answer, in this order, when the chosen one cannot: each a slug, or a table of `model` and `provider`."),
    key("fallback_cooldown_seconds", Kind::Count, "900", "How long a model that failed is left alone; 0 to ask it again at once."),
    key("limits", Kind::Table(LIMITS), "", "What turns may use."),
    key("prices", Kind::Named(PRICE), "", "What models cost, by the beginning of their slug."),
    key("projects", Kind::Named(PROJECT), "", "What you think of projects, by their absolute path."),
    key("profile", Kind::Name, "", "The profile to use when there is no `--profile`."),
    key("profiles", Kind::Anything, "", "Tables of keys that replace others when their profile is chosen."),
    // Codex's keys that change nothing here.
    unused("agents"),
    unused("allow_symlinked_codex_home"),
    unused("analytics"),
    unused("approvals_reviewer"),
    unused("apps"),
    unused("apps_mcp_product_sku"),
    unused("audio"),
    unused("auto_review"),
    unused("chatgpt_base_url"),
    unused("check_for_update_on_startup"),
    unused("cli_auth_credentials_store"),
    unused("cloud"),
    unused("default_permissions"),
    unused("disable_paste_burst"),
    unused("disable_response_storage"),
    unused("experimental_realtime_start_instructions"),
    unused("experimental_realtime_webrtc_call_base_url"),
    unused("experimental_realtime_ws_backend_prompt"),
    unused("experimental_realtime_ws_base_url"),
    unused("experimental_realtime_ws_model"),
    unused("experimental_realtime_ws_startup_context"),
    unused("experimental_thread_store"),
    unused("experimental_thread_store_endpoint"),
    unused("experimental_use_unified_exec_tool"),
    unused("features"),
    unused("feedback"),
    unused("file_opener"),
    unused("forced_chatgpt_workspace_id"),
    unused("forced_login_method"),
    unused("ghost_snapshot"),
    unused("history"),
    unused("hooks"),
    unused("include_apps_instructions"),
    unused("include_collaboration_mode_instructions"),
    unused("js_repl_node_module_dirs"),
    unused("js_repl_node_path"),
    unused("log_dir"),
    unused("marketplaces"),
    unused("mcp_enterprise_managed_auth"),
    unused("mcp_oauth_callback_port"),
    unused("mcp_oauth_callback_url"),
    unused("mcp_oauth_credentials_store"),
    unused("mcp_optional_startup_grace_ms"),
    unused("mcp_servers"),
    unused("memories"),
    unused("model_auto_compact_token_limit_scope"),
    unused("model_catalog_json"),
    unused("model_post_turn_compact_threshold_percent"),
    unused("notice"),
    unused("notify"),
    unused("orchestrator"),
    unused("oss_provider"),
    unused("otel"),
    unused("permissions"),
    unused("personality"),
    unused("plan_mode_reasoning_effort"),
    unused("plugins"),
    unused("realtime"),
    unused("responses_api_metadata"),
    unused("review_model"),
    unused("show_raw_agent_reasoning"),
    unused("sqlite_home"),
    unused("suppress_unstable_features_warning"),
    unused("thread_unload_delay_secs"),
    unused("tool_suggest"),
    unused("tui"),
    unused("web_search"),
    unused("windows"),
    unused("windows_wsl_setup_acknowledged"),
];

#[rustfmt::skip]
const SANDBOX_WORKSPACE_WRITE: &[Key] = &[
    key("writable_roots", Kind::Paths, "[]", "Folders that may be written besides the session's."),
    key("network_access", Kind::Bool, "false", "Commands may use the network."),
    key("exclude_tmpdir_env_var", Kind::Bool, "false", "`$TMPDIR` may not be written."),
    key("exclude_slash_tmp", Kind::Bool, "false", "`/tmp` may not be written."),
    key("protect_metadata", Kind::Bool, "true", "`.git`, `.codex` and `.agents` stay as they are in folders that may be written."),
];

const SANDBOX_LIMITS: &[Key] = &[
    key("memory_mb", Kind::Count, "", "What one process may take for its data, in MiB."),
    key(
        "processes",
        Kind::Count,
        "",
        "How many processes and threads there may be beside yours; root is not held to it.",
    ),
    key("file_size_mb", Kind::Count, "", "How large a file may become that a process writes, in MiB."),
    key("wall_time_sec", Kind::Count, "", "How long a command may run, in seconds."),
];

#[rustfmt::skip]
const SHELL_ENVIRONMENT_POLICY: &[Key] = &[
    key("inherit", Kind::Choice(INHERIT), r#""all""#, "Where to start: everything, the few variables a shell needs, or nothing."),
    key("ignore_default_excludes", Kind::Bool, "true", "Keep variables whose name holds KEY, SECRET or TOKEN."),
    key("exclude", Kind::Texts, "[]", "Patterns of names to drop, such as `AWS_*`."),
    key("set", Kind::SecretMap, "{}", "Variables to set."),
    key("include_only", Kind::Texts, "[]", "Patterns of names to keep; all when empty."),
    unused("experimental_use_profile"),
];

const TOOLS: &[Key] = &[
    key("view_image", Kind::Bool, "true", "Offer the tool that shows an image to the model."),
    key("update_plan", Kind::Table(SWITCH), "", "The tool that keeps a plan."),
    unused("web_search"),
    unused("experimental_request_user_input"),
];

const SWITCH: &[Key] = &[key("enabled", Kind::Bool, "true", "On or off.")];

#[rustfmt::skip]
const EVOLUTION: &[Key] = &[
    key("mode", Kind::Choice(&["off", "observe", "suggest", "auto"]), "\"auto\"", "How much is learned by itself: nothing, records only, proposals that wait for you, or what is safe at once."),
    key("trigger", Kind::Choice(&["after_turn", "scheduled", "manual"]), "\"after_turn\"", "When turns are reviewed: while you are idle, by a timer, or when you run `hone evolve run`."),
    key("reviewer", Kind::Choice(&["rules", "model"]), "\"model\"", "Who reviews: the program's own rules alone, or a model too where they are not enough."),
    key("review_model", Kind::Name, "", "The model that reviews; the session's when left out."),
    key("daily_tokens", Kind::Count, "20000", "Tokens that reviews by a model may use in a day, sent and received."),
    key("review_requests", Kind::Count, "2", "Requests that one review by a model may make: one, and one more when the answer cannot be read."),
    key("review_tokens", Kind::Count, "8000", "Tokens that one review by a model may use, sent and received."),
    key("review_ms", Kind::Count, "60000", "How long one review may wait for its model, in milliseconds."),
    key("review_turns", Kind::Count, "3", "After how many turns that ask for none turns are reviewed all the same."),
    key("start_tokens", Kind::Count, "800", "Tokens of learned text a session may begin with."),
    key("recall_tokens", Kind::Count, "600", "Tokens of earlier sessions a message may bring along; 0 for none."),
    key("withhold_percent", Kind::Count, "5", "How many of a hundred things worth showing are left out by chance, to measure what showing them does."),
];

const SKILLS: &[Key] = &[
    key("include_instructions", Kind::Bool, "true", "Tell the model which skills there are."),
    key("config", Kind::Tables(SKILL), "[]", "Single skills on and off, each by `name` or `path`."),
    unused("bundled"),
];

const SKILL: &[Key] = &[
    key("name", Kind::Name, "", "The skill's name."),
    key("path", Kind::Path, "", "The skill's file or folder."),
    key("enabled", Kind::Bool, "true", "On or off."),
];

const PROJECT: &[Key] =
    &[key("trust_level", Kind::Choice(TRUST), "", "Whether the project's own `.codex/config.toml` counts.")];

#[rustfmt::skip]
const LIMITS: &[Key] = &[
    key("tokens_per_turn", Kind::Count, "", "Tokens one turn may use, sent and received, before it stops."),
    key("cost_per_day", Kind::Amount, "", "US dollars all sessions together may cost in a day before turns stop."),
];

#[rustfmt::skip]
const PRICE: &[Key] = &[
    key("input", Kind::Amount, "", "US dollars for a million tokens sent."),
    key("cached_input", Kind::Amount, "", "The same for those read from the provider's cache; as `input` when left out."),
    key("cache_write", Kind::Amount, "", "The same for those written to it; as `input` when left out."),
    key("output", Kind::Amount, "", "US dollars for a million tokens the model wrote."),
];

const FALLBACK: &[Key] = &[
    key("model", Kind::Name, "", "The model's slug."),
    key("provider", Kind::Name, "", "The provider's id; that of the chosen model when left out."),
];

#[rustfmt::skip]
const MODEL_PROVIDER: &[Key] = &[
    key("name", Kind::Text, "", "Its name for people. Required."),
    key("base_url", Kind::Name, "", "Its address up to `/responses`, or to what its protocol has instead."),
    key("env_key", Kind::Name, "", "The variable that holds its key."),
    key("env_key_instructions", Kind::Text, "", "What to tell a person who has not set that variable."),
    key("experimental_bearer_token", Kind::Secret, "", "The key itself; a variable is safer."),
    key("auth", Kind::Table(COMMAND_AUTH), "", "A command that prints the key; instead of `env_key`."),
    key("wire_api", Kind::Name, r#""responses""#, "Its protocol: `responses`, `chat` (Chat Completions) or `messages` (Anthropic)."),
    key("use_chat_completion", Kind::Bool, "", "Speak Chat Completions with it, whatever `wire_api` says."),
    key("query_params", Kind::SecretMap, "{}", "Added to the address of every request."),
    key("http_headers", Kind::SecretMap, "{}", "Headers of every request."),
    key("env_http_headers", Kind::TextMap, "{}", "Headers whose values are in these variables."),
    key("request_max_retries", Kind::Count, "4", "How often a request that got no answer is tried again."),
    key("stream_max_retries", Kind::Count, "5", "How often an answer that broke off is asked for again."),
    key("stream_idle_timeout_ms", Kind::Count, "300000", "How long an answer may be silent, in milliseconds."),
    key("stream_first_data_timeout_ms", Kind::Count, "", "How long the first data of an answer may take, in milliseconds, before another model is asked; no limit when left out."),
    key("fallback_models", Kind::TextsOrTables(FALLBACK), "[]", "The same as `fallback_models` above for this provider, and wins over it."),
    key("fallback_cooldown_seconds", Kind::Count, "", "The same as `fallback_cooldown_seconds` above for this provider, and wins over it."),
    key("requires_openai_auth", Kind::Bool, "false", "It takes OpenAI's key when it has none of its own."),
    unused("aws"),
    unused("gateway_oauth"),
    unused("model_catalog_url"),
    unused("supports_standalone_web_search"),
    unused("supports_websockets"),
    unused("websocket_connect_timeout_ms"),
];

#[rustfmt::skip]
const COMMAND_AUTH: &[Key] = &[
    key("command", Kind::Name, "", "The program."),
    key("args", Kind::Texts, "[]", "Its arguments."),
    key("timeout_ms", Kind::Count, "5000", "How long it may take, in milliseconds."),
    key("refresh_interval_ms", Kind::Count, "300000", "How long its answer counts, in milliseconds."),
    key("cwd", Kind::Path, "", "The folder it runs in."),
];

/// Keys a project's own file may not set: they decide where conversations and keys go, and what runs.
pub const NOT_FOR_PROJECTS: &[&str] = &[
    "openai_base_url",
    "chatgpt_base_url",
    "model_provider",
    "model_providers",
    "fallback_models",
    "limits",
    "prices",
    "notify",
    "profile",
    "profiles",
    "projects",
    "experimental_realtime_ws_base_url",
    "otel",
];

impl Kind {
    /// The keys of a table of this kind.
    #[must_use]
    pub const fn keys(self) -> &'static [Key] {
        match self {
            Self::Table(keys) | Self::Tables(keys) | Self::TextsOrTables(keys) | Self::Named(keys) => keys,
            _ => &[],
        }
    }
}

/// The key at a path, the names of the person's choice in it left out of account.
#[must_use]
pub fn find(segments: &[String]) -> Option<&'static Key> {
    let (mut keys, mut found) = (KEYS, None);
    let mut segments = segments.iter();
    while let Some(segment) = segments.next() {
        let key = keys.iter().find(|key| key.name == segment)?;
        found = Some(key);
        match key.kind {
            Kind::Table(inner) => keys = inner,
            Kind::Named(inner) => {
                segments.next();
                keys = inner;
            }
            Kind::Tables(_)
            | Kind::TextsOrTables(_)
            | Kind::TextMap
            | Kind::SecretMap
            | Kind::ChoiceOrTable(_)
            | Kind::Anything => {
                return found;
            }
            _ => keys = &[],
        }
    }
    found
}

/// Every key that is no table of keys, with its path; `NAME` stands for a name of the person's choice.
#[must_use]
pub fn leaves() -> Vec<(String, &'static Key)> {
    let mut out = Vec::new();
    collect("", KEYS, &mut out);
    out
}

fn collect(prefix: &str, keys: &'static [Key], out: &mut Vec<(String, &'static Key)>) {
    for key in keys {
        let mut path = prefix.to_owned();
        path::push(&mut path, key.name);
        match key.kind {
            Kind::Table(inner) => collect(&path, inner, out),
            Kind::Named(inner) => collect(&format!("{path}.NAME"), inner, out),
            _ => out.push((path, key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_path() {
        for (path, expected) in [
            ("model", Some("model")),
            ("model_providers.x.base_url", Some("base_url")),
            ("model_providers.x.http_headers.A", Some("http_headers")),
            ("model_providers.x", Some("model_providers")),
            ("tui.anything.at.all", Some("tui")),
            ("model.x", None),
            ("tools.nope", None),
            ("modle", None),
        ] {
            let found = find(&path::split(path).unwrap());
            assert_eq!(found.map(|key| key.name), expected, "{path}");
        }
    }

    #[test]
    fn no_table_lists_a_key_twice() {
        fn check(keys: &[Key]) {
            for (index, key) in keys.iter().enumerate() {
                assert!(keys[..index].iter().all(|earlier| earlier.name != key.name), "{}", key.name);
                check(key.kind.keys());
            }
        }
        check(KEYS);
    }
}
