//! Whether a review is due, and of what.
//!
//! Pure counters over the outbox: the turns of a person that no successful review covers. So what a review did not cover keeps
//! counting, a review that failed covers nothing, and nothing has to be reset. Signals that do not depend on a language come
//! first, the person's outright words among them count last.

use std::collections::BTreeSet;

use super::outcomes;
use super::settings::{EvolutionSettings, Mode};
use super::skills::propose::repeats;
use super::skills::wish::wish;
use super::stage::{Pass, Ports, Report, Signal, Stage};
use super::statements;
use super::words;
use crate::agent::ports::BoxFuture;
use crate::protocol::TurnId;
use crate::protocol::learned::{Review, ReviewEnd, TurnKind, TurnRecord, TurnStatus, Verdict, Work};
use crate::text::similar::similarity;

/// Characters said and answered after which a review is due.
const CHARS: usize = 16_000;
/// Tool calls after which one is.
const CALLS: usize = 15;
/// How long a review that failed waits before it is tried again; twice that after the second time, and so on.
pub const FIRST_WAIT_MS: u64 = 60_000;
/// The longest it waits.
pub const LONGEST_WAIT_MS: u64 = 6 * 60 * 60_000;

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The turns to review, by index; empty when nothing is due.
    pub fresh: Vec<usize>,
    /// Why.
    pub signals: Vec<Signal>,
    /// No model is to be asked before this time, in milliseconds since the Unix epoch.
    pub model_waits_until: Option<u64>,
}

/// The stage.
pub struct DueStage;

impl Stage for DueStage {
    fn name(&self) -> &'static str {
        "due"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            if ports.settings.mode < Mode::Suggest {
                return Report::end("nothing is reviewed in this mode");
            }
            let (turns, reviews) = match (ports.store.turns(), ports.store.reviews()) {
                (Ok(turns), Ok(reviews)) => (turns, reviews),
                (Err(error), _) | (_, Err(error)) => return Report::end(format!("cannot look: {error}")),
            };
            (pass.turns, pass.reviews) = (turns, reviews);
            let due = due(&pass.turns, &pass.reviews, pass.now_ms, pass.forced, ports.settings);
            pass.rules_only = due.model_waits_until.is_some();
            (pass.fresh, pass.signals) = (due.fresh, due.signals);
            match pass.fresh.len() {
                0 => Report::end("nothing is due"),
                count => Report::did(format!("{count} turns are due: {:?}", pass.signals)),
            }
        })
    }
}

/// The turns that wait for a review, by index.
#[must_use]
pub fn outbox(turns: &[TurnRecord], reviews: &[Review]) -> Vec<usize> {
    let done = reviews.iter().filter(|review| review.end == ReviewEnd::Done);
    let covered: BTreeSet<TurnId> = done.flat_map(|review| review.covers.iter().copied()).collect();
    let waits = |turn: &TurnRecord| turn.kind == TurnKind::Person && !covered.contains(&turn.turn);
    (0..turns.len()).filter(|index| waits(&turns[*index])).collect()
}

/// Until when no model is asked, because reviews failed; `None` when one may be asked now.
#[must_use]
pub fn model_waits_until(reviews: &[Review], now_ms: u64) -> Option<u64> {
    // Reviews by the rules alone, made meanwhile, say nothing about the model.
    let by_model = reviews.iter().rev().filter(|review| review.cost.requests > 0 || review.end != ReviewEnd::Done);
    let failed: Vec<&Review> = by_model.take_while(|review| review.end != ReviewEnd::Done).collect();
    let last = failed.first()?;
    let doublings = u32::try_from(failed.len() - 1).unwrap_or(u32::MAX).min(16);
    let until = last.at_ms + (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS);
    (until > now_ms).then_some(until)
}

/// How many of the last reviews found nothing.
fn empties(reviews: &[Review]) -> u32 {
    let kept =
        |review: &&Review| review.decisions.iter().any(|decision| !matches!(decision.verdict, Verdict::Discarded(_)));
    let count = reviews.iter().rev().filter(|review| review.end == ReviewEnd::Done).take_while(|review| !kept(review));
    u32::try_from(count.count()).unwrap_or(u32::MAX)
}

/// Decides what is due.
#[must_use]
pub fn due(turns: &[TurnRecord], reviews: &[Review], now_ms: u64, forced: bool, settings: &EvolutionSettings) -> Due {
    let mut waiting = outbox(turns, reviews);
    let model_waits_until = if forced { None } else { model_waits_until(reviews, now_ms) };
    if model_waits_until.is_some() {
        // What could not be reviewed waits; what is new since is not made to wait with it.
        let tried: BTreeSet<TurnId> = reviews.iter().flat_map(|review| review.covers.iter().copied()).collect();
        waiting.retain(|index| !tried.contains(&turns[*index].turn));
    }
    let signals = signals(turns, &waiting, empties(reviews), settings);
    let fresh = if forced || !signals.is_empty() { waiting } else { Vec::new() };
    Due { fresh, signals, model_waits_until }
}

