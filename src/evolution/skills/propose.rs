//! Which skills the turns under review give reason to draft. Pure: turns and the ledger go in, drafts come out.

use std::collections::BTreeSet;
use std::path::Path;

use super::chain::{chains, combine};
use super::cluster::{self, Profile};
use super::draft::{self, Material, request};
use super::generalise::{Example, generalise};
use super::pattern::steps;
use super::procedure::{acts, verdict};
use super::wish::wish;
use super::{CITED, ever, share};
use crate::evolution::stage::Pass;
use crate::ledger::Ledger;
use crate::protocol::TurnId;
use crate::protocol::learned::{Evidence, Skill, SkillState, Source, TurnKind, TurnRecord, Verb};

/// How many conversations have to have succeeded.
const INDEPENDENT: usize = 2;
/// Which share of the attempts.
pub const RATIO: f64 = 0.7;
/// How many drafts one pass makes.
const DRAFTS: usize = 3;

/// A draft and the turns it was made from.
pub struct Draft {
    /// The skill, its gates still before it.
    pub skill: Skill,
    /// All turns of the kind, by their places.
    pub turns: Vec<usize>,
}

/// What to draft from, and what was passed over and why.
pub struct Proposals {
    /// The drafts.
    pub drafts: Vec<Draft>,
    /// What was passed over, and why.
    pub dropped: Vec<(String, String)>,
}

/// Drafts what the turns under review give reason to.
#[must_use]
pub fn propose(pass: &Pass, ledger: &Ledger, root: &Path, names: &[String]) -> Proposals {
    let repo = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let desk = Desk {
        pass,
        ledger,
        root,
        repo,
        taken: names.to_vec(),
        spent: spent(ledger),
        profiles: cluster::profiles(&pass.turns),
    };
    desk.propose()
}

/// Whether one of the turns that wait did well what another conversation did well before.
#[must_use]
pub fn repeats(turns: &[TurnRecord], waiting: &[usize]) -> bool {
    let did_well = |index: usize| {
        let turn = &turns[index];
        !acts(turn, &turn.cwd).is_empty() && went_well(turns, index) == Some(true)
    };
    let fresh: Vec<usize> = waiting.iter().copied().filter(|index| did_well(*index)).collect();
    if fresh.is_empty() {
        return false;
    }
    let profiles = cluster::profiles(turns);
    fresh.iter().any(|index| {
        let like = cluster::like(&profiles, *index);
        like.iter().any(|other| turns[*other].thread != turns[*index].thread && did_well(*other))
    })
}

fn went_well(turns: &[TurnRecord], index: usize) -> Option<bool> {
    let turn = &turns[index];
    verdict(turn, turns[index + 1..].iter().find(|later| later.thread == turn.thread))
}

/// The turns that skills were made from which are no more: nothing is made from them again.
fn spent(ledger: &Ledger) -> BTreeSet<TurnId> {
    let lives = |skill: &Skill| {
        let now = ledger.skills().find(|other| other.id == skill.id).map(|skill| &skill.state);
        !matches!(now, None | Some(SkillState::Archived | SkillState::Quarantined(_)))
    };
    let gone = ever(ledger).filter(|skill| !lives(skill));
    gone.flat_map(|skill| &skill.evidence).map(|evidence| evidence.turn).collect()
}

struct Desk<'a> {
    pass: &'a Pass,
    ledger: &'a Ledger,
    root: &'a Path,
    repo: String,
    taken: Vec<String>,
    spent: BTreeSet<TurnId>,
    profiles: std::collections::BTreeMap<usize, Profile>,
}

