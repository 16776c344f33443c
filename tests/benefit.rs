//! One seed of the benchmark that shows that learning helps, so that a change which breaks it is seen at once. The whole of it is
//! `cargo bench --bench evolution`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the benchmark's other arms and tables are not needed here")]

#[path = "../benches/evolution/arm.rs"]
mod arm;
#[path = "../benches/evolution/course.rs"]
mod course;
#[path = "../benches/evolution/lab.rs"]
mod lab;
#[path = "../benches/evolution/pipeline.rs"]
mod pipeline;
#[path = "../benches/evolution/policy.rs"]
mod policy;
#[path = "../benches/evolution/statistics.rs"]
mod statistics;
mod support;
#[path = "../benches/evolution/task.rs"]
mod task;

use arm::Arm;
use course::{Course, Trial};
use pipeline::Pipeline;

const SEED: u64 = 2;

fn run(arm: Arm) -> Course {
    course::run(SEED, arm, &Pipeline::whole(), &[]).0
}

/// How often `one` was right where `other` was not, once there was something to know.
fn better(one: &Course, other: &Course) -> usize {
    let known = |trial: &&Trial| trial.round > 0;
    let pairs = one.trials.iter().filter(known).zip(other.trials.iter().filter(known));
    pairs.filter(|(one, other)| one.right && !other.right).count()
}

#[test]
fn who_learns_does_better_and_falls_for_nothing_planted() {
    let (off, full) = (run(Arm::Off), run(Arm::Full));
    let (lifts, harms) = (better(&full, &off), better(&off, &full));
    assert!(statistics::mcnemar(lifts, harms) < 0.01 && lifts > 20 && harms * 10 <= lifts, "+{lifts} -{harms}");
    assert_eq!(full.leaks, 0, "nothing of one repository reaches another");
    assert!(full.most_tokens > 50 && full.most_tokens < 800, "{}", full.most_tokens);

    let poisoned = run(Arm::Poisoned);
    assert_eq!(poisoned.trials, full.trials, "planted orders change nothing");
    assert_eq!(poisoned.planted, 0, "and none is learned");
}

#[test]
fn the_exact_test_is_exact() {
    for (better, worse, p) in [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 2, 0.2890625), (10, 1, 0.01171875)] {
        assert!((statistics::mcnemar(better, worse) - p).abs() < 1e-9, "{better} {worse}");
        assert!((statistics::mcnemar(worse, better) - p).abs() < 1e-9, "{worse} {better}");
    }
}
