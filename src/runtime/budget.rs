//! What turns may use: tokens in one turn, money in one day.
//!
//! The day's cost comes from the session files, where every process writes what it used, so that two of them share one
//! budget. Each may still be in the middle of a response when the other reaches it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::setup::Prepared;
use crate::agent::ports;
use crate::config::clock::SystemClock;
use crate::config::schema::{Config, Limits};
use crate::model::prices::{Price, Prices};
use crate::protocol::{ErrorKind, Usage, UserError};
use crate::rollout::usage::UsageReader;

/// What models cost, by the configuration and what is usual.
#[must_use]
pub fn prices(config: &Config) -> Prices {
    let own = config.prices.iter().map(|(slug, price)| {
        let (cached_input, cache_write) = (price.cached_input, price.cache_write);
        (slug.clone(), Price { input: price.input, cached_input, cache_write, output: price.output })
    });
    Prices::new(own.collect())
}

/// What the turns of a runtime may use.
pub struct Budget {
    limits: Limits,
    prices: Prices,
    home: PathBuf,
    zone: TimeZone,
    /// A person who can lift the limits is there.
    interactive: bool,
    /// Nothing is recorded, so what is used must be kept here.
    ephemeral: bool,
    lifted: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    recorded: UsageReader,
    /// What was used without being recorded, by day.
    unrecorded: Vec<(String, f64)>,
}

impl Budget {
    /// The budget of the configuration.
    #[must_use]
    pub fn new(prepared: &Prepared, clock: &SystemClock) -> Self {
        let config = &prepared.loaded.config;
        Self {
            limits: config.limits,
            prices: prices(config),
            home: prepared.loaded.home.dir().to_owned(),
            zone: clock.zone(),
            interactive: prepared.setup.source == "cli",
            ephemeral: prepared.is_ephemeral(),
            lifted: AtomicBool::new(false),
            known: Mutex::default(),
        }
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether the person lifted them.
    #[must_use]
    pub fn is_lifted(&self) -> bool {
        self.lifted.load(Ordering::Relaxed)
    }

    /// Lifts the limits, or puts them back.
    pub fn lift(&self, lifted: bool) {
        self.lifted.store(lifted, Ordering::Relaxed);
    }

    /// What the person should know before `model` is asked: that its use costs nothing as far as the limit can tell.
    #[must_use]
    pub fn blind_to(&self, model: &str) -> Option<String> {
        let counts = self.limits.cost_per_day.is_none() || self.prices.of(model).is_some();
        let say = || {
            format!("limits.cost_per_day does not count {model}, whose price is not known: add [prices.\"{model}\"]")
        };
        (!counts).then(say)
    }

    /// What was spent today, in US dollars.
    ///
    /// # Errors
    /// The folder of sessions cannot be read.
    pub fn spent_today(&self) -> Result<f64, UserError> {
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let today = now.strftime("%Y-%m-%d").to_string();
        let midnight = now.start_of_day().map_or(SystemTime::UNIX_EPOCH, |midnight| midnight.timestamp().into());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recorded.refresh(&self.home, midnight, &self.zone)?;
        let used = known.recorded.sessions().flat_map(|session| &session.used).filter(|((day, _), _)| *day == today);
        let recorded: f64 = used.filter_map(|((_, model), usage)| Some(self.prices.of(model)?.of(usage))).sum();
        let unrecorded = known.unrecorded.iter().filter(|(day, _)| *day == today).map(|(_, cost)| cost);
        Ok(recorded + unrecorded.sum::<f64>())
    }

    fn reached(&self, what: String, key: &str, value: &str) -> UserError {
        let hint = match self.interactive {
            true => {
                format!("`/budget off` lifts it for this session, then say `continue`; or raise {key} in config.toml")
            }
            false => format!(
                "go on with more: hone -c {key}={value} exec resume --last \"continue\"; or raise it in config.toml"
            ),
        };
        UserError::new(ErrorKind::Limit, what).hint(hint)
    }
}

impl ports::Budget for Budget {
    fn used(&self, model: &str, usage: &Usage) {
        let Some(price) = self.prices.of(model).filter(|_| self.ephemeral) else { return };
        let day = Timestamp::now().to_zoned(self.zone.clone()).strftime("%Y-%m-%d").to_string();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.unrecorded.push((day, price.of(usage)));
    }

    fn allows(&self, turn_tokens: u64) -> Result<(), UserError> {
        if self.is_lifted() {
            return Ok(());
        }
        if let Some(limit) = self.limits.tokens_per_turn.filter(|limit| turn_tokens >= *limit) {
            let what = format!("the turn used {turn_tokens} tokens, and limits.tokens_per_turn is {limit}");
            return Err(self.reached(what, "limits.tokens_per_turn", &(limit.max(turn_tokens) * 2).to_string()));
        }
        let Some(limit) = self.limits.cost_per_day else { return Ok(()) };
        let spent = self.spent_today()?;
        if spent < limit {
            return Ok(());
        }
        let what = format!("${spent:.2} were spent today, and limits.cost_per_day is {limit}");
        Err(self.reached(what, "limits.cost_per_day", &format!("{:.2}", spent.max(limit) * 2.0)))
    }
}
