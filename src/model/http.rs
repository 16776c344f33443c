//! Sends a request until it is answered: one connection kept for a whole session, deadlines, and the retries of the
//! request layer.
//!
//! That layer is silent: it repeats attempts that got no stream because the connection failed or the server did (5xx).
//! Everything else, and giving up, is the caller's to see.

use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::{Client, Response, Url, redirect};
use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

use super::provider::Provider;
use super::record::{Recording, RequestRecorder};
use super::request::Request;
use super::retry::{self, Refusal};
use super::tls::{self, SystemRoots};
use super::wire::messages::VERSION;
use crate::protocol::error::{ModelError, ModelErrorCause as Cause, Retry};
use crate::protocol::provider::WireApi;
use crate::text::backoff::backoff;

/// More retries than this are never made, whatever the configuration says.
pub const MAX_RETRIES: u32 = 100;

/// The longest a server may ask for silence without anybody being told. Longer waits are left to the stream layer, which
/// shows them.
const LONGEST_SILENT_WAIT: Duration = Duration::from_secs(30);

/// The most of a refusal's body that is read, and how long that may take.
const REFUSAL_LIMIT: usize = 64 * 1024;
const REFUSAL_DEADLINE: Duration = Duration::from_secs(10);

/// A way to a provider. Connections are kept and used again.
pub struct Transport {
    client: Client,
    roots: Arc<SystemRoots>,
}

/// An answer that streams.
pub struct Answer {
    /// The headers.
    pub headers: HeaderMap,
    /// The rest of the body.
    pub response: Response,
    /// Where the answer is recorded, when it is.
    pub recording: Option<Recording>,
}

/// An attempt that got no stream.
struct Failure {
    error: ModelError,
    /// Whether the same attempt may be made again, silently, and how long the server asks to wait first.
    resend: Option<Option<Duration>>,
}

impl Transport {
    /// Cheap: no file is read and nothing is connected before the first request.
    ///
    /// # Errors
    /// The client cannot be set up.
    pub fn new(provider: &Provider) -> Result<Self, ModelError> {
        let failed = |error: &dyn StdError| {
            retry::fatal(Cause::Transport, format!("the HTTP client cannot be set up: {}", root_cause(error)))
        };
        let (tls, roots) = tls::config().map_err(|error| failed(&error))?;
        let builder = Client::builder();
        // No proxy could reach a server on this machine, but many an environment names one without an exception for it.
        let builder = if is_loopback(&provider.base_url) { builder.no_proxy() } else { builder };
        let client = builder
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(provider.connect_timeout)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, roots })
    }

    /// Sends `request`, and again as far as the request layer may, until its answer streams.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub async fn open(
        &self,
        provider: &Provider,
        request: &Request,
        recorder: Option<&RequestRecorder>,
    ) -> Result<Answer, ModelError> {
        let max = provider.request_max_retries.min(MAX_RETRIES);
        let mut retries = 0;
        loop {
            let failure = match self.attempt(provider, request, recorder.map(RequestRecorder::begin)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            retries += 1;
            let wait = match failure.resend {
                Some(Some(asked)) if asked > LONGEST_SILENT_WAIT => {
                    return Err(ModelError { retry: Retry::After(asked), ..failure.error });
                }
                Some(asked) if retries <= max => {
                    asked.unwrap_or_else(|| backoff(provider.backoff_unit, retries, random()))
                }
                _ => return Err(failure.error),
            };
            sleep(wait).await;
        }
    }

    /// Sends `request` once and returns whatever is answered. For those who pass answers on.
    ///
    /// # Errors
    /// No answer came.
    pub async fn send(&self, provider: &Provider, request: &Request) -> Result<Response, ModelError> {
        let sending = self
            .client
            .post(request.url.clone())
            .headers(request.headers.clone())
            .body(reqwest::Body::wrap(request.body.clone()))
            .send();
        match timeout(provider.header_timeout, sending).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(not_sent(request, &error).error),
            Err(_) => Err(no_headers(request, provider.header_timeout).error),
        }
    }

    /// Asks once for the JSON at `path` below the provider's address.
    ///
    /// # Errors
    /// The provider cannot be reached, refuses, or answers something else.
    pub async fn get(&self, provider: &Provider, path: &str) -> Result<serde_json::Value, ModelError> {
        if !self.roots.are_loaded() {
            let roots = Arc::clone(&self.roots);
            drop(tokio::task::spawn_blocking(move || roots.load()));
        }
        let failed = |error: reqwest::Error| {
            retry::fatal(Cause::Transport, format!("{path} could not be read: {}", root_cause(&error)))
        };
        let address = format!("{}/{path}", provider.base_url.trim_end_matches('/'));
        let mut url = Url::parse(&address)
            .map_err(|error| retry::fatal(Cause::Transport, format!("{address} is no address: {error}")))?;
        if !provider.query_params.is_empty() {
            url.query_pairs_mut().extend_pairs(&provider.query_params);
        }
        let mut request = self.client.get(url);
        for (name, value) in &provider.http_headers {
            request = request.header(name, value);
        }
        if let Some(key) = &provider.key {
            request = match provider.wire {
                WireApi::Messages => request.header("x-api-key", key.expose()),
                WireApi::Responses | WireApi::Chat => request.bearer_auth(key.expose()),
            };
        }
        if provider.wire == WireApi::Messages {
            request = request.header("anthropic-version", VERSION);
        }
        let answer = request.send().await.and_then(Response::error_for_status).map_err(failed)?;
        let bytes = answer.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| retry::fatal(Cause::Transport, format!("{path} is no JSON: {error}")))
    }

    async fn attempt(
        &self,
        provider: &Provider,
        request: &Request,
        mut recording: Option<Recording>,
    ) -> Result<Answer, Failure> {
        if request.url.scheme() == "https" && !self.roots.are_loaded() {
            // Reading the roots goes on while the connection comes about.
            let roots = Arc::clone(&self.roots);
            drop(tokio::task::spawn_blocking(move || roots.load()));
        }
        let sending = self
            .client
            .post(request.url.clone())
            .headers(request.headers.clone())
            .body(reqwest::Body::wrap(request.body.clone()))
            .send();
        let response = match timeout(provider.header_timeout, sending).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(not_sent(request, &error)),
            Err(_) => return Err(no_headers(request, provider.header_timeout)),
        };
        let headers = response.headers().clone();
        if let Some(recording) = &mut recording {
            recording.answered(response.status(), &headers);
        }
        if response.status() == StatusCode::OK && !is_web_page(&headers) {
            return Ok(Answer { headers, response, recording });
        }
        Err(refused(provider, request, response, recording).await)
    }
}

