//! Skills: procedures that worked more than once, from the turns that show them to a file that loaders find, and out again.
//!
//! | file | what it decides |
//! |---|---|
//! | [`procedure`] | what a turn did that could be done again, and whether it succeeded |
//! | [`cluster`] | which turns were about the same kind of task |
//! | [`wish`] | whether the person asked for a skill |
//! | [`propose`] | which kinds of task give reason for a draft |
//! | [`generalise`] | what several turns have in common; what differs becomes an input |
//! | [`draft`], [`phrases`] | the words of a draft, without a model |
//! | [`model_words`] | the same with a model |
//! | [`chain`] | skills that win together become one |
//! | [`gates`], [`others`] | what a draft has to pass |
//! | [`stage`] | joins all of it |
//! | [`pattern`] | whether what was done is what a step says |
//! | [`lifecycle`] | what becomes of a skill, by what happens |

pub mod chain;
pub mod cluster;
pub mod draft;
pub mod gates;
pub mod generalise;
pub mod lifecycle;
pub mod model_words;
pub mod others;
pub mod pattern;
pub mod phrases;
pub mod procedure;
pub mod propose;
pub mod stage;
pub mod wish;

use crate::ledger::Ledger;
use crate::protocol::learned::{Entry, Skill};
use crate::text::terms::count;

/// How many turns a skill cites.
const CITED: usize = 8;

/// Every skill as it was at any time.
fn ever(ledger: &Ledger) -> impl Iterator<Item = &Skill> {
    let edits = ledger.operations().iter().flat_map(|operation| &operation.edits);
    edits.flat_map(|edit| [&edit.before, &edit.after]).flatten().filter_map(|entry| match entry {
        Entry::Skill(skill) => Some(skill),
        Entry::Memory(_) => None,
    })
}

/// A part of a whole, from 0 to 1.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}
