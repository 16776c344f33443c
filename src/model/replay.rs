//! Plays a tape: a server on the loopback that answers as the tape says.
//!
//! The real client speaks to it over a real connection, so in a replay everything but the model's words is real. A
//! request that does not fit the tape is refused with a message that says where, instead of being answered with words
//! that were meant for something else.

use serde_json::Value;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::record::End;
use super::tape::{Content, Exchange, Tape};
use super::wire::tools::Tools;
use super::wire::{Decoder, Said};
use crate::protocol::provider::WireApi;

/// Requests beyond this size are refused.
const REQUEST_LIMIT: usize = 1 << 30;

/// Events are gathered to writes of this size while nothing has to be waited for.
const WRITE_SIZE: usize = 64 * 1024;

/// How fast a tape plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Without any wait.
    #[default]
    Instant,
    /// As it was recorded; words of hand-written items come at the pace of a model.
    AsRecorded,
}

/// A tape being played. The server ends when this is dropped.
pub struct TapeServer {
    /// What a provider's `base_url` must be to hear the tape.
    pub base_url: String,
    /// The format it speaks.
    pub wire: WireApi,
    player: Arc<Player>,
    accepting: JoinHandle<()>,
}

struct Player {
    tape: Tape,
    pace: Pace,
    position: Mutex<Position>,
}

#[derive(Default)]
struct Position {
    /// The exchange to play next.
    next: usize,
    /// The calls of the exchange before, which the next request must answer.
    calls: Vec<String>,
}

impl TapeServer {
    /// Starts to play `tape` at an address of its own.
    ///
    /// # Errors
    /// The loopback cannot be listened on.
    pub async fn start(tape: Tape, pace: Pace) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let wire = tape.wire;
        let player = Arc::new(Player { tape, pace, position: Mutex::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&player)));
        Ok(Self { base_url, wire, player, accepting })
    }

    /// How many exchanges have not been played.
    #[must_use]
    pub fn left(&self) -> usize {
        let position = self.player.position.lock().unwrap_or_else(PoisonError::into_inner);
        self.player.tape.exchanges.len() - position.next
    }
}

