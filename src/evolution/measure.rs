//! What each entry brought: how often it could be shown, was, was followed, and how those turns went, beside the turns of
//! conversations it was withheld from by chance.

use std::collections::{BTreeMap, HashMap};

use super::ports::Scores;
use super::reaction::{Outcome, outcome};
use crate::protocol::ThreadId;
use crate::protocol::learned::{CallRecord, Entry, EntryId, Exposure, Place, TurnRecord, Work};
use crate::text::command_line::runs;

/// How many turns it takes for an entry's own record to weigh as much as what is expected of any entry. Three good turns prove
/// little.
const PRIOR: f64 = 6.0;

/// How often something must have been followed before its record can retire it.
const ENOUGH_USES: u32 = 4;
/// How much worse turns must have gone with it.
const HARMFUL: f64 = -0.15;

/// What is known of one entry's use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usefulness {
    /// Conversations it could be shown in.
    pub eligible: u32,
    /// Those it was shown in.
    pub injected: u32,
    /// Turns that did what it says.
    pub used: u32,
    /// Those of them that went well.
    pub helped: u32,
    /// Those of them that went badly.
    pub hurt: u32,
    /// Turns it was there for that went well, and badly, used or not.
    pub shown: Tally,
    /// The same of turns it was withheld from.
    pub withheld: Tally,
    /// From -1 to 1: how much better turns went with it than without, held back by how little is known; 0 when nothing is.
    pub score: f64,
}

/// How turns went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Well.
    pub good: u32,
    /// Badly.
    pub bad: u32,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Good => self.good += 1,
            Outcome::Bad => self.bad += 1,
            Outcome::Unknown => {}
        }
    }

    fn sum(self) -> f64 {
        f64::from(self.good) + f64::from(self.bad)
    }
}

/// What each of `entries` brought. Exposures of entries that are not among them are passed over.
#[must_use]
pub fn measure<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    exposures: &[Exposure],
    turns: &[TurnRecord],
) -> BTreeMap<EntryId, Usefulness> {
    let threads = by_thread(turns);
    let outcomes: HashMap<_, _> = threads.values().flat_map(|turns| judged(turns)).collect();
    let overall = outcomes.values().fold(Tally::default(), |mut tally, outcome| {
        tally.add(*outcome);
        tally
    });
    let mut exposed: BTreeMap<&EntryId, Vec<&Exposure>> = BTreeMap::new();
    for exposure in exposures {
        exposed.entry(&exposure.entry).or_default().push(exposure);
    }
    let measured = entries.map(|entry| {
        let exposed = exposed.get(entry.id()).map(Vec::as_slice).unwrap_or_default();
        let mut usefulness = Usefulness::default();
        for (thread, withheld, turns) in conversations(exposed, &threads) {
            usefulness.eligible += 1;
            usefulness.injected += u32::from(!withheld);
            for turn in turns {
                usefulness.count(entry, turn, withheld, outcomes[&(thread, turn.turn)]);
            }
        }
        usefulness.score = score(&usefulness, overall);
        (entry.id().clone(), usefulness)
    });
    measured.collect()
}

/// The scores alone, as selection takes them; entries of which nothing is known are left out.
#[must_use]
pub fn scores(measured: &BTreeMap<EntryId, Usefulness>) -> Scores {
    let known = measured.iter().filter(|(_, usefulness)| usefulness.score != 0.0);
    known.map(|(id, usefulness)| (id.clone(), usefulness.score)).collect()
}

impl Usefulness {
    /// Whether following it clearly did more harm than good.
    #[must_use]
    pub fn is_harmful(&self) -> bool {
        self.used >= ENOUGH_USES && self.hurt > self.helped && self.score < HARMFUL
    }

    /// What harm, for people.
    #[must_use]
    pub fn harm(&self) -> String {
        format!("of {} turns that followed it, {} went badly and {} well", self.used, self.hurt, self.helped)
    }

    fn count(&mut self, entry: &Entry, turn: &TurnRecord, withheld: bool, outcome: Outcome) {
        if withheld {
            return self.withheld.add(outcome);
        }
        self.shown.add(outcome);
        if !follows(turn, entry) {
            return;
        }
        self.used += 1;
        self.helped += u32::from(outcome == Outcome::Good);
        self.hurt += u32::from(outcome == Outcome::Bad);
    }
}

/// The difference between turns with and without an entry. The control may be small: what turns are like in general stands in for
/// what is missing of it, and keeps few turns from saying much.
fn score(usefulness: &Usefulness, overall: Tally) -> f64 {
    let rate = |tally: Tally, expected: f64| (f64::from(tally.good) + PRIOR * expected) / (tally.sum() + PRIOR);
    if usefulness.shown.sum() == 0.0 {
        return 0.0;
    }
    let expected = (f64::from(overall.good) + 1.0) / (overall.sum() + 2.0);
    let control = rate(usefulness.withheld, expected);
    // Where it shows in what was done, what it did counts; otherwise how the turns went.
    let with = Tally { good: usefulness.helped, bad: usefulness.hurt };
    let with = if with.sum() > 0.0 { with } else { usefulness.shown };
    rate(with, control) - control
}

/// Whether a turn did what an entry says: ran its command, touched its files, took the way around its pitfall, used the skill.
#[must_use]
pub fn follows(turn: &TurnRecord, entry: &Entry) -> bool {
    let ran = |line: &str| turn.calls.iter().any(|call| command(call).is_some_and(|ran| runs(ran, line)));
    match entry {
        Entry::Skill(skill) => turn.skills.contains(&skill.name),
        Entry::Memory(memory) => match &memory.pitfall {
            Some(pitfall) => pitfall.instead.as_deref().is_some_and(ran),
            None => {
                let touched = || turn.calls.iter().flat_map(|call| &call.files).map(|file| &file.path);
                memory.about.commands.iter().any(|line| ran(line))
                    || memory.about.paths.iter().any(|path| touched().any(|touched| touched.starts_with(path)))
            }
        },
    }
}