/// What in the waiting turns asks for a review. Reviews that found nothing make the counters, not the signals, ask for more.
fn signals(turns: &[TurnRecord], waiting: &[usize], empties: u32, settings: &EvolutionSettings) -> Vec<Signal> {
    let mut signals = BTreeSet::new();
    let (mut chars, mut calls) = (0, 0);
    for &index in waiting {
        let turn = &turns[index];
        let before = turns[..index].iter().rev().find(|earlier| earlier.thread == turn.thread);
        signals.extend(of_turn(turn, before));
        chars += turn.said.iter().chain(&turn.answer).map(|text| text.chars().count()).sum::<usize>();
        calls += turn.calls.len();
        let pair: Vec<(usize, &TurnRecord)> = before.into_iter().chain([turn]).map(|turn| (index, turn)).collect();
        if outcomes::check_turned(&pair) {
            signals.insert(Signal::CheckTurned);
        }
        if outcomes::pairs(&pair).iter().any(|pair| pair.passed.turn == index) {
            signals.insert(Signal::VariantPassed);
        }
    }
    if waiting.iter().any(|index| wish(&turns[*index]).is_some()) {
        signals.insert(Signal::Wished);
    }
    if repeats(turns, waiting) {
        signals.insert(Signal::Alike);
    }
    let factor = 1_usize << empties.min(3);
    if chars >= CHARS * factor || calls >= CALLS * factor {
        signals.insert(Signal::Grown);
    }
    if waiting.len() >= settings.review_turns.max(1) as usize * factor {
        signals.insert(Signal::Turns);
    }
    signals.into_iter().collect()
}

