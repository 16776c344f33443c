//! `hone evolve …`: what is learned, and how.
//!
//! | file | what it holds |
//! |---|---|
//! | [`here`] | what is learned where the command was given |
//! | [`status`], [`log`], [`list`], [`why`] | looking at it |
//! | [`wishes`], [`undo`] | deciding about it |
//! | [`export`], [`mod@import`] | to a file and back; from other programs |
//! | [`report`] | what it brought, as text and as a page |
//! | [`gc`] | `gc`: erases what was forgotten, lets go of what is old |
//! | [`mod@run`] | `run`: reviews the turns that wait |
//! | [`schedule`] | `schedule`: has the system's timer do so |
//! | [`units`] | the files and lines such a timer takes, as text |

pub mod export;
pub mod gc;
pub mod here;
pub mod import;
pub mod list;
pub mod log;
pub mod report;
pub mod run;
pub mod schedule;
pub mod status;
pub mod undo;
pub mod units;
pub mod why;
pub mod wishes;

use clap::Subcommand;

use crate::evolution::account::wish::Wish;
use crate::protocol::UserError;
use crate::runtime::Setup;

/// `hone evolve …`
#[derive(Debug, Subcommand)]
pub enum EvolveCommand {
    /// How learning stands: what waits, what it cost, what there is
    Status,
    /// List what is learned
    List(list::List),
    /// Show one entry in full
    Show(list::Show),
    /// Tell where an entry comes from, what it brought and who may change it
    Why(why::Why),
    /// Tell what became of something that is not known
    WhyNot(why::WhyNot),
    /// Show the changes to what is learned, newest first
    Log(log::Log),
    /// Bring into use what waits for you
    Approve(wishes::Approve),
    /// Refuse an entry: it is not learned again unless you say so
    Reject(wishes::Ids),
    /// Have entries shown whenever they can be, and changed by you alone
    Pin(wishes::Ids),
    /// No longer so
    Unpin(wishes::Ids),
    /// Bring into use again what was put away
    Revive(wishes::Ids),
    /// Write down something yourself
    Add(wishes::Add),
    /// Change what an entry says
    Edit(wishes::Edit),
    /// Have entries gone for good
    Forget(wishes::Forget),
    /// Take back changes, byte for byte
    Undo(undo::Undo),
    /// Write all that is learned to one file
    Export(export::Export),
    /// Take in an export, or what another program remembers
    Import(import::Import),
    /// Tell what learning brought and what it cost, as text or as a page with charts
    Report(report::ReportOptions),
    /// Review the turns that wait, and learn from them
    Run(run::Run),
    /// Erase what was forgotten for good, and let go of old records
    Gc(gc::Gc),
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
/// The configuration cannot be used, what is named is not there, or the disk or the system says no.
pub fn run(setup: Setup, command: &EvolveCommand) -> Result<u8, UserError> {
    match command {
        EvolveCommand::Status => status::run(&setup),
        EvolveCommand::List(asked) => list::run(&setup, asked),
        EvolveCommand::Show(asked) => list::show(&setup, asked),
        EvolveCommand::Why(asked) => why::run(&setup, asked),
        EvolveCommand::WhyNot(asked) => why::not(&setup, asked),
        EvolveCommand::Log(asked) => log::run(&setup, asked),
        EvolveCommand::Approve(asked) => wishes::approve(&setup, asked),
        EvolveCommand::Reject(asked) => wishes::run(&setup, &asked.ids, &Wish::Reject),
        EvolveCommand::Pin(asked) => wishes::run(&setup, &asked.ids, &Wish::Pin),
        EvolveCommand::Unpin(asked) => wishes::run(&setup, &asked.ids, &Wish::Unpin),
        EvolveCommand::Revive(asked) => wishes::run(&setup, &asked.ids, &Wish::Revive),
        EvolveCommand::Add(asked) => wishes::add(&setup, asked),
        EvolveCommand::Edit(asked) => wishes::edit(&setup, asked),
        EvolveCommand::Forget(asked) => wishes::forget(&setup, asked),
        EvolveCommand::Undo(asked) => undo::run(&setup, asked),
        EvolveCommand::Export(asked) => export::run(&setup, asked),
        EvolveCommand::Import(asked) => import::run(&setup, asked),
        EvolveCommand::Report(asked) => report::run(&setup, asked),
        EvolveCommand::Run(asked) => run::run(setup, asked),
        EvolveCommand::Gc(asked) => gc::run(&setup, asked),
        EvolveCommand::Schedule { command } => schedule::run(command),
    }
}
