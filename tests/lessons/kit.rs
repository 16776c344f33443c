//! A home with something learned in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hone::agent::ports::Clock as _;
use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::config::disk::Disk;
use hone::config::repo::Project;
use hone::evolution::EvolutionSettings;
use hone::evolution::ports::Store as _;
use hone::evolution::run::{How, run};
use hone::evolution::stage::Ports;
use hone::protocol::learned::{
    About, Author, Authority, Edit, Entry, EntryId, Memory, MemoryKind, MemoryState, OpId, Operation, Scope, Verb,
};
use hone::store::DiskStore;

use crate::support::{Ended, FakeServer, Request, World, program};

/// 27 November 2025.
const THEN: u64 = 1_764_230_400_000;

pub struct Home {
    pub world: World,
}

impl Home {
    /// A home whose provider is `server`, and in which chance withholds nothing.
    pub fn of(server: &FakeServer) -> Self {
        let home = Self { world: World::of(server) };
        home.configure("withhold_percent = 0");
        home
    }

    /// Says this of learning in the configuration, in place of what it said before.
    pub fn configure(&self, line: &str) {
        let config = std::fs::read_to_string(self.world.home().join("config.toml")).unwrap();
        let config = config.split("\n[evolution]").next().unwrap();
        self.world.write_home("config.toml", &format!("{config}\n[evolution]\n{line}\n"));
    }

    /// Another repository.
    pub fn project(&self, name: &str) -> PathBuf {
        let folder = self.world.root().join(name);
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        folder
    }

    pub fn run_in(&self, folder: &Path, args: &[&str]) -> Ended {
        program::run(self.world.hone(args).current_dir(folder), b"")
    }

    pub fn store(&self, folder: &Path) -> DiskStore {
        let clock = Arc::new(SystemClock::new(&Environment::default()));
        DiskStore::new(&self.world.home(), &Project::of(folder).id, clock)
    }

    /// Adds memories, each by an operation of its own, which are returned.
    pub fn learn(&self, folder: &Path, memories: &[Memory]) -> Vec<Operation> {
        let store = self.store(folder);
        let add = |memory: &Memory| {
            let base = store.ledger(memory.scope).unwrap().sequence();
            let operation = Operation {
                id: OpId::of(memory.scope.name(), base, THEN),
                at_ms: THEN,
                by: Author::Rules,
                session: None,
                verb: Verb::Add,
                why: "you said so".to_owned(),
                edits: vec![Edit { before: None, after: Some(Entry::Memory(memory.clone())) }],
            };
            store.commit(memory.scope, base, std::slice::from_ref(&operation)).unwrap();
            operation
        };
        memories.iter().map(add).collect()
    }

    pub fn make_executable(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.world.project().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Reviews what is in the outbox, without a model.
    pub async fn review(&self, folder: &Path) {
        let (store, settings) = (self.store(folder), EvolutionSettings::default());
        let clock = SystemClock::new(&Environment::default());
        let ports = Ports {
            store: &store,
            files: &Disk,
            skill_roots: &[],
            root: folder,
            model: None,
            clock: &clock,
            settings: &settings,
        };
        let pass = run(&ports, How { forced: true, ..How::default() }, clock.unix_ms()).await;
        assert!(pass.trouble.is_none(), "{:?}", pass.reports);
    }

    /// The only pitfall of a repository.
    pub fn pitfall(&self, folder: &Path) -> Memory {
        let ledger = self.store(folder).ledger(Scope::Repo).unwrap();
        let pitfalls: Vec<&Memory> = ledger.memories().filter(|memory| memory.pitfall.is_some()).collect();
        assert_eq!(pitfalls.len(), 1, "{pitfalls:?}");
        pitfalls[0].clone()
    }

    /// Takes operations back.
    pub fn undo(&self, folder: &Path, operations: &[Operation]) {
        let store = self.store(folder);
        let ledger = store.ledger(Scope::Repo).unwrap();
        let operations: Vec<&Operation> = operations.iter().collect();
        let undo = ledger.undo(&operations, THEN + 1).unwrap();
        store.commit(Scope::Repo, ledger.sequence(), &[undo]).unwrap();
    }
}

/// Something the person said.
pub fn memory(text: &str, kind: MemoryKind) -> Memory {
    Memory {
        id: EntryId::of("repo", text, THEN),
        kind,
        scope: Scope::Repo,
        text: text.to_owned(),
        state: MemoryState::Active,
        pinned: false,
        authority: Authority::Said,
        author: Author::Rules,
        created_ms: THEN,
        updated_ms: THEN,
        evidence: Vec::new(),
        about: About::default(),
        pitfall: None,
    }
}

/// The texts of the messages of a request.
pub fn input(request: &Request) -> String {
    let parts = request.input().iter().flat_map(|item| item["content"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}
