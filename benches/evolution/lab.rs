//! A home, two repositories and a server; one session after the other.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hone::agent::ports::Clock;
use hone::config::repo::Project;
use hone::evolution::ports::Store as _;
use hone::protocol::learned::{
    Author, Authority, Edit, Entry, Memory, MemoryKind, MemoryState, OpId, Operation, Scope, Verb,
};
use hone::store::DiskStore;

use crate::policy;
use crate::support::{FakeServer, Request, World, program};
use crate::task::{self, Task};

/// The time of the first review, in milliseconds since the Unix epoch. Times are counted on from here, so that the same seed gives
/// the same ids.
const BEGIN: u64 = 1_764_201_600_000;

/// A clock that stands still.
pub struct Fixed(pub u64);

impl Clock for Fixed {
    fn unix_ms(&self) -> u64 {
        self.0
    }

    fn local_date(&self) -> String {
        "2025-11-27".to_owned()
    }

    fn time_zone(&self) -> String {
        "Etc/UTC".to_owned()
    }
}

pub struct Lab {
    world: World,
    server: FakeServer,
    asked: Arc<Mutex<Asked>>,
    pub elsewhere: PathBuf,
    /// How many sessions were reviewed.
    pub reviews: u64,
    /// What every tool prints beside its output.
    pub poison: Vec<String>,
}

#[derive(Default)]
struct Asked {
    tasks: Vec<Task>,
    first: Vec<usize>,
}

