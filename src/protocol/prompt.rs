//! One request to a model, independent of the wire format that carries it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

use super::ids::{ThreadId, TurnId};
use super::item::Item;

/// Everything a model needs for one response.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The model's slug.
    pub model: String,
    /// The base instructions.
    pub instructions: Arc<str>,
    /// The conversation in order, every call paired with an output.
    pub items: Vec<Item>,
    /// The tools on offer.
    pub tools: Arc<Toolset>,
    /// Whether the model may call several tools in one response.
    pub parallel_tool_calls: bool,
    /// `reasoning.effort`.
    pub effort: Option<String>,
    /// `reasoning.summary`.
    pub summary: Option<String>,
    /// `text.verbosity`.
    pub verbosity: Option<String>,
    /// `service_tier`.
    pub service_tier: Option<String>,
    /// JSON Schema the final answer must satisfy.
    pub output_schema: Option<Arc<Value>>,
    /// The conversation; also the prompt cache key.
    pub thread_id: ThreadId,
    /// The turn.
    pub turn_id: TurnId,
    /// Compactions so far.
    pub window: u32,
    /// Whether this asks for a turn or for a summary of it.
    pub purpose: Purpose,
    /// A value the server asked to get back for the rest of this turn (`x-codex-turn-state`). All requests of a turn
    /// share it; the first response that carries one sets it.
    pub turn_state: Arc<OnceLock<String>>,
}

/// Why a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To go on with the turn.
    Turn,
    /// To summarise the conversation.
    Compaction,
    /// To have the server make the conversation shorter in a form of its own: what `compaction_trigger` asks for.
    RemoteCompaction,
}

/// A tool as the model is told of it, read from `tools/<name>.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: String,
    /// What it does, in the words the model reads.
    pub description: String,
    /// What it takes.
    #[serde(flatten)]
    pub form: ToolForm,
    /// Whether it may run beside other calls of the same response. One that may not waits for the calls before it and
    /// holds up those after it.
    #[serde(default)]
    pub parallel: bool,
}

/// What a tool takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolForm {
    /// A JSON object.
    Function {
        /// Its JSON Schema.
        parameters: Value,
    },
    /// Free text held to a grammar.
    Custom {
        /// The grammar in the `lark` notation.
        grammar: String,
    },
}

impl ToolSpec {
    /// The spec as the Responses API takes it.
    #[must_use]
    pub fn to_responses(&self) -> Value {
        match &self.form {
            ToolForm::Function { parameters } => json!({
                "type": "function", "name": self.name, "description": self.description, "strict": false, "parameters": parameters,
            }),
            ToolForm::Custom { grammar } => json!({
                "type": "custom", "name": self.name, "description": self.description,
                "format": {"type": "grammar", "syntax": "lark", "definition": grammar},
            }),
        }
    }
}

/// The tools on offer, serialised once for the life of a session.
#[derive(Clone, Debug, Default)]
pub struct Toolset {
    /// The tools in the order they are offered.
    pub specs: Vec<ToolSpec>,
    /// The same as a JSON array in Responses form.
    pub responses_json: Bytes,
}

impl Toolset {
    /// A set of `specs`, in this order.
    #[must_use]
    pub fn new(specs: Vec<ToolSpec>) -> Self {
        let json: Value = specs.iter().map(ToolSpec::to_responses).collect();
        Self { specs, responses_json: Bytes::from(json.to_string()) }
    }
}
