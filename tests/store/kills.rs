//! Whatever happens to the program while it writes: nothing else is lost, nothing is blocked, the damage is told of, and the next one
//! finishes the work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hone::config::Environment;
use hone::config::clock::SystemClock;
use hone::config::repo::Project;
use hone::evolution::due::outbox;
use hone::evolution::ports::Store as _;
use hone::protocol::learned::{MemoryState, Scope};
use hone::store::{DiskStore, line};

use crate::kit::{learn, ran, texts, turn, walk};
use crate::support::speech::{message, response};
use crate::support::{FakeServer, Reply, World, program};
use crate::trace::{self, Blow};

const RULE: &str = "We run tests with `just t`, never `cargo test`.";
/// To be killed before a write is to be killed after the one before it.
const BLOWS: [Blow; 4] = [Blow::Halfway, Blow::After, Blow::Full, Blow::Broken];

/// The home of somebody for whom the program has learned, who has edited what it learned, and whose last two turns wait for a review.
struct Scene {
    world: World,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { world: World::at("http://127.0.0.1:9/v1") };
        let store = scene.store();
        learn(&store, "one");
        learn(&store, "drop me");
        let view = store.view(Scope::Repo);
        let text = fs::read_to_string(&view).unwrap();
        let edited: String =
            text.lines().filter(|line| !line.contains("drop me")).map(|line| format!("{line}\n")).collect();
        fs::write(&view, edited + "- by hand\n").unwrap();
        let failed = ran("cargo test", 101, "error: DATABASE_URL is not set\n");
        store
            .append_turn(&turn(
                now_ms() - 90_000,
                1,
                "we run tests with `just t`, never `cargo test`",
                vec![failed, ran("just t", 0, "ok\n")],
            ))
            .unwrap();
        store.append_turn(&turn(now_ms() - 80_000, 2, "never touch `vendor/`", vec![])).unwrap();
        scene
    }

    fn store(&self) -> DiskStore {
        let clock = Arc::new(SystemClock::new(&Environment::default()));
        DiskStore::new(&self.world.home(), &Project::of(&self.world.project()).id, clock)
    }

    fn review(&self) -> Command {
        self.world.hone(&["evolve", "run", "-c", "evolution.reviewer=rules"])
    }

    fn learned(&self) -> PathBuf {
        self.world.home().join("hone")
    }

    /// Lines that are torn or changed, in all logs.
    fn torn(&self) -> usize {
        let logs =
            walk(&self.learned()).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
        let texts = logs.map(|path| fs::read(path).unwrap());
        let torn = |text: &[u8]| {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.filter(|text| line::read::<serde_json::Value>(text).is_err()).count()
        };
        texts.map(|text| torn(&text)).sum()
    }

    /// What must be there once somebody reviewed without trouble, whatever happened before.
    fn assert_whole(&self, what: &str) {
        let store = self.store();
        let pitfall = "`cargo test` failed here (exit 101): \"error: DATABASE_URL is not set\"; `just t` worked.";
        let expected = ["Never touch `vendor/`.", RULE, pitfall, "by hand", "one"];
        assert_eq!(texts(&store), expected, "{what}");
        let ledger = store.ledger(Scope::Repo).unwrap();
        let dropped: Vec<_> =
            ledger.memories().filter(|memory| memory.text == "drop me").map(|memory| &memory.state).collect();
        assert!(matches!(dropped[..], [MemoryState::Retired(_)]), "{what}: {dropped:?}");
        assert_eq!(fs::read_to_string(store.view(Scope::Repo)).ok(), ledger.view(Scope::Repo), "{what}");
        let turns = store.turns().unwrap();
        assert_eq!((turns.len(), outbox(&turns, &store.reviews().unwrap())), (2, vec![]), "{what}");
        let strays: Vec<PathBuf> = walk(&self.learned()).into_iter().filter(|path| !is_known(path)).collect();
        assert!(strays.len() <= 1, "{what}: {strays:?}");
    }
}

fn is_known(path: &Path) -> bool {
    let names = [
        "journal.jsonl",
        "turns.jsonl",
        "reviews.jsonl",
        "exposures.jsonl",
        "scores.json",
        "MEMORY.md",
        "USER.md",
        "lock",
    ];
    names.iter().any(|name| path.ends_with(name)) || path.to_string_lossy().contains("index")
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}

#[test]
fn kill_9_and_a_full_disk_at_every_write_of_a_review() {
    if !trace::works() {
        return;
    }
    let whole = Scene::new();
    let ended = trace::run(silent(&mut whole.review()), &whole.learned(), 0, None, &mut || {});
    assert_eq!(ended.code, Some(0));
    assert!(ended.writes > 20, "{ended:?}");
    whole.assert_whole("undisturbed");
    let mut torn = 0;
    let mut told = BTreeSet::new();
    for blow in BLOWS {
        for at in 1..=ended.writes {
            let what = format!("{blow:?} at write {at} of {}", ended.writes);
            let scene = Scene::new();
            let hurt = trace::run(silent(&mut scene.review()), &scene.learned(), at, Some(blow), &mut || {});
            let is_killed = matches!(blow, Blow::Halfway | Blow::After);
            assert_eq!(hurt.code.is_none(), is_killed, "{what}: {hurt:?}");
            let damaged = scene.torn();
            torn += damaged;
            let next = program::run(&mut scene.review(), b"");
            assert_eq!(next.code, 0, "{what}: {next:?}");
            assert_eq!(next.stderr.matches("passed over").count(), damaged, "{what}: {next:?}");
            told.extend(
                next.stderr
                    .lines()
                    .filter(|line| line.contains("passed over"))
                    .map(|line| line.rsplit('/').next().unwrap().to_owned()),
            );
            scene.assert_whole(&what);
        }
    }
    assert!(torn > 0 && told.iter().any(|line| line.contains("journal.jsonl")), "{told:?}");
}

