//! What of all that is learned the model is shown, and what is left out by chance.
//!
//! Pure, and the same every time: chance depends on the conversation and the entry alone, so that resuming or trying again shows
//! the same. What is not in use, out of date or contradicted is never shown; nor is anything of another repository, whose ledger is
//! never at hand.

use super::ports::Scores;
use super::settings::EvolutionSettings;
use crate::agent::ports::Lesson;
use crate::ledger::Ledger;
use crate::protocol::ThreadId;
use crate::protocol::learned::{Authority, Memory, MemoryKind, Scope};
use crate::text::relevance::{Corpus, Fit};
use crate::text::terms::overlap;
use crate::text::time;
use crate::text::truncate::estimate_tokens;

/// What the words around a list of lessons take, by estimate.
pub const FRAME_TOKENS: u32 = 60;
/// The share of the budget for what does not touch on the message: requests are paid for, and most of them need little of it.
const BACKGROUND_SHARE: u32 = 4;
/// How alike two entries are that say something about the same thing.
const SAME_MATTER: f64 = 0.5;
/// How many words a later message must share with an entry to bring it along.
const ENOUGH_SHARED: usize = 2;
/// How much better than nothing an entry must have done, at worst, to be shown; see [`super::measure`].
const HARMFUL: f64 = -0.25;

/// What there is to choose from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What the repository's turns taught.
    pub repo: &'a Ledger,
    /// What is known of the person.
    pub user: &'a Ledger,
    /// How it did so far.
    pub scores: &'a Scores,
}

/// For whom, and when.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// The conversation.
    pub thread: ThreadId,
    /// The person's words.
    pub message: &'a str,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// What is to be shown, in order, and what would have been.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection<'a> {
    /// To show, most important first.
    pub shown: Vec<&'a Memory>,
    /// Left out to compare.
    pub withheld: Vec<&'a Memory>,
}

/// What a conversation begins with.
#[must_use]
pub fn at_start<'a>(known: Known<'a>, occasion: &Occasion<'_>, settings: &EvolutionSettings) -> Selection<'a> {
    let ranked = ranked(known, occasion);
    let mut left = settings.start_tokens.saturating_sub(FRAME_TOKENS);
    let mut background = left / BACKGROUND_SHARE;
    let mut selection = Selection::default();
    for Ranked { memory, fit, .. } in ranked {
        let tokens = tokens(memory);
        let is_background = !memory.pinned && fit.shared == 0;
        if tokens > left || (is_background && tokens > background) || is_outweighed(memory, known, occasion.now_ms) {
            continue;
        }
        left -= tokens;
        if is_background {
            background -= tokens;
        }
        selection.put(memory, occasion, settings);
    }
    selection
}

/// What a later message brings along: what clearly touches on it and `was_shown` does not know.
#[must_use]
pub fn with_message<'a>(
    known: Known<'a>,
    occasion: &Occasion<'_>,
    settings: &EvolutionSettings,
    was_shown: &dyn Fn(&str) -> bool,
) -> Selection<'a> {
    let mut left = (settings.recall_tokens / 2).saturating_sub(FRAME_TOKENS);
    let mut selection = Selection::default();
    for Ranked { memory, fit, .. } in ranked(known, occasion) {
        let tokens = tokens(memory);
        let fits = fit.shared >= ENOUGH_SHARED && tokens <= left && !was_shown(&memory.id.0);
        if !fits || is_outweighed(memory, known, occasion.now_ms) {
            continue;
        }
        left -= tokens;
        selection.put(memory, occasion, settings);
    }
    selection
}

impl<'a> Selection<'a> {
    fn put(&mut self, memory: &'a Memory, occasion: &Occasion<'_>, settings: &EvolutionSettings) {
        match is_withheld(memory, occasion.thread, settings) {
            true => self.withheld.push(memory),
            false => self.shown.push(memory),
        }
    }
}

struct Ranked<'a> {
    memory: &'a Memory,
    fit: Fit,
    worth: f64,
}

