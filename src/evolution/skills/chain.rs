//! Skills that win together become one: the same ones, in the same order, in the same turns.

use std::collections::BTreeMap;

use super::draft::{PREFIX, cite, free_name, short};
use super::phrases::phrase;
use super::procedure::verdict;
use crate::ledger::Ledger;
use crate::protocol::learned::{Author, EntryId, Scope, Skill, SkillState, Step, TurnRecord};

/// How often they have to have won.
const WINS: usize = 3;
/// The most skills one combines.
const LONGEST: usize = 4;

/// A chain, and the turns it was used in.
pub struct Chain<'a> {
    /// The skills in order.
    pub skills: Vec<&'a Skill>,
    /// The turns that succeeded.
    pub wins: Vec<&'a TurnRecord>,
    /// How many turns used it and say how they went.
    pub attempts: usize,
}

/// The chains among the skills in use that no skill combines yet.
#[must_use]
pub fn chains<'a>(turns: &'a [TurnRecord], ledger: &'a Ledger, ratio: f64) -> Vec<Chain<'a>> {
    let ours = |name: &String| ledger.skills().find(|skill| skill.state == SkillState::Active && skill.name == *name);
    let mut uses: BTreeMap<Vec<&str>, Vec<(&TurnRecord, bool)>> = BTreeMap::new();
    for (index, turn) in turns.iter().enumerate() {
        let names: Vec<&str> = turn
            .skills
            .iter()
            .filter_map(ours)
            .filter(|skill| skill.combines.is_empty())
            .map(|skill| skill.name.as_str())
            .collect();
        let next = turns[index + 1..].iter().find(|later| later.thread == turn.thread);
        if let (2..=LONGEST, Some(went_well)) = (names.len(), verdict(turn, next)) {
            uses.entry(names).or_default().push((turn, went_well));
        }
    }
    let is_new = |names: &[&str]| {
        !super::ever(ledger).any(|skill| skill.combines.iter().map(String::as_str).eq(names.iter().copied()))
    };
    let chain = |(names, uses): (Vec<&str>, Vec<(&'a TurnRecord, bool)>)| {
        let wins: Vec<&TurnRecord> = uses.iter().filter(|(_, well)| *well).map(|(turn, _)| *turn).collect();
        let enough = wins.len() >= WINS && super::share(wins.len(), uses.len()) >= ratio && is_new(&names);
        let find = |name: &&str| ledger.skills().find(|skill| skill.name == **name);
        let skills = names.iter().filter_map(find).collect();
        enough.then_some(Chain { skills, wins, attempts: uses.len() })
    };
    uses.into_iter().filter_map(chain).collect()
}

/// The skill that a chain is.
#[must_use]
pub fn combine(chain: &Chain<'_>, repo: &str, taken: &[String], now_ms: u64) -> Skill {
    let names: Vec<&str> = chain.skills.iter().map(|skill| skill.name.trim_start_matches(PREFIX)).collect();
    let mut slug = names.join("-then-");
    slug.truncate(54);
    let name = free_name(slug.trim_end_matches('-'), repo, taken);
    let parts = names.iter().map(|name| name.replace('-', " ")).collect::<Vec<_>>().join(", ");
    let check = chain.skills.last().and_then(|skill| skill.check.clone());
    let wins = chain.wins.len().to_string();
    let values = [
        ("parts", parts.as_str()),
        ("repo", repo),
        ("successes", &wins),
        ("check", check.as_deref().unwrap_or_default()),
    ];
    let gathered = |of: fn(&Skill) -> &Vec<String>| {
        let mut all: Vec<String> = Vec::new();
        for line in chain.skills.iter().flat_map(|skill| of(skill)) {
            if !all.contains(line) {
                all.push(line.clone());
            }
        }
        all
    };
    Skill {
        id: EntryId::of(Scope::Repo.name(), &name, now_ms),
        version: 1,
        state: SkillState::Draft,
        pinned: false,
        description: short(&phrase("chain_description", &values), super::gates::DESCRIPTION - 1),
        trigger: phrase("chain", &values),
        inputs: gathered(|skill| &skill.inputs),
        steps: steps(&chain.skills),
        check,
        on_failure: gathered(|skill| &skill.on_failure),
        combines: chain.skills.iter().map(|skill| skill.name.clone()).collect(),
        author: Author::Rules,
        created_ms: now_ms,
        updated_ms: now_ms,
        evidence: chain.wins.iter().rev().take(super::CITED).rev().filter_map(|turn| cite(turn)).collect(),
        text: None,
        beside: None,
        successes: u32::try_from(chain.wins.len()).unwrap_or(u32::MAX),
        attempts: u32::try_from(chain.attempts).unwrap_or(u32::MAX),
        name,
    }
}

/// The steps of all, each skill's check behind its own but for the last one's.
fn steps(skills: &[&Skill]) -> Vec<Step> {
    let last = skills.len().saturating_sub(1);
    let of = |(at, skill): (usize, &&Skill)| {
        let check = skill.check.clone().filter(|_| at < last);
        let check = check.map(|command| Step { text: phrase("run", &[]), command: Some(command) });
        skill.steps.iter().cloned().chain(check).collect::<Vec<_>>()
    };
    skills.iter().enumerate().flat_map(of).collect()
}
