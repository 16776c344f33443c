//! Floor 2: what the model is shown besides the conversation.
//!
//! [`ContextManager`] decides at the start of each turn what to add to the history: developer instructions, skills,
//! permissions, AGENTS.md, environment, what was learned before. What was told once is not told again while it holds. `docs/context.md` has the
//! picture; [`fragments`] the order.

pub mod agents_md;
pub mod cache;
pub mod contextual;
pub mod developer;
pub mod environment;
pub mod fragment;
pub mod fragments;
pub mod learned;
pub mod lessons;
pub mod manager;
pub mod permissions;
pub mod project_docs;
pub mod report;
pub mod settings;
pub mod skills;
pub mod warnings;
pub mod wording;

#[cfg(test)]
pub(crate) mod memory_files;
#[cfg(test)]
mod tests;

pub use contextual::is_contextual;
pub use manager::{ContextManager, Opening};
pub use settings::{ContextSettings, Permissions, Today};

/// The instructions every conversation begins with, unless the configuration has its own.
#[must_use]
pub fn base_instructions() -> &'static str {
    include_str!("../../prompts/base.md")
}
