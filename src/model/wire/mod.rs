//! Other wire formats than the Responses API: Chat Completions and Anthropic Messages.
//!
//! Everything here is pure, and works both ways. A Responses request becomes a request of the other format ([`chat`],
//! [`messages`], over the common [`conversation`] and [`tools`]); the events of its answer become what a Responses stream
//! would have said ([`chat_stream`], [`messages_stream`], in [`words::Said`]). [`translate`] chooses by format.

pub mod chat;
pub mod chat_stream;
pub mod conversation;
pub mod failure;
pub mod messages;
pub mod messages_stream;
pub mod think;
pub mod tools;
pub mod translate;
pub mod words;

pub use translate::{Decoder, Translated};
pub use words::Said;
