//! Who serves the models: addresses, keys, limits.
//!
//! Nothing here reads the environment or a file. The runtime resolves keys and headers and hands over plain values.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::ports::BoxFuture;
use crate::protocol::provider::{ProviderRow, WireApi};
use crate::text::backoff;

/// A value that must not be shown. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes a secret. Blank space around it, such as the newline of a key file, is dropped.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(value.trim().into())
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Tells a key anew whenever one is needed.
pub trait KeySource: Send + Sync {
    /// The key to use now.
    ///
    /// # Errors
    /// There is none; the text says why, for the person.
    fn key(&self) -> BoxFuture<'_, Result<Secret, String>>;
}

impl fmt::Debug for dyn KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(…)")
    }
}

/// A server of models, everything resolved.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The key of `[model_providers.<id>]`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Where `/responses` is appended, or what its format has instead.
    pub base_url: String,
    /// The format it speaks.
    pub wire: WireApi,
    /// What goes into `authorization: Bearer …`.
    pub key: Option<Secret>,
    /// Where to ask for the key when it is not fixed.
    pub key_source: Option<Arc<dyn KeySource>>,
    /// The environment variable the key was looked for in. With one named and no key found, a request fails and says so.
    pub key_env: Option<String>,
    /// How to get a key, for people.
    pub key_env_instructions: Option<String>,
    /// Appended to the address as `?name=value`.
    pub query_params: Vec<(String, String)>,
    /// Further headers, sent as they are.
    pub http_headers: Vec<(String, String)>,
    /// How many times an attempt that got no stream is made again.
    pub request_max_retries: u32,
    /// How many times a broken stream is asked for again.
    pub stream_max_retries: u32,
    /// How long the first event of a stream may take, connecting and retries of the request layer included.
    pub first_data_timeout: Option<Duration>,
    /// The longest silence between two events of a stream. Comments do not count as events, as in Codex.
    pub stream_idle_timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long the answer's head may take, from the start of the attempt.
    pub header_timeout: Duration,
    /// The first delay between attempts; tests make it short.
    pub backoff_unit: Duration,
    /// `originator`: which front end asks.
    pub originator: String,
    /// `user-agent`.
    pub user_agent: String,
    /// The request's `store`. Azure answers items by id only when it has stored them.
    pub store: bool,
}

impl Provider {
    /// A provider at `base_url` with the usual limits, no key and no headers of its own.
    #[must_use]
    pub fn new(id: &str, name: &str, base_url: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            wire: WireApi::Responses,
            key: None,
            key_source: None,
            key_env: None,
            key_env_instructions: None,
            query_params: Vec::new(),
            http_headers: Vec::new(),
            request_max_retries: 4,
            stream_max_retries: 5,
            first_data_timeout: None,
            stream_idle_timeout: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(15),
            header_timeout: Duration::from_secs(300),
            backoff_unit: backoff::UNIT,
            originator: "hone".to_owned(),
            user_agent: concat!("hone/", env!("CARGO_PKG_VERSION")).to_owned(),
            store: is_azure(name, base_url),
        }
    }
}

impl From<&ProviderRow> for Provider {
    /// The row with the usual limits; the key and the headers that come from the environment are still missing.
    fn from(row: &ProviderRow) -> Self {
        let headers = row.http_headers.iter();
        Self {
            key_env: row.key_env.map(str::to_owned),
            wire: row.wire,
            http_headers: headers.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..Self::new(row.id, row.name, row.base_url)
        }
    }
}

/// Whether this is one of the addresses Azure serves models at.
fn is_azure(name: &str, base_url: &str) -> bool {
    const HOSTS: &[&str] = &["openai.azure.", "cognitiveservices.azure.", "aoai.azure.", "azure-api.", "azurefd."];
    let url = base_url.to_ascii_lowercase();
    name.eq_ignore_ascii_case("azure")
        || HOSTS.iter().any(|host| url.contains(host))
        || url.contains("windows.net/openai")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_shows_in_debug_output() {
        let provider = Provider { key: Some(Secret::new(" k-123\n")), ..Provider::new("p", "P", "http://x") };
        assert!(!format!("{provider:?}").contains("k-123"));
        assert_eq!(provider.key.unwrap().expose(), "k-123");
    }

    #[test]
    fn only_azure_stores() {
        for (name, url, store) in [
            ("OpenAI", "https://api.openai.com/v1", false),
            ("Azure", "https://proxy.example/v1", true),
            ("mine", "https://x.openai.azure.com/openai", true),
            ("mine", "http://localhost:1", false),
        ] {
            assert_eq!(Provider::new("p", name, url).store, store, "{url}");
        }
    }

    #[test]
    fn rows_become_providers() {
        let openai = Provider::from(crate::protocol::provider::built_in("openai").unwrap());
        assert_eq!(openai.key_env.as_deref(), Some("OPENAI_API_KEY"));
        assert_eq!(openai.http_headers[0].0, "version");
    }
}
