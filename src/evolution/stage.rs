//! One pass over what happened: the stages hand it on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ports::Store;
use super::settings::EvolutionSettings;
use crate::agent::ports::{BoxFuture, Clock, Files, ModelClient};
use crate::ledger::Ledger;
use crate::protocol::ThreadId;
use crate::protocol::learned::{
    Author, Authority, Candidate, Cost, Decision, Discard, Operation, Review, ReviewEnd, Scope, TurnRecord, Verdict,
};

/// One step of a pass.
pub trait Stage: Send + Sync {
    /// Its name in reports and in `status`.
    fn name(&self) -> &'static str;

    /// Does its part. Whatever goes wrong is a line of the report; a pass always goes on.
    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report>;
}

/// What asks for a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// The person corrected the turn before.
    Corrected,
    /// The person asked for the same again.
    Repeated,
    /// The person interrupted.
    Interrupted,
    /// Something was taken back.
    Reverted,
    /// A check failed and then passed.
    CheckTurned,
    /// A command failed and a variant passed.
    VariantPassed,
    /// The person said how things are done.
    Stated,
    /// The person wants a skill made of what was done.
    Wished,
    /// A task of a kind that succeeded in another session succeeded again.
    Alike,
    /// Much was said or done.
    Grown,
    /// Enough turns have passed.
    Turns,
}

/// What stages may touch.
pub struct Ports<'a> {
    /// What is learned.
    pub store: &'a dyn Store,
    /// The repository's files, to see whether what an entry names is there.
    pub files: &'a dyn Files,
    /// The folder that paths of entries start at. Absolute.
    pub root: &'a Path,
    /// Where loaders look for skills, so that none of somebody else's is doubled.
    pub skill_roots: &'a [PathBuf],
    /// The model, when one may be asked.
    pub model: Option<&'a dyn ModelClient>,
    /// The time, for what waits; what is decided goes by [`Pass::now_ms`].
    pub clock: &'a dyn Clock,
    /// The settings in force.
    pub settings: &'a EvolutionSettings,
}

/// What has been found so far.
#[derive(Default)]
pub struct Pass {
    /// When it began, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The person asked for it: whatever is there is reviewed, due or not.
    pub forced: bool,
    /// Nothing is to be changed or kept.
    pub dry_run: bool,
    /// What wants a model is left for another pass.
    pub quick: bool,
    /// All turns of the repository, oldest first.
    pub turns: Vec<TurnRecord>,
    /// All reviews so far, oldest first.
    pub reviews: Vec<Review>,
    /// Which of the turns are reviewed in this pass, by index.
    pub fresh: Vec<usize>,
    /// What in them asks for a review.
    pub signals: Vec<Signal>,
    /// A model may not be asked in this pass: it failed a short while ago.
    pub rules_only: bool,
    /// What is learned already.
    pub ledgers: BTreeMap<Scope, Ledger>,
    /// What reviewers propose.
    pub candidates: Vec<Candidate>,
    /// Those that stood up to scrutiny, with what they rest on.
    pub verified: Vec<Verified>,
    /// What became of each candidate.
    pub decisions: Vec<Decision>,
    /// The changes that follow, by scope; the apply stage makes them.
    pub operations: BTreeMap<Scope, Vec<Operation>>,
    /// What it cost so far.
    pub cost: Cost,
    /// Who reviewed; the program's own rules when nobody else did.
    pub by: Option<Author>,
    /// How the review ended, when not well.
    pub trouble: Option<ReviewEnd>,
    /// What each stage said.
    pub reports: Vec<(&'static str, Report)>,
}

impl Pass {
    /// The turns under review by conversation, each with its index, oldest first.
    #[must_use]
    pub fn fresh_by_thread(&self) -> BTreeMap<ThreadId, Vec<(usize, &TurnRecord)>> {
        let mut threads: BTreeMap<ThreadId, Vec<(usize, &TurnRecord)>> = BTreeMap::new();
        for &index in &self.fresh {
            if let Some(turn) = self.turns.get(index) {
                threads.entry(turn.thread).or_default().push((index, turn));
            }
        }
        threads
    }

    /// Drops a candidate for a reason.
    pub fn discard(&mut self, candidate: &Candidate, why: Discard) {
        self.decisions.push(decision(candidate, Verdict::Discarded(why)));
    }
}

/// What is recorded of a candidate's fate.
#[must_use]
pub fn decision(candidate: &Candidate, verdict: Verdict) -> Decision {
    let is_secret = verdict == Verdict::Discarded(Discard::Secret);
    let text = if is_secret { String::new() } else { candidate.text.clone() };
    Decision { kind: candidate.kind, scope: candidate.scope, text, verdict }
}

/// A candidate that stood up to scrutiny.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The candidate; its evidence is what was found, under the source it was found in.
    pub candidate: Candidate,
    /// What it rests on.
    pub authority: Authority,
    /// When its newest evidence came to be, in milliseconds since the Unix epoch.
    pub of_ms: u64,
    /// The conversation it comes from.
    pub thread: ThreadId,
}

/// What a stage did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In one line, for people.
    pub did: String,
    /// What it dropped, and why.
    pub dropped: Vec<(String, String)>,
    /// The pass ends here: there is nothing more to do.
    pub ends_pass: bool,
}

impl Report {
    /// A report of what was done.
    #[must_use]
    pub fn did(did: impl Into<String>) -> Self {
        Self { did: did.into(), ..Self::default() }
    }

    /// A report that ends the pass.
    #[must_use]
    pub fn end(did: impl Into<String>) -> Self {
        Self { did: did.into(), ends_pass: true, ..Self::default() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::TurnId;
    use crate::protocol::learned::{CallRecord, TurnKind, TurnStatus, Work};
    use uuid::Uuid;

    pub(crate) const NOW: u64 = 1_764_201_600_000;

    /// The `number`th turn of the first conversation.
    pub(crate) fn turn(number: u64, said: &str, calls: Vec<CallRecord>) -> TurnRecord {
        TurnRecord {
            turn: TurnId(Uuid::from_u128(u128::from(number) + 100)),
            thread: ThreadId(Uuid::from_u128(1)),
            kind: TurnKind::Person,
            started_ms: NOW + number * 60_000,
            ended_ms: NOW + number * 60_000 + 30_000,
            cwd: "/repo".into(),
            model: "m".to_owned(),
            rollout: None,
            said: vec![said.to_owned()],
            answer: Some("Done.".to_owned()),
            status: TurnStatus::Completed,
            calls,
            skills: Vec::new(),
        }
    }

    pub(crate) fn run(line: &str, exit: i32, output: &str) -> CallRecord {
        CallRecord {
            tool: "shell".to_owned(),
            work: Work::Command { line: line.to_owned(), cwd: "/repo".into() },
            ok: exit == 0,
            exit_code: Some(exit),
            output: output.to_owned(),
            duration_ms: 5,
            files: Vec::new(),
        }
    }
}
