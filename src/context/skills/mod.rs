//! Skills: folders with a `SKILL.md` the model may read when a task calls for it.
//!
//! [`catalogue`] finds them, [`skill`] reads one, [`listing`] writes the list the model sees under its budget, [`fragment`]
//! sends that list, and [`mention`] loads the ones a person names.

pub mod catalogue;
pub mod fragment;
pub mod listing;
pub mod mention;
pub mod skill;
