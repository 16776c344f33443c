//! What models cost. The usual prices are data, in `prompts/prices.toml`; the person's own win.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::protocol::Usage;

const PRICES: &str = include_str!("../../prompts/prices.toml");

/// What a million tokens cost, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Price {
    /// Tokens the request held.
    pub input: f64,
    /// Those of them read from the provider's cache; as `input` when not said.
    pub cached_input: Option<f64>,
    /// Those of them written to it; as `input` when not said.
    pub cache_write: Option<f64>,
    /// Tokens the model wrote.
    pub output: f64,
}

impl Price {
    /// What these tokens cost, in US dollars.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> f64 {
        let (cached, written) = (usage.cached_input_tokens, usage.cache_write_input_tokens);
        let fresh = usage.input_tokens.saturating_sub(cached).saturating_sub(written);
        let parts = [
            (fresh, self.input),
            (cached, self.cached_input.unwrap_or(self.input)),
            (written, self.cache_write.unwrap_or(self.input)),
            (usage.output_tokens, self.output),
        ];
        parts.iter().map(|(tokens, price)| *tokens as f64 * price).sum::<f64>() / 1e6
    }
}

/// The prices of all models.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    own: BTreeMap<String, Price>,
    usual: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
struct Row {
    prefix: String,
    #[serde(flatten)]
    price: Price,
}

#[derive(Deserialize)]
struct File {
    price: Vec<Row>,
}

impl Prices {
    /// The usual prices, and the person's own by the beginning of a slug.
    #[must_use]
    pub fn new(own: BTreeMap<String, Price>) -> Self {
        // The file is part of the program and a test reads it, so the fallback is never taken.
        Self { own, usual: toml::from_str::<File>(PRICES).map(|file| file.price).unwrap_or_default() }
    }

    /// What a model costs, if that is known. A maker in front, as in `openai/gpt-5`, matters only to the person's own rows.
    #[must_use]
    pub fn of(&self, slug: &str) -> Option<Price> {
        let name = slug.rsplit('/').next().unwrap_or(slug);
        let own = self.own.iter().filter(|(prefix, _)| slug.starts_with(*prefix) || name.starts_with(*prefix));
        let usual = || self.usual.iter().filter(|row| matches(name, &row.prefix)).max_by_key(|row| row.prefix.len());
        own.max_by_key(|(prefix, _)| prefix.len()).map(|(_, price)| *price).or_else(|| usual().map(|row| row.price))
    }
}

/// Whether a usual price is that of the model: a later version, as `gpt-5.5` is of `gpt-5`, has a price of its own.
fn matches(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(|c: char| c == '.' || c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_prices_can_be_read() {
        assert!(toml::from_str::<File>(PRICES).unwrap().price.len() > 5);
    }

    #[test]
    fn the_longest_match_wins_and_the_persons_own_before_all() {
        let own = Price { input: 7.0, ..Price::default() };
        let prices = Prices::new([("mine".to_owned(), own), ("o3".to_owned(), own)].into());
        for (slug, input) in [
            ("gpt-5", Some(1.25)),
            ("gpt-5-2025-08-07", Some(1.25)),
            ("openai/gpt-5-mini", Some(0.25)),
            ("gpt-5.5", None),
            ("gpt-50", None),
            ("o3", Some(7.0)),
            ("mine-large", Some(7.0)),
            ("elsewhere/mine", Some(7.0)),
            ("unknown", None),
        ] {
            assert_eq!(prices.of(slug).map(|price| price.input), input, "{slug}");
        }
    }

    #[test]
    fn every_kind_of_token_has_its_price() {
        let price = Price { input: 1.0, cached_input: Some(0.1), cache_write: None, output: 10.0 };
        let usage = Usage {
            input_tokens: 3_000_000,
            cached_input_tokens: 1_000_000,
            cache_write_input_tokens: 1_000_000,
            output_tokens: 1_000_000,
            ..Usage::default()
        };
        assert!((price.of(&usage) - 12.1).abs() < 1e-9);
    }
}
