//! Which turns were about the same kind of task: by everything the person asked for and everything that was done about it, in any
//! script. Pure and the same every time; what is new is held against what is there, never all against all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::procedure::{Act, attempts};
use crate::evolution::words;
use crate::protocol::learned::{Skill, TurnKind, TurnRecord};
use crate::text::terms::{count, terms};

/// From here on two turns are of one kind.
const ALIKE: f64 = 0.5;
/// How much of it at least must be in what was asked for.
const ASKED: f64 = 0.3;
/// How many bytes of a person's words are looked at.
const WORDS: usize = 2_000;
/// How many turns back anything is looked at.
pub const REACH: usize = 2_000;

/// The vocabulary of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    asked: BTreeSet<String>,
    done: BTreeSet<String>,
}

impl Profile {
    /// That of a turn: of the person's own words, and of all it tried, so that a failed attempt counts among its like.
    #[must_use]
    pub fn of(turn: &TurnRecord) -> Self {
        Self { asked: terms(&goal(turn)).into_iter().collect(), done: done(&attempts(turn, &turn.cwd)) }
    }

    /// That of a skill.
    #[must_use]
    pub fn of_skill(skill: &Skill, acts: &[Act]) -> Self {
        Self { asked: terms(&skill.trigger).into_iter().collect(), done: done(acts) }
    }

    /// How alike two are, from 0 to 1: what was asked for and what was done weigh the same.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let (asked, done) = (dice(&self.asked, &other.asked), dice(&self.done, &other.done));
        if asked < ASKED { 0.0 } else { f64::midpoint(asked, done) }
    }

    /// Whether two are of one kind.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.likeness(other) >= ALIKE
    }
}

/// What the person asked for in a turn, in their own words.
#[must_use]
pub fn goal(turn: &TurnRecord) -> String {
    let sentences = turn.said.iter().flat_map(|said| words::own(said)).map(|sentence| sentence.text);
    let mut goal = sentences.collect::<Vec<_>>().join(" ");
    goal.truncate(goal.floor_char_boundary(WORDS));
    goal
}

/// The profiles of a person's turns, by their places in `turns`.
#[must_use]
pub fn profiles(turns: &[TurnRecord]) -> BTreeMap<usize, Profile> {
    let from = turns.len().saturating_sub(REACH);
    let of_person = turns.iter().enumerate().skip(from).filter(|(_, turn)| turn.kind == TurnKind::Person);
    of_person.map(|(index, turn)| (index, Profile::of(turn))).collect()
}

/// The turns of the same kind as `center`, itself among them, oldest first.
#[must_use]
pub fn like(profiles: &BTreeMap<usize, Profile>, center: usize) -> Vec<usize> {
    let Some(profile) = profiles.get(&center) else { return Vec::new() };
    profiles
        .iter()
        .filter(|(index, other)| **index == center || profile.is_like(other))
        .map(|(index, _)| *index)
        .collect()
}

/// The words for what was done: each command by its program and by what it was told to do first, each file by its path, and by its
/// folder and kind.
fn done(acts: &[Act]) -> BTreeSet<String> {
    let mut done = BTreeSet::new();
    for act in acts {
        match act {
            // Any task is checked.
            Act::Run { is_check: true, .. } => {}
            Act::Run { words, .. } => {
                let Some((at, program)) = super::procedure::program(words) else { continue };
                done.insert(format!("run {program}"));
                let plain =
                    |word: &&String| !word.starts_with(['-', '\'', '"', '<', '$']) && !word.contains(['/', '.']);
                done.extend(words.get(at + 1).filter(plain).map(|word| format!("run {program} {word}")));
            }
            Act::Edit { path, .. } => {
                let path = Path::new(path);
                let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
                let kind = path.extension().map(|kind| kind.display().to_string()).unwrap_or_default();
                done.insert(format!("change {folder}/*.{kind}"));
                done.insert(format!("change {}", path.display()));
            }
        }
    }
    done
}

fn dice(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let all = one.len() + other.len();
    if all == 0 { 0.0 } else { 2.0 * count(one.intersection(other).count()) / count(all) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::stage::tests::{run, turn};

    fn profile(said: &str, lines: &[&str]) -> Profile {
        Profile::of(&turn(1, said, lines.iter().map(|line| run(line, 0, "")).collect()))
    }

    #[test]
    fn tasks_of_one_kind_are_alike_and_others_are_not() {
        let users = profile("Add a migration for the users table", &["./new-migration users", "just t"]);
        let chinese = profile("给用户表加一个迁移", &["./new-migration users", "just t"]);
        for (one, said, lines, expected) in [
            (&users, "Add a migration for the orders table", vec!["./new-migration orders", "just t"], true),
            // Other words, another order, one more command, one that failed.
            (
                &users,
                "we need an orders table, please add its migration",
                vec!["ls", "./new-migration orders", "just t"],
                true,
            ),
            (&users, "Add a migration for the orders table", vec!["./new-migration --dry orders"], true),
            (&users, "Fix the failing test of the users table", vec!["just t"], false),
            (&users, "Explain the migration of the users table", vec![], false),
            (&users, "deploy to staging", vec!["./deploy staging", "just t"], false),
            (&chinese, "给订单表加一个迁移", vec!["./new-migration orders", "just t"], true),
            (&chinese, "部署到测试环境", vec!["./deploy staging", "just t"], false),
            // The first five words are the same.
            (
                &users,
                "Add a migration for the team that writes docs about onboarding, in the wiki",
                vec!["./wiki new"],
                false,
            ),
        ] {
            let other = profile(said, &lines);
            assert_eq!(one.is_like(&other), expected, "{said}: {}", one.likeness(&other));
            assert!((one.likeness(&other) - other.likeness(one)).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn what_is_pasted_does_not_make_turns_alike() {
        let paste = "```\nadd a migration for the users table\n```";
        let one = profile(&format!("why does this happen\n{paste}"), &["./new-migration users"]);
        let other = profile(&format!("translate the page\n{paste}"), &["./new-migration users"]);
        assert!(!one.is_like(&other), "{}", one.likeness(&other));
    }

    #[test]
    fn the_like_of_a_turn_are_found_among_thousands() {
        let mut turns: Vec<TurnRecord> = (0..3_000)
            .map(|n| turn(n, &format!("task {n} about topic{n}"), vec![run(&format!("tool{n} go"), 0, "")]))
            .collect();
        turns[2_100] = turn(2_100, "Add a migration for users", vec![run("./new-migration users", 0, "")]);
        turns[2_999] = turn(2_999, "Add a migration for orders", vec![run("./new-migration orders", 0, "")]);
        assert_eq!(like(&profiles(&turns), 2_999), [2_100, 2_999]);
        assert_eq!(like(&profiles(&turns), 7), [0; 0], "out of reach");
    }
}
