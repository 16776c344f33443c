//! A repository about which much was learned.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::config::repo::Project;
use hone::evolution::observe::{Surroundings, record};
use hone::evolution::ports::Store as _;
use hone::ledger::hand::written;
use hone::protocol::event::{Activity, ToolResult};
use hone::protocol::learned::{Author, Edit, Entry, MemoryKind, OpId, Operation, Scope, TurnKind, Verb};
use hone::protocol::trace::{CallTrace, Ended, TurnTrace};
use hone::protocol::{ThreadId, TurnId};
use hone::store::DiskStore;

use super::lab::Lab;
use super::scenarios::ok;

/// Keeps `count` memories, one operation each, and lets chance withhold none. Returns how many bytes a request has without them.
pub fn learn(lab: &Lab, count: u64) -> usize {
    let config = lab.home.join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text + "\n[evolution]\nwithhold_percent = 0\n").unwrap();
    let without = lab.run(&["exec", "What about part17?"], &[ok()]).exchanges[0].bytes;
    let clock = Arc::new(SystemClock::new(&Environment::default()));
    let store = DiskStore::new(&lab.home, &Project::of(&lab.work).id, clock);
    let add = |number: u64| {
        let text = format!("The part{number} of the system is built by `make p{number}` and tested by its own script.");
        let memory = written(Scope::Repo, MemoryKind::Fact, &text, 1_764_230_400_000 + number);
        Operation {
            id: OpId::of("repo", number, memory.created_ms),
            at_ms: memory.created_ms,
            by: Author::Person,
            session: None,
            verb: Verb::Add,
            why: "for the benchmark".to_owned(),
            edits: vec![Edit { before: None, after: Some(Entry::Memory(memory)) }],
        }
    };
    store.commit(Scope::Repo, 0, &(0..count).map(add).collect::<Vec<_>>()).unwrap();
    without
}

/// Keeps the records of `count` turns, each of 40 commands that print 20 KB, as the end of a turn does. Returns how long the
/// `percent`th percentile of them took, in milliseconds.
pub fn keep_records(lab: &Lab, count: usize, percent: usize) -> f64 {
    let clock = Arc::new(SystemClock::new(&Environment::default()));
    let store = DiskStore::new(&lab.home, &Project::of(&lab.work).id, clock);
    let line =
        "src/lexer.rs:120:17: warning: unused variable `token`, secret = \"no\", see https://example.com/a?b=c\n";
    let call = |number: usize| CallTrace {
        id: format!("call_{number}"),
        activity: Activity::Exec {
            command: format!("cargo check -p part{number} 2>&1"),
            argv: Vec::new(),
            cwd: lab.work.clone(),
        },
        result: Some(ToolResult {
            ok: true,
            exit_code: Some(0),
            session: None,
            duration: Duration::from_millis(12),
            output: line.repeat(200),
            changes: Vec::new(),
        }),
    };
    let trace = || TurnTrace {
        turn: TurnId::new(),
        thread: ThreadId::new(),
        started_ms: 1,
        ended_ms: 2,
        cwd: lab.work.clone(),
        model: "m".to_owned(),
        said: vec![line.repeat(10)],
        answer: Some(line.repeat(10).into()),
        ended: Ended::Completed,
        calls: (0..40).map(call).collect(),
        skills: Vec::new(),
    };
    let around =
        Surroundings { kind: TurnKind::Person, rollout: None, root: Path::new("/"), secrets: &["sk-known-secret"] };
    let mut took: Vec<f64> = (0..count)
        .map(|_| {
            let trace = trace();
            let begin = Instant::now();
            store.append_turn(&record(trace, &around)).unwrap();
            begin.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    assert_eq!(store.turns().unwrap().len() % count, 0);
    took.sort_by(f64::total_cmp);
    took[count * percent / 100 - 1]
}
