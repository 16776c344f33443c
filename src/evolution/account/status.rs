//! How learning stands: what waits, what it cost, what there is, what went wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::why_not::in_words;
use super::{Account, SCOPES, count, is_present, kind, told, waits, who};
use crate::evolution::budget::spent_today;
use crate::evolution::due::{due, model_waits_until, outbox};
use crate::evolution::settings::{EvolutionSettings, Mode, Trigger};
use crate::protocol::UserError;
use crate::protocol::learned::{Entry, MemoryState, Review, ReviewEnd, Scope, Verdict};
use crate::text::time;

/// The report, without where files are.
///
/// # Errors
/// Records cannot be read.
pub fn status(account: &Account<'_>, settings: &EvolutionSettings, now_ms: u64) -> Result<String, UserError> {
    let (turns, reviews) = (account.store.turns().map_err(told)?, account.store.reviews().map_err(told)?);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| _ = writeln!(text, "{name:<10} {value}");
    line("mode", &mode(settings));
    let due = due(&turns, &reviews, now_ms, false, settings);
    let waiting = outbox(&turns, &reviews).len();
    let signals: Vec<String> = due.signals.iter().map(|signal| format!("{signal:?}").to_lowercase()).collect();
    line("turns", &format!("{} kept, {waiting} wait for a review", turns.len()));
    if !due.fresh.is_empty() {
        line("due", &format!("a review of {} ({})", count(due.fresh.len(), "turn"), signals.join(", ")));
    }
    line("last", &reviews.last().map_or_else(|| "no review yet".to_owned(), last));
    let failed = reviews.iter().rev().take_while(|review| review.end != ReviewEnd::Done).count();
    if failed > 0 {
        let next = model_waits_until(&reviews, now_ms).map_or_else(|| "next time".to_owned(), time::rfc3339);
        line("failed", &format!("{} in a row; tried again {next}", count(failed, "review")));
    }
    line("today", &cost(&reviews, settings, now_ms));
    for scope in SCOPES {
        let name = if scope == Scope::Repo { "here" } else { "you" };
        line(name, &holdings(account.ledger(scope).entries()));
    }
    for damage in account.store.damage() {
        line("damage", &damage);
    }
    Ok(text)
}

fn mode(settings: &EvolutionSettings) -> String {
    let mode = match settings.mode {
        Mode::Off => return "off: nothing is read or written".to_owned(),
        Mode::Observe => return "observe: turns are recorded, and that is all".to_owned(),
        Mode::Suggest => "suggest: everything waits for your approval",
        Mode::Auto => "auto: low-risk facts of this repository and what you say outright come into use by themselves",
    };
    let trigger = match settings.trigger {
        Trigger::AfterTurn => "while you are idle after a turn",
        Trigger::Scheduled => "when a timer runs `hone evolve run`",
        Trigger::Manual => "when you run `hone evolve run`",
    };
    let reviewer = if settings.model_reviewer { "the rules, and a model where they find nothing" } else { "the rules" };
    format!("{mode}\n           reviews {trigger}, by {reviewer}")
}

fn last(review: &Review) -> String {
    let (mut kept, mut merged) = (0, 0);
    let mut dropped: BTreeMap<&str, usize> = BTreeMap::new();
    for decision in &review.decisions {
        match decision.verdict {
            Verdict::Kept(_) => kept += 1,
            Verdict::Merged(_) => merged += 1,
            Verdict::Discarded(why) => *dropped.entry(in_words(why)).or_default() += 1,
        }
    }
    let reasons: Vec<String> = dropped.iter().map(|(why, times)| format!("{times} because {why}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let end = match &review.end {
        ReviewEnd::Done => String::new(),
        ReviewEnd::Failed(why) => format!(", failed: {why}"),
        ReviewEnd::OverBudget(why) => format!(", stopped at the budget: {why}"),
    };
    let dropped: usize = dropped.values().sum();
    format!(
        "{} by {}: {kept} kept, {merged} merged, {dropped} dropped{reasons}{end}",
        time::rfc3339(review.at_ms),
        who(&review.by)
    )
}

fn cost(reviews: &[Review], settings: &EvolutionSettings, now_ms: u64) -> String {
    let spent = spent_today(reviews, now_ms);
    let tokens = spent.input_tokens + spent.output_tokens;
    let requests = count(spent.requests as usize, "request");
    format!("{tokens} of {} tokens in {requests} of the last 24 hours", settings.daily_tokens)
}

fn holdings<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut waiting, mut stale, mut gone) = (0, 0, 0);
    for entry in entries {
        let is_stale = matches!(entry, Entry::Memory(memory) if matches!(memory.state, MemoryState::Stale(_)));
        match (waits(entry), is_stale, is_present(entry)) {
            (true, ..) => waiting += 1,
            (_, true, _) => stale += 1,
            (.., true) => *kinds.entry(kind(entry)).or_default() += 1,
            _ => gone += 1,
        }
    }
    let mut parts: Vec<String> = kinds.into_iter().map(|(kind, number)| count(number, kind)).collect();
    let rest = [(waiting, "waiting for you"), (stale, "stale"), (gone, "put away")];
    parts.extend(rest.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
    if parts.is_empty() { "nothing yet".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::evolution::stage::tests::{NOW, turn};
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{Author, Cost};

    #[test]
    fn what_waits_what_failed_and_what_it_cost() {
        let mut store = Shelf::of([add(0, memory("one"))]);
        store.turns = vec![turn(1, "always use `just t`", vec![]), turn(2, "go on", vec![])];
        let failed = |at_ms| Review {
            at_ms,
            by: Author::Model("m".to_owned()),
            covers: vec![store.turns[0].turn],
            end: ReviewEnd::Failed("the server is gone".to_owned()),
            cost: Cost { requests: 1, input_tokens: 1_000, output_tokens: 34, wall_ms: 9 },
            decisions: Vec::new(),
        };
        store.reviews = vec![failed(NOW), failed(NOW + 1)];
        let text = status(&Account::read(&store).unwrap(), &EvolutionSettings::default(), NOW + 2).unwrap();
        for part in [
            "2 kept, 2 wait for a review",
            "failed: the server is gone",
            "2 reviews in a row; tried again 2025",
            "2068 of 20000 tokens in 2 requests",
            "here       1 rule",
            "you        nothing yet",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
