//! The providers everybody has without configuring them. The configuration lists them beside the person's own; the model
//! client knows their headers from here.

use serde::{Deserialize, Serialize};

/// The format a provider is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireApi {
    /// OpenAI's Responses API.
    #[default]
    Responses,
    /// Chat Completions.
    Chat,
    /// Anthropic's Messages.
    Messages,
}

impl WireApi {
    /// Every format by the name the configuration has for it.
    pub const ALL: &[(&str, Self)] =
        &[("responses", Self::Responses), ("chat", Self::Chat), ("messages", Self::Messages)];

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, wire)| *wire)
    }

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
            Self::Messages => "messages",
        }
    }

    /// What is appended to a provider's address.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat/completions",
            Self::Messages => "messages",
        }
    }
}

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
    /// The format it speaks.
    pub wire: WireApi,
    /// Whether a table of the same id in the configuration takes its place.
    pub replaceable: bool,
}

/// The built-in providers. A configuration can add others, and replace those that say so.
pub const PROVIDERS: &[ProviderRow] = &[
    ProviderRow {
        id: "openai",
        name: "OpenAI",
        base_url: "https://api.openai.com/v1",
        key_env: Some("OPENAI_API_KEY"),
        env_http_headers: &[("openai-organization", "OPENAI_ORGANIZATION"), ("openai-project", "OPENAI_PROJECT")],
        http_headers: &[("version", env!("CARGO_PKG_VERSION"))],
        wire: WireApi::Responses,
        replaceable: false,
    },
    local("ollama", "Ollama", "http://localhost:11434/v1"),
    local("lmstudio", "LM Studio", "http://localhost:1234/v1"),
    ProviderRow {
        key_env: Some("ANTHROPIC_API_KEY"),
        wire: WireApi::Messages,
        replaceable: true,
        ..local("anthropic", "Anthropic", "https://api.anthropic.com/v1")
    },
    ProviderRow {
        key_env: Some("OPENROUTER_API_KEY"),
        replaceable: true,
        ..local("openrouter", "OpenRouter", "https://openrouter.ai/api/v1")
    },
    ProviderRow { replaceable: true, ..local("vllm", "vLLM", "http://localhost:8000/v1") },
];

const fn local(id: &'static str, name: &'static str, base_url: &'static str) -> ProviderRow {
    ProviderRow {
        id,
        name,
        base_url,
        key_env: None,
        env_http_headers: &[],
        http_headers: &[],
        wire: WireApi::Responses,
        replaceable: false,
    }
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
