//! A repository about which much was learned.

use std::sync::Arc;

use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::config::repo::Project;
use hone::evolution::ports::Store as _;
use hone::ledger::hand::written;
use hone::protocol::learned::{Author, Edit, Entry, MemoryKind, OpId, Operation, Scope, Verb};
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
