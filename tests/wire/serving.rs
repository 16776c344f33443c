//! The Responses server in front of scripted Chat Completions and Messages servers, with our own client before it.

use hone::model::http::Transport;
use hone::model::{Provider, ResponsesClient, Secret};
use hone::protocol::error::{ModelErrorCause as Cause, Retry};
use hone::protocol::provider::WireApi;
use hone::protocol::{Item, Prompt};
use hone::serve::responses::ResponsesServer;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::kit::{Heard, listen, prompt, provider};
use super::support::server::{FakeServer, Reply, Step};

struct Served {
    base_url: String,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(wire: WireApi, upstream: &FakeServer) -> Served {
    let behind = Provider { wire, key: Some(Secret::new("upstream key")), ..provider(&upstream.base_url) };
    let server = ResponsesServer::new(behind, Some("token".to_owned()), None).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    Served { base_url, task: tokio::spawn(Arc::new(server).run(listener)) }
}

async fn ask(served: &Served, prompt: Prompt) -> Heard {
    let key = Some(Secret::new("token"));
    let client = ResponsesClient::new(Provider { key, request_max_retries: 0, ..provider(&served.base_url) }, None);
    tokio::time::timeout(Duration::from_secs(30), listen(&client, prompt)).await.unwrap()
}

fn chat(events: &[&str]) -> Reply {
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Reply::status(200, &[("content-type", "text/event-stream")], &body)
}

const CALLS: &[&str] = &[
    r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
    r#"{"choices":[{"delta":{"content":"So:"}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":null,"id":"1","function":{"name":"f","arguments":"{}"}},{"id":"2","function":{"name":"f","arguments":"{}"}}]}}]}"#,
    r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":4,"completion_tokens":2}}"#,
    "[DONE]",
];

#[tokio::test]
async fn a_turn_with_reasoning_parallel_calls_and_an_image_passes_both_ways() {
    let done = chat(&[r#"{"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}"#, "[DONE]"]);
    let upstream = FakeServer::start(vec![chat(CALLS), done]);
    let served = serve(WireApi::Chat, &upstream).await;
    let mut items = prompt().items;
    let heard = ask(&served, Prompt { items: items.clone(), ..prompt() }).await;
    assert_eq!(heard.deltas, "hmSo:");
    assert_eq!(heard.items.len(), 4);
    assert_eq!(heard.completion.unwrap().usage.input_tokens, 4);
    items.extend(heard.items);
    for (id, output) in
        [("1", json!("one")), ("2", json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]))]
    {
        let output = json!({"type": "function_call_output", "call_id": id, "output": output});
        items.push(Item::parse(output.to_string()).unwrap());
    }
    assert_eq!(ask(&served, Prompt { items, ..prompt() }).await.texts(), ["done"]);
    let request = &upstream.requests()[1];
    assert_eq!(request.header("authorization"), Some("Bearer upstream key"));
    let messages = request.body["messages"].as_array().unwrap();
    assert_eq!(messages[2]["reasoning_content"], "hm");
    assert_eq!(messages[2]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!((&messages[3]["tool_call_id"], &messages[4]["tool_call_id"]), (&json!("1"), &json!("2")));
    assert_eq!(messages[5]["content"][0]["image_url"]["url"], "data:image/png;base64,AA");
}

#[tokio::test]
async fn an_upstream_that_is_lost_fails_the_response_and_never_cuts_the_body() {
    let half = format!("data: {}\n\ndata: {{\"choi", CALLS[2]);
    for reply in [
        Reply::stream(vec![Step::Write(half.clone().into()), Step::Reset]),
        Reply::stream(vec![Step::Write(half.into()), Step::Close]),
        chat(&[CALLS[2], "[1]"]),
        chat(&[CALLS[2], "nonsense"]),
    ] {
        let upstream = FakeServer::start(vec![reply]);
        let served = serve(WireApi::Chat, &upstream).await;
        let heard = ask(&served, prompt()).await;
        assert_eq!((heard.error().cause, heard.error().retry), (Cause::Stream, Retry::Backoff));
        assert!(!heard.error().message.contains("closed before"), "{}", heard.error());
        assert!(heard.items.is_empty());
    }
}

#[tokio::test]
async fn refusals_of_the_upstream_keep_status_words_and_time() {
    let body = r#"{"error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let upstream = FakeServer::start(vec![Reply::status(429, &[("retry-after", "9")], body)]);
    let served = serve(WireApi::Messages, &upstream).await;
    let heard = ask(&served, prompt()).await;
    assert_eq!((heard.error().cause, heard.error().retry), (Cause::RateLimited, Retry::After(Duration::from_secs(9))));
    assert_eq!(upstream.requests()[0].header("x-api-key"), Some("upstream key"));
}

#[tokio::test]
async fn only_who_knows_the_token_is_served() {
    let upstream = FakeServer::start(vec![Reply::status(200, &[], r#"{"data":[{"id":"m"}]}"#)]);
    let served = serve(WireApi::Chat, &upstream).await;
    let get = async |key: Option<&str>, headers: &[(&str, &str)], path: &str| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let client = Provider { key: key.map(Secret::new), http_headers: headers, ..provider(&served.base_url) };
        Transport::new(&client).unwrap().get(&client, path).await
    };
    assert!(get(None, &[], "models").await.is_err());
    assert!(get(Some("wrong"), &[], "models").await.is_err());
    assert!(get(Some("token"), &[("origin", "http://evil.example")], "models").await.is_err());
    assert!(upstream.requests().is_empty());
    assert_eq!(get(Some("token"), &[], "models").await.unwrap()["data"][0]["id"], "m");
    assert_eq!(get(None, &[], "healthz").await.unwrap(), json!({"status": "ok"}));
}
