//! Floor 3: the tools the model can call. One file a tool, its words in `tools/<name>.json`.
//!
//! What tools share: [`arguments`] reads what the model sent, [`disk`] runs work on files, [`lines`] reads them line by
//! line, [`search`] searches them, and [`indentation`] finds blocks of code.

use crate::agent::ports::Tool;
use crate::protocol::ToolSpec;

pub mod arguments;
pub mod disk;
pub mod grep_files;
pub mod indentation;
pub mod lines;
pub mod list_dir;
pub mod read_file;
pub mod search;
pub mod update_plan;
pub mod view_image;

/// What tools are built from.
pub struct ToolDeps {}

/// Makes a tool.
pub type Build = fn(&ToolDeps) -> Box<dyn Tool>;

/// The tools in the order they are offered. To add one: its file, its JSON, its line here.
pub const TOOLS: &[Build] = &[
    |_| Box::new(read_file::ReadFile::new()),
    |_| Box::new(list_dir::ListDir::new()),
    |_| Box::new(grep_files::GrepFiles::new()),
    |_| Box::new(view_image::ViewImage::new()),
    |_| Box::new(update_plan::UpdatePlan::new()),
];

/// Reads a tool's words, which are part of the program; `tests/conformance.rs` reads them all.
fn spec(json: &str) -> ToolSpec {
    serde_json::from_str(json).unwrap_or_else(|error| unreachable!("a tool's JSON is broken: {error}\n{json}"))
}
