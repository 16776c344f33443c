//! `hone undo`: takes back what the last turn of a session did to files.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use super::args::{Options, UndoOptions};
use super::terminal;
use crate::agent::rollback;
use crate::config::clock::SystemClock;
use crate::protocol::{ErrorKind, UserError};
use crate::rollout::list::Filter;
use crate::rollout::resolve::resolve;
use crate::rollout::{self, Recorder};
use crate::undo::{Direction, Plan, Undo};

/// Shows what would change, asks, and does it. Returns the exit code.
///
/// # Errors
/// There is no such session, nothing to undo, a file changed since, or nobody to ask.
pub fn run(options: &Options, asked: &UndoOptions) -> Result<u8, UserError> {
    let setup = options.setup()?;
    let loaded = setup.load()?;
    let filter = Filter { cwd: Some(&setup.cwd), provider: None };
    let path = resolve(loaded.home.dir(), asked.id.as_deref().unwrap_or("last"), filter)?;
    let thread = rollout::read_meta(&path)?.id;
    // Whoever has the session open may be changing its files right now.
    let clock = Arc::new(SystemClock::new(&loaded.env));
    let open = (!asked.dry_run).then(|| Recorder::resume(loaded.home.dir(), &path, clock)).transpose()?;

    let undo = Undo::new(loaded.home.dir());
    let direction = if asked.redo { Direction::Redo } else { Direction::Undo };
    let plan = undo.plan(thread, direction)?;
    let prompts = if asked.chat { said_since(&path, plan.as_ref())? } else { 0 };
    if plan.is_none() && prompts == 0 {
        let message = format!("nothing of session {thread} can be {}", direction.done());
        return Err(UserError::new(ErrorKind::Failed, message)
            .hint("only what patches did is kept, for 30 days; for another session: hone undo ID"));
    }
    if let Some(plan) = &plan {
        terminal::print(&plan.describe());
        if !plan.is_clear() {
            return Err(plan.refusal());
        }
    }
    let Some(recorder) = open else { return Ok(0) };
    if !asked.yes && !confirm(direction)? {
        terminal::print_error("Nothing was changed.\n");
        return Ok(1);
    }
    if let Some(plan) = &plan {
        undo.apply(plan)?;
        terminal::print_error(&done(plan));
    }
    if prompts > 0 {
        rollback::record(&recorder, prompts)?;
        let what = if prompts == 1 { "your last message".to_owned() } else { format!("your last {prompts} messages") };
        terminal::print_error(&format!("The model no longer remembers {what} and what followed.\n"));
    }
    Ok(0)
}

/// How many messages the person wrote since the turn that is undone, or else since the last one, began.
fn said_since(path: &Path, plan: Option<&Plan>) -> Result<usize, UserError> {
    let turn = plan.map(|plan| plan.turn.to_string());
    Ok(rollout::load(path)?.folded.prompts_since(turn.as_deref()))
}

/// The file of the session that is meant.
fn confirm(direction: Direction) -> Result<bool, UserError> {
    if !io::stdin().is_terminal() {
        return Err(UserError::new(ErrorKind::Usage, "there is no terminal to ask on, so nothing was changed")
            .hint("add --yes to do it, or --dry-run to only look"));
    }
    let verb = if direction == Direction::Undo { "Undo" } else { "Redo" };
    terminal::print_error(&format!("{verb} this? [y/N] "));
    let mut answer = String::new();
    // Whoever cannot be heard has not said yes.
    io::stdin().lock().read_line(&mut answer).unwrap_or_default();
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn done(plan: &Plan) -> String {
    let paths = match plan.files.len() {
        0 => "everything was already as it was".to_owned(),
        1 => "1 path changed".to_owned(),
        count => format!("{count} paths changed"),
    };
    let back = if plan.direction == Direction::Undo { "; hone undo --redo brings it back" } else { "" };
    format!("The turn is {}: {paths}{back}.\n", plan.direction.done())
}
