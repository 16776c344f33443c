//! What a failure means: which class it is, what people are told, whether another attempt may help and when.
//!
//! Pure: status, body and the time come in, a [`ModelError`] goes out. Messages begin as Codex's do, so that scripts
//! which match on them keep working; where those leave a person guessing, the address or the server's own words follow.

use http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

use super::wire::failure::is_window_overflow;
use crate::protocol::error::{ModelError, ModelErrorCause as Cause, Retry};

const CAPACITY: &str = "Selected model is at capacity. Please try a different model.";
const QUOTA: &str = "Quota exceeded. Check your plan and billing details.";
const NOT_INCLUDED: &str =
    "This plan does not include the service. Upgrade to Plus at https://chatgpt.com/explore/plus, or use an API key.";
const WINDOW: &str =
    "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.";
const HIGH_DEMAND: &str = "We're currently experiencing high demand, which may cause temporary errors.";
const BAD_IMAGE_MARK: &str = "The image data you provided does not represent a valid image";
const BAD_IMAGE: &str = "Invalid image in your last message. Please remove it and try again.";

/// The most of a server's own words a message repeats, in bytes.
const DETAIL_LIMIT: usize = 2000;

/// An answer that is no stream.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The status code.
    pub status: StatusCode,
    /// The body, or its beginning.
    pub body: &'a str,
    /// `retry-after`.
    pub retry_after: Option<&'a str>,
    /// `location`.
    pub location: Option<&'a str>,
    /// `x-request-id` or `x-oai-request-id`.
    pub request_id: Option<&'a str>,
    /// The address asked.
    pub url: &'a str,
    /// The environment variable the key came from.
    pub key_env: Option<&'a str>,
}

/// An error as providers describe it, read from whatever shape they chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// `error.code`.
    pub code: Option<String>,
    /// `error.type`.
    pub kind: Option<String>,
    /// `error.message`.
    pub message: Option<String>,
    /// `error.resets_at`, in Unix seconds.
    pub resets_at: Option<i64>,
}

impl ErrorBody {
    /// Reads an error object, or the text some servers put in its place.
    #[must_use]
    pub fn from_value(error: &Value) -> Self {
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            code: text("code"),
            kind: text("type"),
            message: text("message").or_else(|| error.as_str().map(str::to_owned)),
            resets_at: error.get("resets_at").and_then(Value::as_i64),
        }
    }

    /// Reads a body: `{"error": …}`, or one of the bare forms proxies and local servers use.
    fn from_body(body: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(body) else { return Self::default() };
        match value.get("error").or_else(|| value.get("detail")) {
            Some(error) => Self::from_value(error),
            None => Self::from_value(&value),
        }
    }

    fn names(&self, name: &str) -> bool {
        self.code.as_deref() == Some(name) || self.kind.as_deref() == Some(name)
    }
}

/// What a refusal means to the stream layer. Whether the request layer sends again is [`is_resent`]'s to say.
#[must_use]
pub fn classify(refusal: &Refusal<'_>, now: Timestamp, zone: &TimeZone) -> ModelError {
    let error = ErrorBody::from_body(refusal.body);
    let status = refusal.status;
    match status.as_u16() {
        300..400 => fatal(Cause::BadRequest, redirected(refusal)),
        400 => bad_request(refusal, &error),
        403 | 404 if names_the_model(status, &error) => match error.message {
            Some(message) => fatal(Cause::ModelNotFound, message),
            None => fatal(Cause::ModelNotFound, unexpected(refusal, &error)),
        },
        429 => too_many(refusal, &error, now, zone),
        401 | 403 => again(Cause::Auth, unauthorized(refusal, &error)),
        500 => again(Cause::Server, high_demand(refusal, &error)),
        501.. if error.names("server_is_overloaded") || error.names("slow_down") => fatal(Cause::Overloaded, CAPACITY),
        501.. => again(Cause::Server, unexpected(refusal, &error)),
        _ => again(Cause::BadRequest, unexpected(refusal, &error)),
    }
}

