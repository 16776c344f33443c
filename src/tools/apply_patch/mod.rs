//! `apply_patch`: changes files as a patch says, all of them or none.
//!
//! The language and the computing live in [`crate::patch`]; here are the files (`folder`), the tool, and the program that
//! does the same for a shell ([`standalone`]).

mod folder;
pub mod standalone;

use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::exec::{Containment, containment};
use crate::patch::intercept::{self, BARE_PATCH, Intercepted};
use crate::patch::parse::{self, Hunk, ParseError};
use crate::patch::plan::{self, PlanError, Snapshot, Step};
use crate::protocol::ToolSpec;
use crate::protocol::event::{Activity, FileChange};
use crate::protocol::item::OutputPart;
use crate::text::truncate;
use folder::Folder;

/// The tool. It takes a patch as it is or inside JSON, whichever form it was offered in.
pub struct ApplyPatch {
    spec: ToolSpec,
    sandbox: Option<Containment>,
}

impl ApplyPatch {
    /// For providers that hold free text to a grammar.
    #[must_use]
    pub fn freeform() -> Self {
        Self { spec: super::spec(include_str!("../../../tools/apply_patch.json")), sandbox: None }
    }

    /// For providers that only know functions.
    #[must_use]
    pub fn function() -> Self {
        Self { spec: super::spec(include_str!("../../../tools/apply_patch_function.json")), sandbox: None }
    }

    /// Holds patches to what commands may write.
    #[must_use]
    pub fn within(self, sandbox: Option<Containment>) -> Self {
        Self { sandbox, ..self }
    }
}

impl Tool for ApplyPatch {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, _cwd: &Path) -> Activity {
        match paths(input, Path::new("")) {
            Some(paths) => Activity::Patch { paths },
            None => Activity::Other { tool: self.spec.name.clone(), summary: "a patch that cannot be read".into() },
        }
    }

    fn access(&self, input: &str, cwd: &Path) -> Option<Access> {
        paths(input, cwd).map(Access::Write)
    }

    fn details(&self, input: &str) -> Option<String> {
        patch_text(input).ok().map(Cow::into_owned)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let patch = match patch_text(input) {
                Ok(patch) => patch.into_owned(),
                Err(message) => return Output::failed(message),
            };
            if cx.cancel.is_cancelled() {
                return Output::failed("aborted");
            }
            // Once begun it runs to its end, also when the turn is interrupted: all or nothing.
            let (cwd, sandbox) = (cx.cwd.clone(), containment::for_call(self.sandbox.as_ref(), &cx.permit));
            let work = tokio::task::spawn_blocking(move || run_within(&patch, &cwd, sandbox.as_ref()));
            let mut output =
                work.await.unwrap_or_else(|error| Output::failed(format!("apply_patch broke off: {error}")));
            for part in &mut output.parts {
                if let OutputPart::Text(text) = part
                    && let Cow::Owned(shorter) = truncate::with_header(text, cx.output_limit)
                {
                    *text = shorter;
                }
            }
            output
        })
    }
}

/// Applies a patch in a folder and answers as the tool does. Blocks; also for the tools that find a patch in a command.
#[must_use]
pub fn run(patch: &str, cwd: &Path) -> Output {
    run_within(patch, cwd, None)
}

/// The same, held to what commands in `sandbox` may write.
#[must_use]
pub fn run_within(patch: &str, cwd: &Path, sandbox: Option<&Containment>) -> Output {
    let begun = Instant::now();
    let framed = |code: u8, text: &str| {
        let tenths = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        format!("Exit code: {code}\nWall time: {tenths} seconds\nOutput:\n{text}")
    };
    match apply(patch, cwd, sandbox) {
        Ok(applied) => Output { changes: applied.changes, ..Output::ok(framed(0, &applied.summary)) },
        Err(Failure::Disk(message)) => Output::failed(framed(1, &message)),
        Err(Failure::Plan(PlanError::Empty)) => Output::failed("patch rejected: empty patch"),
        Err(Failure::Plan(PlanError::Delete { path, reason })) => {
            Output::failed(format!("apply_patch verification failed: Failed to read {}: {reason}", path.display()))
        }
        Err(Failure::Denied(denied)) => Output::failed(format!("patch rejected: {denied}; nothing was changed")),
        Err(failure) => Output::failed(format!("apply_patch verification failed: {failure}")),
    }
}

/// Carries out a command that is nothing but a call of `apply_patch`, so that no shell is started for it; `None` for every
/// other command. Blocks.
#[must_use]
pub fn intercepted(argv: &[String], cwd: &Path, sandbox: Option<&Containment>) -> Option<Output> {
    match intercept::intercept(argv) {
        Intercepted::Patch { workdir, body } => Some(run_within(body, &cwd.join(workdir.unwrap_or("")), sandbox)),
        Intercepted::BarePatch => Some(Output::failed(BARE_PATCH)),
        Intercepted::NotPatch => None,
    }
}

/// What a command will touch when run in `cwd`: files, if it is one that [`intercepted`] carries out.
#[must_use]
pub fn command_access(argv: Vec<String>, cwd: &Path) -> Access {
    let files = match intercept::intercept(&argv) {
        Intercepted::Patch { workdir, body } => paths(body, &cwd.join(workdir.unwrap_or(""))),
        Intercepted::BarePatch | Intercepted::NotPatch => None,
    };
    files.map_or(Access::Exec(argv), Access::Write)
}

struct Applied {
    summary: String,
    changes: Vec<FileChange>,
}

/// Why nothing was changed.
enum Failure {
    Parse(ParseError),
    Plan(PlanError),
    Disk(String),
    Denied(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::Plan(error) => error.fmt(f),
            Self::Disk(message) | Self::Denied(message) => f.write_str(message),
        }
    }
}

fn apply(patch: &str, cwd: &Path, sandbox: Option<&Containment>) -> Result<Applied, Failure> {
    let patch = parse::parse(patch).map_err(Failure::Parse)?;
    let snapshot = Snapshot::take(&patch, &Folder::new(cwd));
    let plan = plan::plan(&patch, &snapshot).map_err(Failure::Plan)?;
    if let Some(sandbox) = sandbox {
        for step in &plan.steps {
            let (Step::Write { path, .. } | Step::Remove { path, .. }) = step;
            sandbox.check_write(path).map_err(|denied| Failure::Denied(denied.to_string()))?;
        }
    }
    folder::carry_out(&plan.steps).map_err(Failure::Disk)?;
    Ok(Applied { summary: plan.summary, changes: plan.changes })
}

/// The patch in a call's input: the input itself, or a field of it if it is a JSON object. A patch never begins with a
/// brace.
fn patch_text(input: &str) -> Result<Cow<'_, str>, String> {
    #[derive(Deserialize)]
    struct Arguments {
        #[serde(alias = "patch")]
        input: String,
    }
    if !input.trim_start().starts_with('{') {
        return Ok(Cow::Borrowed(input));
    }
    serde_json::from_str(input)
        .map(|Arguments { input }| Cow::Owned(input))
        .map_err(|error| format!("failed to parse function arguments: {error}"))
}

/// The files a call names, absolute if `cwd` is.
fn paths(input: &str, cwd: &Path) -> Option<Vec<PathBuf>> {
    let text = patch_text(input).ok()?;
    let patch = parse::parse(&text).ok()?;
    let mut paths: Vec<PathBuf> =
        patch.hunks.iter().flat_map(Hunk::paths).map(|path| folder::normalize(&cwd.join(path))).collect();
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    Some(paths)
}
