//! How long to wait before another attempt. Pure: the caller brings the randomness, so that tests see fixed delays.

use std::time::Duration;

/// The first delay; the wire's custom and Codex's.
pub const UNIT: Duration = Duration::from_millis(200);

/// The delay before attempt `retry`, counted from 1: `unit`, twice that, four times that, each spread by up to a tenth
/// either way so that many clients do not come back at once. `seed` is any random number.
#[must_use]
pub fn backoff(unit: Duration, retry: u32, seed: u64) -> Duration {
    // Ten doublings are minutes already; the bound only keeps the arithmetic sane for absurd retry counts.
    let doubled = unit.saturating_mul(1 << retry.saturating_sub(1).min(10));
    let spread = 900 + u32::try_from(seed % 201).unwrap_or(100);
    doubled / 1000 * spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_spread_by_a_tenth() {
        for (retry, ms) in [(0, 200), (1, 200), (2, 400), (3, 800), (4, 1600), (5, 3200), (11, 204_800), (99, 204_800)]
        {
            let middle = Duration::from_millis(ms);
            assert_eq!(backoff(UNIT, retry, 100), middle);
            assert_eq!(backoff(UNIT, retry, 0), middle * 9 / 10);
            assert_eq!(backoff(UNIT, retry, 200), middle * 11 / 10);
            assert_eq!(backoff(UNIT, retry, 201), backoff(UNIT, retry, 0));
        }
    }
}
