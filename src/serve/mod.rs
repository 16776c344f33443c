//! Floor 5: what other programs connect to.
//!
//! [`responses`] is a server of the Responses API in front of a server that speaks another format; [`emit`] writes its events.

pub mod emit;
pub mod responses;
