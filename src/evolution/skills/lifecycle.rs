//! What becomes of skills, by what happens: staged ones that are done again and work come into use, ones that nobody takes up or that do
//! harm go cold, cold ones that nobody misses are put away, ones that are done by hand again come back. Age alone does nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::gates::is_harmless;
use super::pattern::did;
use super::procedure::verdict;
use super::propose::RATIO;
use super::share;
use crate::evolution::measure::{Usefulness, measure};
use crate::evolution::mentions::Mentions;
use crate::evolution::select::is_explicit;
use crate::evolution::settings::Mode;
use crate::ledger::Ledger;
use crate::protocol::ThreadId;
use crate::protocol::learned::{Author, Entry, EntryId, Exposure, Memory, Skill, SkillState, TurnRecord, Verb};
use crate::text::command_line::runs;

/// How many skills of a repository are in use at most: each costs every request a line.
pub const MOST_ACTIVE: usize = 20;
/// How many wait for approval at most.
pub const MOST_STAGED: usize = 30;
/// In how many conversations a staged skill has to have worked to come into use.
const PROVEN: usize = 2;
/// In how many conversations a skill may be offered without being taken up once.
const OFFERED_IN_VAIN: u32 = 20;
/// How many conversations without it a cold skill is kept at hand.
const MISSED_BY_NOBODY: usize = 40;

/// What skills are held to.
pub struct Record<'a> {
    /// All turns, oldest first.
    pub turns: &'a [TurnRecord],
    /// All exposures.
    pub exposures: &'a [Exposure],
    /// The folder that the repository's paths start at.
    pub root: &'a Path,
    /// How much happens by itself.
    pub mode: Mode,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// What becomes of one skill.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The kind of change.
    pub verb: Verb,
    /// Why, for people.
    pub why: String,
    /// The skill as it was.
    pub before: Skill,
    /// As it is now.
    pub after: Skill,
}

/// Everything that becomes of the skills of a ledger.
#[must_use]
pub fn changes(ledger: &Ledger, record: &Record<'_>) -> Vec<Change> {
    let is_free = |skill: &&Skill| !skill.pinned;
    let mut changes: Vec<Change> =
        ledger.skills().filter(is_free).filter_map(|skill| change(skill, ledger, record)).collect();
    let limits =
        [(SkillState::Active, SkillState::Cold, MOST_ACTIVE), (SkillState::Staged, SkillState::Archived, MOST_STAGED)];
    for (state, next, most) in limits {
        let changed = |skill: &Skill| changes.iter().find(|change| change.before.id == skill.id);
        let stay =
            ledger.skills().filter(|skill| changed(skill).map_or(&skill.state, |change| &change.after.state) == &state);
        let excess = stay.count().saturating_sub(most);
        let may_go = |skill: &&Skill| skill.state == state && changed(skill).is_none();
        let least = least_useful(ledger, record, may_go, excess);
        changes.extend(
            least.into_iter().map(|skill| to(skill, next.clone(), Verb::Skill, "made room for others", record.now_ms)),
        );
    }
    changes
}

/// There are as many skills in use as there may be, and the person wants to keep all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllPinned;

/// The skill that goes cold when one more comes into use; `None` when there is room.
///
/// # Errors
/// All that are in use are pinned.
pub fn makes_room(ledger: &Ledger, record: &Record<'_>, incoming: &EntryId) -> Result<Option<Change>, AllPinned> {
    let active = ledger.skills().filter(|skill| skill.state == SkillState::Active && skill.id != *incoming);
    if active.count() < MOST_ACTIVE {
        return Ok(None);
    }
    let may_go = |skill: &&Skill| skill.state == SkillState::Active && skill.id != *incoming;
    let least = least_useful(ledger, record, may_go, 1).into_iter().next();
    least
        .map(|skill| Some(to(skill, SkillState::Cold, Verb::Skill, "made room for others", record.now_ms)))
        .ok_or(AllPinned)
}

fn least_useful<'a>(
    ledger: &'a Ledger,
    record: &Record<'_>,
    may_go: impl Fn(&&Skill) -> bool,
    count: usize,
) -> Vec<&'a Skill> {
    if count == 0 {
        return Vec::new();
    }
    let mut all: Vec<(&Skill, Usefulness)> = ledger
        .skills()
        .filter(|skill| !skill.pinned)
        .filter(may_go)
        .map(|skill| (skill, since(skill, record)))
        .collect();
    all.sort_by(|(a, one), (b, other)| {
        let by_score = one.score.total_cmp(&other.score).then(one.used.cmp(&other.used));
        by_score.then(a.updated_ms.cmp(&b.updated_ms)).then(a.id.cmp(&b.id))
    });
    all.into_iter().take(count).map(|(skill, _)| skill).collect()
}

fn change(skill: &Skill, ledger: &Ledger, record: &Record<'_>) -> Option<Change> {
    match skill.state {
        SkillState::Staged => activated(skill, record).filter(|_| contradicted(skill, ledger).is_none()),
        SkillState::Active => contradicted(skill, ledger)
            .map(|why| to(skill, SkillState::Cold, Verb::Skill, &why, record.now_ms))
            .or_else(|| cooled(skill, record)),
        SkillState::Cold => revived(skill, record).or_else(|| archived(skill, record)),
        // What the person put away is theirs.
        SkillState::Archived if last_by(ledger, skill) != Some(&Author::Person) => revived(skill, record),
        SkillState::Archived | SkillState::Draft | SkillState::Quarantined(_) => None,
    }
}

