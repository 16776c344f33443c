//! Entries and operations to write, and a clock that stands still.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hone::agent::ports::Clock;
use hone::evolution::ports::Store as _;
use hone::protocol::learned::{
    About, Author, Authority, CallRecord, Edit, Entry, EntryId, Memory, MemoryKind, MemoryState, OpId, Operation,
    Scope, TurnKind, TurnRecord, TurnStatus, Verb, Work,
};
use hone::protocol::{ThreadId, TurnId};
use hone::store::DiskStore;
use uuid::Uuid;

pub const NOW: u64 = 1_764_201_600_000;

struct Noon;

impl Clock for Noon {
    fn unix_ms(&self) -> u64 {
        NOW
    }

    fn local_date(&self) -> String {
        "2025-11-27".to_owned()
    }

    fn time_zone(&self) -> String {
        "Etc/UTC".to_owned()
    }
}

pub fn store(home: &Path) -> DiskStore {
    DiskStore::new(home, "project-1", Arc::new(Noon))
}

pub fn memory(text: &str) -> Memory {
    Memory {
        id: EntryId::of("repo", text, NOW),
        kind: MemoryKind::Rule,
        scope: Scope::Repo,
        text: text.to_owned(),
        state: MemoryState::Active,
        pinned: false,
        authority: Authority::Said,
        author: Author::Rules,
        created_ms: NOW,
        updated_ms: NOW,
        evidence: Vec::new(),
        about: About::default(),
        pitfall: None,
    }
}

pub fn add(sequence: u64, text: &str) -> Operation {
    Operation {
        id: OpId::of("repo", sequence, NOW),
        at_ms: NOW,
        by: Author::Rules,
        session: None,
        verb: Verb::Add,
        why: "you said so".to_owned(),
        edits: vec![Edit { before: None, after: Some(Entry::Memory(memory(text))) }],
    }
}

/// Commits one addition on top of whatever is there.
pub fn learn(store: &DiskStore, text: &str) {
    let base = store.ledger(Scope::Repo).unwrap().sequence();
    store.commit(Scope::Repo, base, &[add(base, text)]).unwrap();
}

pub fn texts(store: &DiskStore) -> Vec<String> {
    let ledger = store.ledger(Scope::Repo).unwrap();
    let mut texts: Vec<String> = ledger.active_memories().map(|memory| memory.text.clone()).collect();
    texts.sort();
    texts
}

/// Every file below a folder with its bytes, but for logs and locks.
pub fn derived(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = walk(home).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    files.retain(|(path, _)| !path.ends_with("lock") && path.extension().is_none_or(|kind| kind != "jsonl"));
    files.sort();
    files
}

/// Every file below a folder.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A turn with this number that began then.
pub fn turn(started_ms: u64, number: u64, said: &str, calls: Vec<CallRecord>) -> TurnRecord {
    TurnRecord {
        turn: TurnId(Uuid::from_u128(u128::from(number) + 100)),
        thread: ThreadId(Uuid::from_u128(1)),
        kind: TurnKind::Person,
        started_ms,
        ended_ms: started_ms + 1000,
        cwd: "/repo".into(),
        model: "m".to_owned(),
        rollout: None,
        said: vec![said.to_owned()],
        answer: Some("I did it.".to_owned()),
        status: TurnStatus::Completed,
        calls,
        skills: Vec::new(),
    }
}

pub fn ran(command: &str, exit: i32, output: &str) -> CallRecord {
    CallRecord {
        tool: "shell".to_owned(),
        work: Work::Command { line: command.to_owned(), cwd: "/repo".into() },
        ok: exit == 0,
        exit_code: Some(exit),
        output: output.to_owned(),
        duration_ms: 5,
        files: Vec::new(),
    }
}
