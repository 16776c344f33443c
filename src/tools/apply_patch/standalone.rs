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
    match apply(&patch, cwd, None) {
        Ok(applied) => Ended { code: 0, stdout: applied.summary, stderr: String::new() },
        Err(Failure::Parse(ParseError::Patch(message))) => Ended::failed(1, format!("Invalid patch: {message}")),
        Err(Failure::Parse(ParseError::Hunk { line, message })) => {
            Ended::failed(1, format!("Invalid patch hunk on line {line}: {message}"))
        }
        Err(failure) => Ended::failed(1, failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    const PATCH: &str = "*** Begin Patch\n*** Add File: a\n+1\n*** End Patch\n";

    fn ended(args: &[&[u8]], mut stdin: &[u8]) -> (u8, String) {
        let folder = tempfile::tempdir().unwrap();
        let args: Vec<OsString> = args.iter().map(|arg| OsString::from_vec(arg.to_vec())).collect();
        let ended = run(&args, &mut stdin, folder.path());
        assert_eq!(ended.stdout.is_empty(), ended.code != 0);
        assert_eq!(folder.path().join("a").exists(), ended.code == 0);
        (ended.code, ended.stdout + &ended.stderr)
    }

    #[test]
    fn the_patch_is_the_argument_or_standard_input() {
        let success = (0, "Success. Updated the following files:\nA a\n".to_owned());
        assert_eq!(ended(&[PATCH.as_bytes()], b""), success);
        assert_eq!(ended(&[], PATCH.as_bytes()), success);
    }

    #[test]
    fn wrong_use_is_told_apart_from_wrong_patches() {
        type Case = (&'static [&'static [u8]], &'static [u8], u8, &'static str);
        let cases: [Case; 7] = [
            (&[], b"", 2, "Usage: apply_patch 'PATCH'\n       echo 'PATCH' | apply_patch\n"),
            (&[b"a", b"b"], b"", 2, "Error: apply_patch accepts exactly one argument.\n"),
            (&[b"\xff"], b"", 1, "Error: apply_patch requires a UTF-8 PATCH argument.\n"),
            (&[], b"\xff", 1, "Error: Failed to read PATCH from stdin.\nstream did not contain valid UTF-8\n"),
            (&[b"x"], b"", 1, "Invalid patch: The first line of the patch must be '*** Begin Patch'\n"),
            (&[b"*** Begin Patch\n*** End Patch"], b"", 1, "No files were modified.\n"),
            (
                &[b"*** Begin Patch\n*** Update File: b\n@@\n*** End Patch"],
                b"",
                1,
                "Invalid patch hunk on line 4: Update hunk does not contain any lines\n",
            ),
        ];
        for (args, stdin, code, message) in cases {
            assert_eq!(ended(args, stdin), (code, message.to_owned()));
        }
    }
}
