//! Fragment: what was learned in earlier sessions.
//!
//! The value is one line for each lesson. A conversation is told once; what is taken back later is withdrawn by a message of its
//! own, so that nothing that was sent ever changes. The same lines stand in the blocks for one message and for one call.

use std::borrow::Cow;
use std::collections::HashSet;

use super::fragment::{Fragment, Place, Sources, Told, inside};
use super::settings::ContextSettings;
use super::wording::fill;
use crate::agent::ports::Lesson;
use crate::text::injected::{self, LEARNED, PITFALL, RECALLED};

/// `<learned>`.
pub const FRAGMENT: Fragment =
    Fragment { name: NAME, place: Place::User, marks: Some(LEARNED), bound: |_| 32 * 1024, value, write, read };

/// The fragment's name.
pub const NAME: &str = "learned";

const WORDS: &str = include_str!("../../prompts/fragments/learned.md");
const WITHDRAWN: &str = include_str!("../../prompts/fragments/learned_withdrawn.md");
const WITH_MESSAGE: &str = include_str!("../../prompts/fragments/recalled.md");
const WITH_CALL: &str = include_str!("../../prompts/fragments/pitfall.md");

/// How every line of a lesson begins, and nothing else in a block.
const BULLET: &str = "- ";

fn value<'a>(sources: &Sources<'a>) -> Option<Cow<'a, str>> {
    sources.learned.map(Cow::Borrowed)
}

fn write(now: Option<&str>, told: Option<&str>, _: &ContextSettings) -> Option<String> {
    let (now, told) = (now.unwrap_or_default(), told.unwrap_or_default());
    let gone: Vec<&str> = told.lines().filter(|line| !now.lines().any(|other| other == *line)).collect();
    let gone: Vec<&str> = gone.into_iter().filter_map(id).collect();
    let withdrawn = fill(WITHDRAWN, &[("ids", &gone.join(", "))]);
    let words = match (without(told, &gone) == now, gone.is_empty()) {
        (true, _) => withdrawn,
        (false, true) => fill(WORDS, &[("lessons", now)]),
        (false, false) => [&withdrawn, "\n\n", &fill(WORDS, &[("lessons", now)])].concat(),
    };
    Some([LEARNED.0, &words, LEARNED.1].concat())
}

fn read(text: &str, told: Option<&str>, _: &ContextSettings) -> Told {
    let Some(text) = inside(text, LEARNED.0, LEARNED.1) else { return Told::Nothing };
    let said = match lessons(text) {
        Some(lessons) => lessons.to_owned(),
        None => {
            let ids = text.rsplit_once(": ").map_or("", |(_, ids)| ids);
            without(told.unwrap_or_default(), &ids.split(", ").collect::<Vec<_>>())
        }
    };
    if said.is_empty() { Told::Gone } else { Told::Value(said) }
}

/// The lines of the lessons in a block; `None` when it has none.
fn lessons(block: &str) -> Option<&str> {
    let mut begins = block.match_indices(BULLET).map(|(at, _)| at);
    begins.find(|at| *at == 0 || block[..*at].ends_with('\n')).map(|at| &block[at..])
}

/// The value for these lessons; `None` when there are none.
#[must_use]
pub fn lines(lessons: &[Lesson]) -> Option<String> {
    let lines: Vec<String> = lessons.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// One lesson as it is shown.
#[must_use]
pub fn line(lesson: &Lesson) -> String {
    format!("{BULLET}{} ({}, {})", injected::one_line(&lesson.text), lesson.source, lesson.id)
}

/// The id at the end of a line.
fn id(line: &str) -> Option<&str> {
    line.strip_prefix(BULLET)?.strip_suffix(')')?.rsplit_once(", ").map(|(_, id)| id)
}

/// The ids of the lessons in a value.
pub fn ids(value: &str) -> impl Iterator<Item = &str> {
    value.lines().filter_map(id)
}

/// A value without the lessons of `ids`.
#[must_use]
pub fn without(value: &str, ids: &[&str]) -> String {
    let kept = value.lines().filter(|line| !id(line).is_some_and(|id| ids.contains(&id)));
    kept.collect::<Vec<_>>().join("\n")
}

/// What goes ahead of a message that these lessons fit.
#[must_use]
pub fn with_message(lessons: &[Lesson]) -> Option<String> {
    Some([RECALLED.0, &fill(WITH_MESSAGE, &[("lessons", &lines(lessons)?)]), RECALLED.1].concat())
}

/// What goes ahead of the output of a call that this lesson fits.
#[must_use]
pub fn with_call(lesson: &Lesson) -> String {
    [PITFALL.0, &fill(WITH_CALL, &[("lessons", &line(lesson))]), PITFALL.1].concat()
}

/// The ids of what a text of the history showed with a message.
#[must_use]
pub fn ids_with_message(text: &str) -> Option<HashSet<String>> {
    let block = inside(text, RECALLED.0, RECALLED.1)?;
    Some(ids(lessons(block)?).map(str::to_owned).collect())
}
