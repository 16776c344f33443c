//! What outlives a turn.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::context::ContextManager;
use crate::context::report::{Share, report};
use crate::history::{History, compaction};
use crate::protocol::event::TokenCount;
use crate::protocol::prompt::Purpose;
use crate::protocol::{Prompt, ThreadId, Toolset, TurnId};
use crate::text::truncate::{OutputLimit, estimate_tokens};

/// What a summary begins with, so that the model knows what it is, and we do too.
pub const SUMMARY_PREFIX: &str = include_str!("../../prompts/compact_prefix.md");

/// A conversation between turns.
pub struct Conversation {
    /// Its id.
    pub thread_id: ThreadId,
    /// What the model sees of it.
    pub history: History,
    /// What the model is shown beside it.
    pub context: ContextManager,
    /// Tokens so far.
    pub tokens: TokenCount,
    /// Compactions so far.
    pub window: u32,
    /// The text that stands for what was compacted, if anything was.
    pub summary: Option<String>,
    /// How the model is asked.
    pub model: ModelSettings,
}

/// How a model is asked.
#[derive(Clone, Debug)]
pub struct ModelSettings {
    /// The model's slug.
    pub slug: String,
    /// The base instructions; fixed for the life of a conversation, so that its prefix stays the same.
    pub instructions: Arc<str>,
    /// `reasoning.effort`.
    pub effort: Option<String>,
    /// `reasoning.summary`.
    pub summary: Option<String>,
    /// `text.verbosity`.
    pub verbosity: Option<String>,
    /// `service_tier`.
    pub service_tier: Option<String>,
    /// Whether the model may call several tools in one response.
    pub parallel_tool_calls: bool,
    /// How much of a tool's output it gets.
    pub output_limit: OutputLimit,
    /// The folder of its turns.
    pub cwd: PathBuf,
    /// The approval policy in force, as recorded.
    pub approval_policy: String,
    /// The sandbox in force, as recorded.
    pub sandbox_mode: String,
    /// When and how its conversation is compacted.
    pub compaction: CompactionSettings,
}

/// How a conversation is compacted.
#[derive(Clone, Debug)]
pub struct CompactionSettings {
    /// From how many tokens on; see [`limit`](crate::history::compaction::limit).
    pub limit: u64,
    /// Asks for the summary in place of our own words.
    pub prompt: Option<Arc<str>>,
    /// The server can do it in a form of its own. It is asked once, and not again when it refuses.
    pub remote: bool,
}

impl Default for CompactionSettings {
    /// Only when the person asks, and in our own words.
    fn default() -> Self {
        Self { limit: u64::MAX, prompt: None, remote: false }
    }
}

impl Conversation {
    /// How many tokens the conversation takes: the server's last count, and an estimate of what was added since.
    #[must_use]
    pub fn used_tokens(&self) -> u64 {
        match self.tokens.last.total_tokens {
            // There was no response yet, or the server does not count.
            0 => self.estimated_tokens(),
            counted => counted + self.history.tokens_since_last_model_item() as u64,
        }
    }

    /// How much of the usable window is left, in percent; `None` when the window is not known.
    #[must_use]
    pub fn context_left_percent(&self) -> Option<u8> {
        let used = self.tokens.last.total_tokens;
        self.tokens.context_window.map(|window| compaction::context_left_percent(window, used))
    }

    /// What fills the window, kind by kind, by estimate.
    #[must_use]
    pub fn report(&self, tools: &Toolset) -> Vec<Share> {
        let history = self.history.items();
        report(&self.model.instructions, tools.responses_json.len(), history, |text| self.is_summary(text))
    }

    /// Whether a message of the person's role with this text stands for an earlier compaction.
    #[must_use]
    pub fn is_summary(&self, text: &str) -> bool {
        text.starts_with(SUMMARY_PREFIX.trim_end()) || self.summary.as_deref() == Some(text)
    }

    /// An estimate of the same without the server's help.
    #[must_use]
    pub fn estimated_tokens(&self) -> u64 {
        (self.history.tokens() + estimate_tokens(self.model.instructions.len())) as u64
    }

    /// The request that asks the model to go on.
    #[must_use]
    pub fn prompt(&self, turn_id: TurnId, tools: Arc<Toolset>, turn_state: &Arc<OnceLock<String>>) -> Prompt {
        let model = &self.model;
        Prompt {
            model: model.slug.clone(),
            instructions: Arc::clone(&model.instructions),
            items: self.history.for_prompt(),
            tools,
            parallel_tool_calls: model.parallel_tool_calls,
            effort: model.effort.clone(),
            summary: model.summary.clone(),
            verbosity: model.verbosity.clone(),
            service_tier: model.service_tier.clone(),
            output_schema: None,
            thread_id: self.thread_id,
            turn_id,
            window: self.window,
            purpose: Purpose::Turn,
            turn_state: Arc::clone(turn_state),
        }
    }
}
