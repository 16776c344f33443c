//! `/undo`.

use super::{Command, WhileBusy};
use crate::protocol::{TurnId, UserError};
use crate::repl::console::Console;
use crate::text::style::Style;
use crate::text::width;
use crate::undo::{Direction, Plan};

/// The command.
pub const COMMAND: Command = Command {
    name: "/undo",
    aliases: &[],
    argument: "[redo|chat]",
    help: "put back what the last turn did to files; with chat, the model forgets it too",
    while_busy: WhileBusy::Refuses("undo"),
    run: |console, argument| Box::pin(undo(console, argument)),
};

async fn undo(console: &mut Console, argument: &str) {
    let (direction, chat) = match argument {
        "" => (Direction::Undo, false),
        "chat" => (Direction::Undo, true),
        "redo" => (Direction::Redo, false),
        _ => return console.say("Usage: /undo [redo|chat]"),
    };
    if let Err(error) = propose(console, direction, chat).await {
        console.complain(&error);
    }
}

/// Shows what would be done, and asks.
async fn propose(console: &mut Console, direction: Direction, chat: bool) -> Result<(), UserError> {
    let Some(thread) = console.session.as_ref().map(|session| session.info().thread_id) else { return Ok(()) };
    let engine = console.runtime.undo();
    let plan = in_background(move || engine.plan(thread, direction)).await?;
    let Some(plan) = plan else {
        if chat {
            console.ask("Take back your last message and what followed?", |console| {
                Box::pin(async move { forget(console, None).await })
            });
        } else {
            console.say(&format!("Nothing can be {}. Only what patches did is kept, for 30 days.", direction.done()));
        }
        return Ok(());
    };
    let style = console.page.style();
    let shown: Vec<_> = plan.describe().lines().map(|line| coloured(style, &width::clean(line))).collect();
    console.say(&shown.join("\n"));
    if !plan.is_clear() {
        return Err(plan.refusal());
    }
    let question = match (direction, chat) {
        (Direction::Redo, _) => "Redo this?",
        (Direction::Undo, false) => "Undo this?",
        (Direction::Undo, true) => "Undo this, and have the model forget the turn and what followed?",
    };
    console.ask(question, move |console| Box::pin(async move { carry_out(console, plan, chat).await }));
    Ok(())
}

async fn carry_out(console: &mut Console, plan: Plan, chat: bool) {
    let (engine, turn) = (console.runtime.undo(), plan.turn);
    let done = done(&plan);
    match in_background(move || engine.apply(&plan)).await {
        Ok(()) => console.say(&done),
        Err(error) => return console.complain(&error),
    }
    if chat {
        forget(console, Some(turn)).await;
    }
}

/// Takes a turn, or else the last one, and what followed out of what the model sees.
async fn forget(console: &mut Console, turn: Option<TurnId>) {
    let Some(session) = &console.session else { return };
    match session.roll_back(turn).await {
        Ok(0) => console.say("There is nothing to forget."),
        Ok(1) => console.say("The model no longer remembers your last message and what followed."),
        Ok(count) => {
            console.say(&format!("The model no longer remembers your last {count} messages and what followed."))
        }
        Err(error) => return console.complain(&error),
    }
    console.recount().await;
}

/// Reading and writing files may take its time; the keyboard does not wait for it, since it has a thread of its own.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UserError> + Send + 'static,
) -> Result<T, UserError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(UserError::new(crate::protocol::ErrorKind::Failed, format!("undo did not come to its end: {error}")))
    })
}

fn done(plan: &Plan) -> String {
    let paths = match plan.files.len() {
        0 => "everything was already as it was".to_owned(),
        1 => "1 path changed".to_owned(),
        count => format!("{count} paths changed"),
    };
    let back = if plan.direction == Direction::Undo { "; /undo redo brings it back" } else { "" };
    format!("The turn is {}: {paths}{back}.", plan.direction.done())
}

fn coloured(style: Style, line: &str) -> String {
    match line.as_bytes().first() {
        Some(b'+') => style.green(line),
        Some(b'-') => style.red(line),
        Some(b'@') => style.dim(line),
        _ if line.starts_with("conflict:") => style.red(line),
        _ if line.starts_with("note:") => style.yellow(line),
        _ => line.to_owned(),
    }
}