/// Whether it is the model that is not there, or not for this account. Local servers say so in words alone.
fn names_the_model(status: StatusCode, error: &ErrorBody) -> bool {
    if error.names("model_not_found") || error.names("model_not_available") {
        return true;
    }
    let message = error.message.as_deref().unwrap_or_default().to_lowercase();
    let missing = ["not found", "does not exist"].iter().any(|words| message.contains(words));
    status == StatusCode::NOT_FOUND && (error.names("not_found_error") || message.contains("model") && missing)
}

/// Whether the request layer may send the same request again, silently.
#[must_use]
pub fn is_resent(status: StatusCode) -> bool {
    status.is_server_error()
}

/// The time a `retry-after` header asks for: seconds, or a date. A date that is past means at once.
#[must_use]
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The time in a sentence such as `Please try again in 2.5s.`; seconds or milliseconds.
#[must_use]
pub fn try_again_in(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let (_, rest) = message.split_once("try again in")?;
    let rest = rest.trim_start();
    let number = &rest[..rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())];
    let unit = rest[number.len()..].trim_start();
    let seconds = number.parse::<f64>().ok()?;
    let seconds = match unit {
        unit if unit.starts_with("ms") => seconds / 1000.0,
        unit if unit.starts_with('s') => seconds,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// What the `error` of a `response.failed` event means.
#[must_use]
pub fn response_failed(error: &Value) -> ModelError {
    let error = ErrorBody::from_value(error);
    let message = error.message.clone();
    let words = || message.clone().unwrap_or_else(|| "response.failed event received".to_owned());
    match error.code.as_deref().or(error.kind.as_deref()).unwrap_or_default() {
        "context_length_exceeded" => fatal(Cause::ContextWindowExceeded, WINDOW),
        "insufficient_quota" => fatal(Cause::UsageLimit, QUOTA),
        "usage_not_included" => fatal(Cause::UsageLimit, NOT_INCLUDED),
        "invalid_prompt" | "cyber_policy" => fatal(Cause::BadRequest, words()),
        "server_is_overloaded" => fatal(Cause::Overloaded, CAPACITY),
        "rate_limit_exceeded" => {
            let retry = message.as_deref().and_then(try_again_in).map_or(Retry::Backoff, Retry::After);
            ModelError { cause: Cause::RateLimited, message: format!("rate limit exceeded: {}", words()), retry }
        }
        "slow_down" => again(Cause::RateLimited, format!("rate limit exceeded: {}", words())),
        _ => disconnected(&words()),
    }
}

/// What a `response.incomplete` event means.
#[must_use]
pub fn response_incomplete(reason: &str) -> ModelError {
    let message = format!("Incomplete response returned, reason: {reason}");
    match reason {
        "max_output_tokens" => fatal(Cause::Stream, message),
        _ => disconnected(&message),
    }
}

/// A stream that ended without saying how the response ended.
#[must_use]
pub fn disconnected(why: &str) -> ModelError {
    again(Cause::Stream, format!("stream disconnected before completion: {why}"))
}

/// An attempt that got no answer at all. `why` begins with Codex's words for it.
#[must_use]
pub fn unreachable(why: &str) -> ModelError {
    again(Cause::Transport, format!("stream disconnected before completion: {why}"))
}

/// No sign of an answer within the time one may take.
#[must_use]
pub fn no_first_data(limit: Duration) -> ModelError {
    let why = format!("no data within {} s", limit.as_secs_f32());
    again(Cause::NoFirstData, format!("stream disconnected before completion: {why}"))
}

/// No key where one is needed.
#[must_use]
pub fn missing_key(env: &str, instructions: Option<&str>) -> ModelError {
    let instructions = instructions.map(|text| format!(" {text}")).unwrap_or_default();
    fatal(Cause::Auth, format!("Missing environment variable: `{env}`.{instructions}"))
}

/// Another attempt cannot help.
#[must_use]
pub fn fatal(cause: Cause, message: impl Into<String>) -> ModelError {
    ModelError { cause, message: message.into(), retry: Retry::No }
}

fn again(cause: Cause, message: impl Into<String>) -> ModelError {
    ModelError { cause, message: message.into(), retry: Retry::Backoff }
}

fn bad_request(refusal: &Refusal<'_>, error: &ErrorBody) -> ModelError {
    if refusal.body.contains(BAD_IMAGE_MARK) {
        return fatal(Cause::BadRequest, BAD_IMAGE);
    }
    if error.names("context_length_exceeded") || is_window_overflow(refusal.body) {
        return fatal(Cause::ContextWindowExceeded, WINDOW);
    }
    match &error.message {
        Some(message) if error.names("cyber_policy") => fatal(Cause::BadRequest, message),
        _ if refusal.body.trim().is_empty() => fatal(Cause::BadRequest, unexpected(refusal, error)),
        _ => fatal(Cause::BadRequest, refusal.body),
    }
}

fn too_many(refusal: &Refusal<'_>, error: &ErrorBody, now: Timestamp, zone: &TimeZone) -> ModelError {
    if error.names("usage_limit_reached") {
        return fatal(Cause::UsageLimit, usage_limit(error.resets_at, now, zone));
    }
    if error.names("usage_not_included") {
        return fatal(Cause::UsageLimit, NOT_INCLUDED);
    }
    if error.names("insufficient_quota") {
        return fatal(Cause::UsageLimit, QUOTA);
    }
    let mut message = format!("exceeded retry limit, last status: {}", refusal.status);
    if let Some(id) = refusal.request_id {
        message += &format!(", request id: {id}");
    }
    let detail = detail(refusal.body, error);
    if !detail.is_empty() {
        message += &format!(". The server says: {detail}");
    }
    // Without a time to come back at, more requests would only feed the limit.
    let retry = refusal.retry_after.and_then(|header| retry_after(header, now)).map_or(Retry::No, Retry::After);
    ModelError { cause: Cause::RateLimited, message, retry }
}

fn usage_limit(resets_at: Option<i64>, now: Timestamp, zone: &TimeZone) -> String {
    let at = resets_at.and_then(|seconds| Timestamp::from_second(seconds).ok()).map(|at| {
        let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        let form = if at.date() == now.date() { "%-I:%M %p" } else { "%b %-d, %Y %-I:%M %p" };
        at.strftime(form).to_string()
    });
    match at {
        Some(at) => format!("You’ve hit your usage limit. Wait, or add credits to your account; try again at {at}."),
        None => "You’ve hit your usage limit. Wait, or add credits to your account; try again later.".to_owned(),
    }
}

fn redirected(refusal: &Refusal<'_>) -> String {
    let Refusal { status, url, .. } = refusal;
    let location = refusal.location.unwrap_or("an address it does not name");
    format!(
        "unexpected status {status}: redirects to {location}, url: {url}. Set `base_url` to where the server really is"
    )
}

fn unauthorized(refusal: &Refusal<'_>, error: &ErrorBody) -> String {
    let message = unexpected(refusal, error);
    match refusal.key_env {
        Some(env) if refusal.status == StatusCode::UNAUTHORIZED => format!("{message}. Check the key in `{env}`"),
        _ => message,
    }
}

fn high_demand(refusal: &Refusal<'_>, error: &ErrorBody) -> String {
    let detail = detail(refusal.body, error);
    if detail.is_empty() {
        return HIGH_DEMAND.to_owned();
    }
    format!("{HIGH_DEMAND} The server at {} says: {detail}", refusal.url)
}

fn unexpected(refusal: &Refusal<'_>, error: &ErrorBody) -> String {
    let Refusal { status, url, .. } = refusal;
    let detail = detail(refusal.body, error);
    let id = refusal.request_id.map(|id| format!(", request id: {id}")).unwrap_or_default();
    format!("unexpected status {status}: {detail}, url: {url}{id}")
}

/// The server's own words, short: its message, the title of its web page, or the body.
fn detail<'a>(body: &'a str, error: &'a ErrorBody) -> Cow<'a, str> {
    let words = match &error.message {
        Some(message) => message.as_str(),
        None if looks_like_html(body) => return page_title(body),
        None => body.trim(),
    };
    let end = words.floor_char_boundary(DETAIL_LIMIT);
    if end < words.len() { Cow::Owned(format!("{}…", &words[..end])) } else { Cow::Borrowed(words) }
}

/// What a body that should have been a stream says, in a few words.
#[must_use]
pub fn words_of(body: &str) -> Cow<'_, str> {
    if looks_like_html(body) { page_title(body) } else { "a text of another kind".into() }
}

