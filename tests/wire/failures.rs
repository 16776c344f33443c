//! Every way a request can fail: what people are told, what is tried again, and that finished items are never lost.

use hone::model::Provider;
use hone::protocol::error::{ModelErrorCause as Cause, Retry};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::kit::{Heard, ask, provider};
use super::support::server::head;
use super::support::speech::{completed, delta, done, message, response, sse};
use super::support::{FakeServer, Reply, Step};

const DISCONNECTED: &str = "stream disconnected before completion: ";

async fn ask_for(replies: Vec<Reply>) -> (Heard, FakeServer) {
    let server = FakeServer::start(replies);
    let heard = ask(provider(&server.base_url)).await;
    (heard, server)
}

#[tokio::test]
async fn each_status_gets_its_class_its_words_and_its_retries() {
    let no_headers: &[(&str, &str)] = &[];
    let in_40 = Retry::After(Duration::from_secs(40));
    let past: &[(&str, &str)] = &[("retry-after", "Fri, 20 Nov 2015 12:00:08 GMT")];
    for (status, headers, body, requests, cause, retry, message) in [
        (400, no_headers, "{\"error\":\"no\"}", 1, Cause::BadRequest, Retry::No, "{\"error\":\"no\"}"),
        (
            401,
            no_headers,
            "{\"error\":{\"message\":\"bad key\"}}",
            1,
            Cause::Auth,
            Retry::Backoff,
            "unexpected status 401 Unauthorized: bad key, url: ",
        ),
        (403, no_headers, "no", 1, Cause::Auth, Retry::Backoff, "unexpected status 403 Forbidden: no, url: "),
        (404, no_headers, "nf", 1, Cause::BadRequest, Retry::Backoff, "unexpected status 404 Not Found: nf, url: "),
        (
            404,
            no_headers,
            "{\"error\":{\"code\":\"model_not_found\",\"message\":\"no model x\"}}",
            1,
            Cause::ModelNotFound,
            Retry::No,
            "no model x",
        ),
        (413, no_headers, "", 1, Cause::BadRequest, Retry::Backoff, "unexpected status 413 Payload Too Large: , url: "),
        (
            429,
            no_headers,
            "",
            1,
            Cause::RateLimited,
            Retry::No,
            "exceeded retry limit, last status: 429 Too Many Requests",
        ),
        (
            429,
            &[("retry-after", "40"), ("x-request-id", "r1")],
            "",
            1,
            Cause::RateLimited,
            in_40,
            "exceeded retry limit, last status: 429 Too Many Requests, request id: r1",
        ),
        (429, past, "", 1, Cause::RateLimited, Retry::After(Duration::ZERO), "exceeded retry limit"),
        (
            429,
            &[("retry-after", "9")],
            "{\"error\":{\"code\":\"insufficient_quota\"}}",
            1,
            Cause::UsageLimit,
            Retry::No,
            "Quota exceeded. Check your plan and billing details.",
        ),
        (
            500,
            no_headers,
            "",
            5,
            Cause::Server,
            Retry::Backoff,
            "We're currently experiencing high demand, which may cause temporary errors.",
        ),
        (
            503,
            no_headers,
            "busy",
            5,
            Cause::Server,
            Retry::Backoff,
            "unexpected status 503 Service Unavailable: busy, url: ",
        ),
        (
            503,
            no_headers,
            "{\"error\":{\"code\":\"server_is_overloaded\"}}",
            5,
            Cause::Overloaded,
            Retry::No,
            "Selected model is at capacity. Please try a different model.",
        ),
        (500, &[("retry-after", "40")], "", 1, Cause::Server, in_40, "We're currently experiencing high demand"),
        (
            307,
            &[("location", "http://elsewhere/")],
            "",
            1,
            Cause::BadRequest,
            Retry::No,
            "unexpected status 307 Temporary Redirect: redirects to http://elsewhere/, url: ",
        ),
        (
            204,
            no_headers,
            "",
            1,
            Cause::Stream,
            Retry::Backoff,
            "stream disconnected before completion: http://127.0.0.1:",
        ),
    ] {
        let server = FakeServer::repeating(Reply::status(status, headers, body));
        let heard = ask(provider(&server.base_url)).await;
        let error = heard.error();
        assert!(error.message.starts_with(message), "{status} {body}: {error}");
        assert_eq!((error.cause, error.retry), (cause, retry), "{status} {body}");
        assert_eq!(server.requests().len(), requests, "{status} {body}");
    }
}

