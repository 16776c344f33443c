//! A server of the Responses API in front of a server that speaks another format.
//!
//! Whoever connects must know the token, unless the person said otherwise. What goes wrong before an answer begins is told
//! with the upstream server's status and its `retry-after`; what goes wrong later, with `response.failed`. A body is never
//! simply cut.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, ORIGIN, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::emit::Emitter;
use crate::model::http::{Transport, root_cause};
use crate::model::sse::{Events, Limits};
use crate::model::wire::tools::Tools;
use crate::model::wire::{Decoder, Said};
use crate::model::{Provider, request};
use crate::protocol::ModelError;

/// Requests beyond this size are refused.
const REQUEST_LIMIT: usize = 256 << 20;

/// How long a client may take to send a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Upstream = Events<Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send>>>;

/// The server.
pub struct ResponsesServer {
    provider: Provider,
    transport: Transport,
    /// What clients must send; `None` serves everybody.
    token: Option<String>,
    /// The model to ask for, whatever clients ask for.
    model: Option<String>,
}

impl ResponsesServer {
    /// A server in front of `provider`.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub fn new(provider: Provider, token: Option<String>, model: Option<String>) -> Result<Self, ModelError> {
        Ok(Self { transport: Transport::new(&provider)?, provider, token, model })
    }

    /// Serves whoever connects to `listener`, until it is dropped.
    pub async fn run(self: Arc<Self>, listener: TcpListener) {
        // Connections live in a set of this task's, so that they end with it.
        let mut connections = tokio::task::JoinSet::new();
        loop {
            // Too many open files and the like pass; the server stays.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let _slower = stream.set_nodelay(true);
            let server = Arc::clone(&self);
            connections.spawn(async move {
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
                // The client went away: nobody is left to tell.
                let _gone = http.serve_connection(TokioIo::new(stream), service).await;
            });
            while connections.try_join_next().is_some() {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().trim_end_matches('/').to_owned();
        let path = path.strip_prefix("/v1").unwrap_or(&path);
        match (request.method(), path) {
            (&Method::GET, "/healthz" | "/health") => json_body(StatusCode::OK, &json!({"status": "ok"})),
            _ if !self.is_admitted(request.headers()) => refusal(
                StatusCode::UNAUTHORIZED,
                "invalid_api_key",
                "send the token this server printed when it started, as `authorization: Bearer TOKEN`",
            ),
            (&Method::GET, "/models") => self.models().await,
            (&Method::POST, "/responses") => self.respond(request).await,
            _ => refusal(StatusCode::NOT_FOUND, "not_found", "this server has /v1/responses, /v1/models and /healthz"),
        }
    }

    /// A page in a browser is never admitted: it could be anybody's.
    fn is_admitted(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(ORIGIN) {
            return false;
        }
        let Some(token) = &self.token else { return true };
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().trim();
        // Digests, so that the time it takes tells nothing of the token.
        digest(&SHA256, sent.as_bytes()).as_ref() == digest(&SHA256, token.as_bytes()).as_ref()
    }

    async fn models(&self) -> Response<Body> {
        if let Some(model) = &self.model {
            return json_body(StatusCode::OK, &json!({"object": "list", "data": [{"id": model, "object": "model"}]}));
        }
        match self.transport.get(&self.provider, "models").await {
            Ok(list) => json_body(StatusCode::OK, &list),
            Err(error) => refusal(StatusCode::BAD_GATEWAY, "server_error", &error.message),
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let body = match Limited::new(request.into_body(), REQUEST_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return refusal(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "the request is too large");
            }
            Err(error) => return refusal(StatusCode::BAD_REQUEST, "invalid_request_error", &error.to_string()),
        };
        let mut asked: Value = match serde_json::from_slice(&body) {
            Ok(asked @ Value::Object(_)) => asked,
            Ok(_) => return refusal(StatusCode::BAD_REQUEST, "invalid_request_error", "the request is no JSON object"),
            Err(error) => {
                return refusal(StatusCode::BAD_REQUEST, "invalid_request_error", &format!("this is no JSON: {error}"));
            }
        };
        if let Some(model) = &self.model {
            asked["model"] = model.as_str().into();
        }
        let sent = match request::Request::translated(&self.provider, &asked) {
            Ok(sent) => sent,
            Err(error) => return refusal(StatusCode::BAD_GATEWAY, "server_error", &error.message),
        };
        let answer = match self.transport.send(&self.provider, &sent).await {
            Ok(answer) => answer,
            Err(error) => return refusal(StatusCode::BAD_GATEWAY, "server_error", &error.message),
        };
        if answer.status() != StatusCode::OK {
            return pass_on(answer).await;
        }
        let session = Session::new(&self.provider, &asked, sent.tools.unwrap_or_default(), answer);
        match asked["stream"].as_bool() {
            Some(true) => session.stream(),
            _ => session.whole().await,
        }
    }
}

/// A refusal as the upstream server made it: its status and body, and when to try again.
async fn pass_on(answer: reqwest::Response) -> Response<Body> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap_or_default();
    let mut response = Response::new(Full::new(body).boxed_unsync());
    // A redirection would lead the client past this server.
    *response.status_mut() = if status.is_redirection() { StatusCode::BAD_GATEWAY } else { status };
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn json_body(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json_body(status, &json!({"error": {"code": code, "type": code, "message": message}}))
}

/// One response being translated.
struct Session {
    upstream: Upstream,
    decoder: Option<Decoder>,
    emitter: Emitter,
    idle: Duration,
    begun: bool,
}

impl Session {
    fn new(provider: &Provider, asked: &Value, tools: Tools, answer: reqwest::Response) -> Self {
        let seed = uuid::Uuid::now_v7().simple().to_string();
        let emitter = Emitter::new(&format!("resp_{seed}"), asked["model"].clone());
        Self {
            upstream: Events::new(Box::pin(answer.bytes_stream()), Limits::default()),
            decoder: Decoder::new(provider.wire, tools, seed),
            emitter,
            idle: provider.stream_idle_timeout,
            begun: false,
        }
    }

    /// The next events; `None` behind the last.
    async fn next(&mut self) -> Option<Vec<Value>> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(self.emitter.start());
        }
        if self.emitter.end().is_some() {
            return None;
        }
        let said = self.hear().await;
        Some(said.into_iter().flat_map(|said| self.emitter.emit(said)).collect())
    }

    async fn hear(&mut self) -> Vec<Said> {
        let lost = |why: &str| vec![Said::broken(format!("the upstream server's stream was lost: {why}"))];
        let Some(decoder) = &mut self.decoder else { return lost("there is nothing to translate") };
        match timeout(self.idle, self.upstream.next()).await {
            Ok(Some(Ok(data))) => decoder.push(&data),
            Ok(Some(Err(crate::model::sse::SseError::Transport(error)))) => lost(&root_cause(&error)),
            Ok(Some(Err(error))) => lost(&error.to_string()),
            Ok(None) => match decoder.end() {
                said if said.is_empty() => match self.upstream.signs().rest() {
                    Some(rest) => lost(&format!("it says {rest}")),
                    None => lost("it ended before the response was complete"),
                },
                said => said,
            },
            Err(_) => lost("it has been silent for too long"),
        }
    }

    fn stream(self) -> Response<Body> {
        let frames = stream::unfold(self, |mut session| async move {
            let events = session.next().await?;
            let text: String = events
                .iter()
                .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()))
                .collect();
            Some((Ok(Frame::data(Bytes::from(text))), session))
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/event-stream"));
        response
    }

    async fn whole(mut self) -> Response<Body> {
        while self.next().await.is_some() {}
        match self.emitter.end() {
            Some(end) if end["status"] == "failed" => {
                json_body(StatusCode::BAD_GATEWAY, &json!({"error": end["error"]}))
            }
            Some(end) => json_body(StatusCode::OK, end),
            None => refusal(StatusCode::BAD_GATEWAY, "server_error", "the response has no end"),
        }
    }
}
