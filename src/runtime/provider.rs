//! The provider a turn talks to: the configuration's tables, with keys and headers looked up.

use std::time::Duration;

use crate::config::auth::{self, Login};
use crate::config::provider::FallbackModel;
use crate::config::{Environment, Loaded, provider as configured};
use crate::model::Spare;
use crate::model::provider::{Provider, Secret};
use crate::model::retry;
use crate::protocol::provider::{WireApi, built_in};
use crate::protocol::{ErrorKind, UserError};

/// Who asks, in the header `originator`. Programs that drive this one set the variable to say who they are.
const ORIGINATOR_VARIABLE: &str = "CODEX_INTERNAL_ORIGINATOR_OVERRIDE";

/// The chosen provider, ready to be asked.
///
/// # Errors
/// There is no key and nothing else to talk to.
pub fn resolve(loaded: &Loaded) -> Result<Provider, UserError> {
    named(loaded, &loaded.config.model_provider)
}

/// The models to fall back to. One whose provider cannot be asked is left out, and why is said in `warnings`.
///
/// # Errors
/// One names no model, or a provider that is not there.
pub fn spares(loaded: &Loaded, warnings: &mut Vec<String>) -> Result<Vec<Spare>, UserError> {
    let config = &loaded.config;
    let own = config.provider().map(|provider| &provider.fallback_models).filter(|own| !own.is_empty());
    let mut spares = Vec::new();
    for entry in own.unwrap_or(&config.fallback_models) {
        let (model, id) = match entry {
            FallbackModel::Slug(model) => (model, None),
            FallbackModel::Of { model, provider } => (model, provider.as_ref()),
        };
        if model.is_empty() {
            let error = UserError::new(ErrorKind::Usage, "fallback_models: an entry names no model");
            return Err(error.hint("write each as \"SLUG\", or as { model = \"SLUG\", provider = \"ID\" }"));
        }
        let foreign = id.filter(|id| **id != config.model_provider);
        if let Some(id) = foreign.filter(|id| !config.model_providers.contains_key(*id)) {
            let message = format!("fallback_models: there is no model provider `{id}`");
            return Err(UserError::new(ErrorKind::Usage, message)
                .hint(format!("add a table [model_providers.{id}], or name one that is there")));
        }
        match foreign.map(|id| named(loaded, id)).transpose() {
            Ok(provider) => spares.push(Spare { model: model.clone(), provider }),
            Err(error) => warnings.push(format!("{model} cannot be fallen back to: {}", error.message)),
        }
    }
    Ok(spares)
}

/// How long a model that failed is left alone.
#[must_use]
pub fn cooldown(loaded: &Loaded) -> Duration {
    let own = loaded.config.provider().and_then(|provider| provider.fallback_cooldown_seconds);
    Duration::from_secs(own.unwrap_or(loaded.config.fallback_cooldown_seconds))
}

