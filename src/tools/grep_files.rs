//! `grep_files`: which files hold a pattern, the ones changed last first, or the lines that do.

use std::path::Path;

use serde::Deserialize;

use super::disk::{self, Stop};
use super::search::{Found, Search};
use super::{arguments, spec};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::ToolSpec;
use crate::protocol::event::Activity;

/// How many files or lines are answered when the model does not say.
const DEFAULT_LIMIT: usize = 100;

/// The most files or lines answered, whatever the model says.
const MAX_LIMIT: usize = 2000;

#[derive(Deserialize)]
struct Args {
    pattern: String,
    include: Option<String>,
    path: Option<String>,
    limit: Option<usize>,
    lines: Option<bool>,
}

/// The tool.
pub struct GrepFiles {
    spec: ToolSpec,
}

impl GrepFiles {
    pub(super) fn new() -> Self {
        Self { spec: spec(include_str!("../../tools/grep_files.json")) }
    }
}

impl Tool for GrepFiles {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        arguments::activity(&self.spec.name, input, |args: Args| {
            let within = args.include.map(|glob| format!(" ({glob})")).unwrap_or_default();
            format!("{} in {}{within}", args.pattern, disk::shown(cwd, args.path.as_deref().unwrap_or_default()))
        })
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::Read)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let args = match arguments::parse::<Args>(input) {
                Ok(args) => args,
                Err(answer) => return answer,
            };
            let (cwd, limit) = (cx.cwd.clone(), cx.output_limit);
            disk::run(cx, move |stop| disk::answer(grep(&args, &cwd, stop), limit)).await
        })
    }
}

fn grep(args: &Args, cwd: &Path, stop: &Stop) -> Result<String, String> {
    if args.pattern.trim().is_empty() {
        return Err("pattern must not be empty".into());
    }
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    if limit == 0 {
        return Err("limit must be greater than zero".into());
    }
    let root = disk::resolve(cwd, args.path.as_deref().map_or("", str::trim));
    let include = args.include.as_deref().map(str::trim).filter(|glob| !glob.is_empty());
    let search = Search::new(&args.pattern, include, root, cwd)?;
    let found = search.files(limit, stop)?;
    if found.total == 0 {
        return Ok("No matches found.".into());
    }
    if args.lines == Some(true) { lines(&search, &found, limit, stop) } else { Ok(files(&found)) }
}

fn files(found: &Found) -> String {
    let mut text: Vec<_> = found.files.iter().map(|path| path.display().to_string()).collect();
    let shown = found.files.len();
    if found.total > shown {
        text.push(format!("[{shown} of {} files that match; narrow the search or raise limit]", found.total));
    }
    text.join("\n")
}

