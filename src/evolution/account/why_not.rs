//! What became of something that was said and is not known: the stage that dropped it, and why.

use std::fmt::Write as _;

use super::{Account, is_present, kind, state, title, told, waits};
use crate::evolution::due::outbox;
use crate::protocol::UserError;
use crate::protocol::learned::{Decision, Discard, Review, TurnRecord, Verdict};
use crate::text::relevance::Corpus;
use crate::text::time;

/// The most that is told of each kind.
const MOST: usize = 8;

/// The account of what `query` is about.
///
/// # Errors
/// Records cannot be read.
pub fn why_not(account: &Account<'_>, query: &str) -> Result<String, UserError> {
    let reviews = account.store.reviews().map_err(told)?;
    let turns = account.store.turns().map_err(told)?;
    let mut text = known(account, query);
    text += &dropped(&reviews, query);
    text += &said(&turns, &reviews, query);
    if text.is_empty() {
        text = format!("Nothing that was said, proposed or learned here is about \"{query}\".\n");
    }
    Ok(text)
}

/// Entries that are there, in use or not.
fn known(account: &Account<'_>, query: &str) -> String {
    let entries: Vec<_> = account.entries().map(|(_, entry)| entry).collect();
    let titles: Vec<String> = entries.iter().map(|entry| title(entry)).collect();
    let mut text = String::new();
    for index in fitting(&titles, query) {
        let entry = entries[index];
        let note = match (waits(entry), is_present(entry)) {
            (true, _) => format!("; `hone evolve approve {}` brings it into use", super::list::short(&entry.id().0)),
            (false, true) => "; it is shown when it fits what is asked, within the budget".to_owned(),
            (false, false) => String::new(),
        };
        _ = writeln!(text, "known: {} {} ({}{note})\n  {}", kind(entry), entry.id(), state(entry), titles[index]);
    }
    text
}

/// Candidates that were dropped.
fn dropped(reviews: &[Review], query: &str) -> String {
    let all = reviews.iter().flat_map(|review| review.decisions.iter().map(move |decision| (review, decision)));
    let dropped: Vec<(&Review, &Decision, Discard)> = all
        .filter_map(|(review, decision)| match decision.verdict {
            Verdict::Discarded(why) => Some((review, decision, why)),
            _ => None,
        })
        .collect();
    let texts: Vec<String> = dropped.iter().map(|(_, decision, _)| decision.text.clone()).collect();
    let mut text = String::new();
    for index in fitting(&texts, query) {
        let (review, decision, why) = dropped[index];
        let (date, by) = (time::date(review.at_ms), super::who(&review.by));
        _ = writeln!(
            text,
            "dropped {date} by `{}`: {}\n  {} (proposed by {by})",
            stage(why),
            in_words(why),
            decision.text
        );
    }
    text
}

/// Turns in which it was said.
fn said(turns: &[TurnRecord], reviews: &[Review], query: &str) -> String {
    let waiting: Vec<usize> = outbox(turns, reviews);
    let texts: Vec<String> = turns.iter().map(|turn| turn.said.join(" ")).collect();
    let mut text = String::new();
    for index in fitting(&texts, query) {
        let turn = &turns[index];
        let fate = match waiting.contains(&index) {
            true => "waits for a review; `hone evolve run` makes one now",
            false => "was reviewed; nothing else in it sounded like something that holds next time",
        };
        _ = writeln!(text, "said {} in session {}, which {fate}", time::date(turn.started_ms), turn.thread);
    }
    text
}

/// Which texts clearly touch on the query, best first.
fn fitting(texts: &[String], query: &str) -> Vec<usize> {
    let corpus = Corpus::new(texts.iter().map(String::as_str));
    let fits = corpus.fits(query);
    let enough = crate::text::terms::terms(query).len().min(2);
    let mut found: Vec<usize> = (0..texts.len()).filter(|index| enough > 0 && fits[*index].shared >= enough).collect();
    found.sort_by(|a, b| fits[*b].score.total_cmp(&fits[*a].score).then(b.cmp(a)));
    found.truncate(MOST);
    found
}

/// The stage that drops for a reason.
#[must_use]
pub const fn stage(why: Discard) -> &'static str {
    match why {
        Discard::Duplicate | Discard::Conflict | Discard::OverBudget | Discard::NotAllowed => "apply",
        _ => "verify",
    }
}

/// A reason as people read it.
#[must_use]
pub const fn in_words(why: Discard) -> &'static str {
    match why {
        Discard::Malformed => "its form was not right",
        Discard::QuoteNotFound => "its quotation is not there",
        Discard::Secret => "it holds a secret",
        Discard::NoAuthority => "where it comes from may not teach this",
        Discard::Injected => "it was learned before",
        Discard::Duplicate => "it is known already",
        Discard::Conflict => "something weightier says otherwise",
        Discard::TaskState => "it is about the task at hand",
        Discard::OneOffPlan => "it is a plan for once",
        Discard::WeakEvidence => "too little speaks for it",
        Discard::Size => "it is too long or too short",
        Discard::OverBudget => "there is no room for it",
        Discard::NotAllowed => "it may not be learned here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::evolution::stage::tests::turn;
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{Author, Cost, MemoryKind, ReviewEnd, Scope};

    #[test]
    fn what_was_dropped_what_waits_and_what_is_known() {
        let mut store = Shelf::of([add(0, memory("releases are tagged by hand"))]);
        store.turns = vec![
            turn(1, "the database port is 5433 for the tests", vec![]),
            turn(2, "deploy the staging server", vec![]),
        ];
        store.reviews = vec![Review {
            at_ms: 5,
            by: Author::Rules,
            covers: vec![store.turns[0].turn],
            end: ReviewEnd::Done,
            cost: Cost::default(),
            decisions: vec![Decision {
                kind: MemoryKind::Fact,
                scope: Scope::Repo,
                text: "The database port is 5433.".to_owned(),
                verdict: Verdict::Discarded(Discard::WeakEvidence),
            }],
        }];
        let account = Account::read(&store).unwrap();
        let text = why_not(&account, "database port").unwrap();
        assert!(text.contains("by `verify`: too little speaks for it") && text.contains("was reviewed"), "{text}");
        assert!(why_not(&account, "staging server").unwrap().contains("waits for a review"));
        assert!(why_not(&account, "tagged releases").unwrap().starts_with("known: rule"));
        assert!(why_not(&account, "submarine").unwrap().starts_with("Nothing that was said"));
    }
}
