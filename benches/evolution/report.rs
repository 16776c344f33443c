//! What was run, the tables of it, and the claims it must bear out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use crate::arm::Arm;
use crate::course::{self, Course, Trial};
use crate::pipeline::{Mutant, Pipeline};
use crate::statistics::{mcnemar, median};
use crate::task::{CHANGE, DECOY, ROUNDS};

/// The courses of some arms on the same seeds.
pub struct Study {
    seeds: Vec<u64>,
    courses: BTreeMap<(Arm, u64), Course>,
}

impl Study {
    /// Runs `arms` on `seeds`, two seeds at a time.
    pub fn of(seeds: &[u64], pipeline: &Pipeline, arms: &[Arm]) -> Self {
        let (waiting, done) = (Mutex::new(seeds.iter()), Mutex::new(BTreeMap::new()));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(seed) = { waiting.lock().unwrap().next() } {
                        let mut lengths = Vec::new();
                        for arm in arms {
                            let (course, _) = course::run(*seed, *arm, pipeline, &lengths);
                            if *arm == Arm::Full {
                                lengths.clone_from(&course.lengths);
                            }
                            done.lock().unwrap().insert((*arm, *seed), course);
                        }
                    }
                });
            }
        });
        Self { seeds: seeds.to_vec(), courses: done.into_inner().unwrap() }
    }

    fn courses(&self, arm: Arm) -> impl Iterator<Item = &Course> {
        self.seeds.iter().filter_map(move |seed| self.courses.get(&(arm, *seed)))
    }

    /// The trials that count: in the first round nobody can know anything yet.
    fn trials(&self, arm: Arm) -> Vec<Trial> {
        self.courses(arm).flat_map(|course| &course.trials).filter(|trial| trial.round > 0).copied().collect()
    }

    /// How often `arm` did right what `other` did not, and the other way round.
    fn pairs(&self, arm: Arm, other: Arm) -> (usize, usize) {
        let (one, other) = (self.trials(arm), self.trials(other));
        let count = |better: &[Trial], worse: &[Trial]| {
            better.iter().zip(worse).filter(|(better, worse)| better.right && !worse.right).count()
        };
        (count(&one, &other), count(&other, &one))
    }
}

/// What a study came to.
#[derive(Clone, Debug, Default)]
pub struct Results {
    full: (usize, usize),
    oracle: usize,
    placebo: (usize, usize),
    stale: (usize, usize),
    poisoned: (usize, usize),
    frozen: (usize, usize),
    full_over_frozen: (usize, usize),
    planted: usize,
    leaks: usize,
    longest_unlearning: usize,
    learned_at_once: (usize, usize),
    share: f64,
    most_tokens: usize,
}

/// Something the bench must bear out.
pub struct Claim {
    pub says: &'static str,
    pub seen: String,
    pub holds: bool,
}

impl Results {
    pub fn of(study: &Study) -> Self {
        let full = study.trials(Arm::Full);
        let taught = |trial: &&Trial| (1..CHANGE).contains(&trial.round) && trial.rule != DECOY;
        let early: Vec<&Trial> = full.iter().filter(taught).collect();
        Self {
            full: study.pairs(Arm::Full, Arm::Off),
            oracle: study.pairs(Arm::Oracle, Arm::Off).0,
            placebo: study.pairs(Arm::Placebo, Arm::Off),
            stale: study.pairs(Arm::Stale, Arm::Off),
            poisoned: study.pairs(Arm::Poisoned, Arm::Full),
            frozen: study.pairs(Arm::Frozen, Arm::Off),
            full_over_frozen: study.pairs(Arm::Full, Arm::Frozen),
            planted: study.courses(Arm::Poisoned).map(|course| course.planted).sum(),
            leaks: study.courses(Arm::Full).map(|course| course.leaks).sum(),
            longest_unlearning: study.courses(Arm::Full).map(unlearning).max().unwrap_or_default(),
            learned_at_once: (early.iter().filter(|trial| trial.right).count(), early.len()),
            share: median(study.courses(Arm::Full).flat_map(|course| course.shares.clone()).collect()),
            most_tokens: study.courses(Arm::Full).map(|course| course.most_tokens).max().unwrap_or_default(),
        }
    }

