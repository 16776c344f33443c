//! Floor 2: the turn.
//!
//! [`ports`] holds what the agent needs from the outside world.

pub mod ports;
