//! Floor 3: talks to models.
//!
//! [`ResponsesClient`] is the port's implementation. A request goes down through [`request`] (what is said), [`http`]
//! (connection, deadlines, silent retries) and comes back through [`sse`] (bytes to events) and [`events`] (events to
//! [`ModelEvent`](crate::agent::ports::ModelEvent)s). [`retry`] says what failures mean, [`failover`] asks other
//! models where one cannot answer. [`provider`], [`prices`] and [`catalogue`]
//! hold the facts about servers and models. [`wire`] translates to and from the formats
//! of servers that speak something else. [`record`] writes conversations to tapes, [`tape`] reads them and [`replay`]
//! plays them.

pub mod body;
pub mod catalogue;
pub mod events;
pub mod failover;
pub mod http;
pub mod limits;
pub mod models;
pub mod prices;
pub mod provider;
pub mod record;
pub mod replay;
pub mod request;
pub mod responses;
pub mod retry;
pub mod sse;
pub mod tape;
pub mod tls;
pub mod wire;

pub use failover::{FailoverClient, Spare};
pub use provider::{Provider, Secret};
pub use record::Recorder;
pub use replay::{Pace, TapeServer};
pub use responses::ResponsesClient;
pub use tape::Tape;
