//! The last stage: what is learned is held to what happens. Retired by what it does, never by its age alone; marked when what it
//! speaks of is gone; a pitfall ends when what failed passes again. All of it are operations with a reason, and can be taken back.

use std::path::{Path, PathBuf};

use super::measure::{Usefulness, command, measure, scores};
use super::ports::{Scores, StoreError};
use super::select::is_explicit;
use super::skills::lifecycle::{self as skills, Record};
use super::stage::{Pass, Ports, Report, Stage};
use crate::agent::ports::{BoxFuture, Files};
use crate::protocol::learned::{
    Author, Authority, CallRecord, Edit, Entry, Evidence, Exposure, Memory, MemoryKind, MemoryState, OpId, Operation,
    Pitfall, Scope, Source, TurnRecord, Verb,
};
use crate::text::command_line::{commands, runs};

/// For how long a pitfall is believed at least before it is tried again.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// The stage.
pub struct LifecycleStage;

impl Stage for LifecycleStage {
    fn name(&self) -> &'static str {
        "lifecycle"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let mut report = Report::default();
            let exposures = ports.store.exposures().unwrap_or_else(|error| {
                report.dropped.push(("what was shown".to_owned(), error.to_string()));
                Vec::new()
            });
            let (mut changes, mut known) = (Vec::new(), Scores::new());
            for scope in [Scope::Repo, Scope::User] {
                match commit(pass, ports, scope, &exposures) {
                    Ok((made, measured)) => {
                        known.extend(measured);
                        changes.extend(made.iter().map(|operation| operation.why.clone()));
                        pass.operations.entry(scope).or_default().extend(made);
                    }
                    Err(error) => report.dropped.push((scope.name().to_owned(), error.to_string())),
                }
            }
            if !pass.dry_run
                && let Err(error) = ports.store.keep_scores(&known)
            {
                report.dropped.push(("scores".to_owned(), error.to_string()));
            }
            report.did = match changes.is_empty() {
                true => "everything still holds".to_owned(),
                false => format!("made {} changes: {}", changes.len(), changes.join("; ")),
            };
            report
        })
    }
}

/// Decides on what is known now, and again when that changed meanwhile.
fn commit(
    pass: &Pass,
    ports: &Ports<'_>,
    scope: Scope,
    exposures: &[Exposure],
) -> Result<(Vec<Operation>, Scores), StoreError> {
    let world = World { turns: &pass.turns, files: ports.files, root: ports.root, now_ms: pass.now_ms };
    let mut tries = 0;
    loop {
        let ledger = ports.store.ledger(scope)?;
        let measured = measure(ledger.entries(), exposures, &pass.turns);
        let memories = ledger.entries().filter_map(|entry| change(entry, measured[entry.id()], &world));
        let record =
            Record { turns: &pass.turns, exposures, root: ports.root, mode: ports.settings.mode, now_ms: pass.now_ms };
        let changes = memories.chain(skills::changes(&ledger, &record).into_iter().map(Change::of_skill));
        let numbered = changes.zip(ledger.sequence()..);
        let operations: Vec<Operation> =
            numbered.map(|(change, sequence)| change.operation(scope, sequence, pass.now_ms)).collect();
        let scores = scores(&measured);
        if pass.dry_run || operations.is_empty() {
            return Ok((operations, scores));
        }
        tries += 1;
        match ports.store.commit(scope, ledger.sequence(), &operations) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok((operations, scores)),
        }
    }
}

/// What entries are held to.
pub struct World<'a> {
    /// All turns, oldest first.
    pub turns: &'a [TurnRecord],
    /// The repository's files.
    pub files: &'a dyn Files,
    /// The folder their paths start at.
    pub root: &'a Path,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The kind of change.
    pub verb: Verb,
    /// Why, for people.
    pub why: String,
    before: Entry,
    after: Entry,
}

impl Change {
    fn of_memory(memory: &Memory, verb: Verb, state: MemoryState, why: &str) -> Self {
        Self::to(memory, verb, why, Memory { state, ..memory.clone() })
    }

    fn to(memory: &Memory, verb: Verb, why: &str, after: Memory) -> Self {
        Self { verb, why: why.to_owned(), before: Entry::Memory(memory.clone()), after: Entry::Memory(after) }
    }

