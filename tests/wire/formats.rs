//! Chat Completions and Messages servers, with every fault that was seen in the wild: no cut answer, no lost call, the
//! right kind of error.

use hone::model::{Pace, Provider, Recorder, ResponsesClient, Secret, Tape, TapeServer};
use hone::protocol::error::{ModelErrorCause as Cause, Retry};
use hone::protocol::item::ItemKind;
use hone::protocol::prompt::{ToolForm, ToolSpec, Toolset};
use hone::protocol::provider::WireApi;
use hone::protocol::{Item, Prompt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use super::kit::{Heard, ask, listen, prompt, provider};
use super::support::server::{FakeServer, Reply, Step};

fn speaking(wire: WireApi, server: &FakeServer) -> Provider {
    Provider { wire, request_max_retries: 0, key: Some(Secret::new("k")), ..provider(&server.base_url) }
}

/// A stream of these events as they are, closed without a word.
fn stream(events: &[&str]) -> Reply {
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Reply::status(200, &[("content-type", "text/event-stream")], &body)
}

async fn hear(wire: WireApi, reply: Reply) -> Heard {
    let server = FakeServer::start(vec![reply]);
    ask(speaking(wire, &server)).await
}

fn calls(heard: &Heard) -> usize {
    heard.items.iter().filter(|item| matches!(item.kind(), ItemKind::Call(_))).count()
}

const TEXT: &str = r#"{"id":"r","choices":[{"delta":{"content":"half"}}]}"#;
const NULL_INDEX: &str = r#"{"choices":[{"delta":{"tool_calls":[{"index":null,"id":"1","function":{"name":"t","arguments":"{}"}},{"index":null,"id":"2","function":{"name":"t","arguments":"{}"}}]}}]}"#;
const CALLS: &str = r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;

#[tokio::test]
async fn a_chat_stream_with_holes_is_never_taken_for_an_answer() {
    for (events, cause) in [
        (&[TEXT][..], Cause::Stream),
        (&[TEXT, "[1,2]", STOP, "[DONE]"], Cause::Stream),
        (&[TEXT, "{\"choices\":", STOP, "[DONE]"], Cause::Stream),
        (&[NULL_INDEX], Cause::Stream),
        (&[TEXT, r#"{"error":{"message":"busy. Please try again in 2s.","code":429}}"#], Cause::RateLimited),
        (&[r#"{"error":{"message":"This model's maximum context length is 8 tokens"}}"#], Cause::ContextWindowExceeded),
        (&[r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#, STOP, "[DONE]"], Cause::Stream),
        (&[TEXT, r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, "[DONE]"], Cause::Stream),
    ] {
        let heard = hear(WireApi::Chat, stream(events)).await;
        assert_eq!(heard.error().cause, cause, "{events:?}: {}", heard.error());
        assert_eq!(calls(&heard), 0, "{events:?}");
    }
    let asked =
        hear(WireApi::Chat, stream(&[r#"{"error":{"message":"try again in 2s","code":"rate_limit_exceeded"}}"#]));
    assert_eq!(asked.await.error().retry, Retry::After(Duration::from_secs(2)));
}

#[tokio::test]
async fn calls_without_an_index_arrive_and_a_body_cut_in_the_middle_is_a_broken_stream() {
    let heard = hear(WireApi::Chat, stream(&[NULL_INDEX, CALLS, "[DONE]"])).await;
    assert!(heard.completion.is_some());
    assert_eq!(calls(&heard), 2);
    let half = format!("data: {TEXT}\n\ndata: {{\"choi");
    let heard = hear(WireApi::Chat, Reply::stream(vec![Step::Write(half.into()), Step::Reset])).await;
    assert_eq!((heard.error().cause, heard.error().retry), (Cause::Stream, Retry::Backoff));
    let held = heard.items.len();
    assert_eq!(held, 0);
}

#[tokio::test]
async fn refusals_keep_their_class_and_the_time_asked_for() {
    for wire in [WireApi::Chat, WireApi::Messages] {
        for (status, headers, body, cause) in [
            (401, &[][..], r#"{"error":{"message":"bad key"}}"#, Cause::Auth),
            (
                429,
                &[("retry-after", "7")],
                r#"{"error":{"type":"rate_limit_error","message":"slow"}}"#,
                Cause::RateLimited,
            ),
            (529, &[], r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#, Cause::Server),
            (404, &[], r#"{"error":{"type":"not_found_error","message":"model: nope"}}"#, Cause::ModelNotFound),
            (
                400,
                &[],
                r#"{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
                Cause::ContextWindowExceeded,
            ),
            (400, &[], r#"{"error":{"message":"odd"}}"#, Cause::BadRequest),
        ] {
            let heard = hear(wire, Reply::status(status, headers, body)).await;
            assert_eq!(heard.error().cause, cause, "{wire:?} {status}: {}", heard.error());
            if status == 429 {
                assert_eq!(heard.error().retry, Retry::After(Duration::from_secs(7)), "{wire:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_chat_request_goes_where_and_how_the_server_expects_it() {
    let server = FakeServer::start(vec![stream(&[TEXT, STOP, "[DONE]"])]);
    let heard = ask(speaking(WireApi::Chat, &server)).await;
    assert_eq!(heard.texts(), ["half"]);
    let request = &server.requests()[0];
    assert_eq!(request.target, "POST /v1/chat/completions");
    assert_eq!(request.header("authorization"), Some("Bearer k"));
    assert_eq!(request.body["messages"][1], json!({"role": "user", "content": "hi"}));
    assert_eq!(request.body["stream_options"], json!({"include_usage": true}));
}

fn with_tool(items: Vec<Item>) -> Prompt {
    let form = ToolForm::Custom { grammar: "start: X".into() };
    let tool = ToolSpec { name: "t".into(), description: "d".into(), form, parallel: true };
    Prompt { items, tools: Arc::new(Toolset::new(&[tool])), ..prompt() }
}

#[tokio::test]
async fn thinking_and_calls_of_a_messages_server_go_back_as_they_came() {
    let first = [
        json!({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 5, "cache_read_input_tokens": 3}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "1", "name": "t", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"input\":\"x\"}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "2", "name": "t", "input": {}}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"input\":\"y\"}"}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ];
    let answer = Reply::sse(&first);
    let server = FakeServer::start(vec![answer.clone(), answer]);
    let client = ResponsesClient::new(speaking(WireApi::Messages, &server), None);
    let mut items = prompt().items;
    let heard = listen(&client, with_tool(items.clone())).await;
    let usage = heard.completion.as_ref().unwrap().usage;
    assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (8, 3, 7));
    assert_eq!((calls(&heard), heard.deltas.as_str()), (2, "hm"));
    items.extend(heard.items);
    for id in ["1", "2"] {
        let output = json!({"type": "custom_tool_call_output", "call_id": id, "output": "ok"});
        items.push(Item::parse(output.to_string()).unwrap());
    }
    listen(&client, with_tool(items)).await;
    let request = &server.requests()[1];
    assert_eq!(request.target, "POST /v1/messages");
    assert_eq!(request.header("x-api-key"), Some("k"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    let messages = &request.body["messages"];
    assert_eq!(messages[1]["content"][0], json!({"type": "thinking", "thinking": "hm", "signature": "sig"}));
    assert_eq!(messages[1]["content"][1], json!({"type": "tool_use", "id": "1", "name": "t", "input": {"input": "x"}}));
    let results: Vec<&Value> =
        messages[2]["content"].as_array().unwrap().iter().map(|block| &block["tool_use_id"]).collect();
    assert_eq!(results, ["1", "2"]);
}

#[tokio::test]
async fn a_messages_stream_with_holes_is_never_taken_for_an_answer() {
    let call = [
        r#"{"type":"message_start","message":{"id":"m"}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"t"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
    ];
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#;
    for (rest, cause) in [
        (&[][..], Cause::Stream),
        (&["7"], Cause::Stream),
        (&[stop, r#"{"type":"message_stop"}"#], Cause::Stream),
        (&[r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#], Cause::RateLimited),
    ] {
        let heard = hear(WireApi::Messages, stream(&[&call[..], rest].concat())).await;
        assert_eq!(heard.error().cause, cause, "{rest:?}: {}", heard.error());
        assert_eq!(calls(&heard), 0, "{rest:?}");
    }
}

#[tokio::test]
async fn a_tape_of_either_format_plays_as_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"half"}}"#;
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    for (wire, reply) in [
        (WireApi::Chat, stream(&[NULL_INDEX, CALLS, "[DONE]"])),
        (WireApi::Messages, stream(&[text, stop, r#"{"type":"message_stop"}"#])),
    ] {
        let path = folder.path().join(wire.name());
        let server = FakeServer::start(vec![reply]);
        let recorder = Recorder::create(&path, wire).unwrap();
        let live = listen(&ResponsesClient::new(speaking(wire, &server), Some(recorder)), prompt()).await;
        let tape = TapeServer::start(Tape::read(&path).unwrap(), Pace::Instant).await.unwrap();
        let client = ResponsesClient::new(Provider { wire: tape.wire, ..provider(&tape.base_url) }, None);
        let played = listen(&client, prompt()).await;
        assert_eq!((tape.wire, tape.left(), played.deltas), (wire, 0, live.deltas));
        assert_eq!((played.items.len(), played.completion.is_some()), (live.items.len(), true));
    }
}
