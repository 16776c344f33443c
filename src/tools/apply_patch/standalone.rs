//! The program `apply_patch`: a patch as the only argument or on standard input.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use super::{Failure, apply};
use crate::patch::parse::ParseError;

/// How a run of the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// 0 when the patch was applied, 1 when not, 2 for wrong usage.
    pub code: u8,
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
}

impl Ended {
    fn failed(code: u8, stderr: impl Into<String>) -> Self {
        let mut stderr = stderr.into();
        stderr.push('\n');
        Self { code, stdout: String::new(), stderr }
    }
}

/// Runs the program. `args` are those after its name; `stdin` is read if there are none; `cwd` is absolute.
pub fn run(args: &[OsString], stdin: &mut dyn Read, cwd: &Path) -> Ended {
    let patch = match args {
        [] => {
            let mut patch = String::new();
            if let Err(error) = stdin.read_to_string(&mut patch) {
                return Ended::failed(1, format!("Error: Failed to read PATCH from stdin.\n{error}"));
            }
            patch
        }
        [patch] => match patch.to_str() {
            Some(patch) => patch.to_owned(),
            None => return Ended::failed(1, "Error: apply_patch requires a UTF-8 PATCH argument."),
        },
        _ => return Ended::failed(2, "Error: apply_patch accepts exactly one argument."),
    };
    if args.is_empty() && patch.is_empty() {
        return Ended::failed(2, "Usage: apply_patch 'PATCH'\n       echo 'PATCH' | apply_patch");
    }
    match apply(&patch, cwd) {
        Ok(applied) => Ended { code: 0, stdout: applied.summary, stderr: String::new() },
        Err(Failure::Parse(ParseError::Patch(message))) => Ended::failed(1, format!("Invalid patch: {message}")),
        Err(Failure::Parse(ParseError::Hunk { line, message })) => {
            Ended::failed(1, format!("Invalid patch hunk on line {line}: {message}"))
        }
        Err(failure) => Ended::failed(1, failure.to_string()),
    }
}