/// The command a call ran.
#[must_use]
pub fn command(call: &CallRecord) -> Option<&str> {
    match &call.work {
        Work::Command { line, .. } => Some(line),
        Work::Edit | Work::Other { .. } => None,
    }
}

fn by_thread(turns: &[TurnRecord]) -> HashMap<ThreadId, Vec<&TurnRecord>> {
    let mut threads: HashMap<ThreadId, Vec<&TurnRecord>> = HashMap::new();
    for turn in turns {
        threads.entry(turn.thread).or_default().push(turn);
    }
    threads
}

fn judged<'a>(
    turns: &'a [&'a TurnRecord],
) -> impl Iterator<Item = ((ThreadId, crate::protocol::TurnId), Outcome)> + 'a {
    turns.iter().enumerate().map(|(index, turn)| {
        let outcome = outcome(turn, turns.get(index + 1).copied());
        ((turn.thread, turn.turn), outcome)
    })
}

/// The conversations an entry could be shown in, whether it was withheld, and the turns it was there for: with what stays in the
/// conversation all from then on, otherwise the one.
fn conversations<'a>(
    exposures: &[&Exposure],
    threads: &HashMap<ThreadId, Vec<&'a TurnRecord>>,
) -> Vec<(ThreadId, bool, Vec<&'a TurnRecord>)> {
    let mut found: BTreeMap<ThreadId, (bool, Vec<&'a TurnRecord>)> = BTreeMap::new();
    for exposure in exposures {
        let turns = threads.get(&exposure.thread).map(Vec::as_slice).unwrap_or_default();
        let from = turns.iter().position(|turn| turn.turn == exposure.turn);
        let there = match (exposure.place, from) {
            (_, None) => &[],
            (Place::Start | Place::Catalogue | Place::Message, Some(from)) => &turns[from..],
            (Place::Call | Place::Skill, Some(from)) => &turns[from..=from],
        };
        let (withheld, all) = found.entry(exposure.thread).or_insert((true, Vec::new()));
        *withheld &= exposure.withheld;
        for turn in there {
            if !all.iter().any(|other| other.turn == turn.turn) {
                all.push(turn);
            }
        }
    }
    found.into_iter().map(|(thread, (withheld, turns))| (thread, withheld, turns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::reaction::tests::turn;
    use crate::ledger::tests::memory;

    fn exposure(turn: &TurnRecord, entry: &EntryId, withheld: bool) -> Exposure {
        let (thread, turn) = (turn.thread, turn.turn);
        Exposure { at_ms: 0, thread, turn, entry: entry.clone(), place: Place::Start, tokens: 9, withheld }
    }

    /// `shown` and `withheld` conversations of one turn each, with the exit status of `just t`.
    fn after(shown: &[i32], withheld: &[i32]) -> Usefulness {
        let mut rule = memory("tests run with just t");
        rule.about.commands = vec!["just t".to_owned()];
        let (mut turns, mut exposures) = (Vec::new(), Vec::new());
        for (exits, is_withheld, line) in [(shown, false, "just t"), (withheld, true, "cargo test")] {
            for exit in exits {
                let turn = turn(ThreadId::new(), "go", &[(line, *exit)]);
                exposures.push(exposure(&turn, &rule.id, is_withheld));
                turns.push(turn);
            }
        }
        measure([Entry::Memory(rule)].iter(), &exposures, &turns).into_values().next().unwrap()
    }

    #[test]
    fn few_turns_say_little_and_the_control_counts() {
        assert_eq!(after(&[], &[]), Usefulness::default());
        let one = after(&[0], &[]);
        assert_eq!((one.eligible, one.injected, one.used, one.helped, one.hurt), (1, 1, 1, 1, 0));
        assert!(one.score > 0.0 && one.score < 0.1, "{one:?}");
        let proven = after(&[0; 20], &[1; 5]);
        assert!(proven.score > 0.25 && proven.score > 2.0 * one.score, "{proven:?}");
        assert_eq!((proven.eligible, proven.injected, proven.withheld), (25, 20, Tally { good: 0, bad: 5 }));
        assert!(after(&[1; 10], &[0; 5]).score < -0.25, "{:?}", after(&[1; 10], &[0; 5]));
        // Turns that go well anyway are no merit of the entry.
        let idle = after(&[0; 20], &[0; 20]);
        assert!(idle.score.abs() < 0.02, "{idle:?}");
        assert!(after(&[1], &[]).score > -0.25, "one bad turn hides nothing");
    }

    #[test]
    fn what_stays_in_the_conversation_counts_for_its_later_turns() {
        let (thread, rule) = (ThreadId::new(), memory("answer briefly"));
        let turns = [turn(thread, "a", &[("x", 0)]), turn(thread, "b", &[("x", 0)]), turn(thread, "c", &[("x", 1)])];
        let start = exposure(&turns[1], &rule.id, false);
        let call = Exposure { place: Place::Call, ..start.clone() };
        let shown = |exposures: &[Exposure]| {
            measure([Entry::Memory(rule.clone())].iter(), exposures, &turns).into_values().next().unwrap().shown
        };
        assert_eq!(shown(&[start.clone(), call.clone()]), Tally { good: 1, bad: 1 });
        assert_eq!(shown(&[call]), Tally { good: 1, bad: 0 });
        // A turn whose record was lost says nothing.
        assert_eq!(shown(&[Exposure { turn: crate::protocol::TurnId::new(), ..start }]), Tally::default());
    }
}
