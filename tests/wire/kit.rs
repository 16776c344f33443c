//! A client with short delays, and what came out of it.

use futures_util::StreamExt;
use hone::agent::ports::{Completion, ModelClient, ModelEvent};
use hone::model::{Provider, ResponsesClient};
use hone::protocol::prompt::Purpose;
use hone::protocol::{Item, ModelError, Prompt, Role, ThreadId, Toolset, TurnId};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A provider at `base_url` that loses no time between attempts.
pub fn provider(base_url: &str) -> Provider {
    Provider {
        backoff_unit: Duration::from_millis(1),
        header_timeout: Duration::from_secs(10),
        stream_idle_timeout: Duration::from_secs(10),
        ..Provider::new("fake", "Fake", base_url)
    }
}

/// A conversation of one message.
pub fn prompt() -> Prompt {
    Prompt {
        model: "gpt-x".into(),
        instructions: "Be brief.".into(),
        items: vec![Item::message(Role::User, &["hi"])],
        tools: Arc::new(Toolset::new(Vec::new())),
        parallel_tool_calls: true,
        effort: None,
        summary: None,
        verbosity: None,
        service_tier: None,
        output_schema: None,
        thread_id: ThreadId::new(),
        turn_id: TurnId::new(),
        window: 0,
        purpose: Purpose::Turn,
        turn_state: Arc::new(OnceLock::new()),
    }
}

/// Everything a response said.
#[derive(Debug, Default)]
pub struct Heard {
    pub deltas: String,
    pub items: Vec<Item>,
    pub notices: Vec<String>,
    pub rate_limits: Vec<serde_json::Value>,
    pub completion: Option<Completion>,
    pub error: Option<ModelError>,
}

impl Heard {
    /// The error that ended the response.
    pub fn error(&self) -> &ModelError {
        assert!(self.completion.is_none());
        self.error.as_ref().unwrap()
    }

    /// The texts of the finished messages.
    pub fn texts(&self) -> Vec<String> {
        self.items.iter().map(Item::text).collect()
    }
}

/// Listens to one response of `client`, and checks what every stream must keep to: nothing follows its end.
pub async fn listen(client: &ResponsesClient, prompt: Prompt) -> Heard {
    let mut heard = Heard::default();
    let mut stream = client.stream(prompt);
    while let Some(event) = stream.next().await {
        assert!(heard.completion.is_none() && heard.error.is_none(), "{event:?} after the end");
        match event {
            Ok(ModelEvent::MessageDelta(text) | ModelEvent::ReasoningDelta(text)) => heard.deltas += &text,
            Ok(ModelEvent::ItemDone(item)) => heard.items.push(item),
            Ok(ModelEvent::Notice(text)) => heard.notices.push(text),
            Ok(ModelEvent::RateLimits(limits)) => heard.rate_limits.push(limits),
            Ok(ModelEvent::Completed(completion)) => heard.completion = Some(completion),
            Err(error) => heard.error = Some(error),
        }
    }
    assert!(heard.completion.is_some() || heard.error.is_some(), "the stream ended without an end");
    heard
}

/// Listens to one response of a client of its own.
pub async fn ask(provider: Provider) -> Heard {
    let listening = async { listen(&ResponsesClient::new(provider, None), prompt()).await };
    tokio::time::timeout(Duration::from_secs(30), listening).await.unwrap()
}
