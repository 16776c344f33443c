//! A [`Prompt`] as a `POST {base_url}/responses`: address, headers, body.
//!
//! What stays the same from request to request comes first in the body and the conversation after it, so that each
//! request begins with the bytes of the one before. The conversation's items are joined, never written anew.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::body::{Body, BodyWriter};
use super::provider::{Provider, Secret};
use super::retry;
use super::wire::messages::VERSION as MESSAGES_VERSION;
use super::wire::tools::Tools;
use super::wire::translate::{Translated, translate};
use crate::protocol::error::{ModelError, ModelErrorCause as Cause};
use crate::protocol::prompt::{Prompt, Purpose};
use crate::protocol::provider::WireApi;

/// The header a server asks to get back for the rest of a turn.
pub const TURN_STATE: &str = "x-codex-turn-state";

/// Where a Messages server looks for the key.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Everything of a request, ready to be sent more than once.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address.
    pub url: Url,
    /// The headers, the key among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// The tools it offers, where the answer must be translated back.
    pub tools: Option<Tools>,
}

impl Request {
    /// The request that asks `provider` for a response to `prompt`.
    ///
    /// # Errors
    /// The provider lacks its key, or its address or headers cannot be used.
    pub fn new(provider: &Provider, key: Option<&Secret>, prompt: &Prompt) -> Result<Self, ModelError> {
        let (url, headers) = (url(provider)?, headers(provider, key, prompt)?);
        let body = body(prompt, provider.store);
        if provider.wire == WireApi::Responses {
            return Ok(Self { url, headers, body, tools: None });
        }
        let responses = serde_json::from_slice(&body.to_vec())
            .map_err(|error| unusable(provider, &format!("the conversation cannot be translated: {error}")))?;
        let translated = translate(provider.wire, &responses);
        let (body, tools) = translated.map_or((body, None), |Translated { body, tools }| (whole(&body), Some(tools)));
        Ok(Self { url, headers, body, tools })
    }
}

impl Request {
    /// The request that asks `provider` for a response to `request`, a body of the Responses API.
    ///
    /// # Errors
    /// The provider's address or key cannot be used.
    pub fn translated(provider: &Provider, request: &Value) -> Result<Self, ModelError> {
        let translated = translate(provider.wire, request);
        let (body, tools) = match translated {
            Some(Translated { body, tools }) => (whole(&body), Some(tools)),
            None => (whole(request), None),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let messages = provider.wire == WireApi::Messages;
        if messages {
            headers.insert("anthropic-version", HeaderValue::from_static(MESSAGES_VERSION));
        }
        if let Some(key) = &provider.key {
            let (name, value) = match messages {
                true => (X_API_KEY, key.expose().to_owned()),
                false => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            };
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| unusable(provider, "the key holds characters headers cannot"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self { url: url(provider)?, headers, body, tools })
    }
}

fn whole(body: &Value) -> Body {
    let mut writer = BodyWriter::default();
    writer.share(&Bytes::from(body.to_string()));
    writer.finish()
}

fn unusable(provider: &Provider, what: &str) -> ModelError {
    retry::fatal(Cause::BadRequest, format!("model provider `{}`: {what}", provider.id))
}

fn url(provider: &Provider) -> Result<Url, ModelError> {
    let base = provider.base_url.trim_end_matches('/');
    let mut url = Url::parse(&format!("{base}/{}", provider.wire.path()))
        .map_err(|error| unusable(provider, &format!("`base_url` is `{base}`, which is no address: {error}")))?;
    if !provider.query_params.is_empty() {
        url.query_pairs_mut().extend_pairs(&provider.query_params);
    }
    Ok(url)
}

fn headers(provider: &Provider, key: Option<&Secret>, prompt: &Prompt) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut add = |name: HeaderName, value: &str| -> Result<(), ModelError> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            unusable(provider, &format!("the value of header `{name}` holds characters headers cannot"))
        })?;
        headers.insert(name, value);
        Ok(())
    };
    match (key, &provider.key_env) {
        (Some(key), _) if provider.wire == WireApi::Messages => add(X_API_KEY, key.expose())?,
        (Some(key), _) => add(AUTHORIZATION, &format!("Bearer {}", key.expose()))?,
        (None, Some(env)) => return Err(retry::missing_key(env, provider.key_env_instructions.as_deref())),
        (None, None) => {}
    }
    if provider.wire == WireApi::Messages {
        add(HeaderName::from_static("anthropic-version"), MESSAGES_VERSION)?;
    }
    let thread = prompt.thread_id.to_string();
    add(HeaderName::from_static("originator"), &provider.originator)?;
    add(USER_AGENT, &provider.user_agent)?;
    for name in ["session-id", "thread-id", "x-client-request-id"] {
        add(HeaderName::from_static(name), &thread)?;
    }
    add(HeaderName::from_static("x-codex-window-id"), &window_id(prompt))?;
    if let Some(state) = prompt.turn_state.get() {
        add(HeaderName::from_static(TURN_STATE), state)?;
    }
    for (name, value) in &provider.http_headers {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| unusable(provider, &format!("`{name}` is no name a header can have")))?;
        add(parsed, value)?;
    }
    for name in [AUTHORIZATION, X_API_KEY] {
        if let Some(key) = headers.get_mut(name) {
            key.set_sensitive(true);
        }
    }
    Ok(headers)
}

