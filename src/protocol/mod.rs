//! Floor 0: the words everything else speaks.
//!
//! Plain data, no behaviour beyond parsing and printing itself: no clock, no files, no environment, no tokio. Every
//! other floor may use these types; this folder uses nothing of ours.

pub mod approval;
pub mod error;
pub mod event;
pub mod ids;
pub mod item;
pub mod learned;
pub mod op;
pub mod prompt;
pub mod provider;
pub mod rollout_line;
pub mod trace;
pub mod usage;
pub mod web_search;

pub use approval::{Always, Answer, Extra, Question, Wish};
pub use error::{ErrorKind, ModelError, RolloutError, UserError};
pub use event::Event;
pub use ids::{ThreadId, TurnId, new_item_id};
pub use item::{CallForm, Item, ItemKind, Role};
pub use op::{Op, UserInput};
pub use prompt::{Prompt, ToolForm, ToolSpec, Toolset};
pub use rollout_line::RolloutLine;
pub use usage::Usage;
pub use web_search::WebSearch;