/// Everything that may be shown, best first.
fn ranked<'a>(known: Known<'a>, occasion: &Occasion<'_>) -> Vec<Ranked<'a>> {
    let usable = usable(known, occasion.now_ms);
    let corpus = Corpus::new(usable.iter().map(|memory| memory.text.as_str()));
    let fits = corpus.fits(occasion.message);
    let most = fits.iter().map(|fit| fit.score).fold(f64::MIN_POSITIVE, f64::max);
    let rank = |(memory, fit): (&'a Memory, Fit)| {
        let score = known.scores.get(&memory.id).copied().unwrap_or_default();
        Ranked { memory, fit, worth: 2.0 * fit.score / most + weight(memory) + score }
    };
    let mut ranked: Vec<Ranked<'a>> = usable.iter().copied().zip(fits).map(rank).collect();
    ranked.sort_by(|a, b| {
        let first = b.memory.pinned.cmp(&a.memory.pinned).then(b.worth.total_cmp(&a.worth));
        first.then(b.memory.updated_ms.cmp(&a.memory.updated_ms)).then(a.memory.id.cmp(&b.memory.id))
    });
    ranked
}

/// The memories that may be shown at all: in use, not harmful, pitfalls not yet due to be tried again.
fn usable(known: Known<'_>, now_ms: u64) -> Vec<&Memory> {
    let all = known.repo.active_memories().chain(known.user.active_memories());
    let is_due = |memory: &Memory| memory.pitfall.as_ref().is_some_and(|pitfall| pitfall.expires_ms <= now_ms);
    let is_harmful = |memory: &Memory| known.scores.get(&memory.id).is_some_and(|score| *score < HARMFUL);
    all.filter(|memory| memory.pinned || (!is_due(memory) && !is_harmful(memory))).collect()
}

/// Whether another entry counts in the place of this one.
fn is_outweighed(memory: &Memory, known: Known<'_>, now_ms: u64) -> bool {
    if memory.pinned || !matches!(memory.kind, MemoryKind::Rule | MemoryKind::Preference) {
        return false;
    }
    let other = if memory.scope == Scope::Repo { known.user } else { known.repo };
    let other = Known { repo: other, user: &Ledger::default(), ..known };
    let weightier = usable(other, now_ms).into_iter().filter(|other| outweighs(other, memory));
    weightier.into_iter().any(|other| overlap(&other.text, &memory.text) >= SAME_MATTER)
}

/// Whether `one` counts where `other`, in nearly the same words, says something else: the person's word before an exit status
/// before a text, and of equals the newest, so that what the person said last holds. Within one scope that was settled when it was
/// learned; nobody looked at both scopes at once before.
fn outweighs(one: &Memory, other: &Memory) -> bool {
    let of = |memory: &Memory| (is_explicit(memory), memory.authority >= Authority::Outcome, memory.updated_ms);
    one.kind == other.kind && (of(one), &other.id) > (of(other), &one.id)
}

/// Whether an entry is the person's own word.
#[must_use]
pub fn is_explicit(memory: &Memory) -> bool {
    memory.authority >= Authority::Said
}

/// What an entry is worth whatever the message says.
fn weight(memory: &Memory) -> f64 {
    let kind = match memory.kind {
        MemoryKind::Rule | MemoryKind::Preference => 0.6,
        MemoryKind::Pitfall => 0.4,
        MemoryKind::Fact => 0.3,
        MemoryKind::Reference => 0.1,
    };
    let authority = match memory.authority {
        Authority::Written | Authority::Said => 0.3,
        Authority::Outcome => 0.2,
        Authority::Imported => 0.1,
        Authority::Text => 0.0,
    };
    // What concerns this repository is nearer than what concerns the person everywhere.
    let scope = if memory.scope == Scope::Repo { 0.1 } else { 0.0 };
    kind + authority + scope
}

