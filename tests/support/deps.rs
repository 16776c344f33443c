//! What tools are built from, on the environment of the test itself.

use std::sync::Arc;
use std::time::Duration;

use hone::exec::{CommandEnv, EnvPolicy, Sessions};
use hone::tools::ToolDeps;
use hone::tools::command::Commands;

/// Tools as a model with free-text patches gets them.
pub fn tool_deps() -> ToolDeps {
    let env = CommandEnv::new(std::env::vars_os(), &EnvPolicy::default(), &[], false);
    let commands = Commands {
        sessions: Arc::new(Sessions::new()),
        env: Arc::new(env),
        sandbox: None,
        longest_poll: Duration::from_secs(300),
    };
    ToolDeps { commands, freeform_patch: true, past: None }
}
