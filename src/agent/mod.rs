//! Floor 2: the turn.
//!
//! | file | what it holds |
//! |---|---|
//! | [`turn`] | [`AgentLoop`]: one turn from the person's message to the end of the answer |
//! | [`sample`] | one response of the model: streaming it, storing its items, trying again when it breaks |
//! | [`dispatch`] | the tool calls of a response: starting, ordering, ending, answering |
//! | [`gate`], [`grants`] | whether a call may run: judged, asked for, refused; what the person allowed so far |
//! | [`checkpoint`] | what a call is about to write to is kept first |
//! | [`compact`] | replacing a conversation that has grown too long by a summary of it |
//! | [`decide`] | whether a turn goes on: pure |
//! | [`journal`] | what a turn writes to the rollout, and in which order |
//! | [`conversation`] | what outlives a turn: history, context, token counts |
//! | [`inbox`] | messages that arrive while a turn runs |
//! | [`trace`], [`observe`] | what happened in a turn, for whoever learns from it |
//! | [`toolbox`] | the tools of a session by name |
//! | [`rollback`] | takes turns back out of the conversation |
//! | [`ports`] | what the agent needs from the outside world |

pub mod checkpoint;
pub mod compact;
pub mod conversation;
pub mod decide;
pub mod dispatch;
pub mod gate;
pub mod grants;
pub mod inbox;
pub mod journal;
pub mod observe;
pub mod ports;
pub mod rollback;
pub mod sample;
pub mod toolbox;
pub mod trace;
pub mod turn;

pub use conversation::{CompactionSettings, Conversation, ModelSettings};
pub use gate::Gate;
pub use grants::Grants;
pub use inbox::Inbox;
pub use toolbox::Toolbox;
pub use turn::{AgentLoop, TurnEnd};