/// Used and helped twice, in different conversations, and hardly ever failed.
fn activated(skill: &Skill, record: &Record<'_>) -> Option<Change> {
    let may = record.mode == Mode::Auto && skill.beside.is_none() && is_harmless(skill);
    let worked = may.then(|| worked(skill, record)).flatten()?;
    Some(to(
        skill,
        SkillState::Active,
        Verb::Skill,
        &format!("it worked in {worked} conversations since it was drafted"),
        record.now_ms,
    ))
}

/// Why a skill no longer fits what was learned since: a command of it failed where another one worked, or the person is against it.
fn contradicted(skill: &Skill, ledger: &Ledger) -> Option<String> {
    let commands = || skill.steps.iter().filter_map(|step| step.command.as_deref()).chain(skill.check.as_deref());
    let says_no = |memory: &Memory| -> Option<String> {
        let hit = |line: &&str| match &memory.pitfall {
            Some(pitfall) => runs(line, &pitfall.tried),
            None => {
                let against = Mentions::of(&memory.text).against;
                is_explicit(memory) && against.iter().any(|named| runs(line, named))
            }
        };
        commands().find(hit).map(|line| format!("`{line}` is contradicted by {}", memory.id))
    };
    let later = ledger.active_memories().filter(|memory| memory.updated_ms > skill.created_ms);
    later.filter(|memory| memory.updated_ms >= skill.updated_ms || memory.pitfall.is_some()).find_map(says_no)
}

fn cooled(skill: &Skill, record: &Record<'_>) -> Option<Change> {
    let usefulness = since(skill, record);
    let why = if usefulness.is_harmful() {
        usefulness.harm()
    } else if usefulness.injected >= OFFERED_IN_VAIN && usefulness.used == 0 {
        format!("offered in {} conversations and never taken up", usefulness.injected)
    } else {
        return None;
    };
    Some(to(skill, SkillState::Cold, Verb::Skill, &why, record.now_ms))
}

fn revived(skill: &Skill, record: &Record<'_>) -> Option<Change> {
    let worked = worked(skill, record)?;
    Some(to(
        skill,
        SkillState::Staged,
        Verb::Revive,
        &format!("it was done by hand in {worked} conversations since"),
        record.now_ms,
    ))
}

fn archived(skill: &Skill, record: &Record<'_>) -> Option<Change> {
    let later = || record.turns.iter().filter(|turn| turn.started_ms > skill.updated_ms);
    let conversations: BTreeSet<ThreadId> = later().map(|turn| turn.thread).collect();
    let missed = conversations.len() < MISSED_BY_NOBODY || later().any(|turn| did(turn, skill, record.root));
    let why = format!("nobody missed it in {} conversations", conversations.len());
    (!missed).then(|| to(skill, SkillState::Archived, Verb::Skill, &why, record.now_ms))
}

/// In how many conversations since its last change a skill was used and worked, when that is enough.
fn worked(skill: &Skill, record: &Record<'_>) -> Option<usize> {
    let (mut well, mut uses) = (BTreeSet::new(), Vec::new());
    for (index, turn) in record.turns.iter().enumerate().filter(|(_, turn)| turn.started_ms > skill.updated_ms) {
        if turn.skills.contains(&skill.name) || did(turn, skill, record.root) {
            let next = record.turns[index + 1..].iter().find(|later| later.thread == turn.thread);
            let went_well = verdict(turn, next) == Some(true);
            uses.push(went_well);
            well.extend(went_well.then_some(turn.thread));
        }
    }
    let good = uses.iter().filter(|went_well| **went_well).count();
    (well.len() >= PROVEN && share(good, uses.len()) >= RATIO).then_some(well.len())
}

/// What a skill brought since it was last changed: what was before that was answered by the change.
fn since(skill: &Skill, record: &Record<'_>) -> Usefulness {
    let is_later = |exposure: &&Exposure| exposure.entry == skill.id && exposure.at_ms > skill.updated_ms;
    let exposures: Vec<Exposure> = record.exposures.iter().filter(is_later).cloned().collect();
    let entry = Entry::Skill(skill.clone());
    measure(std::iter::once(&entry), &exposures, record.turns).remove(&skill.id).unwrap_or_default()
}

fn last_by<'a>(ledger: &'a Ledger, skill: &Skill) -> Option<&'a Author> {
    let touches = |operation: &&crate::protocol::learned::Operation| {
        operation.edits.iter().filter_map(|edit| edit.entry()).any(|entry| *entry.id() == skill.id)
    };
    ledger.operations().iter().rfind(touches).map(|operation| &operation.by)
}

fn to(skill: &Skill, state: SkillState, verb: Verb, why: &str, now_ms: u64) -> Change {
    let after = Skill { state, updated_ms: now_ms, ..skill.clone() };
    Change { verb, why: format!("{}: {why}", skill.name), before: skill.clone(), after }
}
