//! One pass from the outbox to the journal: what the runtime, the command line and the benchmarks call.

use super::STAGES;
use super::stage::{Pass, Ports, Stage};
use crate::protocol::learned::{Entry, Scope, SkillState, Verdict};

/// How a pass is to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Review what is there, due or not, whatever failed before.
    pub forced: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Take no time: what wants a model is left for a review that may ask one.
    pub quick: bool,
}

/// Goes through all stages, and returns what was found and done. Nothing is lost when this is dropped half-way: what was not
/// finished is still in the outbox. The same turns at the same time give the same bytes, as long as no model is asked.
pub async fn run(ports: &Ports<'_>, how: How, now_ms: u64) -> Pass {
    through(STAGES, ports, how, now_ms).await
}

/// As [`run`], through other stages: how the benchmark finds out what each of them is good for.
pub async fn through(stages: &[&dyn Stage], ports: &Ports<'_>, how: How, now_ms: u64) -> Pass {
    let mut pass = Pass { now_ms, forced: how.forced, dry_run: how.dry_run, quick: how.quick, ..Pass::default() };
    for stage in stages {
        let report = stage.run(&mut pass, ports).await;
        let ends = report.ends_pass;
        pass.reports.push((stage.name(), report));
        if ends {
            break;
        }
    }
    pass
}

/// What a pass taught, in words for people: each new entry's text with its id and scope, skills that wait among them.
#[must_use]
pub fn learned(pass: &Pass) -> Vec<(String, String, Scope)> {
    let kept = pass.decisions.iter().filter_map(|decision| match &decision.verdict {
        Verdict::Kept(id) => Some((id.0.clone(), decision.text.clone(), decision.scope)),
        _ => None,
    });
    let drafted =
        pass.operations.iter().flat_map(|(scope, operations)| operations.iter().map(move |made| (*scope, made)));
    let skills = drafted.flat_map(|(scope, made)| {
        made.edits.iter().filter(|edit| edit.before.is_none()).filter_map(move |edit| match &edit.after {
            Some(Entry::Skill(skill)) if skill.state == SkillState::Staged => {
                Some((skill.id.0.clone(), format!("the skill {}", skill.name), scope))
            }
            _ => None,
        })
    });
    kept.chain(skills).collect()
}