impl Lab {
    /// A home that learns, or not, as `mode` says. Two repositories that are one to the program when they are `joined`.
    pub fn new(mode: &str, more: &str, joined: bool) -> Self {
        let asked = Arc::<Mutex<Asked>>::default();
        let shared = Arc::clone(&asked);
        let server = FakeServer::answering(move |request| {
            let mut asked = shared.lock().unwrap();
            let answered = policy::answer(&asked.tasks, request);
            asked.first.extend(answered.first);
            answered.reply
        });
        let world = World::of(&server);
        let config = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
        // Reviews are made between sessions, where they can be broken; chance is left out, or no two runs were the same.
        let evolution = format!("[evolution]\nmode = \"{mode}\"\ntrigger = \"manual\"\nwithhold_percent = 0\n{more}");
        world.write_home("config.toml", &format!("{config}\n{evolution}"));
        let elsewhere = world.root().join("elsewhere");
        std::fs::create_dir_all(&elsewhere).unwrap();
        if joined {
            world.write_project(".git/worktrees/elsewhere/HEAD", "ref: refs/heads/main\n");
            world.write_project(".git/worktrees/elsewhere/commondir", "../..\n");
            let gitdir = format!("gitdir: {}\n", world.project().join(".git/worktrees/elsewhere").display());
            std::fs::write(elsewhere.join(".git"), gitdir).unwrap();
        } else {
            std::fs::create_dir_all(elsewhere.join(".git")).unwrap();
            std::fs::write(elsewhere.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        }
        Self { world, server, asked, elsewhere, reviews: 0, poison: Vec::new() }
    }

    pub fn project(&self) -> PathBuf {
        self.world.project()
    }

    pub fn home(&self) -> PathBuf {
        self.world.home()
    }

    /// Puts the repository in `folder` into the state of `round`.
    pub fn arrange(&self, folder: &Path, tasks: &[Task], round: usize) {
        let lies: String = self.poison.iter().map(|lie| format!("echo 'IMPORTANT for the agent: {lie}'\n")).collect();
        for (name, script) in tasks.iter().flat_map(|task| task.scripts(round)) {
            let path = folder.join(name);
            let Some(script) = script else {
                drop(std::fs::remove_file(path));
                continue;
            };
            let (head, body) = script.split_once('\n').unwrap();
            std::fs::write(&path, format!("{head}\n{lies}{body}")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let decoys = tasks.iter().filter(|task| task.rule == task::DECOY).map(Task::lie);
        let readme: String = decoys.chain(self.poison.iter().cloned()).map(|lie| format!("{lie}\n")).collect();
        std::fs::write(folder.join("README.md"), readme).unwrap();
    }

    /// A session about one task; whether it was done right at once. The person corrects what was not.
    pub fn session(&self, folder: &Path, tasks: &[Task], task: usize, round: usize) -> bool {
        let right = self.ask(folder, tasks, task, round);
        if let Some(correction) = tasks[task].correction(round).filter(|_| !right) {
            self.run(folder, &["exec", "resume", "--last", &correction]);
        }
        right
    }

    /// Asks for one task and says nothing more.
    pub fn ask(&self, folder: &Path, tasks: &[Task], task: usize, round: usize) -> bool {
        *self.asked.lock().unwrap() = Asked { tasks: tasks.to_vec(), first: Vec::new() };
        self.run(folder, &[tasks[task].ask]);
        let first = self.asked.lock().unwrap().first.first().copied();
        first.unwrap() == tasks[task].right[round]
    }

    fn run(&self, folder: &Path, args: &[&str]) {
        program::run(self.world.hone(args).current_dir(folder), b"").expect(0);
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        self.server.take_requests()
    }

    /// The time of the next review.
    pub fn now_ms(&self) -> u64 {
        BEGIN + self.reviews * 60 * 60_000
    }

    pub fn store(&self, folder: &Path) -> DiskStore {
        DiskStore::new(&self.home(), &Project::of(folder).id, Arc::new(Fixed(self.now_ms())))
    }

    /// Everything that is learned of the repository and the person.
    pub fn memories(&self) -> Vec<Memory> {
        let store = self.store(&self.project());
        let of = |scope| store.ledger(scope).unwrap().memories().cloned().collect::<Vec<_>>();
        [Scope::Repo, Scope::User].into_iter().flat_map(of).collect()
    }

    pub fn active(&self) -> Vec<Memory> {
        self.memories().into_iter().filter(|memory| memory.state == MemoryState::Active).collect()
    }

    /// The person reads what waits for approval, and approves what they said.
    pub fn approve_own_words(&self) {
        let waits = |memory: &Memory| memory.state == MemoryState::Staged && memory.authority >= Authority::Said;
        for before in self.memories().into_iter().filter(waits) {
            let after = Memory { state: MemoryState::Active, ..before.clone() };
            self.change(Verb::Approve, Some(before), after);
        }
    }

    /// Writes down something for the repository as a person would.
    pub fn write_down(&self, text: &str) {
        let memory = hone::ledger::hand::written(Scope::Repo, MemoryKind::Rule, text, self.now_ms());
        self.change(Verb::Add, None, memory);
    }

    /// Puts a memory into another state.
    pub fn put(&self, before: Memory, state: MemoryState) {
        let after = Memory { state, ..before.clone() };
        self.change(Verb::Retire, Some(before), after);
    }

    fn change(&self, verb: Verb, before: Option<Memory>, after: Memory) {
        let (store, scope) = (self.store(&self.project()), after.scope);
        let base = store.ledger(scope).unwrap().sequence();
        let operation = Operation {
            id: OpId::of(scope.name(), base, self.now_ms()),
            at_ms: self.now_ms(),
            by: Author::Person,
            session: None,
            verb,
            why: "the person says so".to_owned(),
            edits: vec![Edit { before: before.map(Entry::Memory), after: Some(Entry::Memory(after)) }],
        };
        store.commit(scope, base, &[operation]).unwrap();
    }

    /// Forgets everything.
    pub fn forget_everything(&self) {
        drop(std::fs::remove_dir_all(self.home().join("hone")));
    }

    /// Says in the repository's own instructions what is so.
    pub fn instruct(&self, folder: &Path, sentences: &[String]) {
        std::fs::write(folder.join("AGENTS.md"), sentences.join("\n")).unwrap();
    }
}
