//! One request to a model, independent of the wire format that carries it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
#[serde(try_from = "ToolFile")]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: String,
    /// What it does, in the words the model reads.
    pub description: String,
    /// What it takes.
    pub form: ToolForm,
    /// Whether it may run beside other calls of the same response. One that may not waits for the calls before it and
    /// holds up those after it.
    pub parallel: bool,
}

/// What a tool takes.
#[derive(Clone, Debug)]
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

/// A tool's file as it is written. All of them are read at every start, so this is as flat as the file: what serde offers for
/// nested forms keeps the whole file in a tree of its own first.
#[derive(Deserialize)]
struct ToolFile {
    name: String,
    description: String,
    r#type: ToolKind,
    parameters: Option<Value>,
    grammar: Option<String>,
    #[serde(default)]
    parallel: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ToolKind {
    Function,
    Custom,
}

impl TryFrom<ToolFile> for ToolSpec {
    type Error = &'static str;

    fn try_from(file: ToolFile) -> Result<Self, Self::Error> {
        let ToolFile { name, description, r#type, parameters, grammar, parallel } = file;
        let form = match r#type {
            ToolKind::Function => ToolForm::Function { parameters: parameters.ok_or("a function needs `parameters`")? },
            ToolKind::Custom => ToolForm::Custom { grammar: grammar.ok_or("a free-text tool needs a `grammar`")? },
        };
        Ok(Self { name, description, form, parallel })
    }
}

/// A tool as the Responses API takes it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponsesTool<'a> {
    Function { name: &'a str, description: &'a str, strict: bool, parameters: &'a Value },
    Custom { name: &'a str, description: &'a str, format: Format<'a> },
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    syntax: &'static str,
    definition: &'a str,
}

impl<'a> From<&'a ToolSpec> for ResponsesTool<'a> {
    fn from(ToolSpec { name, description, form, .. }: &'a ToolSpec) -> Self {
        match form {
            ToolForm::Function { parameters } => Self::Function { name, description, strict: false, parameters },
            ToolForm::Custom { grammar } => {
                let format = Format { r#type: "grammar", syntax: "lark", definition: grammar };
                Self::Custom { name, description, format }
            }
        }
    }
}

/// The tools on offer, serialised once for the life of a session.
#[derive(Clone, Debug, Default)]
pub struct Toolset {
    /// A JSON array in Responses form, in the order they are offered.
    pub responses_json: Bytes,
}

impl Toolset {
    /// A set of `specs`, in this order.
    #[must_use]
    pub fn new<'a>(specs: impl IntoIterator<Item = &'a ToolSpec>) -> Self {
        let tools: Vec<_> = specs.into_iter().map(ResponsesTool::from).collect();
        // Only a map whose keys are no strings could fail, and a schema has none.
        Self { responses_json: Bytes::from(serde_json::to_vec(&tools).unwrap_or_default()) }
    }
}