fn of_turn(turn: &TurnRecord, before: Option<&TurnRecord>) -> Vec<Signal> {
    const TAKE_BACK: &[&str] = &["git revert", "git restore", "git checkout --", "git reset --hard", "git stash"];
    let mut signals = Vec::new();
    if turn.status == TurnStatus::Interrupted {
        signals.push(Signal::Interrupted);
    }
    let reverts = |line: &str| TAKE_BACK.iter().any(|command| line.contains(command));
    if turn.calls.iter().any(|call| matches!(&call.work, Work::Command { line, .. } if reverts(line))) {
        signals.push(Signal::Reverted);
    }
    let said = turn.said.first().map(String::as_str).unwrap_or_default();
    if let Some(earlier) = before.and_then(|before| before.said.first())
        && said.chars().count() > 8
        && similarity(said, earlier) >= 0.9
    {
        signals.push(Signal::Repeated);
    }
    let corrects = |said: &String| words::own(said).first().is_some_and(statements::corrects);
    // Words that join a turn that runs correct it as those of the next turn do.
    if before.is_some_and(|before| !before.calls.is_empty()) && corrects(&said.to_owned())
        || turn.said.iter().skip(1).any(corrects)
    {
        signals.push(Signal::Corrected);
    }
    if turn.said.iter().any(|said| words::own(said).iter().any(|sentence| statements::read(sentence).is_some())) {
        signals.push(Signal::Stated);
    }
    signals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::stage::tests::{NOW, run, turn};
    use crate::protocol::learned::{Author, Cost, Decision, Discard, MemoryKind, Scope};

    fn review(at_ms: u64, covers: &[&TurnRecord], end: ReviewEnd) -> Review {
        let by = Author::Model("m".to_owned());
        let cost = Cost { requests: 1, ..Cost::default() };
        let covers = covers.iter().map(|turn| turn.turn).collect();
        Review { at_ms, by, covers, end, cost, decisions: Vec::new() }
    }

    fn asked(turns: &[TurnRecord], reviews: &[Review], now_ms: u64) -> Due {
        due(turns, reviews, now_ms, false, &EvolutionSettings::default())
    }

    #[test]
    fn gates_that_never_fire_under_defaults() {
        let plain = |number| turn(number, "look around", Vec::new());
        let settings = EvolutionSettings::default();
        let turns: Vec<TurnRecord> =
            (0..u64::from(settings.review_turns)).map(|n| turn(n, &format!("task {n}{n}{n}"), vec![])).collect();
        assert_eq!(asked(&turns, &[], NOW).signals, [Signal::Turns]);
        // One-shots are conversations of one turn each; they count together.
        let mut apart = turns.clone();
        for (n, turn) in apart.iter_mut().enumerate() {
            turn.thread = crate::protocol::ThreadId(uuid::Uuid::from_u128(n as u128));
        }
        assert_eq!(asked(&apart, &[], NOW).fresh, [0, 1, 2]);
        assert_eq!(asked(&[plain(1)], &[], NOW).fresh, [0; 0]);
        for (said, calls, signal) in [
            ("we run tests with `just t`, never `cargo test`", vec![], Signal::Stated),
            ("测试一律用 `just t`", vec![], Signal::Stated),
            ("go", vec![run("cargo test", 101, "error: x"), run("just t", 0, "")], Signal::VariantPassed),
            ("go", vec![run("just t", 1, "error"), run("just t", 0, "")], Signal::CheckTurned),
            ("go", vec![run("git restore src", 0, "")], Signal::Reverted),
            ("go", vec![run("ls", 0, ""); 15], Signal::Grown),
        ] {
            assert_eq!(asked(&[turn(1, said, calls)], &[], NOW).signals, [signal], "{said}");
        }
    }

    #[test]
    fn the_next_words_of_the_person_are_signals() {
        let did = turn(1, "rename the function everywhere", vec![run("sed x", 0, "")]);
        for (said, signal) in [
            ("no, that is the wrong one", Signal::Corrected),
            ("不对，改回去", Signal::Corrected),
            ("rename the function everywhere!", Signal::Repeated),
        ] {
            assert_eq!(asked(&[did.clone(), turn(2, said, vec![])], &[], NOW).signals, [signal], "{said}");
        }
        let mut stopped = turn(1, "go", vec![]);
        stopped.status = TurnStatus::Interrupted;
        assert_eq!(asked(&[stopped], &[], NOW).signals, [Signal::Interrupted]);
    }

    #[test]
    fn never_on_turns_of_hooks_agents_and_timers() {
        for kind in [TurnKind::Hook, TurnKind::Agent, TurnKind::Scheduled] {
            let turns: Vec<TurnRecord> =
                (0..9).map(|n| TurnRecord { kind, ..turn(n, "always use `x y`", vec![]) }).collect();
            assert_eq!(asked(&turns, &[], NOW), Due::default());
            assert_eq!(due(&turns, &[], NOW, true, &EvolutionSettings::default()).fresh, [0; 0]);
        }
    }

    #[test]
    fn counters_lose_what_a_review_covered_only_if_it_succeeded() {
        let turns: Vec<TurnRecord> = (0..4).map(|n| turn(n, &format!("task {n}{n}{n}"), vec![])).collect();
        let covers = [&turns[0], &turns[1], &turns[2]];
        let done = review(NOW, &covers, ReviewEnd::Done);
        assert_eq!(asked(&turns, &[done], NOW).fresh, [0; 0]);
        let failed = review(NOW, &covers, ReviewEnd::Failed("x".to_owned()));
        assert_eq!(asked(&turns, std::slice::from_ref(&failed), NOW + FIRST_WAIT_MS).fresh, [0, 1, 2, 3]);
        // Before that only what is new counts, and no model is asked.
        assert_eq!(
            asked(&turns, &[failed], NOW + 1),
            Due { model_waits_until: Some(NOW + FIRST_WAIT_MS), ..Due::default() }
        );
    }

    #[test]
    fn failures_and_empty_reviews_back_off() {
        let failed = |at| review(at, &[], ReviewEnd::Failed("x".to_owned()));
        for (count, wait) in [(1, 60_000), (2, 120_000), (4, 480_000), (30, LONGEST_WAIT_MS)] {
            let reviews: Vec<Review> = (0..count).map(|_| failed(NOW)).collect();
            assert_eq!(model_waits_until(&reviews, NOW), Some(NOW + wait), "{count}");
        }
        assert_eq!(model_waits_until(&[failed(NOW), review(NOW, &[], ReviewEnd::Done)], NOW), None);
        let turns: Vec<TurnRecord> = (0..9).map(|n| turn(n, &format!("task {n}{n}{n}"), vec![])).collect();
        let empty = review(NOW, &[&turns[0], &turns[1], &turns[2]], ReviewEnd::Done);
        assert_eq!(asked(&turns[..8], std::slice::from_ref(&empty), NOW).fresh, [0; 0], "five turns, six are needed");
        assert_eq!(asked(&turns, std::slice::from_ref(&empty), NOW).fresh.len(), 6);
        let mut found = empty;
        found.decisions.push(Decision {
            kind: MemoryKind::Fact,
            scope: Scope::Repo,
            text: String::new(),
            verdict: Verdict::Discarded(Discard::Duplicate),
        });
        assert_eq!(empties(&[found]), 1, "what was dropped is not found");
    }
}
