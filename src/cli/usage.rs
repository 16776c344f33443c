//! `hone usage`: what sessions used and what it cost, by day, model and session.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::args::{Options, UsageOptions};
use super::terminal;
use crate::config::clock::SystemClock;
use crate::model::prices::Prices;
use crate::protocol::{Usage, UserError};
use crate::rollout::usage::UsageReader;
use crate::runtime::budget;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was used, and by whom.
#[derive(Default)]
struct Sum {
    usage: Usage,
    /// What it cost as far as prices are known.
    cost: f64,
    /// Something of it has a price.
    priced: bool,
    /// Models without one.
    unpriced: BTreeSet<String>,
    /// The last day.
    last: String,
}

/// The same four ways.
#[derive(Default)]
struct Report {
    total: Sum,
    days: BTreeMap<String, Sum>,
    models: BTreeMap<String, Sum>,
    sessions: BTreeMap<String, Sum>,
}

/// Reads the sessions and prints what they used.
///
/// # Errors
/// The configuration or the folder of sessions cannot be read.
pub fn run(options: &Options, asked: &UsageOptions) -> Result<u8, UserError> {
    let loaded = options.setup()?.load()?;
    let (clock, prices) = (SystemClock::new(&loaded.env), budget::prices(&loaded.config));
    let first = clock.date_in(1 - i64::from(asked.days));
    // A file that was written to before the first day began has nothing of it, wherever that day began.
    let since = SystemTime::now().checked_sub(DAY * (asked.days + 1)).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut reader = UsageReader::default();
    reader.refresh(loaded.home.dir(), since, &clock.zone())?;
    let mut report = Report::default();
    for session in reader.sessions() {
        for ((day, model), usage) in session.used.iter().filter(|((day, _), _)| *day >= first) {
            report.add(day, model, &session.id.to_string(), usage, &prices);
        }
    }
    terminal::print(&if asked.json { format!("{}\n", report.to_json()) } else { report.to_text(asked) });
    Ok(0)
}

impl Report {
    fn add(&mut self, day: &str, model: &str, session: &str, usage: &Usage, prices: &Prices) {
        let sums = [
            &mut self.total,
            self.days.entry(day.to_owned()).or_default(),
            self.models.entry(model.to_owned()).or_default(),
            self.sessions.entry(session.to_owned()).or_default(),
        ];
        let cost = prices.of(model).map(|price| price.of(usage));
        for sum in sums {
            sum.usage += *usage;
            sum.cost += cost.unwrap_or_default();
            sum.priced |= cost.is_some();
            if cost.is_none() {
                sum.unpriced.insert(model.to_owned());
            }
            if sum.last.as_str() < day {
                day.clone_into(&mut sum.last);
            }
        }
    }

    /// Sessions, the one used last first.
    fn newest(&self) -> Vec<(&String, &Sum)> {
        let mut sessions: Vec<_> = self.sessions.iter().collect();
        sessions.sort_by(|a, b| (&b.1.last, b.0).cmp(&(&a.1.last, a.0)));
        sessions
    }

    fn to_json(&self) -> Value {
        let rows = |name: &str, sums: Vec<(&String, &Sum)>| -> Vec<Value> {
            let row = |(key, sum): (&String, &Sum)| {
                let mut row = sum.to_json();
                row[name] = key.as_str().into();
                row
            };
            sums.into_iter().map(row).collect()
        };
        json!({
            "days": rows("day", self.days.iter().rev().collect()),
            "models": rows("model", self.models.iter().collect()),
            "sessions": rows("session", self.newest()),
            "total": self.total.to_json(),
        })
    }

    fn to_text(&self, asked: &UsageOptions) -> String {
        if self.days.is_empty() {
            return format!("nothing was used in the last {} days\n", asked.days);
        }
        let mut models: Vec<_> = self.models.iter().collect();
        models.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.usage.total_tokens));
        let newest = self.newest();
        let left_out = newest.len().saturating_sub(asked.n);
        let sessions = newest.into_iter().take(asked.n).collect();
        let mut text = String::new();
        table(&mut text, "day", self.days.iter().rev().collect());
        table(&mut text, "model", models);
        table(&mut text, "session", sessions);
        if left_out > 0 {
            writeln!(text, "  and {left_out} more; -n {} shows all", left_out + asked.n).unwrap_or_default();
        }
        let total = "total".to_owned();
        table(&mut text, "", vec![(&total, &self.total)]);
        if let Some(model) = self.total.unpriced.first() {
            let names: Vec<_> = self.total.unpriced.iter().map(String::as_str).collect();
            let names = terminal::escape(&names.join(", "));
            writeln!(
                text,
                "no price is known for {names}; config.toml can say it: [prices.\"{}\"]",
                terminal::escape(model)
            )
            .unwrap_or_default();
        }
        text
    }
}

impl Sum {
    fn cached_percent(&self) -> u64 {
        (self.usage.cached_input_tokens * 100).checked_div(self.usage.input_tokens).unwrap_or(0)
    }

    /// The cost for people; a `+` where something of it has no price.
    fn cost(&self) -> String {
        match (self.priced, self.unpriced.is_empty()) {
            (false, _) => "-".to_owned(),
            (true, true) => format!("${:.2}", self.cost),
            (true, false) => format!("${:.2}+", self.cost),
        }
    }

    fn to_json(&self) -> Value {
        let mut value = json!(self.usage);
        value["cached_percent"] = self.cached_percent().into();
        value["cost_usd"] = if self.priced { self.cost.into() } else { Value::Null };
        value["unpriced_models"] = json!(self.unpriced);
        value
    }
}

fn table(text: &mut String, name: &str, rows: Vec<(&String, &Sum)>) {
    if !name.is_empty() {
        writeln!(text, "{name:<36} {:>14} {:>7} {:>12} {:>10}", "tokens in", "cached", "tokens out", "cost")
            .unwrap_or_default();
    }
    for (key, sum) in rows {
        let key = if key.is_empty() { "(not recorded)".into() } else { terminal::escape(key) };
        let (sent, cached) = (grouped(sum.usage.input_tokens), format!("{}%", sum.cached_percent()));
        let (written, cost) = (grouped(sum.usage.output_tokens), sum.cost());
        writeln!(text, "{key:<36} {sent:>14} {cached:>7} {written:>12} {cost:>10}").unwrap_or_default();
    }
    if !name.is_empty() {
        text.push('\n');
    }
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_stand_in_groups() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(number), text);
        }
    }
}
