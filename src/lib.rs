//! Hone: a coding agent for the terminal that gets sharper with use.

pub mod agent;
pub mod cli;
pub mod config;
pub mod context;
pub mod exec;
pub mod history;
pub mod model;
pub mod patch;
pub mod protocol;
pub mod repl;
pub mod rollout;
pub mod runtime;
pub mod text;
pub mod tools;