/// Whether an entry is left out of a conversation by chance. Everywhere in it, or nothing could be compared; pinned ones never.
#[must_use]
pub fn is_withheld(memory: &Memory, thread: ThreadId, settings: &EvolutionSettings) -> bool {
    !memory.pinned && draw(&format!("{thread}/{}", memory.id)) < u64::from(settings.withhold_percent)
}

/// A number below 100 that depends on `text` alone: FNV-1a, its bits mixed once more.
fn draw(text: &str) -> u64 {
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (sum ^ (sum >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed ^ (mixed >> 33)) % 100
}

/// How the model is shown a memory.
#[must_use]
pub fn lesson(memory: &Memory) -> Lesson {
    let rests_on = match memory.authority {
        Authority::Text => "read",
        Authority::Imported => "imported",
        Authority::Outcome => "seen to work",
        Authority::Said => "the person said so",
        Authority::Written => "the person wrote it",
    };
    let rests_on = match (memory.kind, memory.authority) {
        (MemoryKind::Pitfall, Authority::Outcome) => "it failed",
        _ => rests_on,
    };
    Lesson {
        id: memory.id.0.clone(),
        text: memory.text.clone(),
        source: format!("{rests_on}, {}", time::date(memory.updated_ms)),
    }
}

/// How many tokens a memory takes where it is shown, by estimate.
#[must_use]
pub fn tokens(memory: &Memory) -> u32 {
    let lesson = lesson(memory);
    let bytes = lesson.text.len() + lesson.source.len() + lesson.id.len() + "-  (, )\n".len();
    u32::try_from(estimate_tokens(bytes)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{EntryId, MemoryState, Pitfall};

    const NOW: u64 = 1_764_300_000_000;

    fn ledger(memories: impl IntoIterator<Item = Memory>) -> Ledger {
        Ledger::fold(memories.into_iter().zip(0..).map(|(memory, n)| add(n, memory))).0
    }

    fn occasion(message: &str) -> Occasion<'_> {
        Occasion { thread: "019ac000-0000-7000-8000-000000000001".parse().unwrap(), message, now_ms: NOW }
    }

    fn all() -> EvolutionSettings {
        EvolutionSettings { withhold_percent: 0, ..EvolutionSettings::default() }
    }

    fn texts<'a>(selection: &Selection<'a>) -> Vec<&'a str> {
        selection.shown.iter().map(|memory| memory.text.as_str()).collect()
    }

    #[test]
    fn only_what_holds_is_shown() {
        let with = |text: &str, change: &dyn Fn(&mut Memory)| {
            let mut memory = memory(text);
            change(&mut memory);
            memory
        };
        let pitfall = |expires_ms| Some(Pitfall { tried: "x".to_owned(), instead: None, expires_ms });
        let repo = ledger([
            with("alpha is built first", &|_| ()),
            with("staged one", &|memory| memory.state = MemoryState::Staged),
            with("stale two", &|memory| memory.state = MemoryState::Stale("gone".to_owned())),
            with("superseded three", &|memory| memory.state = MemoryState::Superseded(memory.id.clone())),
            with("retired four", &|memory| memory.state = MemoryState::Retired("old".to_owned())),
            with("forgotten five", &|memory| memory.state = MemoryState::Forgotten),
            with("expired pitfall", &|memory| memory.pitfall = pitfall(NOW)),
            with("fresh trap", &|memory| memory.pitfall = pitfall(NOW + 1)),
            with("harmful advice", &|_| ()),
        ]);
        let scores = Scores::from([(EntryId::of("repo", "harmful advice", 1), -0.5)]);
        let user = ledger([with("answers are short", &|memory| memory.scope = Scope::User)]);
        let known = Known { repo: &repo, user: &user, scores: &scores };
        let mut shown = texts(&at_start(known, &occasion(""), &all()));
        shown.sort_unstable();
        assert_eq!(shown, ["alpha is built first", "answers are short", "fresh trap"]);
    }

    #[test]
    fn the_newest_statement_wins_whatever_its_scope() {
        let (mut old, mut new) = (memory("indent code with tabs"), memory("indent code with spaces"));
        (old.updated_ms, new.updated_ms) = (1, 2);
        let mut guess = memory("indent the code with spaces");
        (guess.updated_ms, guess.authority) = (3, Authority::Text);
        new.scope = Scope::User;
        let (repo, user, scores) = (ledger([old.clone(), guess.clone()]), ledger([new.clone()]), Scores::new());
        let known = Known { repo: &repo, user: &user, scores: &scores };
        assert_eq!(texts(&at_start(known, &occasion("indent"), &all())), ["indent code with spaces"]);
        // A pinned one stays, whatever is said against it.
        old.pinned = true;
        let repo = ledger([old]);
        let known = Known { repo: &repo, user: &user, scores: &scores };
        assert_eq!(at_start(known, &occasion("indent"), &all()).shown.len(), 2);
    }

    #[test]
    fn the_budget_holds_and_what_fits_the_message_comes_first() {
        let many = (0..300).map(|n| memory(&format!("topic{n} wants item{n} handled by worker{n}")));
        let mut pinned = memory("never touch the vendor folder");
        pinned.pinned = true;
        let (repo, user, scores) = (ledger(many.chain([pinned])), Ledger::default(), Scores::new());
        let known = Known { repo: &repo, user: &user, scores: &scores };
        let selection = at_start(known, &occasion("what about topic250 and worker17?"), &all());
        let shown = texts(&selection);
        assert_eq!(shown[0], "never touch the vendor folder");
        assert!(shown[1].contains("topic250") || shown[1].contains("worker17"), "{shown:?}");
        let taken: u32 = selection.shown.iter().map(|memory| tokens(memory)).sum();
        assert!(taken + FRAME_TOKENS <= 800 && shown.len() < 20, "{taken} {}", shown.len());
        let nothing = EvolutionSettings { start_tokens: 0, ..all() };
        assert_eq!(at_start(known, &occasion("topic250"), &nothing), Selection::default());
    }

    #[test]
    fn a_later_message_brings_what_clearly_touches_on_it_once() {
        let repo =
            ledger([memory("the parser tests need the fixtures folder"), memory("the release is tagged by hand")]);
        let (user, scores) = (Ledger::default(), Scores::new());
        let known = Known { repo: &repo, user: &user, scores: &scores };
        let ask = |message, known_already: &str| {
            let was_shown = |id: &str| id == known_already;
            texts(&with_message(known, &occasion(message), &all(), &was_shown)).len()
        };
        assert_eq!(ask("fix the parser tests", ""), 1);
        assert_eq!(
            ask("fix the parser tests", &EntryId::of("repo", "the parser tests need the fixtures folder", 1).0),
            0
        );
        assert_eq!(ask("fix the parser", ""), 0, "one word is not enough");
        assert_eq!(ask("what is this?", ""), 0);
    }

    #[test]
    fn chance_withholds_its_share_and_never_changes_its_mind() {
        let memories: Vec<Memory> = (0..2000).map(|n| memory(&format!("m{n}"))).collect();
        let (thread, settings) = (occasion("").thread, EvolutionSettings::default());
        let withheld = |memory: &&Memory| is_withheld(memory, thread, &settings);
        let count = memories.iter().filter(withheld).count();
        assert!((60..=140).contains(&count), "{count} of 2000 at 5 %");
        assert_eq!(memories.iter().filter(withheld).count(), count);
        let mut one = memories.iter().find(withheld).unwrap().clone();
        one.pinned = true;
        assert!(!is_withheld(&one, thread, &settings), "pinned");
        assert!(memories.iter().all(|memory| is_withheld(
            memory,
            thread,
            &EvolutionSettings { withhold_percent: 100, ..all() }
        )));
        assert!(!memories.iter().any(|memory| is_withheld(memory, thread, &all())));
    }
}
