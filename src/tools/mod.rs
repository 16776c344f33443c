//! Floor 3: the tools the model can call. One file a tool, its words in `tools/<name>.json`.
//!
//! What tools share: [`arguments`] reads what the model sent, [`command`] runs commands, [`disk`] runs work on files,
//! [`wish`] reads what a call asks for over what it may, [`lines`] reads them line by line, [`search`] searches them, and [`indentation`] finds blocks of code.

use std::sync::Arc;

use crate::agent::ports::{Recall, Tool};
use crate::protocol::ToolSpec;

pub mod apply_patch;
pub mod arguments;
pub mod command;
pub mod disk;
pub mod exec_command;
pub mod grep_files;
pub mod indentation;
pub mod lines;
pub mod list_dir;
pub mod read_file;
pub mod recall;
pub mod request_permissions;
pub mod search;
pub mod shell;
pub mod shell_command;
pub mod update_plan;
pub mod view_image;
pub mod wish;
pub mod write_stdin;

/// What tools are built from.
pub struct ToolDeps {
    /// What commands run in.
    pub commands: command::Commands,
    /// Whether the model takes patches as free text held to a grammar; others get a function.
    pub freeform_patch: bool,
    /// Past sessions, when anything is kept of them.
    pub past: Option<Arc<dyn Recall>>,
}

/// Makes a tool.
pub type Build = fn(&ToolDeps) -> Box<dyn Tool>;

/// The tools in the order they are offered. To add one: its file, its JSON, its line here.
pub const TOOLS: &[Build] = &[
    |deps| Box::new(exec_command::ExecCommand::new(deps.commands.clone())),
    |deps| Box::new(write_stdin::WriteStdin::new(deps.commands.clone())),
    |deps| {
        let tool =
            if deps.freeform_patch { apply_patch::ApplyPatch::freeform() } else { apply_patch::ApplyPatch::function() };
        Box::new(tool.within(deps.commands.sandbox.clone()))
    },
    |_| Box::new(read_file::ReadFile::new()),
    |_| Box::new(list_dir::ListDir::new()),
    |_| Box::new(grep_files::GrepFiles::new()),
    |_| Box::new(view_image::ViewImage::new()),
    |_| Box::new(update_plan::UpdatePlan::new()),
    |_| Box::new(request_permissions::RequestPermissions::new()),
    |deps| Box::new(recall::Recall::new(deps.past.clone())),
];

/// Tools that work when called but are offered to nobody: models of an older generation know them by heart.
pub const ACCEPTED: &[Build] = &[
    |deps| Box::new(shell::Shell::named("shell", deps.commands.clone())),
    |deps| Box::new(shell::Shell::named("container.exec", deps.commands.clone())),
    |deps| Box::new(shell_command::ShellCommand::new(deps.commands.clone())),
];

/// Reads a tool's words, which are part of the program; `tests/conformance.rs` reads them all.
fn spec(json: &str) -> ToolSpec {
    serde_json::from_str(json).unwrap_or_else(|error| unreachable!("a tool's JSON is broken: {error}\n{json}"))
}
