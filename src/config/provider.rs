//! Where models are: the built-in providers and those of the person's own.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::secret::Secret;
use crate::protocol::provider::{self, PROVIDERS, WireApi};

/// A server that answers requests for models.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// Its name for people.
    pub name: String,
    /// Its address up to `/responses`, or to what its protocol has instead.
    pub base_url: Option<String>,
    /// The variable that holds its key.
    pub env_key: Option<String>,
    /// What to tell a person who has not set that variable.
    pub env_key_instructions: Option<String>,
    /// The key itself.
    pub experimental_bearer_token: Option<Secret>,
    /// A command that prints the key.
    pub auth: Option<CommandAuth>,
    /// Its protocol.
    pub wire_api: String,
    /// Speak Chat Completions with it, whatever `wire_api` says.
    pub use_chat_completion: Option<bool>,
    /// Added to the address of every request.
    pub query_params: BTreeMap<String, Secret>,
    /// Headers of every request.
    pub http_headers: BTreeMap<String, Secret>,
    /// Headers whose values are in these variables.
    pub env_http_headers: BTreeMap<String, String>,
    /// How often a request that got no answer is tried again.
    pub request_max_retries: u64,
    /// How often an answer that broke off is asked for again.
    pub stream_max_retries: u64,
    /// How long an answer may be silent, in milliseconds.
    pub stream_idle_timeout_ms: u64,
    /// How long the first data of an answer may take, in milliseconds.
    pub stream_first_data_timeout_ms: Option<u64>,
    /// Models that answer when the chosen one cannot, in place of those for all providers.
    pub fallback_models: Vec<FallbackModel>,
    /// How long a model that failed is left alone, in place of the time for all providers.
    pub fallback_cooldown_seconds: Option<u64>,
    /// Whether it takes OpenAI's key when it has none of its own.
    pub requires_openai_auth: bool,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            name: String::new(),
            base_url: None,
            env_key: None,
            env_key_instructions: None,
            experimental_bearer_token: None,
            auth: None,
            wire_api: WireApi::Responses.name().to_owned(),
            use_chat_completion: None,
            query_params: BTreeMap::new(),
            http_headers: BTreeMap::new(),
            env_http_headers: BTreeMap::new(),
            request_max_retries: 4,
            stream_max_retries: 5,
            stream_idle_timeout_ms: 300_000,
            stream_first_data_timeout_ms: None,
            fallback_models: Vec::new(),
            fallback_cooldown_seconds: None,
            requires_openai_auth: false,
        }
    }
}

/// A model that answers when another one cannot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum FallbackModel {
    /// One of the same provider, by its slug.
    Slug(String),
    /// One of any provider.
    Of {
        /// Its slug.
        #[serde(default)]
        model: String,
        /// The provider's id.
        #[serde(default)]
        provider: Option<String>,
    },
}

/// A command that prints a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CommandAuth {
    /// The program.
    #[serde(default)]
    pub command: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// How long it may take, in milliseconds.
    #[serde(default = "auth_timeout")]
    pub timeout_ms: u64,
    /// How long its answer counts, in milliseconds.
    #[serde(default = "auth_refresh")]
    pub refresh_interval_ms: u64,
    /// The folder it runs in.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
}

const fn auth_timeout() -> u64 {
    5_000
}

const fn auth_refresh() -> u64 {
    300_000
}

/// What is wrong with a provider's table: the key within it, the trouble, the next step.
pub(super) type Fault = (&'static str, String, &'static str);

/// Why a provider's table cannot be used, if it cannot.
pub(super) fn fault(id: &str, provider: &Provider) -> Option<Fault> {
    if is_built_in(id) {
        let what = "is the id of a built-in provider, which cannot be changed".to_owned();
        return Some(("", what, "rename your table, for example by adding -custom, and set model_provider to that"));
    }
    if provider.name.trim().is_empty() {
        return Some(("name", "must not be empty".to_owned(), "add name = \"…\": it is what people get to read"));
    }
    if WireApi::named(&provider.wire_api).is_none() {
        let what = format!("is \"{}\", which is no protocol of models", provider.wire_api);
        return Some(("wire_api", what, "use \"responses\", \"chat\" or \"messages\""));
    }
    if provider.base_url.is_none() {
        return Some(("base_url", "is missing".to_owned(), "add base_url = \"https://…/v1\""));
    }
    match &provider.auth {
        Some(auth) if auth.command.is_empty() => Some(("auth.command", "is missing".to_owned(), "add the program")),
        Some(_) if provider.env_key.is_some() => {
            Some(("auth", "cannot stand beside env_key".to_owned(), "keep one of the two"))
        }
        _ => None,
    }
}

/// Whether an id names a built-in provider that cannot be replaced.
#[must_use]
pub fn is_built_in(id: &str) -> bool {
    provider::built_in(id).is_some_and(|row| !row.replaceable)
}

/// The built-in providers, `openai` at another address if there is one.
pub(super) fn built_in(openai_base_url: Option<&str>) -> impl Iterator<Item = (String, Provider)> {
    PROVIDERS.iter().map(move |row| {
        let base_url = openai_base_url.filter(|_| row.id == "openai").unwrap_or(row.base_url);
        let provider = Provider {
            name: row.name.to_owned(),
            base_url: Some(base_url.to_owned()),
            env_key: row.key_env.map(ToOwned::to_owned),
            wire_api: row.wire.name().to_owned(),
            requires_openai_auth: row.id == "openai",
            ..Provider::default()
        };
        (row.id.to_owned(), provider)
    })
}
