//! Floor 1: the patch language: parsing, matching, applying to text. Files come in and go out as values.
//!
//! A patch goes through three steps. [`parse`](parse::parse) reads it without copying. [`Snapshot`](plan::Snapshot) asks a
//! [`Disk`](plan::Disk) once for every file the patch names. [`plan`](plan::plan) computes every result on those values, so
//! that a patch which fails anywhere has touched nothing. Carrying out the [`Plan`](plan::Plan) is up to the caller.
//!
//! The language and its matching follow Codex's `apply_patch`; `docs/alignment.md` lists where and why we differ.

pub mod apply;
pub mod closest;
pub mod diff;
pub mod document;
pub mod intercept;
pub mod parse;
pub mod plan;
#[cfg(test)]
mod properties;
pub mod seek;