impl Drop for TapeServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, player: Arc<Player>) {
    // Connections live in a set of this task's, so that they end with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let player = Arc::clone(&player);
        connections.spawn(async move {
            // The client went away: nobody is left to tell.
            let _gone = player.serve(stream).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Player {
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(body) = read_request(&mut stream).await? {
            match self.choose(&body) {
                Ok(exchange) => {
                    if !self.play(stream.get_mut(), exchange).await? {
                        break;
                    }
                }
                Err(message) => {
                    let message = format!("tape: {message}\n");
                    write_whole(stream.get_mut(), 400, &[("content-type", "text/plain; charset=utf-8")], &message)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// The exchange that `body` is answered with, and moves on.
    fn choose(&self, body: &[u8]) -> Result<&Exchange, String> {
        let request: Value =
            serde_json::from_slice(body).map_err(|error| format!("the request is no JSON: {error}"))?;
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, count) = (position.next + 1, self.tape.exchanges.len());
        let Some(exchange) = self.tape.exchanges.get(position.next) else {
            return Err(format!("all {count} exchanges have been played, and the client asks for another"));
        };
        let answered = outputs(&request);
        let must = position.calls.iter().filter(|_| is_turn(&request)).chain(&exchange.answers);
        if let Some(call) = must.into_iter().find(|call| !answered.contains(&call.as_str())) {
            return Err(format!(
                "exchange {number} of {count} follows an output for call `{call}`, which the request does not hold"
            ));
        }
        position.next += 1;
        if is_turn(&request) {
            position.calls = calls(self.tape.wire, exchange);
        }
        Ok(exchange)
    }

    /// `false` when the connection cannot be used any more.
    async fn play(&self, stream: &mut TcpStream, exchange: &Exchange) -> io::Result<bool> {
        let headers: Vec<(&str, &str)> =
            exchange.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match &exchange.content {
            Content::Body(body) => write_whole(stream, exchange.status, &headers, body).await.map(|()| true),
            Content::Events(events) => {
                write_head(stream, exchange.status, &headers).await?;
                self.write_events(stream, events).await?;
                end_stream(stream, exchange.end).await
            }
        }
    }

    async fn write_events(&self, stream: &mut TcpStream, events: &[(Duration, String)]) -> io::Result<()> {
        let mut pending = Vec::new();
        for (gap, data) in events {
            if self.pace == Pace::AsRecorded && !gap.is_zero() {
                flush_chunk(stream, &mut pending).await?;
                sleep(*gap).await;
            }
            for line in data.lines() {
                pending.extend_from_slice(b"data: ");
                pending.extend_from_slice(line.as_bytes());
                pending.push(b'\n');
            }
            pending.push(b'\n');
            if pending.len() >= WRITE_SIZE {
                flush_chunk(stream, &mut pending).await?;
            }
        }
        flush_chunk(stream, &mut pending).await
    }
}

/// A request that offers tools goes on with a turn; one without asks for a summary and may leave calls unanswered.
fn is_turn(request: &Value) -> bool {
    request.get("tools").is_some()
}

fn outputs(request: &Value) -> Vec<&str> {
    let messages = request["messages"].as_array().into_iter().flatten();
    let translated = messages.flat_map(|message| {
        let blocks = message["content"].as_array().into_iter().flatten();
        let results = blocks.filter_map(|block| block["tool_use_id"].as_str());
        message["tool_call_id"].as_str().into_iter().chain(results)
    });
    let items = request["input"].as_array().into_iter().flatten();
    let outputs = items.filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")));
    outputs.filter_map(|item| item["call_id"].as_str()).chain(translated).collect()
}

/// The calls an exchange makes.
fn calls(wire: WireApi, exchange: &Exchange) -> Vec<String> {
    let Content::Events(events) = &exchange.content else { return Vec::new() };
    if let Some(mut decoder) = Decoder::new(wire, Tools::default(), String::new()) {
        let said: Vec<Said> = events.iter().flat_map(|(_, data)| decoder.push(data)).collect();
        let said = said.into_iter().chain(decoder.end());
        let items = said.filter_map(|said| if let Said::Item(item) = said { Some(item) } else { None });
        return items.filter_map(|item| item["call_id"].as_str().map(str::to_owned)).collect();
    }
    let done = events.iter().filter(|(_, data)| data.contains("response.output_item.done"));
    let values = done.filter_map(|(_, data)| serde_json::from_str::<Value>(data).ok());
    let ids = values.filter_map(|event| {
        let kind = event["item"]["type"].as_str()?;
        let answered_here =
            matches!(kind, "function_call" | "custom_tool_call" | "local_shell_call" | "tool_search_call");
        answered_here.then(|| event["item"]["call_id"].as_str().map(str::to_owned))?
    });
    ids.collect()
}

/// The body of the next request; `None` when the client is done.
async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut length = 0;
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    if length > REQUEST_LIMIT {
        return Err(io::Error::other("the request is too large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(body))
}

fn head(status: u16, headers: &[(&str, &str)], framing: &str) -> String {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("-");
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n{framing}\r\n");
    for (name, value) in headers {
        // Writing to a string cannot fail.
        let _infallible = write!(head, "{name}: {}\r\n", value.replace(['\r', '\n'], " "));
    }
    head.push_str("\r\n");
    head
}

async fn write_head(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)]) -> io::Result<()> {
    let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let framing = match typed {
        true => "transfer-encoding: chunked",
        false => "transfer-encoding: chunked\r\ncontent-type: text/event-stream",
    };
    stream.write_all(head(status, headers, framing).as_bytes()).await
}

async fn write_whole(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)], body: &str) -> io::Result<()> {
    let head = head(status, headers, &format!("content-length: {}", body.len()));
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await
}

async fn flush_chunk(stream: &mut TcpStream, pending: &mut Vec<u8>) -> io::Result<()> {
    if pending.is_empty() {
        return Ok(());
    }
    let size = format!("{:x}\r\n", pending.len());
    pending.extend_from_slice(b"\r\n");
    stream.write_all(size.as_bytes()).await?;
    stream.write_all(pending).await?;
    pending.clear();
    Ok(())
}

async fn end_stream(stream: &mut TcpStream, end: End) -> io::Result<bool> {
    match end {
        End::Complete | End::Closed | End::Dropped => stream.write_all(b"0\r\n\r\n").await.map(|()| true),
        End::Broken => Ok(false),
        End::Silent => {
            // Nothing more is said until the client has had enough.
            let mut byte = [0];
            while stream.read(&mut byte).await? > 0 {}
            Ok(false)
        }
    }
}
