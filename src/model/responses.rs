//! The client for servers of models. It thinks in the Responses API; what other servers say is translated event by event.

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use serde_json::json;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

use super::http::{self, Answer, MAX_RETRIES, Transport};
use super::provider::{Provider, Secret};
use super::record::{End, Recorder, Recording};
use super::request::{Request, TURN_STATE};
use super::sse::{self, Events};
use super::wire::{Decoder, Said};
use super::{events, limits, retry};
use crate::agent::ports::{Completion, ModelClient, ModelEvent, ModelStream};
use crate::protocol::error::ModelErrorCause;
use crate::protocol::{Item, ModelError, Prompt};
use crate::text::backoff;

/// How long the end of a complete response is looked out for.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

type Body = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send>>;

/// Streams responses of one provider. Cheap to make: the connection comes about at the first request, and all requests
/// share it.
pub struct ResponsesClient(Arc<Shared>);

struct Shared {
    provider: Provider,
    recorder: Option<Recorder>,
    transport: OnceLock<Result<Transport, ModelError>>,
}

impl ResponsesClient {
    /// A client of `provider`, which writes what it hears to `recorder`.
    #[must_use]
    pub fn new(provider: Provider, recorder: Option<Recorder>) -> Self {
        Self(Arc::new(Shared { provider, recorder, transport: OnceLock::new() }))
    }
}

impl ModelClient for ResponsesClient {
    fn stream(&self, prompt: Prompt) -> ModelStream {
        let shared = Arc::clone(&self.0);
        Box::pin(stream::unfold(State::Start(Box::new(prompt)), move |state| {
            let shared = Arc::clone(&shared);
            async move { shared.step(state).await }
        }))
    }

    fn stream_max_retries(&self) -> u32 {
        self.0.provider.stream_max_retries.min(MAX_RETRIES)
    }

    fn backoff(&self, attempt: u32) -> Duration {
        backoff::backoff(self.0.provider.backoff_unit, attempt, http::random())
    }
}

/// How far a response is.
enum State {
    Start(Box<Prompt>),
    Reading(Box<Reader>),
    End,
}

impl Shared {
    async fn step(&self, state: State) -> Option<(Result<ModelEvent, ModelError>, State)> {
        let mut reader = match state {
            State::Start(prompt) => match self.open_in_time(&prompt).await {
                Ok(reader) => Box::new(reader),
                Err(error) => return Some((Err(error), State::End)),
            },
            State::Reading(reader) => reader,
            State::End => return None,
        };
        let next = reader.next().await;
        match next {
            Ok(ModelEvent::Completed(_)) => reader.finish(),
            Ok(_) => return Some((next, State::Reading(reader))),
            Err(_) => {}
        }
        Some((next, State::End))
    }

    async fn key(&self) -> Result<Option<Secret>, ModelError> {
        match &self.provider.key_source {
            Some(source) => source.key().await.map(Some).map_err(|why| retry::fatal(ModelErrorCause::Auth, why)),
            None => Ok(self.provider.key.clone()),
        }
    }

    /// Opens a response whose first event is due at a time of its own.
    async fn open_in_time(&self, prompt: &Prompt) -> Result<Reader, ModelError> {
        let Some(limit) = self.provider.first_data_timeout else { return self.open(prompt).await };
        let deadline = Instant::now() + limit;
        match timeout_at(deadline, self.open(prompt)).await {
            Ok(reader) => Ok(Reader { first: Some((deadline, limit)), ..reader? }),
            Err(_) => Err(retry::no_first_data(limit)),
        }
    }

    async fn open(&self, prompt: &Prompt) -> Result<Reader, ModelError> {
        let key = self.key().await?;
        let request = Request::new(&self.provider, key.as_ref(), prompt)?;
        let transport = self.transport.get_or_init(|| Transport::new(&self.provider));
        let transport = transport.as_ref().map_err(Clone::clone)?;
        let recorder = self.recorder.clone().map(|recorder| recorder.hiding(key).of(prompt));
        let answer = transport.open(&self.provider, &request, recorder.as_ref()).await?;
        if let Some(state) = answer.headers.get(TURN_STATE).and_then(|state| state.to_str().ok()) {
            prompt.turn_state.get_or_init(|| state.to_owned());
        }
        let seed = uuid::Uuid::now_v7().simple().to_string();
        let decoder = request.tools.and_then(|tools| Decoder::new(self.provider.wire, tools, seed));
        Ok(Reader::new(answer, prompt, self.provider.stream_idle_timeout, decoder))
    }
}

/// Reads one response.
struct Reader {
    events: Events<Body>,
    idle: Duration,
    /// When the first event is due, and how long it was given; `None` once it came.
    first: Option<(Instant, Duration)>,
    queued: VecDeque<Result<ModelEvent, ModelError>>,
    /// Translates, where the server speaks another format.
    decoder: Option<Decoder>,
    recording: Option<Recording>,
}