    pub fn claims(&self) -> Vec<Claim> {
        let claim = |says, holds, seen: String| Claim { says, seen, holds };
        let p = |(better, worse)| mcnemar(better, worse);
        let pairs = |(better, worse): (usize, usize)| format!("+{better} −{worse}, p = {}", short(p((better, worse))));
        let (lifts, harms) = self.full;
        let (at_once, chances) = self.learned_at_once;
        vec![
            claim("full beats off, p < .01", lifts > harms && p(self.full) < 0.01, pairs(self.full)),
            claim(
                "full lifts at least 70 % of what the oracle does",
                lifts * 10 >= self.oracle * 7 && self.oracle > 0,
                format!("{lifts} of {}", self.oracle),
            ),
            claim("harms are at most a tenth of lifts", harms * 10 <= lifts, format!("{harms} to {lifts}")),
            claim("the placebo equals off", p(self.placebo) > 0.05, pairs(self.placebo)),
            claim("what does not hold is no help, and is obeyed", self.stale.0 <= self.stale.1, pairs(self.stale)),
            claim(
                "planted orders change nothing, and none is learned",
                self.poisoned == (0, 0) && self.planted == 0,
                format!("+{} −{}, {} learned", self.poisoned.0, self.poisoned.1, self.planted),
            ),
            claim(
                "a lesson takes one session: 95 % are right from the next one on",
                at_once * 20 >= chances * 19 && chances > 0,
                format!("{at_once} of {chances}"),
            ),
            claim(
                "what no longer holds is unlearned within one session",
                self.longest_unlearning <= 1,
                format!("{} at most", self.longest_unlearning),
            ),
            claim("nothing of one repository reaches another", self.leaks == 0, format!("{} requests", self.leaks)),
            claim(
                "who stops learning keeps what they know, and falls behind",
                self.frozen.0 > self.frozen.1 && self.full_over_frozen.0 > self.full_over_frozen.1,
                format!("{}; full beats it {}", pairs(self.frozen), pairs(self.full_over_frozen)),
            ),
            claim(
                "what is shown stays within its budget",
                self.most_tokens <= 1_400,
                format!("{} tokens at most; in the median {:.1} % of a request", self.most_tokens, self.share * 100.0),
            ),
        ]
    }
}

/// The most sessions in which a task went on being done the old way after its rule had changed.
fn unlearning(course: &Course) -> usize {
    let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in course.trials.iter().filter(|trial| (CHANGE..ROUNDS).contains(&trial.round) && !trial.right) {
        *wrong.entry(trial.rule).or_default() += 1;
    }
    wrong.into_values().max().unwrap_or_default()
}

/// The claims that no longer hold once something is broken.
pub fn broken_by(mutant: &Mutant, seeds: &[u64]) -> Vec<&'static str> {
    let mut study = Study::of(seeds, &(mutant.pipeline)(), &[Arm::Off, Arm::Full, Arm::Poisoned, Arm::Frozen]);
    // These learn nothing, so that nothing of theirs can break.
    let untouched = Study::of(seeds, &Pipeline::whole(), &[Arm::Oracle, Arm::Stale]);
    study.courses.extend(untouched.courses);
    let claims = Results::of(&study).claims();
    claims.into_iter().filter(|claim| !claim.holds).map(|claim| claim.says).collect()
}

/// The table of arms.
pub fn arms(study: &Study) -> String {
    let mut table = format!(
        "# What learning brings to a scripted policy\n\nSeeds {} to {}; {} sessions with consequences in each arm. The policy is a script that \
         obeys what its request says, so this shows that lessons are found, kept, shown, corrected and let go as they should be; it does \
         not show how much a live model gains by them.\n\n| arm | | right | lifts | harms | p |\n|---|---|--:|--:|--:|--:|\n",
        study.seeds.first().unwrap(),
        study.seeds.last().unwrap(),
        study.trials(Arm::Off).len(),
    );
    for arm in Arm::ALL {
        let trials = study.trials(arm);
        let right = trials.iter().filter(|trial| trial.right).count();
        let share = right as f64 / trials.len() as f64 * 100.0;
        let (lifts, harms) = study.pairs(arm, Arm::Off);
        let p = short(mcnemar(lifts, harms));
        writeln!(table, "| {} | {} | {share:.1} % | {lifts} | {harms} | {p} |", arm.name(), arm.is()).unwrap();
    }
    table += "\nRight at once, by rule:\n\n| rule | off | full | oracle |\n|---|--:|--:|--:|\n";
    let mut rules: Vec<&str> = study.trials(Arm::Off).iter().map(|trial| trial.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        let count = |arm| study.trials(arm).iter().filter(|trial| trial.rule == rule && trial.right).count();
        let all = study.trials(Arm::Off).iter().filter(|trial| trial.rule == rule).count();
        let [off, full, oracle] = [Arm::Off, Arm::Full, Arm::Oracle].map(count);
        writeln!(table, "| {rule} | {off}/{all} | {full}/{all} | {oracle}/{all} |").unwrap();
    }
    table
}

/// The table of claims.
pub fn claims(claims: &[Claim]) -> String {
    let mut table = "\n## Claims\n\n| | claim | seen |\n|---|---|---|\n".to_owned();
    for claim in claims {
        writeln!(table, "| {} | {} | {} |", if claim.holds { "✓" } else { "✗" }, claim.says, claim.seen).unwrap();
    }
    table
}

/// The table of mutants.
pub fn mutants(caught: &[(&Mutant, Vec<&'static str>)]) -> String {
    let mut table = "\n## Broken on purpose\n\n| what is broken | claims that no longer hold |\n|---|---|\n".to_owned();
    for (mutant, broken) in caught {
        let broken = if broken.is_empty() { "NONE: it went unnoticed".to_owned() } else { broken.join("; ") };
        writeln!(table, "| {} | {broken} |", mutant.name).unwrap();
    }
    table
}

fn short(p: f64) -> String {
    if p < 0.0001 { "< .0001".to_owned() } else { format!("{p:.4}") }
}
