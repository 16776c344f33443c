//! The one place that knows which file speaks which format.

use serde_json::Value;

use super::chat_stream::ChatDecoder;
use super::messages_stream::MessagesDecoder;
use super::tools::Tools;
use super::words::Said;
use super::{chat, messages};
use crate::protocol::provider::WireApi;

/// A request in another format, and what is needed to read its answer.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The body to send.
    pub body: Value,
    /// The tools it offers.
    pub tools: Tools,
}

/// `request`, a body of the Responses API, as `wire` has it; `None` when that is the Responses API itself.
#[must_use]
pub fn translate(wire: WireApi, request: &Value) -> Option<Translated> {
    let tools = Tools::of(request);
    let body = match wire {
        WireApi::Responses => return None,
        WireApi::Chat => chat::request(request, &tools),
        WireApi::Messages => messages::request(request, &tools),
    };
    Some(Translated { body, tools })
}

/// Reads the answer to one request.
#[derive(Debug)]
pub enum Decoder {
    /// Of Chat Completions.
    Chat(Box<ChatDecoder>),
    /// Of Messages.
    Messages(Box<MessagesDecoder>),
}

impl Decoder {
    /// Reads an answer in the format `wire`; `None` for the Responses API, which needs no translation. `seed` is different
    /// for every response.
    #[must_use]
    pub fn new(wire: WireApi, tools: Tools, seed: String) -> Option<Self> {
        match wire {
            WireApi::Responses => None,
            WireApi::Chat => Some(Self::Chat(Box::new(ChatDecoder::new(tools, seed)))),
            WireApi::Messages => Some(Self::Messages(Box::new(MessagesDecoder::new(tools, seed)))),
        }
    }

    /// Takes the data of one event.
    pub fn push(&mut self, data: &str) -> Vec<Said> {
        match self {
            Self::Chat(decoder) => decoder.push(data),
            Self::Messages(decoder) => decoder.push(data),
        }
    }

    /// The stream ended. Says nothing when it ended too early: that is the caller's to tell.
    pub fn end(&mut self) -> Vec<Said> {
        match self {
            Self::Chat(decoder) => decoder.end(),
            Self::Messages(decoder) => decoder.end(),
        }
    }
}
