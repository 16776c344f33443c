//! Hone: a coding agent for the terminal that gets sharper with use.
//!
//! This is the map. Every folder stands on a floor; a file may use what lies lower, never what lies higher
//! (`docs/architecture.md` says why, `tests/architecture` holds the code to it).
//!
//! | floor | folder | what lives there |
//! |---|---|---|
//! | 5 | [`cli`] | the command line: one-shot, demo, sessions, the small commands |
//! | 5 | [`repl`] | the interactive session |
//! | 5 | [`serve`] | what other programs connect to |
//! | 4 | [`runtime`] | builds the ports from the configuration; owns sessions, their queues, shutdown |
//! | 3 | [`config`] | the configuration, the home folder, the environment |
//! | 3 | [`model`] | talks to models; records and plays tapes |
//! | 3 | [`tools`] | the tools the model can call, one file each |
//! | 3 | [`exec`] | starts processes |
//! | 3 | [`sandbox`] | contains what they may touch |
//! | 3 | [`recall`] | what was said and done in past sessions, to be found again |
//! | 3 | [`rollout`] | session files |
//! | 3 | [`store`] | what is learned, on disk |
//! | 3 | [`undo`] | what files were before a turn changed them |
//! | 2 | [`agent`] | the turn: [`AgentLoop`](agent::AgentLoop) and the ports it needs |
//! | 2 | [`context`] | what the model is shown beside the conversation |
//! | 2 | [`evolution`] | how the runtime learns from its turns |
//! | 1 | [`history`] | the conversation as the model sees it |
//! | 1 | [`ledger`] | what is learned, as the fold of its journal |
//! | 1 | [`patch`] | the patch language |
//! | 1 | [`policy`] | whether a command or a change may be made, and why |
//! | 1 | [`text`] | shortening, time stamps, templates, redaction |
//! | 0 | [`protocol`] | the words everything speaks: items, events, ops, prompts, errors |
//!
//! To run a turn from a program of your own: [`Setup::prepare`](runtime::Setup::prepare),
//! [`AgentRuntime::start`](runtime::AgentRuntime::start), [`AgentRuntime::open`](runtime::AgentRuntime::open),
//! [`Session::run`](runtime::Session::run). `cli/oneshot.rs` does just that.

pub mod agent;
pub mod cli;
pub mod config;
pub mod context;
pub mod evolution;
pub mod exec;
pub mod history;
pub mod ledger;
pub mod model;
pub mod patch;
pub mod policy;
pub mod protocol;
pub mod recall;
pub mod repl;
pub mod rollout;
pub mod runtime;
pub mod sandbox;
pub mod serve;
pub mod store;
pub mod text;
pub mod tools;
pub mod undo;
