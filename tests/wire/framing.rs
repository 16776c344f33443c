//! However the bytes are framed and cut, the same response is heard.

use hone::protocol::error::{ModelErrorCause, Retry};
use serde_json::json;

use super::kit::{ask, provider};
use super::support::server::head;
use super::support::speech::{completed, delta, done, message, response, sse};
use super::support::{FakeServer, Reply, Step};

fn plain() -> String {
    String::from_utf8(sse(&[delta("he"), delta("llö"), done(message("hellö 🦀")), completed()])).unwrap()
}

fn write(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Write(bytes.into())
}

/// What is sent in front of a good response, or in its place, and still is one.
fn variants() -> Vec<(&'static str, Reply)> {
    let plain = plain();
    let stream = |text: String| Reply::stream(vec![write(text)]);
    let bytes = plain.as_bytes();
    let split = plain.find('ö').unwrap() + 1;
    vec![
        ("plain", stream(plain.clone())),
        ("CRLF line ends", stream(plain.replace('\n', "\r\n"))),
        ("CR line ends", stream(plain.replace('\n', "\r"))),
        ("a byte order mark", stream(format!("\u{feff}{plain}"))),
        ("a byte order mark where none belongs", stream(format!("\n\u{feff}data: x\n\n{plain}"))),
        ("comments", stream(format!(": hello\n\n:\n{}", plain.replace("event:", ": ping\nevent:")))),
        ("no space after the colon", stream(plain.replace("data: ", "data:").replace("event: ", "event:"))),
        (
            "no event names",
            stream(plain.lines().filter(|line| !line.starts_with("event")).map(|l| format!("{l}\n")).collect()),
        ),
        ("misleading event names", stream(plain.replace("event: response", "event: other"))),
        ("ids and retry hints", stream(plain.replace("data:", "id: 7\nretry: 10\ndata:"))),
        ("unknown events", stream(format!("data: {{\"type\":\"response.brand_new\",\"x\":[1]}}\n\n{plain}"))),
        ("data that is no JSON", stream(format!("data: {{not json\n\ndata: 7\n\ndata: []\n\n{plain}"))),
        (
            "a bare error event before the rest",
            stream(format!("data: {{\"type\":\"error\",\"message\":\"x\"}}\n\n{plain}")),
        ),
        ("[DONE] after the end", stream(format!("{plain}data: [DONE]\n\n"))),
        ("[DONE] before the end", stream(format!("data: [DONE]\n\n{plain}"))),
        ("no empty line at the end", stream(plain.trim_end().to_owned())),
        ("JSON over several data lines", stream(plain.replace(",\"delta\"", ",\ndata: \"delta\""))),
        (
            "an unknown item",
            stream(format!(
                "{}{plain}",
                String::from_utf8(sse(&[done(json!({"type": "brand_new", "id": "x_1"}))])).unwrap()
            )),
        ),
        ("one byte at a time", Reply::stream(bytes.iter().map(|byte| write([*byte])).collect())),
        (
            "cut inside a character",
            Reply::stream(vec![
                write(&bytes[..split]),
                Step::Pause(std::time::Duration::from_millis(5)),
                write(&bytes[split..]),
            ]),
        ),
        ("chunked, a byte each", Reply::chunked(&bytes.chunks(1).collect::<Vec<_>>())),
        ("chunked, all at once", Reply::chunked(&[bytes])),
        ("a body of known length", Reply::whole(200, &[("content-type", "text/event-stream")], bytes)),
        ("no content type", Reply::raw([head(200, &[]), bytes.to_vec()].concat())),
        (
            "a content type of another kind",
            Reply::raw([head(200, &[("content-type", "application/json")]), bytes.to_vec()].concat()),
        ),
        (
            "gzip",
            Reply::whole(200, &[("content-type", "text/event-stream"), ("content-encoding", "gzip")], &gzip(bytes)),
        ),
        ("kept open after the end", Reply::stream(vec![write(bytes), Step::HoldOpen])),
        ("garbage after the end", stream(format!("{plain}\u{0}\u{1}garbage"))),
        (
            "reset after the end",
            Reply::stream(vec![write(bytes), Step::Pause(std::time::Duration::from_millis(20)), Step::Reset]),
        ),
        (
            "an interim answer first",
            Reply::raw([b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), head(200, &[]), bytes.to_vec()].concat()),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_framing_of_a_response_is_heard_alike() {
    for (name, reply) in variants() {
        let server = FakeServer::start(vec![reply]);
        let heard = ask(provider(&server.base_url)).await;
        assert_eq!(heard.error, None, "{name}");
        assert_eq!((heard.texts(), heard.deltas.as_str()), (vec!["hellö 🦀".to_owned()], "hellö"), "{name}");
        assert_eq!(heard.completion.unwrap().usage.total_tokens, 110, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_cost_their_own_letters_only() {
    let mut bytes = b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\xFF\xFEb\"}\n\n".to_vec();
    bytes.extend(plain().bytes());
    let server = FakeServer::start(vec![Reply::stream(vec![write(bytes)])]);
    let heard = ask(provider(&server.base_url)).await;
    assert_eq!(heard.deltas, "a\u{fffd}\u{fffd}bhellö");
    assert_eq!(heard.items.len(), 1);
}

#[tokio::test]
async fn an_item_of_20_mib_arrives_whole() {
    let text = "x".repeat(20 << 20);
    let server = FakeServer::start(vec![Reply::sse(&response(&[message(&text)]))]);
    let heard = ask(provider(&server.base_url)).await;
    assert_eq!(heard.error, None);
    assert_eq!(heard.items[0].text().len(), text.len());
}

#[tokio::test]
async fn a_line_without_end_is_an_error_not_all_the_memory() {
    let mebibyte = write(vec![b'x'; 1 << 20]);
    let endless = [write("data: ")].into_iter().chain(std::iter::repeat_n(mebibyte, 40)).collect();
    let server = FakeServer::start(vec![Reply::stream(endless)]);
    let heard = ask(provider(&server.base_url)).await;
    let error = heard.error();
    assert_eq!(
        error.message,
        "stream disconnected before completion: a line of the event stream is longer than 33554432 bytes"
    );
    assert_eq!((error.cause, error.retry), (ModelErrorCause::Stream, Retry::Backoff));
}

/// `bytes` in the gzip format without compression, as RFC 1951 and 1952 describe it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    out.extend(crc.to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}
