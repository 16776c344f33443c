//! The words of learning: what a turn left behind, what was made of it, what was shown of that. Plain data, as it is written to
//! disk; `docs/evolution.md` has the picture.
//!
//! | file | word |
//! |---|---|
//! | [`turn`] | [`TurnRecord`]: what happened in a turn |
//! | [`evidence`] | [`Evidence`]: the words or the exit status that something was learned from, and its [`Source`] |
//! | [`candidate`] | [`Candidate`]: what a reviewer proposes |
//! | [`memory`] | [`Memory`]: a fact, rule, preference, pitfall or reference |
//! | [`skill`] | [`Skill`]: a procedure |
//! | [`id`] | [`EntryId`], [`OpId`] |
//! | [`operation`] | [`Operation`]: a change to what is learned, with its inverse |
//! | [`review`] | [`Review`]: one look at a few turns, what it cost and what became of each candidate |
//! | [`exposure`] | [`Exposure`]: something learned was shown to the model, or withheld to compare |

pub mod candidate;
pub mod evidence;
pub mod exposure;
pub mod id;
pub mod memory;
pub mod operation;
pub mod review;
pub mod skill;
pub mod turn;

pub use candidate::{Candidate, Proposal};
pub use evidence::{Evidence, Source};
pub use exposure::{Exposure, Place};
pub use id::{EntryId, OpId};
pub use memory::{About, Author, Authority, Memory, MemoryKind, MemoryState, Pitfall, Scope};
pub use operation::{Edit, Entry, Operation, Verb};
pub use review::{Cost, Decision, Discard, Review, ReviewEnd, Verdict};
pub use skill::{Skill, SkillState, Step};
pub use turn::{CallRecord, FileTouched, TurnKind, TurnRecord, TurnStatus, Work};
