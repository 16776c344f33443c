//! Takes turns back out of the conversation. Nothing is erased: a line of the rollout says so, and readers follow it.

use super::conversation::Conversation;
use super::ports::Rollout;
use crate::protocol::rollout_line::RolloutEvent;
use crate::protocol::{RolloutError, RolloutLine};

/// Takes the last `prompts` messages of the person out of what the model sees, with all that followed them. A message that
/// joined a running turn counts like one that began it.
///
/// # Errors
/// It could not be recorded, and nothing was taken.
pub fn roll_back(conversation: &mut Conversation, rollout: &dyn Rollout, prompts: usize) -> Result<(), RolloutError> {
    record(rollout, prompts)?;
    conversation.history.truncate_turns(prompts);
    // Context that was told in what is gone has to be told again.
    conversation.context.adopt(conversation.history.items());
    Ok(())
}

/// Records that the last `prompts` messages of the person are taken out, for whoever opens the session next.
///
/// # Errors
/// It could not be recorded.
pub fn record(rollout: &dyn Rollout, prompts: usize) -> Result<(), RolloutError> {
    let num_turns = u32::try_from(prompts).unwrap_or(u32::MAX);
    rollout.append(&RolloutLine::Event(RolloutEvent::ThreadRolledBack { num_turns }))?;
    rollout.barrier()
}