    fn of_skill(change: skills::Change) -> Self {
        let (before, after) = (Entry::Skill(change.before), Entry::Skill(change.after));
        Self { verb: change.verb, why: change.why, before, after }
    }

    fn operation(self, scope: Scope, sequence: u64, now_ms: u64) -> Operation {
        Operation {
            id: OpId::of(scope.name(), sequence, now_ms),
            at_ms: now_ms,
            by: Author::Rules,
            session: None,
            verb: self.verb,
            why: self.why,
            edits: vec![Edit { before: Some(self.before), after: Some(self.after) }],
        }
    }
}

/// What becomes of `entry`, if anything. What the person pinned is theirs; skills have a lifecycle of their own.
#[must_use]
pub fn change(entry: &Entry, usefulness: Usefulness, world: &World<'_>) -> Option<Change> {
    match entry {
        Entry::Memory(memory) if memory.pinned => None,
        Entry::Memory(memory) => memory_change(memory, usefulness, world),
        Entry::Skill(_) => None,
    }
}

fn memory_change(memory: &Memory, usefulness: Usefulness, world: &World<'_>) -> Option<Change> {
    let is_stale = match memory.state {
        MemoryState::Active => false,
        MemoryState::Stale(_) => true,
        _ => return None,
    };
    let to = |verb, state: fn(String) -> MemoryState, why: &str| {
        Some(Change::of_memory(memory, verb, state(why.to_owned()), why))
    };
    if let Some(pitfall) = &memory.pitfall {
        match (last_run(&pitfall.tried, memory, world), pitfall.expires_ms <= world.now_ms) {
            (Some((_, CallRecord { exit_code: Some(0), .. })), _) => {
                return to(Verb::Retire, MemoryState::Retired, &format!("`{}` passes again", pitfall.tried));
            }
            (Some((turn, call)), true) => return Some(fails_still(memory, pitfall, turn, call, world.now_ms)),
            (None, true) if !is_stale => return to(Verb::Expire, MemoryState::Stale, "old enough to be tried again"),
            // What waits for its next try is not revived by anything else.
            (_, true) => return None,
            (_, false) => {}
        }
    }
    if is_stale {
        return confirmed(memory, world);
    }
    if let Some(why) = out_of_date(memory, world) {
        return to(Verb::Stale, MemoryState::Stale, &why);
    }
    // What the person said stands until they say otherwise; that it is shown less is the score's doing.
    let is_harmful = !is_explicit(memory) && usefulness.is_harmful();
    is_harmful.then(|| to(Verb::Retire, MemoryState::Retired, &usefulness.harm())).flatten()
}

/// A stale entry that holds again: what was gone is back, or its command passed since.
fn confirmed(memory: &Memory, world: &World<'_>) -> Option<Change> {
    let passed = memory
        .about
        .commands
        .iter()
        .find_map(|line| last_run(line, memory, world).filter(|(_, call)| call.exit_code == Some(0)));
    if let Some((turn, call)) = passed {
        let mut after = Memory { state: MemoryState::Active, updated_ms: world.now_ms, ..memory.clone() };
        after.evidence.push(exit_status(turn, call));
        return Some(Change::to(memory, Verb::Confirm, "its command passed since", after));
    }
    let back = out_of_date(memory, world).is_none();
    back.then(|| Change::of_memory(memory, Verb::Revive, MemoryState::Active, "what it speaks of is there again"))
}

/// The re-test of a pitfall failed: it holds for as long again.
fn fails_still(memory: &Memory, pitfall: &Pitfall, turn: &TurnRecord, call: &CallRecord, now_ms: u64) -> Change {
    let held = pitfall.expires_ms.saturating_sub(memory.updated_ms).max(DAY_MS);
    let mut after = Memory { state: MemoryState::Active, updated_ms: now_ms, ..memory.clone() };
    after.pitfall = Some(Pitfall { expires_ms: now_ms + held, ..pitfall.clone() });
    after.evidence.push(exit_status(turn, call));
    Change::to(memory, Verb::Confirm, "it was tried again and failed", after)
}

fn exit_status(turn: &TurnRecord, call: &CallRecord) -> Evidence {
    let exit = call.exit_code.unwrap_or_default();
    let quote = format!("exit {exit}: {}", command(call).unwrap_or_default());
    Evidence { thread: turn.thread, turn: turn.turn, source: Source::Exit, quote }
}