fn is_loopback(base_url: &str) -> bool {
    let url = Url::parse(base_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The innermost reason of an error, which is the one that tells something.
#[must_use]
pub fn root_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A number nobody can foresee, to spread retries. The version 7 UUID ends in random bits.
/// A number to spread retries by.
pub(super) fn random() -> u64 {
    uuid::Uuid::now_v7().as_u64_pair().1
}

fn not_sent(request: &Request, error: &reqwest::Error) -> Failure {
    let url = &request.url;
    let hint = match error.is_connect() {
        true => ". Check that the server runs and that `base_url` is right",
        false => "",
    };
    let why = if error.is_timeout() { "the connection took too long".to_owned() } else { root_cause(error) };
    let error = retry::unreachable(&format!("error sending request for url ({url}): {why}{hint}"));
    Failure { error, resend: Some(None) }
}

/// Not sent again silently: the deadline is long, and whoever waited for it should be told.
fn no_headers(request: &Request, deadline: Duration) -> Failure {
    let why = format!("no answer from {} within {} s", request.url, deadline.as_secs_f32());
    Failure { error: retry::unreachable(&why), resend: None }
}

async fn refused(
    provider: &Provider,
    request: &Request,
    response: Response,
    mut recording: Option<Recording>,
) -> Failure {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = refusal_body(response).await;
    if let Some(recording) = &mut recording {
        recording.body(&body);
    }
    if status.is_success() {
        return Failure { error: no_stream(request, status, &body), resend: None };
    }
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let request_id = ["x-request-id", "x-oai-request-id"].map(|name| header(HeaderName::from_static(name)));
    let refusal = Refusal {
        status,
        body: &body,
        retry_after: header(RETRY_AFTER),
        location: header(LOCATION),
        request_id: request_id[0].or(request_id[1]),
        url: request.url.as_str(),
        key_env: provider.key_env.as_deref(),
    };
    let now = Timestamp::now();
    let error = retry::classify(&refusal, now, &TimeZone::system());
    let asked = refusal.retry_after.and_then(|header| retry::retry_after(header, now));
    Failure { error, resend: retry::is_resent(status).then_some(asked) }
}

async fn refusal_body(mut response: Response) -> String {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(REFUSAL_LIMIT - body.len())]);
            if body.len() == REFUSAL_LIMIT {
                break;
            }
        }
    };
    // A body that does not end still says something with its beginning.
    let _late = timeout(REFUSAL_DEADLINE, read).await;
    String::from_utf8_lossy(&body).into_owned()
}

fn is_web_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// A success that is no stream: a login page in between, or an address that belongs to something else.
fn no_stream(request: &Request, status: StatusCode, body: &str) -> ModelError {
    let page = retry::words_of(body);
    retry::disconnected(&format!(
        "{} answered {status} with {page} instead of an event stream. Check `base_url`",
        request.url
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        for (url, loopback) in [
            ("http://localhost:11434/v1", true),
            ("http://127.0.0.1:80/v1", true),
            ("http://127.3.2.1", true),
            ("http://[::1]:8080/v1", true),
            ("https://api.openai.com/v1", false),
            ("http://localhost.example/v1", false),
            ("http://192.168.0.1", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(url), loopback, "{url}");
        }
    }
}
