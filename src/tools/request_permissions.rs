//! `request_permissions`: asks the person for more within the sandbox. The asking is the gate's; a call that gets here has its
//! answer.

use serde_json::json;
use std::path::Path;

use super::arguments;
use super::wish::Permissions;
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::event::Activity;
use crate::protocol::{ToolSpec, Wish};

/// The tool.
pub struct RequestPermissions {
    spec: ToolSpec,
}

#[derive(serde::Deserialize)]
struct Args {
    permissions: Permissions,
    reason: Option<String>,
}

impl RequestPermissions {
    /// The tool.
    #[must_use]
    pub fn new() -> Self {
        Self { spec: super::spec(include_str!("../../tools/request_permissions.json")) }
    }
}

impl Default for RequestPermissions {
    fn default() -> Self {
        Self::new()
    }
}

impl Tool for RequestPermissions {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        arguments::activity("request_permissions", input, |args: Args| args.permissions.extra(cwd).in_words())
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::None)
    }

    fn wish(&self, input: &str, cwd: &Path) -> Option<Wish> {
        let args: Args = arguments::parse(input).ok()?;
        let extra = Some(args.permissions.extra(cwd)).filter(|extra| !extra.is_empty())?;
        Some(Wish { extra: Some(extra), justification: args.reason, ..Wish::default() })
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        let answer = match arguments::parse::<Args>(input) {
            Err(answer) => answer,
            Ok(args) if args.permissions.clone().extra(&cx.cwd).is_empty() => {
                Output::failed("nothing is asked for: name places under file_system.write, or set network.enabled")
            }
            Ok(args) => {
                // The form is Codex's.
                let extra = args.permissions.extra(&cx.cwd);
                let network = extra.network.then(|| json!({"enabled": true}));
                let files = (!extra.writable.is_empty()).then(|| json!({"write": extra.writable}));
                let given = [("network", network), ("file_system", files)];
                let given: serde_json::Map<_, _> =
                    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
                let scope = if cx.permit.lasting { "session" } else { "turn" };
                Output::ok(json!({"permissions": given, "scope": scope}).to_string())
            }
        };
        Box::pin(std::future::ready(answer))
    }
}