#[test]
fn kill_9_at_every_write_of_a_turn_loses_that_turn_at_most() {
    if !trace::works() {
        return;
    }
    let server = FakeServer::repeating(Reply::sse(&response(&[message("Done.")])));
    let exec = |world: &World| world.hone(&["exec", "-c", "evolution.withhold_percent=0", "one more"]);
    let scene = || {
        let scene = Scene::new();
        let config = fs::read_to_string(scene.world.home().join("config.toml")).unwrap();
        scene.world.write_home("config.toml", &config.replace("http://127.0.0.1:9/v1", &server.base_url));
        scene
    };
    let whole = scene();
    let writes = trace::run(silent(&mut exec(&whole.world)), &whole.learned(), 0, None, &mut || {}).writes;
    assert_eq!(whole.store().turns().unwrap().len(), 3);
    assert!(writes > 5, "{writes}");
    for at in 1..=writes {
        let scene = scene();
        trace::run(silent(&mut exec(&scene.world)), &scene.learned(), at, Some(Blow::Halfway), &mut || {});
        let damaged = scene.torn();
        let store = scene.store();
        let kept = store.turns().unwrap().len();
        assert!((2..=3).contains(&kept), "write {at}: {kept} turns");
        drop((store.reviews().unwrap(), store.exposures().unwrap(), store.ledger(Scope::Repo).unwrap()));
        assert_eq!(store.damage().len(), damaged, "write {at}: {:?}", store.damage());
        let next = program::run(&mut exec(&scene.world), b"").expect(0);
        assert_eq!(scene.store().turns().unwrap().len(), kept + 1, "write {at}: {next:?}");
        assert!(texts(&scene.store()).contains(&"by hand".to_owned()), "write {at}");
        assert!(damaged <= 1, "write {at}");
    }
}

#[test]
fn two_processes_at_once_at_every_write() {
    if !trace::works() {
        return;
    }
    let whole = Scene::new();
    let writes = trace::run(silent(&mut whole.review()), &whole.learned(), 0, None, &mut || {}).writes;
    for at in 1..=writes {
        let scene = Scene::new();
        let mut other = None;
        let mut meanwhile = || {
            let running = program::start(&mut scene.review());
            // The first one goes on when the other has ended, or waits for its lock.
            while !running.has_ended() && !running.has_open("lock") {
                std::thread::yield_now();
            }
            other = Some(running);
        };
        let first = trace::run(silent(&mut scene.review()), &scene.learned(), at, None, &mut meanwhile);
        let second = other.unwrap().wait();
        assert_eq!((first.code, second.code), (Some(0), 0), "write {at}: {second:?}");
        scene.assert_whole(&format!("two at write {at}"));
        assert_eq!(scene.torn(), 0);
    }
}

#[test]
fn kill_9_at_every_write_of_gc_loses_nothing_that_stays() {
    if !trace::works() {
        return;
    }
    let sweep = |scene: &Scene| scene.world.hone(&["evolve", "gc"]);
    let whole = Scene::new();
    program::run(&mut whole.review(), b"").expect(0);
    let ledger = whole.store().ledger(Scope::Repo).unwrap();
    let id = ledger.memories().find(|memory| memory.text == RULE).unwrap().id.0.clone();
    program::run(&mut whole.world.hone(&["evolve", "forget", &id]), b"").expect(0);
    let files: Vec<(PathBuf, Vec<u8>)> =
        walk(&whole.learned()).into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    let restore = || {
        walk(&whole.learned()).into_iter().for_each(|path| fs::remove_file(path).unwrap());
        files.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    };
    let before = texts(&whole.store());
    let is_there = |scene: &Scene| {
        let text = walk(&scene.learned())
            .into_iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
            .collect::<String>();
        text.contains("tests with `just t`, never")
    };
    assert!(is_there(&whole));
    let ended = trace::run(silent(&mut sweep(&whole)), &whole.learned(), 0, None, &mut || {});
    assert_eq!((ended.code, is_there(&whole), texts(&whole.store())), (Some(0), false, before.clone()));
    for blow in BLOWS {
        for at in 1..=ended.writes {
            restore();
            let scene = &whole;
            trace::run(silent(&mut sweep(scene)), &scene.learned(), at, Some(blow), &mut || {});
            let what = format!("{blow:?} at write {at}");
            assert_eq!((scene.torn(), texts(&scene.store())), (0, before.clone()), "{what}");
            program::run(&mut sweep(scene), b"").expect(0);
            assert!(!is_there(scene), "{what}");
            assert_eq!(texts(&scene.store()), before, "{what}");
            let store = scene.store();
            assert_eq!(outbox(&store.turns().unwrap(), &store.reviews().unwrap()), [] as [usize; 0], "{what}");
        }
    }
}