/// The files are searched once more, for their lines: which files come first is known only when all have been searched,
/// and until then no line is worth its memory.
fn lines(search: &Search, found: &Found, limit: usize, stop: &Stop) -> Result<String, String> {
    let mut text = Vec::new();
    for path in &found.files {
        let path_shown = path.display();
        // One more than is shown tells whether there are more. A file that is gone by now has none.
        let lines = search.lines(path, limit + 1 - text.len(), stop).unwrap_or_default();
        stop.check()?;
        text.extend(lines.into_iter().map(|line| format!("{path_shown}:{}: {}", line.number, line.text)));
        if text.len() > limit {
            break;
        }
    }
    if text.len() > limit || found.total > found.files.len() {
        text.truncate(limit);
        text.push(format!("[the first {} lines that match; narrow the search or raise limit]", text.len()));
    }
    Ok(text.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};
    use tokio_util::sync::CancellationToken;

    /// Files with their contents; each is a second older than the one before.
    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut changed = SystemTime::now();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            File::options().append(true).open(&path).unwrap().set_modified(changed).unwrap();
            changed -= Duration::from_secs(1);
        }
        folder
    }

    fn grep_in(folder: &Path, arguments: Value) -> Result<String, String> {
        let args = arguments::parse(&arguments.to_string()).unwrap();
        let text = grep(&args, folder, &Stop::new(CancellationToken::new()))?;
        Ok(text.replace(&format!("{}/", folder.display()), ""))
    }

    #[test]
    fn files_that_match_are_listed_newest_first() {
        let folder = tree(&[
            ("b.rs", b"fn needle() {}\n"),
            ("sub/a.rs", b"x\nneedle needle\nneedle\n"),
            ("c.txt", b"a needle"),
            ("d.txt", b"hay"),
        ]);
        for (arguments, expected) in [
            (json!({"pattern": "needle"}), "b.rs\nsub/a.rs\nc.txt"),
            (json!({"pattern": "^needle.*$"}), "sub/a.rs"),
            (json!({"pattern": "(?i)NEEDLE", "include": "*.rs"}), "b.rs\nsub/a.rs"),
            (json!({"pattern": "needle", "include": "!*.rs"}), "c.txt"),
            (json!({"pattern": "needle", "include": "sub/**"}), "sub/a.rs"),
            (json!({"pattern": "needle", "path": "sub", "include": "sub/*.rs"}), "sub/a.rs"),
            (json!({"pattern": "needle", "include": "*.{txt,md}"}), "c.txt"),
            (json!({"pattern": "needle", "path": "sub/a.rs"}), "sub/a.rs"),
            (json!({"pattern": "needle", "path": folder.path().join("sub")}), "sub/a.rs"),
            (
                json!({"pattern": "needle", "limit": 2}),
                "b.rs\nsub/a.rs\n[2 of 3 files that match; narrow the search or raise limit]",
            ),
            (json!({"pattern": "absent"}), "No matches found."),
        ] {
            assert_eq!(grep_in(folder.path(), arguments.clone()).unwrap(), expected, "{arguments}");
        }
    }

    #[test]
    fn lines_that_match_are_shown_on_request() {
        let long = "needle".repeat(200);
        let folder = tree(&[("a.rs", b"x\nneedle 1\r\n\nneedle 2\n"), ("b.rs", long.as_bytes())]);
        for (limit, expected) in [
            (5, format!("a.rs:2: needle 1\na.rs:4: needle 2\nb.rs:1: {}", &long[..500])),
            (
                2,
                "a.rs:2: needle 1\na.rs:4: needle 2\n[the first 2 lines that match; narrow the search or raise limit]"
                    .into(),
            ),
            (1, "a.rs:2: needle 1\n[the first 1 lines that match; narrow the search or raise limit]".into()),
        ] {
            let arguments = json!({"pattern": "needle", "lines": true, "limit": limit});
            assert_eq!(grep_in(folder.path(), arguments).unwrap(), expected);
        }
    }

    #[test]
    fn ignored_hidden_and_binary_files_are_passed_over() {
        let folder = tree(&[
            (".git/HEAD", b""),
            (".gitignore", b"*.log\nbuild/\n"),
            (".hidden", b"needle"),
            ("build/out.txt", b"needle"),
            ("seen.txt", b"needle"),
            ("trace.log", b"needle"),
            ("program", b"\0\0needle"),
            (".rgignore", b"private.txt"),
            ("private.txt", b"needle"),
        ]);
        assert_eq!(grep_in(folder.path(), json!({"pattern": "needle"})).unwrap(), "seen.txt");
        for named in [".hidden", "trace.log", "program"] {
            assert_eq!(grep_in(folder.path(), json!({"pattern": "needle", "path": named})).unwrap(), named);
        }
    }

    #[test]
    fn what_cannot_be_searched_is_told() {
        let folder = tree(&[("a", b"")]);
        let missing = folder.path().join("none").display().to_string();
        let missing = format!("unable to access `{missing}`: No such file or directory (os error 2)");
        for (arguments, expected) in [
            (json!({"pattern": " "}), "pattern must not be empty"),
            (json!({"pattern": "a", "limit": 0}), "limit must be greater than zero"),
            (json!({"pattern": "a", "path": "none"}), missing.as_str()),
            (json!({"pattern": "a", "path": "/dev/null"}), "unable to access `/dev/null`: neither a file nor a folder"),
            (json!({"pattern": "a\nb"}), "invalid pattern: the literal \"\\n\" is not allowed in a regex"),
            (
                json!({"pattern": "a", "include": "a["}),
                "invalid include: error parsing glob 'a[': unclosed character class; missing ']'",
            ),
        ] {
            assert_eq!(grep_in(folder.path(), arguments.clone()).unwrap_err(), expected, "{arguments}");
        }
        let error = grep_in(folder.path(), json!({"pattern": "a("})).unwrap_err();
        assert!(
            error.starts_with("invalid pattern: regex parse error:") && error.contains("unclosed group"),
            "{error}"
        );
    }

    #[test]
    fn a_search_ends_when_it_is_cancelled() {
        let folder = tree(&[("a", b"needle")]);
        let cancel = CancellationToken::new();
        cancel.cancel();
        let args = arguments::parse(r#"{"pattern":"needle"}"#).unwrap();
        assert_eq!(grep(&args, folder.path(), &Stop::new(cancel)).unwrap_err(), "aborted by user");
    }
}