fn window_id(prompt: &Prompt) -> String {
    format!("{}:{}", prompt.thread_id, prompt.window)
}

fn body(prompt: &Prompt, store: bool) -> Body {
    let mut writer = BodyWriter::default();
    writer.push(b"{");
    write_fields(&mut writer, &stable_fields(prompt, store));
    if prompt.purpose != Purpose::Compaction {
        writer.push(b",\"tools\":");
        match prompt.tools.responses_json.is_empty() {
            true => writer.push(b"[]"),
            false => writer.share(&prompt.tools.responses_json),
        }
    }
    writer.push(b",\"input\":[");
    for (index, item) in prompt.items.iter().enumerate() {
        if index > 0 {
            writer.push(b",");
        }
        writer.share(item.json());
    }
    writer.push(b"],");
    write_fields(&mut writer, &turn_fields(prompt));
    writer.push(b"}");
    writer.finish()
}

/// The fields that do not change while a conversation goes on as it began.
fn stable_fields(prompt: &Prompt, store: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("model".into(), prompt.model.as_str().into());
    fields.insert("stream".into(), true.into());
    fields.insert("store".into(), store.into());
    fields.insert("include".into(), json!(["reasoning.encrypted_content"]));
    fields.insert("prompt_cache_key".into(), prompt.thread_id.to_string().into());
    fields.insert("tool_choice".into(), "auto".into());
    let parallel = prompt.parallel_tool_calls && prompt.purpose != Purpose::Compaction;
    fields.insert("parallel_tool_calls".into(), parallel.into());
    let reasoning = present([
        ("effort", prompt.effort.as_deref().map(Value::from)),
        ("summary", prompt.summary.as_deref().filter(|summary| *summary != "none").map(Value::from)),
    ]);
    let format = prompt
        .output_schema
        .as_deref()
        .map(|schema| json!({"type": "json_schema", "strict": true, "schema": schema, "name": "codex_output_schema"}));
    let text = present([("verbosity", prompt.verbosity.as_deref().map(Value::from)), ("format", format)]);
    let tier = prompt.service_tier.as_deref().map(|tier| if tier == "fast" { "priority" } else { tier });
    fields.extend(present([
        ("reasoning", (!reasoning.is_empty()).then(|| reasoning.into())),
        ("text", (!text.is_empty()).then(|| text.into())),
        ("service_tier", tier.map(Value::from)),
        ("instructions", Some((*prompt.instructions).into())),
    ]));
    fields
}

/// The fields that change from turn to turn, behind everything a cache could keep.
fn turn_fields(prompt: &Prompt) -> Map<String, Value> {
    let thread = prompt.thread_id.to_string();
    let metadata = json!({
        "session_id": thread, "thread_id": thread, "turn_id": prompt.turn_id.to_string(), "x-codex-window-id": window_id(prompt),
    });
    Map::from_iter([("client_metadata".to_owned(), metadata)])
}

fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Writes `fields` without the braces around them.
fn write_fields(writer: &mut BodyWriter, fields: &Map<String, Value>) {
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            writer.push(b",");
        }
        writer.push(Value::from(name.as_str()).to_string().as_bytes());
        writer.push(b":");
        writer.share(&Bytes::from(value.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::prompt::{ToolForm, ToolSpec, Toolset};
    use crate::protocol::{Item, Role, ThreadId, TurnId};
    use std::sync::{Arc, OnceLock};

    use super::super::provider::Secret;

    fn prompt() -> Prompt {
        let tool = ToolSpec {
            name: "t".into(),
            description: "d".into(),
            form: ToolForm::Function { parameters: json!({"type": "object"}) },
            parallel: true,
        };
        Prompt {
            model: "gpt-x".into(),
            instructions: "Be \"good\".".into(),
            items: vec![Item::message(Role::User, &["hi"])],
            tools: Arc::new(Toolset::new(&[tool])),
            parallel_tool_calls: true,
            effort: None,
            summary: None,
            verbosity: None,
            service_tier: None,
            output_schema: None,
            thread_id: ThreadId::new(),
            turn_id: TurnId::new(),
            window: 2,
            purpose: Purpose::Turn,
            turn_state: Arc::new(OnceLock::new()),
        }
    }

    fn sent(prompt: &Prompt) -> Value {
        serde_json::from_slice(&body(prompt, false).to_vec()).unwrap()
    }

    #[test]
    fn a_bare_prompt_sends_what_every_request_needs() {
        let prompt = prompt();
        let thread = prompt.thread_id.to_string();
        assert_eq!(
            sent(&prompt),
            json!({
                "model": "gpt-x", "instructions": "Be \"good\".", "stream": true, "store": false,
                "include": ["reasoning.encrypted_content"], "prompt_cache_key": thread, "tool_choice": "auto",
                "parallel_tool_calls": true,
                "tools": [{"type": "function", "name": "t", "description": "d", "strict": false, "parameters": {"type": "object"}}],
                "input": [prompt.items[0].to_value()],
                "client_metadata": {"session_id": thread, "thread_id": thread, "turn_id": prompt.turn_id.to_string(), "x-codex-window-id": format!("{thread}:2")},
            })
        );
    }

    #[test]
    fn options_travel_where_the_api_wants_them() {
        let schema = json!({"type": "object"});
        let sent = sent(&Prompt {
            effort: Some("high".into()),
            summary: Some("auto".into()),
            verbosity: Some("low".into()),
            service_tier: Some("fast".into()),
            output_schema: Some(Arc::new(schema.clone())),
            ..prompt()
        });
        assert_eq!(sent["reasoning"], json!({"effort": "high", "summary": "auto"}));
        assert_eq!(sent["service_tier"], "priority");
        assert_eq!(
            sent["text"],
            json!({"verbosity": "low", "format": {"type": "json_schema", "strict": true, "schema": schema, "name": "codex_output_schema"}})
        );
    }

    #[test]
    fn a_compaction_offers_no_tools() {
        let sent = sent(&Prompt { purpose: Purpose::Compaction, ..prompt() });
        assert_eq!(sent.get("tools"), None);
        assert_eq!(sent["parallel_tool_calls"], false);
    }

    #[test]
    fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
        let mut prompt = prompt();
        let short = body(&prompt, false).to_vec();
        prompt.items.push(Item::message(Role::User, &["more"]));
        prompt.turn_id = TurnId::new();
        let long = body(&prompt, false).to_vec();
        let end_of_input = short.windows(2).rposition(|pair| pair == b"],").unwrap();
        assert_eq!(short[..end_of_input], long[..end_of_input]);
    }

    #[test]
    fn headers_name_the_conversation_and_provider_ones_win() {
        let mut provider = Provider::new("p", "P", "http://h/v1/");
        provider.key = Some(Secret::new("k"));
        provider.http_headers = vec![("User-Agent".into(), "mine".into()), ("x-team".into(), "a".into())];
        provider.query_params = vec![("api-version".into(), "2026 a".into())];
        let prompt = prompt();
        prompt.turn_state.set("sticky".into()).unwrap();
        let request = Request::new(&provider, provider.key.as_ref(), &prompt).unwrap();
        assert_eq!(request.url.as_str(), "http://h/v1/responses?api-version=2026+a");
        let thread = prompt.thread_id.to_string();
        for (name, value) in [
            ("authorization", "Bearer k"),
            ("accept", "text/event-stream"),
            ("content-type", "application/json"),
            ("user-agent", "mine"),
            ("x-team", "a"),
            ("session-id", &thread),
            ("thread-id", &thread),
            ("x-client-request-id", &thread),
            ("x-codex-window-id", &format!("{thread}:2")),
            (TURN_STATE, "sticky"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert!(!format!("{request:?}").contains("Bearer"));
    }

    #[test]
    fn what_cannot_be_sent_says_which_setting_is_wrong() {
        let provider = Provider::new("mine", "P", "http://h");
        for (provider, part) in [
            (Provider { base_url: "not an address".into(), ..provider.clone() }, "`base_url` is `not an address`"),
            (Provider { key: Some(Secret::new("a\nb")), ..provider.clone() }, "header `authorization`"),
            (Provider { http_headers: vec![("a b".into(), "c".into())], ..provider.clone() }, "`a b` is no name"),
            (Provider { key_env: Some("FAKE_KEY".into()), ..provider }, "Missing environment variable: `FAKE_KEY`."),
        ] {
            let error = Request::new(&provider, provider.key.as_ref(), &prompt()).unwrap_err();
            assert!(error.message.contains(part), "{error}");
        }
    }
}
