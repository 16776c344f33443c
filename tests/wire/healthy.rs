//! What goes over the wire when all is well.

use futures_util::StreamExt;
use hone::agent::ports::ModelClient;
use hone::model::{Provider, ResponsesClient, Secret};
use hone::protocol::{Item, Role};
use serde_json::json;

use super::kit::{listen, prompt, provider};
use super::support::server::head;
use super::support::speech::{call, completed, created, delta, done, message, response, sse};
use super::support::{FakeServer, Gate, Reply, Step};

#[tokio::test]
async fn the_request_carries_key_conversation_and_length() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("ok")])));
    let client = ResponsesClient::new(Provider { key: Some(Secret::new("k")), ..provider(&server.base_url) }, None);
    let mut prompt = prompt();
    let large = Item::message(Role::User, &["y".repeat(100_000)]);
    prompt.items.push(large.clone());
    listen(&client, prompt).await;
    let request = &server.requests()[0];
    assert_eq!(request.target, "POST /v1/responses");
    assert_eq!(request.header("authorization"), Some("Bearer k"));
    assert_eq!(request.header("accept"), Some("text/event-stream"));
    assert_eq!(request.header("content-length"), Some(request.body_len.to_string().as_str()));
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.input()[1], large.to_value());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_a_session_share_connections() {
    let known_length = Reply::sse(&response(&[message("ok")]));
    let chunked = Reply::chunked(&[&sse(&response(&[message("ok")]))]).in_one_write();
    for reply in [known_length, chunked] {
        let server = FakeServer::repeating(reply);
        let client = ResponsesClient::new(provider(&server.base_url), None);
        for _ in 0..50 {
            assert!(listen(&client, prompt()).await.completion.is_some());
        }
        let requests = server.requests();
        // A request that follows at once can be quicker than the return of the connection: that makes two or three.
        let connections = requests.iter().map(|request| request.connection).max().unwrap() + 1;
        assert!(requests.len() == 50 && connections < 10, "{connections} connections");
    }
}

#[tokio::test]
async fn the_turn_state_goes_back_to_the_server() {
    let with_state = |state: &'static str| {
        let headers = [("content-type", "text/event-stream"), ("x-codex-turn-state", state)];
        Reply::whole(200, &headers, &sse(&response(&[])))
    };
    let server = FakeServer::start(vec![with_state("first"), with_state("second"), with_state("third")]);
    let client = ResponsesClient::new(provider(&server.base_url), None);
    let turn = prompt();
    listen(&client, turn.clone()).await;
    listen(&client, turn).await;
    listen(&client, prompt()).await;
    let states: Vec<_> =
        server.requests().iter().map(|request| request.header("x-codex-turn-state").map(str::to_owned)).collect();
    assert_eq!(states, [None, Some("first".to_owned()), None]);
}

#[tokio::test]
async fn limits_and_another_model_are_told() {
    let headers = [
        ("content-type", "text/event-stream"),
        ("x-codex-primary-used-percent", "12.5"),
        ("x-codex-primary-window-minutes", "300"),
        ("openai-model", "gpt-y"),
    ];
    let server = FakeServer::start(vec![Reply::whole(200, &headers, &sse(&response(&[])))]);
    let client = ResponsesClient::new(provider(&server.base_url), None);
    let heard = listen(&client, prompt()).await;
    assert_eq!(heard.rate_limits[0]["primary"]["used_percent"], 12.5);
    assert_eq!(heard.notices, ["The provider answers with gpt-y instead of gpt-x."]);
}

#[tokio::test]
async fn an_item_is_heard_while_the_response_goes_on() {
    let gate = Gate::default();
    let item = call("c1", "shell", &json!({"command": "ls"}));
    let steps = vec![
        Step::Write(sse(&[created(), delta("a"), done(item.clone())])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[completed()])),
    ];
    let server = FakeServer::start(vec![Reply::stream(steps)]);
    let client = ResponsesClient::new(provider(&server.base_url), None);
    let mut stream = client.stream(prompt());
    let mut heard = Vec::new();
    // The server says more only after the item has been heard.
    while let Some(event) = stream.next().await {
        let event = event.unwrap();
        if let hone::agent::ports::ModelEvent::ItemDone(item) = &event {
            heard.push(item.to_value());
            gate.open();
        }
    }
    assert_eq!(heard, [item]);
}

#[tokio::test]
async fn usage_that_is_not_told_counts_as_none() {
    for response in [json!({"id": "r_1"}), json!({"id": "r_1", "usage": null})] {
        let events = sse(&[json!({"type": "response.completed", "response": response})]);
        let server = FakeServer::start(vec![Reply::raw([head(200, &[]), events].concat())]);
        let heard = listen(&ResponsesClient::new(provider(&server.base_url), None), prompt()).await;
        assert_eq!(heard.completion.unwrap().usage, Default::default());
    }
}

#[tokio::test]
async fn dropping_the_stream_lets_go_of_the_connection() {
    let server = FakeServer::start(vec![Reply::stream(vec![Step::Write(sse(&[delta("a")])), Step::HoldOpen])]);
    let client = ResponsesClient::new(provider(&server.base_url), None);
    let mut stream = client.stream(prompt());
    stream.next().await.unwrap().unwrap();
    drop(stream);
    // A new request must not wait for the old one.
    let heard = listen(&client, prompt()).await;
    assert!(heard.error().message.contains("599"));
}
