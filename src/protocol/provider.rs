//! The providers everybody has without configuring them. The configuration lists them beside the person's own; the model
//! client knows their headers from here.

/// A provider everybody has without configuring it.
#[derive(Clone, Copy, Debug)]
pub struct ProviderRow {
    /// Its key in the configuration.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its address.
    pub base_url: &'static str,
    /// The environment variable that holds its key.
    pub key_env: Option<&'static str>,
    /// Headers and the environment variables their values come from; left out when unset or blank.
    pub env_http_headers: &'static [(&'static str, &'static str)],
    /// Headers with fixed values.
    pub http_headers: &'static [(&'static str, &'static str)],
}

/// The built-in providers. A configuration can add others but not replace these.
pub const PROVIDERS: &[ProviderRow] = &[
    ProviderRow {
        id: "openai",
        name: "OpenAI",
        base_url: "https://api.openai.com/v1",
        key_env: Some("OPENAI_API_KEY"),
        env_http_headers: &[("openai-organization", "OPENAI_ORGANIZATION"), ("openai-project", "OPENAI_PROJECT")],
        http_headers: &[("version", env!("CARGO_PKG_VERSION"))],
    },
    local("ollama", "Ollama", "http://localhost:11434/v1"),
    local("lmstudio", "LM Studio", "http://localhost:1234/v1"),
];

const fn local(id: &'static str, name: &'static str, base_url: &'static str) -> ProviderRow {
    ProviderRow { id, name, base_url, key_env: None, env_http_headers: &[], http_headers: &[] }
}

/// The built-in provider with this id.
#[must_use]
pub fn built_in(id: &str) -> Option<&'static ProviderRow> {
    PROVIDERS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found() {
        for row in PROVIDERS {
            assert_eq!(built_in(row.id).map(|found| found.base_url), Some(row.base_url));
        }
        assert!(built_in("nope").is_none());
    }
}
