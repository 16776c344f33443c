//! What learning brought: what was learned when, what it cost, what it changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Account, SCOPES, count, is_present, kind, state, title, told};
use crate::evolution::measure::{Usefulness, measure};
use crate::protocol::UserError;
use crate::protocol::learned::{Place, Verb, Verdict};
use crate::text::time;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By day, oldest first, without gaps between the first and the last.
    pub days: Vec<Day>,
    /// Entries that are there, most useful first.
    pub entries: Vec<Item>,
    /// How often each reason dropped something.
    pub dropped: BTreeMap<&'static str, usize>,
    /// Turns that were kept.
    pub turns: usize,
    /// How often something was shown, and how often it was withheld by chance.
    pub shown: usize,
    /// See `shown`.
    pub withheld: usize,
}

/// One day, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Such as `2026-11-20`.
    pub date: String,
    /// Entries that were learned.
    pub learned: usize,
    /// Changes that took entries away.
    pub put_away: usize,
    /// Tokens that reviews sent and received.
    pub review_tokens: u64,
    /// Tokens of learned text in requests, each counted where it was first sent.
    pub shown_tokens: u64,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What kind of entry.
    pub kind: &'static str,
    /// What it says.
    pub title: String,
    /// Whether it is in use.
    pub state: String,
    /// What it brought.
    pub usefulness: Usefulness,
}

const DAY_MS: u64 = 24 * 60 * 60_000;

/// Gathers it.
///
/// # Errors
/// Records cannot be read.
pub fn report(account: &Account<'_>) -> Result<Report, UserError> {
    let turns = account.store.turns().map_err(told)?;
    let reviews = account.store.reviews().map_err(told)?;
    let exposures = account.store.exposures().map_err(told)?;
    let mut report = Report { turns: turns.len(), ..Report::default() };
    let mut days: BTreeMap<u64, Day> = BTreeMap::new();
    let mut on = |at_ms: u64, change: &dyn Fn(&mut Day)| change(days.entry(at_ms / DAY_MS).or_default());
    for operation in SCOPES.into_iter().flat_map(|scope| account.ledger(scope).operations()) {
        let new = operation.edits.iter().filter(|edit| edit.before.is_none() && edit.after.is_some()).count();
        let gone = matches!(operation.verb, Verb::Retire | Verb::Forget | Verb::Reject | Verb::Stale | Verb::Undo(_));
        on(operation.at_ms, &|day| {
            day.learned += new;
            day.put_away += usize::from(gone);
        });
    }
    for review in &reviews {
        on(review.at_ms, &|day| day.review_tokens += review.cost.input_tokens + review.cost.output_tokens);
        for decision in &review.decisions {
            if let Verdict::Discarded(why) = decision.verdict {
                *report.dropped.entry(super::why_not::in_words(why)).or_default() += 1;
            }
        }
    }
    for exposure in &exposures {
        report.withheld += usize::from(exposure.withheld);
        report.shown += usize::from(!exposure.withheld);
        if !exposure.withheld && exposure.place != Place::Skill {
            on(exposure.at_ms, &|day| day.shown_tokens += u64::from(exposure.tokens));
        }
    }
    report.days = without_gaps(days);
    let measured = measure(account.entries().map(|(_, entry)| entry), &exposures, &turns);
    let present = account.entries().filter(|(_, entry)| is_present(entry));
    report.entries = present
        .map(|(_, entry)| Item {
            id: entry.id().0.clone(),
            kind: kind(entry),
            title: title(entry),
            state: state(entry),
            usefulness: measured.get(entry.id()).copied().unwrap_or_default(),
        })
        .collect();
    report.entries.sort_by(|a, b| {
        let by_score = b.usefulness.score.total_cmp(&a.usefulness.score);
        by_score.then(b.usefulness.used.cmp(&a.usefulness.used)).then(a.id.cmp(&b.id))
    });
    Ok(report)
}

/// The days with those between them on which nothing happened, the last ninety at most.
fn without_gaps(days: BTreeMap<u64, Day>) -> Vec<Day> {
    let (Some(first), Some(last)) = (days.keys().next().copied(), days.keys().next_back().copied()) else {
        return Vec::new();
    };
    let day = |number: u64| Day { date: time::date(number * DAY_MS), ..days.get(&number).cloned().unwrap_or_default() };
    (first.max(last.saturating_sub(89))..=last).map(day).collect()
}

/// The report as lines.
#[must_use]
pub fn lines(report: &Report) -> String {
    let mut text = String::new();
    let learned: usize = report.days.iter().map(|day| day.learned).sum();
    let cost: u64 = report.days.iter().map(|day| day.review_tokens).sum();
    let shown: u64 = report.days.iter().map(|day| day.shown_tokens).sum();
    _ = writeln!(
        text,
        "{} kept, {learned} learned, {cost} tokens for reviews; shown {} times ({shown} tokens), withheld {} times by chance\n",
        count(report.turns, "turn"),
        report.shown,
        report.withheld
    );
    let active: Vec<&Day> =
        report.days.iter().filter(|day| **day != Day { date: day.date.clone(), ..Day::default() }).collect();
    if !active.is_empty() {
        text += "day         learned  put away  review tokens  shown tokens\n";
        for day in active {
            let Day { date, learned, put_away, review_tokens, shown_tokens } = day;
            _ = writeln!(text, "{date}  {learned:>7}  {put_away:>8}  {review_tokens:>13}  {shown_tokens:>12}");
        }
        text.push('\n');
    }
    if report.entries.is_empty() {
        text += "nothing is learned yet\n";
    } else {
        text += "score  shown  used  helped  hurt  entry\n";
        for item in &report.entries {
            let Usefulness { injected, used, helped, hurt, score, .. } = item.usefulness;
            let (id, title) = (super::list::short(&item.id), &item.title);
            _ = writeln!(text, "{score:>+5.2}  {injected:>5}  {used:>4}  {helped:>6}  {hurt:>4}  {id} {title}");
        }
    }
    if !report.dropped.is_empty() {
        let mut reasons: Vec<(&&str, &usize)> = report.dropped.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        text += "\ndropped\n";
        reasons.into_iter().for_each(|(why, times)| _ = writeln!(text, "{times:>5}  {why}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{Author, Cost, Review, ReviewEnd};

    #[test]
    fn days_have_no_gaps_and_sums_add_up() {
        let on = |mut operation: crate::protocol::learned::Operation, day: u64| {
            operation.at_ms = day * DAY_MS + 5;
            operation
        };
        let mut store = Shelf::of([on(add(0, memory("one")), 20_000), on(add(1, memory("two")), 20_003)]);
        store.reviews = vec![Review {
            at_ms: 20_003 * DAY_MS,
            by: Author::Rules,
            covers: Vec::new(),
            end: ReviewEnd::Done,
            cost: Cost { requests: 1, input_tokens: 40, output_tokens: 2, wall_ms: 1 },
            decisions: Vec::new(),
        }];
        let report = report(&Account::read(&store).unwrap()).unwrap();
        let learned: Vec<usize> = report.days.iter().map(|day| day.learned).collect();
        assert_eq!((learned, report.days[3].review_tokens), (vec![1, 0, 0, 1], 42));
        let text = lines(&report);
        assert!(text.contains("2 learned, 42 tokens for reviews") && text.matches("2024-10-0").count() == 2, "{text}");
    }
}