/// Whether a body is a web page, as proxies and captive portals answer.
fn looks_like_html(body: &str) -> bool {
    let start = body.trim_start();
    let is = |tag: &str| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    is("<!doctype html") || is("<html")
}

fn page_title(body: &str) -> Cow<'_, str> {
    let title =
        body.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title.trim());
    match title {
        Some(title) if !title.is_empty() && title.len() <= DETAIL_LIMIT => {
            format!("a web page titled “{title}”").into()
        }
        _ => "a web page".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal<'_> {
        Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            body,
            retry_after: None,
            location: None,
            request_id: None,
            url: "http://s/v1/responses",
            key_env: Some("FAKE_KEY"),
        }
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn classified(refusal: &Refusal<'_>) -> ModelError {
        classify(refusal, now(), &TimeZone::UTC)
    }

    #[test]
    fn statuses_and_bodies_map_as_the_table_says() {
        use Cause::*;
        let url = "url: http://s/v1/responses";
        let (no, backoff) = (Retry::No, Retry::Backoff);
        for (status, body, cause, retry, message) in [
            (400, r#"{"error":{"message":"no"}}"#, BadRequest, no, r#"{"error":{"message":"no"}}"#.to_owned()),
            (400, "", BadRequest, no, format!("unexpected status 400 Bad Request: , {url}")),
            (400, &format!("x {BAD_IMAGE_MARK} y"), BadRequest, no, BAD_IMAGE.to_owned()),
            (400, r#"{"error":{"code":"cyber_policy","message":"stop"}}"#, BadRequest, no, "stop".to_owned()),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, ContextWindowExceeded, no, WINDOW.to_owned()),
            (
                401,
                r#"{"error":{"message":"bad key"}}"#,
                Auth,
                backoff,
                format!("unexpected status 401 Unauthorized: bad key, {url}. Check the key in `FAKE_KEY`"),
            ),
            (403, "denied", Auth, backoff, format!("unexpected status 403 Forbidden: denied, {url}")),
            (
                403,
                "<html><title>Blocked</title>",
                Auth,
                backoff,
                format!("unexpected status 403 Forbidden: a web page titled “Blocked”, {url}"),
            ),
            (
                404,
                r#"{"error":{"code":"model_not_found","message":"no such model"}}"#,
                ModelNotFound,
                no,
                "no such model".to_owned(),
            ),
            (404, "nf", BadRequest, backoff, format!("unexpected status 404 Not Found: nf, {url}")),
            (413, "big", BadRequest, backoff, format!("unexpected status 413 Payload Too Large: big, {url}")),
            (429, "", RateLimited, no, "exceeded retry limit, last status: 429 Too Many Requests".to_owned()),
            (429, r#"{"error":{"code":"insufficient_quota"}}"#, UsageLimit, no, QUOTA.to_owned()),
            (429, r#"{"error":{"type":"usage_not_included"}}"#, UsageLimit, no, NOT_INCLUDED.to_owned()),
            (
                429,
                r#"{"error":{"type":"usage_limit_reached","resets_at":1795179900}}"#,
                UsageLimit,
                no,
                "You’ve hit your usage limit. Wait, or add credits to your account; try again at 1:05 PM.".to_owned(),
            ),
            (
                429,
                r#"{"error":{"type":"usage_limit_reached","resets_at":1795266300}}"#,
                UsageLimit,
                no,
                "You’ve hit your usage limit. Wait, or add credits to your account; try again at Nov 21, 2026 1:05 PM."
                    .to_owned(),
            ),
            (500, "", Server, backoff, HIGH_DEMAND.to_owned()),
            (500, "boom", Server, backoff, format!("{HIGH_DEMAND} The server at http://s/v1/responses says: boom")),
            (503, "busy", Server, backoff, format!("unexpected status 503 Service Unavailable: busy, {url}")),
            (503, r#"{"error":{"code":"slow_down"}}"#, Overloaded, no, CAPACITY.to_owned()),
            (503, r#"{"error":{"code":"server_is_overloaded"}}"#, Overloaded, no, CAPACITY.to_owned()),
            (
                422,
                r#"{"detail":"what"}"#,
                BadRequest,
                backoff,
                format!("unexpected status 422 Unprocessable Entity: what, {url}"),
            ),
        ] {
            assert_eq!(classified(&refusal(status, body)), ModelError { cause, message, retry }, "{status} {body}");
        }
    }

    #[test]
    fn a_redirect_names_its_target() {
        let moved = Refusal { location: Some("https://other/v1"), ..refusal(308, "") };
        let error = classified(&moved);
        assert_eq!(error.retry, Retry::No);
        assert!(error.message.contains("redirects to https://other/v1"), "{error}");
    }

    #[test]
    fn a_429_waits_only_when_told_how_long() {
        let secs = |s| Retry::After(Duration::from_secs(s));
        for (header, retry) in [
            ("40", secs(40)),
            ("0", secs(0)),
            ("Fri, 20 Nov 2026 12:00:08 GMT", secs(8)),
            ("Fri, 20 Nov 2026 11:00:00 GMT", secs(0)),
            ("soon", Retry::No),
        ] {
            let limited = Refusal { retry_after: Some(header), request_id: Some("r1"), ..refusal(429, "slow") };
            let error = classified(&limited);
            assert_eq!(error.retry, retry, "{header}");
            assert_eq!(
                error.message,
                "exceeded retry limit, last status: 429 Too Many Requests, request id: r1. The server says: slow"
            );
        }
    }

    #[test]
    fn times_in_sentences_are_read() {
        for (message, ms) in [
            ("Please try again in 2.5s.", Some(2500)),
            ("Try Again In 900ms", Some(900)),
            ("try again in 3 seconds", Some(3000)),
            ("try again in45s", Some(45_000)),
            ("try again in 1m2s", None),
            ("try again in 1.2.3s", None),
            ("try again in a moment", None),
            ("later", None),
        ] {
            assert_eq!(try_again_in(message), ms.map(Duration::from_millis), "{message}");
        }
    }

    #[test]
    fn failed_responses_map_as_the_table_says() {
        use Cause::*;
        let prefix = "stream disconnected before completion: ";
        for (error, cause, retry, message) in [
            (r#"{"code":"context_length_exceeded"}"#, ContextWindowExceeded, Retry::No, WINDOW.to_owned()),
            (r#"{"code":"insufficient_quota"}"#, UsageLimit, Retry::No, QUOTA.to_owned()),
            (r#"{"code":"usage_not_included"}"#, UsageLimit, Retry::No, NOT_INCLUDED.to_owned()),
            (r#"{"code":"invalid_prompt","message":"m"}"#, BadRequest, Retry::No, "m".to_owned()),
            (r#"{"code":"server_is_overloaded"}"#, Overloaded, Retry::No, CAPACITY.to_owned()),
            (r#"{"code":"slow_down","message":"m"}"#, RateLimited, Retry::Backoff, "rate limit exceeded: m".to_owned()),
            (
                r#"{"code":"rate_limit_exceeded","message":"try again in 2s"}"#,
                RateLimited,
                Retry::After(Duration::from_secs(2)),
                "rate limit exceeded: try again in 2s".to_owned(),
            ),
            (
                r#"{"code":"server_error","message":"try again in 2s"}"#,
                Stream,
                Retry::Backoff,
                format!("{prefix}try again in 2s"),
            ),
            ("null", Stream, Retry::Backoff, format!("{prefix}response.failed event received")),
        ] {
            let value: Value = serde_json::from_str(error).unwrap();
            assert_eq!(response_failed(&value), ModelError { cause, message, retry }, "{error}");
        }
        assert_eq!(response_incomplete("max_output_tokens").retry, Retry::No);
        assert_eq!(
            response_incomplete("content_filter").message,
            "stream disconnected before completion: Incomplete response returned, reason: content_filter"
        );
    }

    #[test]
    fn a_missing_key_names_its_variable() {
        assert_eq!(
            missing_key("FAKE_KEY", Some("Get one.")).message,
            "Missing environment variable: `FAKE_KEY`. Get one."
        );
    }
}