#[tokio::test]
async fn a_failing_server_that_recovers_is_not_noticed() {
    let good = Reply::sse(&response(&[message("ok")]));
    let bad = Reply::status(500, &[("retry-after", "0")], "x");
    let (heard, server) = ask_for(vec![bad.clone(), Reply::status(502, &[], ""), bad, good]).await;
    assert_eq!(heard.texts(), ["ok"]);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn retry_after_holds_back_the_silent_retry() {
    let good = Reply::sse(&response(&[message("ok")]));
    let (heard, server) = ask_for(vec![Reply::status(503, &[("retry-after", "1")], ""), good]).await;
    assert_eq!(heard.texts(), ["ok"]);
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn retries_can_be_turned_off() {
    let server = FakeServer::repeating(Reply::status(500, &[], ""));
    let heard = ask(Provider { request_max_retries: 0, ..provider(&server.base_url) }).await;
    assert_eq!(heard.error().cause, Cause::Server);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_dead_server_is_named() {
    let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let heard = ask(provider(&format!("http://{address}/v1"))).await;
    let error = heard.error();
    assert_eq!(
        error.message,
        format!(
            "{DISCONNECTED}error sending request for url (http://{address}/v1/responses): Connection refused (os error 111). \
             Check that the server runs and that `base_url` is right"
        )
    );
    assert_eq!((error.cause, error.retry), (Cause::Transport, Retry::Backoff));
}

#[tokio::test]
async fn a_connection_dropped_before_the_head_is_tried_again() {
    for broken in [
        Reply(vec![Step::Reset]),
        Reply(vec![Step::Close]),
        Reply::raw("HTTP/1.1 200 OK\r\nconte"),
        Reply::raw("garbage\r\n\r\n"),
    ] {
        let good = Reply::sse(&response(&[message("ok")]));
        let (heard, server) = ask_for(vec![broken.clone(), good]).await;
        assert_eq!((heard.texts(), server.requests().len()), (vec!["ok".to_owned()], 2));

        let server = FakeServer::repeating(broken);
        let heard = ask(provider(&server.base_url)).await;
        assert!(heard.error().message.starts_with(&format!("{DISCONNECTED}error sending request")), "{heard:?}");
        assert_eq!((heard.error().cause, server.requests().len()), (Cause::Transport, 5));
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_attempt() {
    let server = FakeServer::repeating(Reply(vec![Step::HoldOpen]));
    let begun = Instant::now();
    let heard = ask(Provider { header_timeout: Duration::from_millis(50), ..provider(&server.base_url) }).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(
        heard.error().message,
        format!("{DISCONNECTED}no answer from {}/responses within 0.05 s", server.base_url)
    );
    assert_eq!((heard.error().cause, heard.error().retry), (Cause::Transport, Retry::Backoff));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn silence_ends_a_stream_and_comments_are_silence() {
    let item = || Step::Write(sse(&[done(message("kept"))]));
    let ping = [Step::Write(b": ping\n\n".to_vec()), Step::Pause(Duration::from_millis(5))];
    let pings = ping.into_iter().cycle().take(60).chain([Step::HoldOpen]);
    for (steps, ending) in [
        (vec![item(), Step::HoldOpen], "idle timeout waiting for SSE"),
        ([item()].into_iter().chain(pings).collect(), "idle timeout waiting for SSE (the connection lives: "),
        (vec![Step::HoldOpen], "idle timeout waiting for SSE"),
    ] {
        let lone = steps.len() == 1;
        let server = FakeServer::start(vec![Reply::stream(steps)]);
        let heard =
            ask(Provider { stream_idle_timeout: Duration::from_millis(60), ..provider(&server.base_url) }).await;
        assert!(heard.error().message.starts_with(&format!("{DISCONNECTED}{ending}")), "{}", heard.error());
        assert_eq!((heard.error().cause, heard.error().retry), (Cause::Stream, Retry::Backoff));
        assert_eq!(heard.items.len(), usize::from(!lone));
    }
}

#[tokio::test]
async fn unknown_events_are_signs_of_life() {
    let event = [Step::Write(sse(&[json!({"type": "response.in_progress"})])), Step::Pause(Duration::from_millis(20))];
    let steps = event.into_iter().cycle().take(40).chain([Step::Write(sse(&[completed()]))]).collect();
    let server = FakeServer::start(vec![Reply::stream(steps)]);
    let heard = ask(Provider { stream_idle_timeout: Duration::from_millis(300), ..provider(&server.base_url) }).await;
    assert!(heard.completion.is_some(), "{heard:?}");
}

#[tokio::test]
async fn a_stream_cut_short_keeps_its_finished_items() {
    let whole = sse(&response(&[message("kept"), message("lost")]));
    let cut = whole.windows(4).position(|bytes| bytes == b"lost").unwrap();
    let closed = format!("{DISCONNECTED}stream closed before response.completed");
    let chunk =
        |len: usize| [head(200, &[("transfer-encoding", "chunked")]), format!("{len:x}\r\n").into_bytes()].concat();
    for (name, steps, message) in [
        (
            "closed inside an item",
            vec![Step::Write([head(200, &[]), whole[..cut].to_vec()].concat()), Step::Close],
            closed.as_str(),
        ),
        (
            "no completed",
            vec![Step::Write([head(200, &[]), sse(&[done(message("kept")), delta("x")])].concat()), Step::Close],
            &closed,
        ),
        (
            "a bare error event, then the end",
            vec![
                Step::Write(
                    [head(200, &[]), sse(&[done(message("kept")), json!({"type": "error", "message": "x"})])].concat(),
                ),
                Step::Close,
            ],
            &closed,
        ),
        (
            "closed inside a chunk",
            vec![Step::Write([chunk(whole.len()), whole[..cut].to_vec()].concat()), Step::Close],
            DISCONNECTED,
        ),
        (
            "shorter than announced",
            vec![Step::Write([head(200, &[("content-length", "99999")]), whole[..cut].to_vec()].concat()), Step::Close],
            DISCONNECTED,
        ),
        (
            "reset",
            vec![
                Step::Write([head(200, &[]), whole[..cut].to_vec()].concat()),
                Step::Pause(Duration::from_millis(20)),
                Step::Reset,
            ],
            DISCONNECTED,
        ),
    ] {
        let (heard, server) = ask_for(vec![Reply(steps)]).await;
        assert!(heard.error().message.starts_with(message), "{name}: {}", heard.error());
        assert_eq!((heard.error().cause, heard.error().retry), (Cause::Stream, Retry::Backoff), "{name}");
        assert_eq!(heard.texts(), ["kept"], "{name}");
        assert_eq!(server.requests().len(), 1, "{name}: a broken stream is not for the client to ask for again");
    }
}

#[tokio::test]
async fn terminal_events_map_to_errors_after_the_items_before_them() {
    let failed = |error: Value| json!({"type": "response.failed", "response": {"id": "r_1", "error": error}});
    let incomplete =
        |reason: &str| json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": reason}}});
    let after = |ms| Retry::After(Duration::from_millis(ms));
    for (event, cause, retry, words) in [
        (
            failed(json!({"code": "context_length_exceeded", "message": "x"})),
            Cause::ContextWindowExceeded,
            Retry::No,
            "Codex ran out of room",
        ),
        (
            failed(json!({"code": "insufficient_quota", "message": "x"})),
            Cause::UsageLimit,
            Retry::No,
            "Quota exceeded.",
        ),
        (
            failed(json!({"code": "rate_limit_exceeded", "message": "Please try again in 900ms."})),
            Cause::RateLimited,
            after(900),
            "rate limit exceeded: Please try again in 900ms.",
        ),
        (
            failed(json!({"code": "server_error", "message": "x"})),
            Cause::Stream,
            Retry::Backoff,
            "stream disconnected before completion: x",
        ),
        (
            failed(Value::Null),
            Cause::Stream,
            Retry::Backoff,
            "stream disconnected before completion: response.failed event received",
        ),
        (
            incomplete("max_output_tokens"),
            Cause::Stream,
            Retry::No,
            "Incomplete response returned, reason: max_output_tokens",
        ),
        (
            incomplete("content_filter"),
            Cause::Stream,
            Retry::Backoff,
            "stream disconnected before completion: Incomplete response returned, reason: content_filter",
        ),
        (
            json!({"type": "response.completed", "response": {}}),
            Cause::Stream,
            Retry::Backoff,
            "stream disconnected before completion: failed to parse ResponseCompleted: missing field `id`",
        ),
    ] {
        let stream = vec![Step::Write(sse(&[done(message("kept")), event.clone()])), Step::HoldOpen];
        let (heard, _server) = ask_for(vec![Reply::stream(stream)]).await;
        assert!(heard.error().message.starts_with(words), "{event}: {}", heard.error());
        assert_eq!((heard.error().cause, heard.error().retry), (cause, retry), "{event}");
        assert_eq!(heard.texts(), ["kept"], "{event}");
    }
}

#[tokio::test]
async fn answers_that_are_no_stream_say_what_they_are() {
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    let (heard, _) = ask_for(vec![Reply::status(200, &[("content-type", "text/html; charset=utf-8")], page)]).await;
    assert!(heard.error().message.contains("with a web page titled “Sign in” instead of an event stream"), "{heard:?}");
    let json = Reply::status(200, &[("content-type", "application/json")], "{\"error\":\"model is loading\"}");
    let (heard, _) = ask_for(vec![json]).await;
    assert_eq!(
        heard.error().message,
        format!(
            "{DISCONNECTED}stream closed before response.completed. The server says: {{\"error\":\"model is loading\"}}"
        )
    );
}

#[tokio::test]
async fn a_missing_key_fails_before_anything_is_sent() {
    let server = FakeServer::start(Vec::new());
    let heard = ask(Provider { key_env: Some("FAKE_KEY".into()), ..provider(&server.base_url) }).await;
    assert_eq!(heard.error().message, "Missing environment variable: `FAKE_KEY`.");
    assert_eq!((heard.error().cause, heard.error().retry), (Cause::Auth, Retry::No));
    assert!(server.requests().is_empty());
}
