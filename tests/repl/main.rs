//! The interactive session as a person has it: the real program in a real terminal, against a server that follows a script.
//! What is asserted is the screen, and what the model was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals;
mod commands;
mod desk;
mod learning;
mod resuming;
mod screens;
mod typing;

#[path = "../support/mod.rs"]
mod support;
