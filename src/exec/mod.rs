//! Floor 3: starts processes; nothing else in the program does.
//!
//! A command becomes a [`Launch`], [`Sessions::start`] turns it into a [`Process`], and whoever started it waits for its
//! end or for the time it may take, then takes what it printed. Three things always hold: what a process prints costs at
//! most 1 MiB of memory however much it is, nobody waits for a background process that holds on to an output, and
//! [`Sessions`] leaves no process behind when it goes.

pub mod capture;
pub mod command_env;
pub mod containment;
pub mod editor;
pub mod env;
pub mod foreground;
pub mod login;
mod os;
pub mod process;
pub mod sessions;
pub mod shell;
pub mod spawn;
mod tree;

pub use command_env::CommandEnv;
pub use containment::Containment;
pub use env::{EnvPolicy, Inherit, Vars};
pub use process::Process;
pub use sessions::{Running, Sessions};
pub use spawn::{Launch, SpawnError};