impl Reader {
    fn new(answer: Answer, prompt: &Prompt, idle: Duration, decoder: Option<Decoder>) -> Self {
        let Answer { headers, response, recording } = answer;
        let notice = limits::rerouted(&headers, &prompt.model).map(ModelEvent::Notice);
        let limits = limits::from_headers(&headers).map(ModelEvent::RateLimits);
        let body: Body = Box::pin(response.bytes_stream());
        let events = Events::new(body, sse::Limits::default());
        let queued = notice.into_iter().chain(limits).map(Ok).collect();
        Self { events, idle, first: None, queued, decoder, recording }
    }

    async fn next(&mut self) -> Result<ModelEvent, ModelError> {
        loop {
            if let Some(event) = self.queued.pop_front() {
                if event.is_err() {
                    self.ended(End::Complete);
                }
                return event;
            }
            let Some(data) = self.next_data().await? else { continue };
            if let Some(recording) = &mut self.recording {
                recording.event(&data);
            }
            match &mut self.decoder {
                Some(decoder) => self.queued.extend(decoder.push(&data).into_iter().filter_map(event)),
                None => self.queued.extend(events::read(data)),
            }
        }
    }

    /// Ends a complete response. Nobody waits for the server to close it; but the connection can serve the next request
    /// only when the end of the body has been seen, so that is looked out for, for a moment and on the side.
    fn finish(mut self) {
        self.ended(End::Complete);
        drop(self.recording.take());
        if self.events.next().now_or_never().is_none() {
            drop(tokio::spawn(async move { timeout(CLOSE_DEADLINE, self.events.next()).await }));
        }
    }

    /// `None` when the stream ended well without saying so, and what it said is queued.
    async fn next_data(&mut self) -> Result<Option<String>, ModelError> {
        let silence = Instant::now() + self.idle;
        let due = self.first.map_or(silence, |(first, _)| first.min(silence));
        match timeout_at(due, self.events.next()).await {
            Ok(Some(Ok(data))) => {
                self.first = None;
                Ok(Some(data))
            }
            Ok(Some(Err(error))) => Err(self.broken(&reason(&error))),
            Ok(None) => {
                let rest = self.decoder.as_mut().map(Decoder::end).unwrap_or_default();
                if rest.is_empty() {
                    return Err(self.closed());
                }
                self.queued.extend(rest.into_iter().filter_map(event));
                Ok(None)
            }
            Err(_) => match self.first {
                Some((first, limit)) if first == due => {
                    self.ended(End::Silent);
                    Err(retry::no_first_data(limit))
                }
                _ => Err(self.silent()),
            },
        }
    }

    fn broken(&mut self, why: &str) -> ModelError {
        self.ended(End::Broken);
        retry::disconnected(why)
    }

    fn closed(&mut self) -> ModelError {
        self.ended(End::Closed);
        let why = "stream closed before response.completed";
        let signs = self.events.signs();
        match signs.rest() {
            Some(rest) if signs.events() == 0 => retry::disconnected(&format!("{why}. The server says: {rest}")),
            _ => retry::disconnected(why),
        }
    }

    fn silent(&mut self) -> ModelError {
        self.ended(End::Silent);
        let why = "idle timeout waiting for SSE";
        match self.events.signs().comments() {
            0 => retry::disconnected(why),
            comments => {
                retry::disconnected(&format!("{why} (the connection lives: {comments} keep-alive comments came)"))
            }
        }
    }

    fn ended(&mut self, end: End) {
        if let Some(recording) = &mut self.recording {
            recording.ended(end);
        }
    }
}

/// What a translated response says, as the agent hears it.
fn event(said: Said) -> Option<Result<ModelEvent, ModelError>> {
    Some(Ok(match said {
        Said::Text(text) => ModelEvent::MessageDelta(text),
        Said::Reasoning(text) => ModelEvent::ReasoningDelta(text),
        Said::Item(item) => ModelEvent::ItemDone(Item::from_server(item.to_string()).ok()?),
        Said::Completed { id, usage, end_turn } => ModelEvent::Completed(Completion {
            response_id: id,
            usage: events::read_usage(&usage),
            end_turn,
            model: None,
        }),
        Said::Failed { code, message } => {
            return Some(Err(retry::response_failed(&json!({"code": code, "message": message}))));
        }
        Said::Incomplete(reason) => return Some(Err(retry::response_incomplete(reason))),
    }))
}

fn reason(error: &sse::SseError<reqwest::Error>) -> String {
    match error {
        sse::SseError::Transport(error) => http::root_cause(error),
        limit => limit.to_string(),
    }
}
