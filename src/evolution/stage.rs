//! One pass over what happened: the stages hand it on.

use std::collections::BTreeMap;

use super::ports::Store;
use super::settings::EvolutionSettings;
use crate::agent::ports::{BoxFuture, Files, ModelClient};
use crate::ledger::Ledger;
use crate::protocol::learned::{Candidate, Cost, Decision, Operation, Scope, TurnRecord};

/// One step of a pass.
pub trait Stage: Send + Sync {
    /// Its name in reports and in `status`.
    fn name(&self) -> &'static str;

    /// Does its part. Whatever goes wrong is a line of the report; a pass always goes on.
    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report>;
}

/// What stages may touch.
pub struct Ports<'a> {
    /// What is learned.
    pub store: &'a dyn Store,
    /// The repository's files, to see whether what an entry names is there.
    pub files: &'a dyn Files,
    /// The model, when one may be asked.
    pub model: Option<&'a dyn ModelClient>,
    /// The settings in force.
    pub settings: &'a EvolutionSettings,
}

/// What has been found so far.
#[derive(Default)]
pub struct Pass {
    /// When it began, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// All turns of the repository, oldest first.
    pub turns: Vec<TurnRecord>,
    /// Which of them are reviewed in this pass, by index.
    pub fresh: Vec<usize>,
    /// What is learned already.
    pub ledgers: BTreeMap<Scope, Ledger>,
    /// What reviewers propose.
    pub candidates: Vec<Candidate>,
    /// What became of each candidate.
    pub decisions: Vec<Decision>,
    /// The changes that follow, by scope; the apply stage makes them.
    pub operations: BTreeMap<Scope, Vec<Operation>>,
    /// What it cost so far.
    pub cost: Cost,
    /// What each stage said.
    pub reports: Vec<(&'static str, Report)>,
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
