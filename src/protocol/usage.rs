//! Token accounting, in the field names rollouts and event streams use.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Tokens of one response, or a running sum of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens the request held, cached ones included.
    pub input_tokens: u64,
    /// The part of `input_tokens` the provider read from its prompt cache.
    pub cached_input_tokens: u64,
    /// The part of `input_tokens` the provider wrote to its prompt cache.
    pub cache_write_input_tokens: u64,
    /// Tokens the model wrote, reasoning included.
    pub output_tokens: u64,
    /// The part of `output_tokens` spent on reasoning.
    pub reasoning_output_tokens: u64,
    /// Input and output together, as the provider counts them.
    pub total_tokens: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.cache_write_input_tokens += other.cache_write_input_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_output_tokens += other.reasoning_output_tokens;
        self.total_tokens += other.total_tokens;
    }
}
