//! What reviews by a model may cost: one object that every request and every event of it must pass.
//!
//! The day's use is derived from the reviews that were kept, so that neither a restart nor a second process has a budget of
//! its own. A provider that never says "done" passes neither the tokens nor the time.

use std::time::Duration;

use super::settings::EvolutionSettings;
use crate::agent::ports::Clock;
use crate::protocol::learned::{Cost, Review};

/// A day, in milliseconds: the last twenty-four hours, wherever the person is.
const DAY_MS: u64 = 24 * 60 * 60_000;
/// Requests in a day, whatever they cost: servers that count no tokens are no reason to go on.
const DAY_REQUESTS: u32 = 50;
/// Time in a day, in milliseconds.
const DAY_WALL_MS: u64 = 30 * 60_000;

/// What is left, and what was spent of it.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    requests: u32,
    tokens: u64,
    clock: &'a dyn Clock,
    began_ms: u64,
    wall_ms: u64,
    spent: Cost,
}

/// What reviews cost in the day before `now_ms`.
#[must_use]
pub fn spent_today(reviews: &[Review], now_ms: u64) -> Cost {
    reviews.iter().filter(|review| review.at_ms + DAY_MS > now_ms).fold(Cost::default(), |sum, review| Cost {
        requests: sum.requests.saturating_add(review.cost.requests),
        input_tokens: sum.input_tokens.saturating_add(review.cost.input_tokens),
        output_tokens: sum.output_tokens.saturating_add(review.cost.output_tokens),
        wall_ms: sum.wall_ms.saturating_add(review.cost.wall_ms),
    })
}

impl<'a> Budget<'a> {
    /// What one review that begins now may cost.
    #[must_use]
    pub fn new(settings: &EvolutionSettings, reviews: &[Review], now_ms: u64, clock: &'a dyn Clock) -> Self {
        let day = spent_today(reviews, now_ms);
        let tokens = settings.daily_tokens.saturating_sub(day.input_tokens.saturating_add(day.output_tokens));
        Self {
            requests: settings.review_requests.min(DAY_REQUESTS.saturating_sub(day.requests)),
            tokens: tokens.min(settings.review_tokens),
            clock,
            began_ms: clock.unix_ms(),
            wall_ms: settings.review_ms.min(DAY_WALL_MS.saturating_sub(day.wall_ms)),
            spent: Cost::default(),
        }
    }

    /// What is left of it for a later part of the same review, after the parts before cost `spent`.
    #[must_use]
    pub fn after(mut self, spent: Cost) -> Self {
        self.began_ms = self.began_ms.saturating_sub(spent.wall_ms);
        self.spent = spent;
        self
    }

    /// Takes a request of `input` tokens that may be answered with `output`.
    ///
    /// # Errors
    /// What it would overrun.
    pub fn request(&mut self, input: u64, output: u64) -> Result<(), String> {
        if self.spent.requests >= self.requests {
            return Err(format!("{} requests were made, and no more may be", self.spent.requests));
        }
        if self.used() + input + output > self.tokens {
            return Err(format!("{} tokens are left, and {} would be needed", self.left(), input + output));
        }
        self.in_time()?;
        self.spent.requests += 1;
        self.spent.input_tokens += input;
        Ok(())
    }

    /// Takes what was received, each event a token at least.
    ///
    /// # Errors
    /// What it overruns.
    pub fn receive(&mut self, tokens: u64) -> Result<(), String> {
        self.spent.output_tokens += tokens.max(1);
        if self.used() > self.tokens {
            return Err(format!("the answer went on beyond the {} tokens that were left", self.tokens));
        }
        self.in_time()
    }

    /// Puts the server's count in place of the estimates of one request.
    pub fn settle(&mut self, before: Cost, input: u64, output: u64) {
        if input + output > 0 {
            self.spent.input_tokens = before.input_tokens + input;
            self.spent.output_tokens = before.output_tokens + output;
        }
    }

    /// How long waiting may go on.
    #[must_use]
    pub fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms.saturating_sub(self.elapsed_ms()))
    }

    /// What it cost so far.
    #[must_use]
    pub fn spent(&self) -> Cost {
        Cost { wall_ms: self.elapsed_ms(), ..self.spent }
    }

    fn in_time(&self) -> Result<(), String> {
        let late = || format!("it took longer than {} s", self.wall_ms / 1000);
        (self.elapsed_ms() < self.wall_ms).then_some(()).ok_or_else(late)
    }

    fn elapsed_ms(&self) -> u64 {
        self.clock.unix_ms().saturating_sub(self.began_ms)
    }

    fn used(&self) -> u64 {
        self.spent.input_tokens + self.spent.output_tokens
    }

    fn left(&self) -> u64 {
        self.tokens.saturating_sub(self.used())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::learned::{Author, ReviewEnd};

    struct Still;

    impl Clock for Still {
        fn unix_ms(&self) -> u64 {
            0
        }

        fn local_date(&self) -> String {
            String::new()
        }

        fn time_zone(&self) -> String {
            String::new()
        }
    }

    fn review(at_ms: u64, input_tokens: u64) -> Review {
        let cost = Cost { requests: 1, input_tokens, ..Cost::default() };
        let (by, end) = (Author::Rules, ReviewEnd::Failed("x".to_owned()));
        Review { at_ms, by, covers: Vec::new(), end, cost, decisions: Vec::new() }
    }

    #[test]
    fn the_day_is_derived_from_the_reviews() {
        let settings = EvolutionSettings::default();
        let now = 10 * DAY_MS;
        let reviews = [review(now - DAY_MS, 9_000), review(now - 5, 12_000), review(now - 1, 4_000)];
        assert_eq!(spent_today(&reviews, now).input_tokens, 16_000);
        let mut budget = Budget::new(&settings, &reviews, now, &Still);
        assert!(budget.request(3_000, 1_001).unwrap_err().contains("4000 tokens are left"));
        budget.request(2_000, 1_000).unwrap();
        budget.request(500, 1_000).unwrap();
        assert!(budget.request(1, 1).unwrap_err().contains("no more"));
        assert!((0..2_000).any(|_| budget.receive(0).is_err()), "events without text count too");
        let failing: Vec<Review> = (0..60).map(|_| review(now, 0)).collect();
        assert!(Budget::new(&settings, &failing, now, &Still).request(1, 1).is_err());
    }
}