fn named(loaded: &Loaded, id: &str) -> Result<Provider, UserError> {
    let (config, env) = (&loaded.config, &loaded.env);
    let Some(table) = config.model_providers.get(id) else {
        return Err(UserError::new(ErrorKind::Usage, format!("Model provider `{id}` not found")));
    };
    let base_url = table.base_url.as_deref().unwrap_or_default();
    let mut provider = built_in(id).map_or_else(|| Provider::new(id, &table.name, base_url), Provider::from);
    base_url.clone_into(&mut provider.base_url);
    // What holds for all is meant for the chosen provider; a fallback's table knows better.
    let for_all = config.use_chat_completion.filter(|_| *id == config.model_provider);
    let chat = for_all.or(table.use_chat_completion).unwrap_or(false);
    provider.wire = if chat { WireApi::Chat } else { WireApi::named(&table.wire_api).unwrap_or_default() };
    let login = table.requires_openai_auth.then(|| auth::login(&loaded.home)).flatten();
    provider.key = key(table, env, id).or_else(|| match &login {
        Some(Login::Key(key)) => Some(Secret::new(key.expose())),
        _ => None,
    });
    provider.key_env = table.env_key.clone().filter(|_| table.experimental_bearer_token.is_none());
    provider.key_env_instructions.clone_from(&table.env_key_instructions);
    if provider.key.is_none() && id == "openai" {
        return Err(nothing_to_talk_to(login == Some(Login::ChatGpt)));
    }
    if let (None, Some(variable)) = (&provider.key, &provider.key_env) {
        return Err(retry::missing_key(variable, table.env_key_instructions.as_deref()).into());
    }
    provider.query_params = exposed(&table.query_params);
    provider.http_headers.extend(exposed(&table.http_headers));
    let rows = built_in(id).map_or(&[][..], |row| row.env_http_headers).iter().map(|(h, v)| (*h, *v));
    let own = table.env_http_headers.iter().map(|(header, variable)| (header.as_str(), variable.as_str()));
    for (header, variable) in rows.chain(own) {
        if let Some(value) = env.get(variable).filter(|value| !value.trim().is_empty()) {
            provider.http_headers.push((header.to_owned(), value.to_owned()));
        }
    }
    provider.request_max_retries = table.request_max_retries.min(100) as u32;
    provider.stream_max_retries = table.stream_max_retries.min(100) as u32;
    provider.stream_idle_timeout = Duration::from_millis(table.stream_idle_timeout_ms);
    provider.first_data_timeout = table.stream_first_data_timeout_ms.filter(|ms| *ms > 0).map(Duration::from_millis);
    if let Some(originator) = env.get(ORIGINATOR_VARIABLE) {
        originator.clone_into(&mut provider.originator);
    }
    Ok(provider)
}

/// The variables that hold keys of providers: commands never get them.
#[must_use]
pub fn key_variables(loaded: &Loaded) -> Vec<String> {
    let tables = loaded.config.model_providers.values();
    let named = tables.filter_map(|table| table.env_key.clone());
    named.chain(["CODEX_API_KEY".to_owned()]).collect()
}

/// The secrets of a configuration and its environment, word for word: whatever is kept beside a conversation is kept without them.
#[must_use]
pub fn secrets(loaded: &Loaded) -> Vec<String> {
    let variables = key_variables(loaded).into_iter().chain(["OPENAI_API_KEY".to_owned()]);
    let set = variables.filter_map(|name| loaded.env.get(&name).map(str::to_owned));
    let tables = loaded.config.model_providers.values();
    let written =
        tables.filter_map(|table| table.experimental_bearer_token.as_ref().map(|token| token.expose().to_owned()));
    let login = match auth::login(&loaded.home) {
        Some(Login::Key(key)) => Some(key.expose().to_owned()),
        _ => None,
    };
    let mut secrets: Vec<String> = set.chain(written).chain(login).filter(|secret| !secret.trim().is_empty()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

fn key(table: &configured::Provider, env: &Environment, id: &str) -> Option<Secret> {
    if let Some(token) = &table.experimental_bearer_token {
        return Some(Secret::new(token.expose()));
    }
    // Codex lets a script pass a key for one run without touching the person's own.
    let one_run = (id == "openai").then_some("CODEX_API_KEY");
    let fallback = table.requires_openai_auth.then_some("OPENAI_API_KEY");
    let variables = one_run.into_iter().chain(table.env_key.as_deref()).chain(fallback);
    variables.filter_map(|name| env.get(name)).find(|key| !key.trim().is_empty()).map(Secret::new)
}

fn exposed(table: &std::collections::BTreeMap<String, crate::config::secret::Secret>) -> Vec<(String, String)> {
    table.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
}

fn nothing_to_talk_to(has_chatgpt_login: bool) -> UserError {
    let lines = "set a key:             export OPENAI_API_KEY=sk-…, or put that line into ~/.codex/.env\n        \
                 use a local server:    hone -c model_provider=ollama -m MODEL \"…\"   (or lmstudio)\n        \
                 look without either:   hone demo";
    let login = if has_chatgpt_login { ", and a ChatGPT login works in Codex alone" } else { "" };
    let message = format!("there is no model to talk to: OPENAI_API_KEY is not set{login}");
    UserError::new(ErrorKind::Auth, message).hint(lines)
}
