//! Floor 3: talks to models.

pub mod body;
pub mod catalogue;
pub mod events;
pub mod limits;
pub mod provider;
pub mod request;
pub mod retry;
pub mod sse;
