//! The program as a person or a script calls it: arguments, standard input and output, exit codes, messages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod demo;
mod errors;
mod events;
mod fallback;
mod options;
mod patch;
mod policy;
mod prompt;
mod resume;
mod storage;
mod tapes;

use support::speech::{message, response};
use support::{FakeServer, Reply, World};

/// A server that answers `count` requests with the number of each, and a home that knows it.
fn answering(count: usize) -> (FakeServer, World) {
    let replies = (1..=count).map(|number| Reply::sse(&response(&[message(&format!("answer {number}"))])));
    let server = FakeServer::start(replies.collect());
    let world = World::of(&server);
    (server, world)
}

/// The text of the last message of a request.
fn last_text(request: &support::Request) -> String {
    request.input().last().unwrap()["content"][0]["text"].as_str().unwrap().to_owned()
}
