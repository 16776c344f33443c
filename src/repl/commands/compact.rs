//! `/compact`.

use super::{Command, WhileBusy};
use crate::protocol::op::Op;
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/compact",
    aliases: &[],
    argument: "[WHAT TO KEEP|undo]",
    help: "replace the conversation by a summary of it, or take that back",
    while_busy: WhileBusy::Refuses("compact"),
    run: |console, argument| Box::pin(compact(console, argument)),
};

async fn compact(console: &mut Console, argument: &str) {
    console.begin(match argument {
        "undo" => Op::UndoCompact,
        "" => Op::Compact { keep: None },
        keep => Op::Compact { keep: Some(keep.to_owned()) },
    });
}
