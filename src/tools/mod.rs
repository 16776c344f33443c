//! Floor 3: the tools the model can call. One file a tool, its words in `tools/<name>.json`.

pub mod apply_patch;

use crate::agent::ports::Tool;
use crate::protocol::ToolSpec;

/// What tools are built from.
pub struct ToolDeps {}

/// Makes a tool.
pub type Build = fn(&ToolDeps) -> Box<dyn Tool>;

/// The tools in the order they are offered. To add one: its file, its JSON, its line here.
pub const TOOLS: &[Build] = &[|_| Box::new(apply_patch::ApplyPatch::freeform())];

/// Reads a tool's words, which are part of the program; `tests/conformance.rs` reads them all.
fn spec(json: &str) -> ToolSpec {
    serde_json::from_str(json).unwrap_or_else(|error| unreachable!("a tool's JSON is broken: {error}\n{json}"))
}
