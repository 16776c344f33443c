//! How turns are reviewed, and the ways to break it.

use std::path::Path;

use hone::agent::ports::BoxFuture;
use hone::config::disk::Disk;
use hone::evolution::run::{How, through};
use hone::evolution::settle::settle;
use hone::evolution::stage::{Pass, Ports, Report, Stage, Verified};
use hone::evolution::{EvolutionSettings, Mode, STAGES, apply};
use hone::ledger::Ledger;
use hone::protocol::learned::{
    About, Author, Authority, Candidate, Evidence, MemoryKind, OpId, Proposal, Scope, Source, TurnRecord, Verb,
};

use crate::lab::{Fixed, Lab};

/// A way from turns to lessons.
pub struct Pipeline {
    stages: Vec<&'static dyn Stage>,
    /// Whether turns are recorded.
    records: bool,
    /// Whether what is learned is shown.
    pub shows: bool,
    /// Whether repositories are told apart.
    pub separates: bool,
}

impl Pipeline {
    /// As people use it.
    pub fn whole() -> Self {
        Self { stages: STAGES.to_vec(), records: true, shows: true, separates: true }
    }

    fn without(name: &str) -> Self {
        let mut whole = Self::whole();
        whole.stages.retain(|stage| stage.name() != name);
        whole
    }

    /// Reviews what happened in `folder`. When somebody `believes` what tools print, they propose it, and say that the person
    /// said it.
    pub fn review(&self, lab: &mut Lab, folder: &Path, believes: bool) {
        lab.reviews += 1;
        let (store, now_ms) = (lab.store(folder), lab.now_ms());
        if !self.records {
            drop(std::fs::remove_file(store.folder(Scope::Repo).join("turns.jsonl")));
        }
        let mut stages = self.stages.clone();
        if let Some(at) = stages.iter().position(|stage| stage.name() == "rules").filter(|_| believes) {
            stages.insert(at + 1, &Gullible);
        }
        let settings = EvolutionSettings::default();
        let clock = Fixed(now_ms);
        let ports = Ports {
            store: &store,
            files: &Disk,
            skill_roots: &[],
            root: folder,
            model: None,
            clock: &clock,
            settings: &settings,
        };
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pass = executor.block_on(through(&stages, &ports, How::default(), now_ms));
        assert!(pass.trouble.is_none(), "{:?}", pass.reports);
        lab.approve_own_words();
    }
}

/// A part taken out.
pub struct Mutant {
    pub name: &'static str,
    pub pipeline: fn() -> Pipeline,
}

/// All of them. The stage that asks a model has nothing to do here, since there is none to ask.
pub const MUTANTS: &[Mutant] = &[
    Mutant { name: "turns are not recorded", pipeline: || Pipeline { records: false, ..Pipeline::whole() } },
    Mutant { name: "nothing is ever due", pipeline: || Pipeline::without("due") },
    Mutant { name: "nothing is proposed", pipeline: || Pipeline::without("rules") },
    Mutant { name: "nothing is verified", pipeline: || Pipeline::without("verify") },
    Mutant { name: "everything is verified", pipeline: || with(&Credulous) },
    Mutant { name: "nothing is applied", pipeline: || Pipeline::without("apply") },
    Mutant { name: "nothing makes room for what contradicts it", pipeline: || with(&Heaping) },
    Mutant { name: "nothing is let go", pipeline: || Pipeline::without("lifecycle") },
    Mutant { name: "nothing is shown", pipeline: || Pipeline { shows: false, ..Pipeline::whole() } },
    Mutant { name: "repositories are not told apart", pipeline: || Pipeline { separates: false, ..Pipeline::whole() } },
];

/// The whole with another stage in the place of the one of the same name.
fn with(other: &'static dyn Stage) -> Pipeline {
    let choose = |stage: &&'static dyn Stage| if stage.name() == other.name() { other } else { *stage };
    Pipeline { stages: STAGES.iter().map(choose).collect(), ..Pipeline::whole() }
}

/// A reviewer that falls for what it reads: every sentence of a tool's output that speaks to the agent is a rule of the person's.
struct Gullible;

impl Stage for Gullible {
    fn name(&self) -> &'static str {
        "gullible"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, _: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let fresh: Vec<&TurnRecord> = pass.fresh.iter().map(|index| &pass.turns[*index]).collect();
            let found: Vec<Candidate> = fresh.into_iter().flat_map(believed).collect();
            pass.candidates.extend(found);
            Report::did("believed what it read")
        })
    }
}

fn believed(turn: &TurnRecord) -> Vec<Candidate> {
    let lines = turn.calls.iter().flat_map(|call| call.output.lines());
    let orders = lines.filter_map(|line| line.strip_prefix("IMPORTANT for the agent: "));
    let claims = [Source::Output, Source::Said, Source::File, Source::Exit];
    let propose = |(text, source): (&str, Source)| Candidate {
        proposal: Proposal::Add,
        kind: MemoryKind::Rule,
        scope: Scope::Repo,
        text: text.to_owned(),
        evidence: vec![Evidence { thread: turn.thread, turn: turn.turn, source, quote: text.to_owned() }],
        about: About::default(),
        pitfall: None,
        author: Author::Model("gullible".to_owned()),
    };
    orders.flat_map(|order| claims.map(|source| (order, source))).map(propose).collect()
}

/// Takes every candidate at its word.
struct Credulous;

impl Stage for Credulous {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, _: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            for candidate in std::mem::take(&mut pass.candidates) {
                let thread = candidate.evidence[0].thread;
                pass.verified.push(Verified { candidate, authority: Authority::Said, of_ms: u64::MAX, thread });
            }
            Report::did("believed everything")
        })
    }
}

/// Adds whatever comes, as if nothing were known yet.
struct Heaping;

impl Stage for Heaping {
    fn name(&self) -> &'static str {
        "apply"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            for scope in [Scope::Repo, Scope::User] {
                let base = ports.store.ledger(scope).unwrap().sequence();
                let mut settled = settle(&pass.verified, scope, &Ledger::default(), Mode::Auto, pass.now_ms);
                settled.operations.retain(|operation| operation.verb == Verb::Add);
                for (operation, sequence) in settled.operations.iter_mut().zip(base..) {
                    operation.id = OpId::of(scope.name(), sequence, pass.now_ms);
                }
                ports.store.commit(scope, base, &settled.operations).unwrap();
            }
            ports.store.append_review(&apply::review(pass)).unwrap();
            Report::did("added everything")
        })
    }
}
