//! Tapes: what is recorded is what is played, and a request that does not fit is told so.

use hone::model::{Pace, Provider, Recorder, ResponsesClient, Secret, Tape, TapeServer};
use hone::protocol::error::{ModelErrorCause as Cause, Retry};
use hone::protocol::item::OutputPart;
use hone::protocol::prompt::Purpose;
use hone::protocol::{CallForm, Item, Prompt};
use serde_json::json;

use super::kit::{Heard, listen, prompt, provider};
use super::support::speech::{call, created, delta, done, message, response, sse};
use super::support::{FakeServer, Reply, Step};

const KEY: &str = "very-private-key";

/// A prompt that answers `call_id` with `text`.
fn answering(call_id: &str, text: &str) -> Prompt {
    let mut prompt = prompt();
    let call = call(call_id, "shell", &json!({"command": "ls"}));
    prompt.items.push(Item::parse(call.to_string()).unwrap());
    prompt.items.push(Item::output(CallForm::Function, call_id, None, &[OutputPart::Text(text.into())]));
    prompt
}

async fn play(tape: Tape, prompts: Vec<Prompt>) -> (Vec<Heard>, usize) {
    let server = TapeServer::start(tape, Pace::Instant).await.unwrap();
    let client = ResponsesClient::new(provider(&server.base_url), None);
    let mut heard = Vec::new();
    for prompt in prompts {
        heard.push(listen(&client, prompt).await);
    }
    (heard, server.left())
}

#[tokio::test]
async fn a_recorded_conversation_plays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tape");
    let leak = "the key is very-private-key and\nsk-abcdefghij0123456789";
    let bit_by_bit: Vec<_> = leak.as_bytes().chunks(5).map(|bit| delta(std::str::from_utf8(bit).unwrap())).collect();
    let reset = vec![Step::Write(sse(&[delta("x")])), Step::Pause(std::time::Duration::from_millis(20)), Step::Reset];
    let server = FakeServer::start(vec![
        Reply::status(500, &[("retry-after", "0")], "down"),
        Reply::sse(&response(&[call("c1", "shell", &json!({"command": "ls"}))])),
        Reply::stream(reset),
        Reply::sse(&[vec![created()], bit_by_bit, vec![done(message(leak))]].concat()),
        Reply::sse(&response(&[message("fine")])),
    ]);
    let recorder = Recorder::create(&path, hone::protocol::provider::WireApi::Responses).unwrap();
    let hidden = Provider { key: Some(Secret::new(KEY)), ..provider(&server.base_url) };
    let client = ResponsesClient::new(hidden, Some(recorder.clone()));
    let prompts = || [prompt(), answering("c1", "out"), answering("c1", "out"), answering("c1", "out")];
    let mut live = Vec::new();
    for prompt in prompts() {
        live.push(listen(&client, prompt).await);
    }
    assert_eq!((recorder.trouble(), server.requests().len()), (None, 5));

    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
    for leaked in [KEY, "sk-abc", "vate-", "0123"] {
        assert!(!text.contains(leaked), "{leaked}: {text}");
    }
    let (played, left) = play(Tape::read(&path).unwrap(), prompts().into()).await;
    assert_eq!(left, 0);
    for (live, played) in live.iter().zip(&played) {
        let scrub = |text: &str| text.replace(KEY, "[redacted]").replace("sk-abcdefghij0123456789", "[redacted]");
        assert_eq!(scrub(&live.deltas), played.deltas);
        assert_eq!(live.items.len(), played.items.len());
        assert_eq!(live.completion.is_some(), played.completion.is_some());
        let cause = |heard: &Heard| heard.error.as_ref().map(|error| (error.cause, error.retry));
        assert_eq!(cause(live), cause(played));
    }
    assert_eq!(played[0].items, live[0].items);
}

#[tokio::test]
async fn a_hand_written_tape_speaks() {
    let tape = "{\"tape\":1}\n{\"note\":\"first\",\"items\":[{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"Hm. \"}]},{\"type\":\"function_call\",\"name\":\"shell\",\"call_id\":\"c1\",\"arguments\":{\"command\":\"ls\"}}]}\n{\"items\":[\"All done.\"],\"usage\":{\"input_tokens\":5,\"output_tokens\":2}}\n";
    let (heard, left) = play(Tape::parse(tape).unwrap(), vec![prompt(), answering("c1", "out")]).await;
    assert_eq!(left, 0);
    assert_eq!(heard[0].deltas, "Hm. ");
    assert_eq!(heard[0].items[1].call_input().as_deref(), Some("{\"command\":\"ls\"}"));
    assert_eq!((heard[1].deltas.as_str(), heard[1].texts()), ("All done.", vec!["All done.".to_owned()]));
    assert_eq!(heard[1].completion.as_ref().unwrap().usage.total_tokens, 7);
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_told_where() {
    let tape = || {
        let text = "{\"tape\":1}\n{\"items\":[{\"type\":\"function_call\",\"name\":\"shell\",\"call_id\":\"c1\",\"arguments\":\"{}\"}]}\n{\"items\":[\"done\"]}";
        Tape::parse(text).unwrap()
    };
    let summary = Prompt { purpose: Purpose::Compaction, ..prompt() };
    for (prompts, message) in [
        (
            vec![prompt(), prompt()],
            "tape: exchange 2 of 2 follows an output for call `c1`, which the request does not hold\n",
        ),
        (
            vec![prompt(), summary, prompt()],
            "tape: all 2 exchanges have been played, and the client asks for another\n",
        ),
    ] {
        let (heard, _) = play(tape(), prompts).await;
        let error = heard.last().unwrap().error();
        assert_eq!(error.message, message);
        assert_eq!((error.cause, error.retry), (Cause::BadRequest, Retry::No));
    }
}

#[tokio::test]
async fn refusals_and_silence_can_be_written_too() {
    let tape = "{\"tape\":1}\n{\"status\":429,\"headers\":{\"retry-after\":\"7\"}}\n{\"events\":[{\"type\":\"response.created\"}],\"end\":\"silent\"}";
    let server = TapeServer::start(Tape::parse(tape).unwrap(), Pace::AsRecorded).await.unwrap();
    let short = std::time::Duration::from_millis(50);
    let client = ResponsesClient::new(Provider { stream_idle_timeout: short, ..provider(&server.base_url) }, None);
    let heard = listen(&client, prompt()).await;
    assert_eq!(heard.error().retry, Retry::After(std::time::Duration::from_secs(7)));
    let heard = listen(&client, prompt()).await;
    assert!(heard.error().message.ends_with("idle timeout waiting for SSE"));
}