/// The last time `line` was run to its end since an entry was made or confirmed.
fn last_run<'a>(line: &str, memory: &Memory, world: &World<'a>) -> Option<(&'a TurnRecord, &'a CallRecord)> {
    let later = world.turns.iter().filter(|turn| turn.ended_ms > memory.updated_ms);
    let mut calls = later.flat_map(|turn| turn.calls.iter().map(move |call| (turn, call)));
    let runs = |call: &CallRecord| call.exit_code.is_some() && command(call).is_some_and(|ran| runs(ran, line));
    calls.rfind(|(_, call)| runs(call))
}

/// Why an entry no longer fits the repository: a file it speaks of, or the script its command runs, is gone; or, when some text
/// is all it rests on, that file has changed since.
fn out_of_date(memory: &Memory, world: &World<'_>) -> Option<String> {
    if memory.scope != Scope::Repo {
        return None;
    }
    let stamp = |path: &Path| world.files.stamp(&world.root.join(path));
    let scripts = memory.about.commands.iter().flat_map(|line| commands(line));
    let scripts = scripts.filter_map(|words| words.into_iter().next()).filter(|program| program.contains('/'));
    let scripts: Vec<PathBuf> = scripts.map(PathBuf::from).collect();
    // The person may well speak of what is not there yet; for their words it must have been there and been deleted.
    let is_gone = |path: &&PathBuf| stamp(path).is_none() && (!is_explicit(memory) || was_deleted(path, world));
    if let Some(gone) = memory.about.paths.iter().chain(&scripts).find(is_gone) {
        return Some(format!("{} is gone", gone.display()));
    }
    let rests_on_text = memory.kind == MemoryKind::Fact && memory.authority == Authority::Text;
    let since = i128::from(memory.updated_ms) * 1_000_000;
    let changed = |path: &&PathBuf| stamp(path).is_some_and(|stamp| stamp.modified_ns > since);
    let changed = memory.about.paths.iter().filter(|_| rests_on_text).find(changed)?;
    Some(format!("{} has changed since", changed.display()))
}

