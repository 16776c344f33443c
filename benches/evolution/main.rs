//! Does learning help, and does it do so for the reason we think? `cargo bench --bench evolution`.
//!
//! Small repositories with hidden rules are made from a seed. The real program runs in them, process after process, against a
//! model on the loopback whose policy is scripted: it does the obvious thing unless its request tells it better. Seven arms run
//! on equal seeds; then the pipeline is broken on purpose, one part at a time, and each break must show.
//!
//! `-- --seeds N` chooses how many repositories (16), `--from N` the first seed (1), `--no-mutants` leaves the breaks out. The
//! same seeds give the same bytes.
//!
//! | file | what |
//! |---|---|
//! | `task.rs` | the hidden rules, from a seed |
//! | `policy.rs` | the scripted model |
//! | `lab.rs` | a home, repositories, a server; one session after the other |
//! | `arm.rs` | what is different from arm to arm |
//! | `pipeline.rs` | how turns are reviewed, and the ways to break it |
//! | `course.rs` | a seed from its first session to its last |
//! | `ablation.rs` | the same without one memory |
//! | `statistics.rs` | the exact test of McNemar |
//! | `report.rs` | the tables and the claims they must bear out |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nobody to tell but the person who started it"
)]

mod ablation;
mod arm;
mod course;
mod lab;
mod pipeline;
mod policy;
mod report;
mod statistics;
#[path = "../../tests/support/mod.rs"]
mod support;
mod task;

use std::process::ExitCode;

use arm::Arm;
use pipeline::{MUTANTS, Pipeline};
use report::{Results, Study};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let value = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
        value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} takes a number, not {value}")))
    };
    let from = number("--from", 1);
    let seeds: Vec<u64> = (from..from + number("--seeds", 16)).collect();
    let study = Study::of(&seeds, &Pipeline::whole(), &Arm::ALL);
    print!("{}", report::arms(&study));
    print!("{}", ablation::report(&seeds[..seeds.len().min(3)]));
    let claims = Results::of(&study).claims();
    print!("{}", report::claims(&claims));
    let mut holds = claims.iter().all(|claim| claim.holds);
    if !args.iter().any(|arg| arg == "--no-mutants") {
        let seeds = &seeds[..seeds.len().min(6)];
        let caught: Vec<_> = MUTANTS.iter().map(|mutant| (mutant, report::broken_by(mutant, seeds))).collect();
        print!("{}", report::mutants(&caught));
        holds &= caught.iter().all(|(_, broken)| !broken.is_empty());
    }
    println!("\n{}", if holds { "All claims hold." } else { "NOT all claims hold." });
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
