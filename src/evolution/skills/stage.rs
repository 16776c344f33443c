//! The stage that drafts skills: what the turns give reason to, in words, through the gates, into the journal.

use super::gates::{self, Ground};
use super::model_words::reword;
use super::others::{beside, others};
use super::propose::{Draft, propose};
use crate::agent::ports::BoxFuture;
use crate::evolution::budget::Budget;
use crate::evolution::ports::StoreError;
use crate::evolution::stage::{Pass, Ports, Report, Stage};
use crate::ledger::Ledger;
use crate::protocol::learned::{Edit, Entry, OpId, Operation, Scope, Skill, SkillState, TurnRecord, Verb};

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// The stage.
pub struct SkillsStage;

impl Stage for SkillsStage {
    fn name(&self) -> &'static str {
        "skills"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let ledger = match ports.store.ledger(Scope::Repo) {
                Ok(ledger) => ledger,
                Err(error) => return Report::did(format!("cannot look: {error}")),
            };
            let mut report = Report::default();
            let ours: Vec<&str> = ledger.skills().map(|skill| skill.name.as_str()).collect();
            let others = others(ports.files, ports.skill_roots, &ours);
            let mut names = ports.store.skill_names();
            names.extend(ours.iter().map(|name| (*name).to_owned()));
            names.extend(others.iter().map(|skill| skill.name.clone()));
            let found = propose(pass, &ledger, ports.root, &names);
            report.dropped = found.dropped;
            let mut skills = Vec::new();
            for draft in found.drafts {
                let mut skill = written(draft, pass, ports, &ledger, &names, &mut report).await;
                skill.beside = beside(&skill, &others).filter(|_| skill.state == SkillState::Staged);
                names.push(skill.name.clone());
                skills.push(skill);
            }
            match commit(&skills, pass, ports) {
                Ok(made) => {
                    report.did = told(&made);
                    pass.operations.entry(Scope::Repo).or_default().extend(made);
                }
                Err(error) => report.dropped.push((format!("{} skills", skills.len()), error.to_string())),
            }
            report
        })
    }
}

fn told(made: &[Operation]) -> String {
    let whys: Vec<&str> = made.iter().map(|operation| operation.why.as_str()).collect();
    if whys.is_empty() { "drafted none".to_owned() } else { whys.join("; ") }
}

/// A draft in its words, with what the gates made of it.
async fn written(
    draft: Draft,
    pass: &mut Pass,
    ports: &Ports<'_>,
    ledger: &Ledger,
    names: &[String],
    report: &mut Report,
) -> Skill {
    let Draft { mut skill, turns } = draft;
    let turns: Vec<TurnRecord> = turns.iter().map(|index| pass.turns[*index].clone()).collect();
    let turns: Vec<&TurnRecord> = turns.iter().collect();
    let combined: Vec<&Skill> = ledger.skills().filter(|other| skill.combines.contains(&other.name)).collect();
    let ground = Ground { turns: &turns, combined: &combined, files: ports.files, root: ports.root };
    if let Err(why) = gates::check(&skill, &ground) {
        // Words that hold a secret, or that nobody may say, are not kept either.
        skill.state = SkillState::Quarantined(why.to_string());
        return if matches!(why, gates::Refusal::Secret | gates::Refusal::Origin(_)) { bare(skill) } else { skill };
    }
    let asks =
        ports.settings.model_reviewer && !pass.rules_only && !pass.dry_run && !pass.quick && pass.trouble.is_none();
    if let (true, Some(model), true) = (asks, ports.model, skill.combines.is_empty()) {
        let slug = ports
            .settings
            .review_model
            .clone()
            .or_else(|| turns.last().map(|turn| turn.model.clone()))
            .unwrap_or_default();
        let mut budget = Budget::new(ports.settings, &pass.reviews, pass.now_ms, ports.clock).after(pass.cost);
        match reword(&skill, &ground, names, (model, &slug), &mut budget).await {
            Ok(better) => skill = better,
            Err(why) => report.dropped.push((format!("the model's words for {}", skill.name), why)),
        }
        pass.cost = budget.spent();
    }
    skill.state = SkillState::Staged;
    skill
}

/// What is kept of a draft whose words are not.
fn bare(skill: Skill) -> Skill {
    Skill {
        name: format!("hone-{}", skill.id),
        description: String::new(),
        trigger: String::new(),
        inputs: Vec::new(),
        steps: Vec::new(),
        check: None,
        on_failure: Vec::new(),
        evidence: skill
            .evidence
            .into_iter()
            .map(|evidence| crate::protocol::learned::Evidence { quote: String::new(), ..evidence })
            .collect(),
        ..skill
    }
}

/// Keeps the drafts; one that another process made meanwhile is left out.
fn commit(skills: &[Skill], pass: &Pass, ports: &Ports<'_>) -> Result<Vec<Operation>, StoreError> {
    let mut tries = 0;
    loop {
        let ledger = ports.store.ledger(Scope::Repo)?;
        let is_new = |skill: &&Skill| {
            let same = |other: &Skill| {
                other.evidence.iter().any(|evidence| skill.evidence.contains(evidence))
                    && other.combines == skill.combines
            };
            !ledger.skills().any(|other| other.name == skill.name || same(other))
        };
        let new = skills.iter().filter(is_new).zip(ledger.sequence()..);
        let operations: Vec<Operation> = new.map(|(skill, sequence)| operation(skill, sequence, pass.now_ms)).collect();
        if pass.dry_run || operations.is_empty() {
            return Ok(operations);
        }
        tries += 1;
        match ports.store.commit(Scope::Repo, ledger.sequence(), &operations) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(operations),
        }
    }
}

fn operation(skill: &Skill, sequence: u64, now_ms: u64) -> Operation {
    let Skill { name, successes, attempts, .. } = skill;
    let why = match (&skill.state, &skill.beside) {
        (SkillState::Quarantined(why), _) => format!("{name} is in quarantine: {why}"),
        (_, Some(other)) => format!("{name} is a proposal: {other} is for the same"),
        _ if skill.is_wished() => format!("drafted {name}, as you asked"),
        _ => format!("drafted {name}: {successes} of {attempts} such turns succeeded"),
    };
    Operation {
        id: OpId::of(Scope::Repo.name(), sequence, now_ms),
        at_ms: now_ms,
        by: skill.author.clone(),
        session: skill.evidence.last().map(|evidence| evidence.thread),
        verb: Verb::Add,
        why,
        edits: vec![Edit { before: None, after: Some(Entry::Skill(skill.clone())) }],
    }
}
