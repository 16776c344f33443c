//! The tools of a session.

use std::sync::Arc;
use std::time::Duration;

use super::provider;
use super::setup::Prepared;
use crate::agent::Toolbox;
use crate::agent::ports::{Recall, Tool};
use crate::config::schema;
use crate::exec::{CommandEnv, EnvPolicy, Inherit, Sessions};
use crate::tools::command::Commands;
use crate::tools::{ACCEPTED, TOOLS, ToolDeps};

/// Builds the tools this model is offered, and those it is answered.
#[must_use]
pub fn build(prepared: &Prepared, processes: &Arc<Sessions>, past: Option<Arc<dyn Recall>>) -> Toolbox {
    let config = &prepared.loaded.config;
    let commands = Commands {
        sessions: Arc::clone(processes),
        env: Arc::new(command_env(prepared)),
        sandbox: prepared.sandbox(),
        longest_poll: Duration::from_millis(config.background_terminal_max_timeout),
    };
    let is_kept = past.is_some();
    let deps = ToolDeps { commands, freeform_patch: prepared.model_info.freeform_patch, past };
    let switched_off = |tool: &Arc<dyn Tool>| match tool.spec().name.as_str() {
        "view_image" => !config.tools.view_image,
        // Fixed for the session, whatever the policy becomes: what the model was told first does not change.
        "request_permissions" => prepared.setup.source != "cli",
        "recall" => !is_kept,
        "update_plan" => !config.tools.update_plan.enabled,
        _ => false,
    };
    let offered = TOOLS.iter().map(|build| Arc::from(build(&deps))).filter(|tool| !switched_off(tool)).collect();
    Toolbox::new(offered, ACCEPTED.iter().map(|build| Arc::from(build(&deps))).collect())
}

/// The environment commands get.
#[must_use]
pub fn command_env(prepared: &Prepared) -> CommandEnv {
    let config = &prepared.loaded.config;
    let policy = env_policy(&config.shell_environment_policy);
    let vars = prepared.loaded.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let withheld = provider::key_variables(&prepared.loaded);
    CommandEnv::new(vars, &policy, &withheld, config.allow_login_shell)
}

fn env_policy(policy: &schema::ShellEnvironmentPolicy) -> EnvPolicy {
    EnvPolicy {
        inherit: match policy.inherit {
            schema::Inherit::All => Inherit::All,
            schema::Inherit::Core => Inherit::Core,
            schema::Inherit::None => Inherit::None,
        },
        ignore_default_excludes: policy.ignore_default_excludes,
        exclude: policy.exclude.clone(),
        set: policy.set.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
        include_only: policy.include_only.clone(),
    }
}
