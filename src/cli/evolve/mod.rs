//! `hone evolve …`: what is learned, and how.
//!
//! | file | what it holds |
//! |---|---|
//! | [`run`] | `run`: reviews the turns that wait |
//! | [`schedule`] | `schedule`: has the system's timer do so |
//! | [`units`] | the files and lines such a timer takes, as text |

pub mod run;
pub mod schedule;
pub mod units;

use clap::Subcommand;

use crate::protocol::UserError;
use crate::runtime::Setup;

/// `hone evolve …`
#[derive(Debug, Subcommand)]
pub enum EvolveCommand {
    /// Review the turns that wait, and learn from them
    Run(run::Run),
    /// Have the system's timer review turns
    Schedule {
        /// What to do with the timer.
        #[command(subcommand)]
        command: schedule::ScheduleCommand,
    },
}

/// Does what was asked and returns the exit code.
///
/// # Errors
/// The configuration cannot be used, or the disk or the system says no.
pub fn run(setup: Setup, command: &EvolveCommand) -> Result<u8, UserError> {
    match command {
        EvolveCommand::Run(asked) => run::run(setup, asked),
        EvolveCommand::Schedule { command } => schedule::run(command),
    }
}