impl Desk<'_> {
    fn propose(mut self) -> Proposals {
        let mut found = Proposals { drafts: Vec::new(), dropped: Vec::new() };
        for index in self.pass.fresh.iter().rev().copied() {
            if found.drafts.len() < DRAFTS {
                let made = self.wished(index).unwrap_or_else(|| self.repeated(index, &found.drafts));
                match made {
                    Ok(Some(draft)) => {
                        self.taken.push(draft.skill.name.clone());
                        found.drafts.push(draft);
                    }
                    Ok(None) => {}
                    Err(why) => found.dropped.push((draft::short(&request(&self.pass.turns[index]), 80), why)),
                }
            }
        }
        for chain in chains(&self.pass.turns, self.ledger, RATIO) {
            let is_fresh =
                |turn: &TurnRecord| self.pass.fresh.iter().any(|index| self.pass.turns[*index].turn == turn.turn);
            if found.drafts.len() < DRAFTS && chain.wins.iter().any(|turn| is_fresh(turn)) {
                let skill = combine(&chain, &self.repo, &self.taken, self.pass.now_ms);
                let ids: Vec<TurnId> = chain.wins.iter().map(|turn| turn.turn).collect();
                let turns =
                    (0..self.pass.turns.len()).filter(|index| ids.contains(&self.pass.turns[*index].turn)).collect();
                self.taken.push(skill.name.clone());
                found.drafts.push(Draft { skill, turns });
            }
        }
        found
    }

    /// A draft because the same kind of task succeeded in several conversations.
    fn repeated(&self, center: usize, drafts: &[Draft]) -> Result<Option<Draft>, String> {
        let turns = &self.pass.turns;
        let is_made = drafts.iter().any(|draft| draft.turns.contains(&center));
        if is_made || turns[center].kind != TurnKind::Person || went_well(turns, center) != Some(true) {
            return Ok(None);
        }
        let all = cluster::like(&self.profiles, center);
        let judged: Vec<(usize, bool)> =
            all.iter().filter_map(|index| Some((*index, went_well(turns, *index)?))).collect();
        let fresh =
            |index: &usize| !self.spent.contains(&turns[*index].turn) && !acts(&turns[*index], self.root).is_empty();
        let successes: Vec<usize> =
            judged.iter().filter(|(_, well)| *well).map(|(index, _)| *index).filter(fresh).collect();
        let failures = judged.iter().filter(|(_, well)| !well).count();
        let conversations: BTreeSet<_> = successes.iter().map(|index| turns[*index].thread).collect();
        if conversations.len() < INDEPENDENT {
            return Ok(None);
        }
        if let Some(why) = self.known(&all, &self.profiles[&center]) {
            return Err(why);
        }
        let attempts = successes.len() + failures;
        if share(successes.len(), attempts) < RATIO {
            return Err(format!("{} of {attempts} attempts succeeded, which is too few", successes.len()));
        }
        let cited: Vec<usize> = successes.iter().rev().take(CITED).rev().copied().collect();
        Ok(self.draft(&cited, &all, (successes.len(), attempts)))
    }

    /// A draft because the person wants it: of the turn that says so when something was done in it, or of the one before.
    fn wished(&self, index: usize) -> Option<Result<Option<Draft>, String>> {
        let turns = &self.pass.turns;
        let words = wish(&turns[index])?;
        let did = |index: &usize| !acts(&turns[*index], self.root).is_empty();
        let thread = turns[index].thread;
        let center = (0..=index).rev().filter(|other| turns[*other].thread == thread).take(5).find(did);
        let Some(center) = center else {
            return Some(Err("you asked for a skill, but nothing was done that it could do".to_owned()));
        };
        // The words that ask for a skill are no verdict on the turn before them.
        if verdict(&turns[center], None) != Some(true) {
            return Some(Err("you asked for a skill, but what was done did not pass its check".to_owned()));
        }
        let all = cluster::like(&self.profiles, center);
        let mut cited: Vec<usize> = all
            .iter()
            .copied()
            .filter(|other| *other == center || did(other) && went_well(turns, *other) == Some(true))
            .collect();
        cited.drain(..cited.len().saturating_sub(CITED));
        if let Some(why) = self
            .profiles
            .get(&center)
            .and_then(|profile| self.known(&all, profile))
            .filter(|_| !self.was_rejected(&all, turns[index].started_ms))
        {
            return Some(Err(why));
        }
        let counts = (cited.len(), cited.len());
        // Whatever the others did, this one is to be a skill.
        let draft = self.draft(&cited, &all, counts).or_else(|| self.draft(&[center], &[center], (1, 1)));
        let Some(mut draft) = draft else {
            return Some(Err("you asked for a skill, but no command says whether it worked".to_owned()));
        };
        let (thread, turn) = (turns[index].thread, turns[index].turn);
        draft.skill.evidence.push(Evidence { thread, turn, source: Source::Said, quote: words.to_owned() });
        draft.turns.push(index);
        Some(Ok(Some(draft)))
    }

    fn draft(&self, cited: &[usize], all: &[usize], counts: (usize, usize)) -> Option<Draft> {
        let turns = &self.pass.turns;
        let example = |index: &usize| Example { goal: request(&turns[*index]), acts: acts(&turns[*index], self.root) };
        let examples: Vec<Example> = cited.iter().map(example).collect();
        let procedure = generalise(&examples)?;
        let pick = |indices: &[usize]| indices.iter().map(|index| &turns[*index]).collect::<Vec<_>>();
        let (successes, kind) = (pick(cited), pick(all));
        let material = Material {
            successes: &successes,
            all: &kind,
            counts,
            repo: &self.repo,
            taken: &self.taken,
            now_ms: self.pass.now_ms,
        };
        Some(Draft { skill: draft::draft(&procedure, &material), turns: all.to_vec() })
    }

    /// Why turns of this kind need no draft: there is a skill of it, or the person rejected one.
    fn known(&self, all: &[usize], profile: &Profile) -> Option<String> {
        let skill =
            self.ledger.skills().find(|skill| self.is_of(skill, all, profile) && !self.may_come_again(skill))?;
        Some(match skill.state {
            SkillState::Quarantined(_) => format!("you rejected {}", skill.name),
            _ => format!("{} is there already", skill.name),
        })
    }

    fn is_of(&self, skill: &Skill, all: &[usize], profile: &Profile) -> bool {
        let cites = |index: &usize| skill.evidence.iter().any(|evidence| evidence.turn == self.pass.turns[*index].turn);
        skill.combines.is_empty() && (all.iter().any(cites) || Profile::of_skill(skill, &steps(skill)).is_like(profile))
    }

    /// What a gate refused may be drafted again from other turns; what the person rejected may not.
    fn may_come_again(&self, skill: &Skill) -> bool {
        matches!(skill.state, SkillState::Quarantined(_)) && !self.rejections(skill).any(|_| true)
    }

    fn was_rejected(&self, all: &[usize], before_ms: u64) -> bool {
        let cites = |skill: &Skill| {
            all.iter().any(|index| skill.evidence.iter().any(|evidence| evidence.turn == self.pass.turns[*index].turn))
        };
        let rejected = |skill: &Skill| {
            matches!(skill.state, SkillState::Quarantined(_)) && self.rejections(skill).all(|at_ms| at_ms < before_ms)
        };
        self.ledger.skills().filter(|skill| cites(skill)).all(rejected)
    }

    fn rejections<'s>(&'s self, skill: &'s Skill) -> impl Iterator<Item = u64> + 's {
        let stands = |operation: &&crate::protocol::learned::Operation| {
            matches!(operation.verb, Verb::Reject | Verb::Forget) && !self.ledger.is_undone(&operation.id)
        };
        let of = |operation: &&crate::protocol::learned::Operation| {
            operation.edits.iter().filter_map(|edit| edit.entry()).any(|entry| *entry.id() == skill.id)
        };
        self.ledger.operations().iter().filter(stands).filter(of).map(|operation| operation.at_ms)
    }
}