/// Whether the last that turns did to a file was to delete it.
fn was_deleted(path: &Path, world: &World<'_>) -> bool {
    let mut touched = world.turns.iter().flat_map(|turn| &turn.calls).flat_map(|call| &call.files);
    touched.rfind(|file| file.path == path).is_some_and(|file| file.change == "delete")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::memory_files::MemoryFiles;
    use crate::evolution::reaction::tests::turn;
    use crate::ledger::Ledger;
    use crate::ledger::tests::{add, memory};
    use crate::protocol::ThreadId;
    use crate::protocol::learned::FileTouched;

    const NOW: u64 = 1_765_000_000_000;

    fn later(runs: &[(&str, i32)]) -> Vec<TurnRecord> {
        vec![TurnRecord { ended_ms: NOW - 10, ..turn(ThreadId::new(), "go", runs) }]
    }

    /// What becomes of a memory after these turns, over a repository with `src/lib.rs`, and that it can be taken back.
    #[track_caller]
    fn becomes(memory: Memory, usefulness: Usefulness, turns: &[TurnRecord]) -> Option<(Verb, Memory)> {
        let files = MemoryFiles::default();
        files.write("/r/src/lib.rs", "");
        let world = World { turns, files: &files, root: Path::new("/r"), now_ms: NOW };
        let (mut ledger, _) = Ledger::fold([add(0, memory.clone())]);
        let operation = change(&Entry::Memory(memory.clone()), usefulness, &world)?.operation(Scope::Repo, 1, NOW);
        let verb = operation.verb.clone();
        assert!(!operation.why.is_empty());
        ledger.apply(operation.clone()).unwrap();
        let after = ledger.memories().next().unwrap().clone();
        ledger.apply(ledger.undo(&[&operation], NOW).unwrap()).unwrap();
        assert_eq!(ledger.memories().next(), Some(&memory));
        Some((verb, after))
    }

    fn trap(expires_ms: u64) -> Memory {
        let pitfall = Some(Pitfall { tried: "cargo test".to_owned(), instead: None, expires_ms });
        Memory { kind: MemoryKind::Pitfall, authority: Authority::Outcome, pitfall, ..memory("cargo test fails") }
    }

    #[test]
    fn a_pitfall_ends_when_what_failed_passes_again() {
        let none = Usefulness::default();
        let stale = |memory: Memory| Memory { state: MemoryState::Stale("old".to_owned()), ..memory };
        let (passed, failed) = (later(&[("cd x && cargo test", 0)]), later(&[("cargo test", 101)]));
        let (verb, after) = becomes(trap(NOW + 1), none, &passed).unwrap();
        assert_eq!((verb, after.state), (Verb::Retire, MemoryState::Retired("`cargo test` passes again".to_owned())));
        assert_eq!(becomes(trap(NOW + 1), none, &failed), None, "it is known already");
        let (verb, after) = becomes(trap(NOW), none, &[]).unwrap();
        assert!(verb == Verb::Expire && matches!(after.state, MemoryState::Stale(_)));
        assert_eq!(becomes(after, none, &[]), None, "it waits for its next try");
        let (verb, after) = becomes(stale(trap(NOW)), none, &failed).unwrap();
        assert_eq!((verb, &after.state, after.evidence.len()), (Verb::Confirm, &MemoryState::Active, 1));
        assert_eq!(after.evidence[0].quote, "exit 101: cargo test");
        assert!(after.pitfall.unwrap().expires_ms > NOW);
        assert_eq!(becomes(stale(trap(NOW)), none, &passed).unwrap().0, Verb::Retire);
    }

    #[test]
    fn what_speaks_of_something_gone_is_stale_until_it_is_back() {
        let about = |path: &str, command: &str| {
            let mut memory = Memory { authority: Authority::Outcome, ..memory("m") };
            memory.about.paths = vec![path.into()];
            memory.about.commands = vec![command.to_owned()];
            memory
        };
        let none = Usefulness::default();
        assert_eq!(becomes(about("src/lib.rs", "just t"), none, &[]), None);
        for gone in [about("src/old.rs", "just t"), about("src/lib.rs", "./scripts/check.sh --all")] {
            let (verb, after) = becomes(gone.clone(), none, &[]).unwrap();
            assert!(verb == Verb::Stale && matches!(&after.state, MemoryState::Stale(why) if why.ends_with("is gone")));
            assert_eq!(becomes(Memory { scope: Scope::User, ..gone.clone() }, none, &[]), None, "it holds elsewhere");
            let said = Memory { authority: Authority::Said, ..gone };
            assert_eq!(becomes(said.clone(), none, &[]), None, "it may be yet to come");
            let mut deleted = later(&[("rm", 0)]);
            let paths = ["src/old.rs", "./scripts/check.sh"];
            deleted[0].calls[0].files =
                paths.map(|path| FileTouched { path: path.into(), change: "delete".to_owned() }).to_vec();
            assert_eq!(becomes(said, none, &deleted).unwrap().0, Verb::Stale);
        }
        let back = Memory { state: MemoryState::Stale("gone".to_owned()), ..about("src/lib.rs", "just t") };
        assert_eq!(becomes(back.clone(), none, &[]).unwrap().0, Verb::Revive);
        assert_eq!(becomes(back, none, &later(&[("just t", 0)])).unwrap().0, Verb::Confirm);
        let mut read = about("src/lib.rs", "just t");
        (read.kind, read.authority, read.updated_ms) = (MemoryKind::Fact, Authority::Text, 0);
        assert!(
            matches!(becomes(read, none, &[]).unwrap().1.state, MemoryState::Stale(why) if why.ends_with("has changed since"))
        );
    }

    #[test]
    fn harm_retires_and_age_does_not() {
        let bad = Usefulness { used: 5, helped: 1, hurt: 4, score: -0.3, ..Usefulness::default() };
        let guess = Memory { authority: Authority::Outcome, created_ms: 0, updated_ms: 0, ..memory("m") };
        assert_eq!(becomes(guess.clone(), Usefulness::default(), &[]), None, "fifty years old");
        assert_eq!(becomes(guess.clone(), bad, &[]).unwrap().0, Verb::Retire);
        assert_eq!(becomes(guess.clone(), Usefulness { used: 3, ..bad }, &[]), None, "too little to go by");
        assert_eq!(becomes(Memory { pinned: true, ..guess }, bad, &[]), None, "pinned");
        assert_eq!(becomes(memory("the person said so"), bad, &[]), None);
    }
}
