//! `read_file`: numbered lines of a text file, a page at a time or the block around a line.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::disk::{self, Stop};
use super::indentation::{self, Block};
use super::lines::{LINE_CHARS, Line, Lines};
use super::{arguments, spec};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::ToolSpec;
use crate::protocol::event::Activity;

/// How many lines are read when the model does not say.
const DEFAULT_LIMIT: usize = 2000;

/// Files are read in pieces of this many bytes.
const BUFFER: usize = 64 * 1024;

/// The fewest bytes a shown line takes: `L1: ` and its end.
const LEAST_LINE_BYTES: usize = 5;

/// What is kept free of the output limit for the notes below the lines.
const NOTES_BYTES: usize = 320;

#[derive(Deserialize)]
struct Args {
    file_path: String,
    offset: Option<usize>,
    limit: Option<usize>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    indentation: Indentation,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Slice,
    Indentation,
}

#[derive(Default, Deserialize)]
struct Indentation {
    anchor_line: Option<usize>,
    max_levels: Option<usize>,
    include_siblings: Option<bool>,
    include_header: Option<bool>,
    max_lines: Option<usize>,
}

/// The tool.
pub struct ReadFile {
    spec: ToolSpec,
}

impl ReadFile {
    pub(super) fn new() -> Self {
        Self { spec: spec(include_str!("../../tools/read_file.json")) }
    }
}

impl Tool for ReadFile {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        arguments::activity(&self.spec.name, input, |args: Args| disk::shown(cwd, &args.file_path))
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
            disk::run(cx, move |stop| disk::answer(read(&args, &cwd, limit.bytes(), stop), limit)).await
        })
    }
}

fn read(args: &Args, cwd: &Path, max_bytes: usize, stop: &Stop) -> Result<String, String> {
    let offset = args.offset.unwrap_or(1);
    let limit = args.limit.unwrap_or(DEFAULT_LIMIT);
    if offset == 0 {
        return Err("offset must be a 1-indexed line number".into());
    }
    if limit == 0 {
        return Err("limit must be greater than zero".into());
    }
    let page = Page::new(max_bytes);
    let path = disk::resolve(cwd, &args.file_path);
    if stop.hides(&path) {
        return Err(unreadable(io::ErrorKind::PermissionDenied.into()));
    }
    let file = open(&path).map_err(unreadable)?;
    let mut lines = Lines::new(BufReader::with_capacity(BUFFER, stop.reader(file)));
    match args.mode {
        Mode::Slice => slice(&mut lines, page, offset, limit),
        Mode::Indentation => {
            let limit = limit.min(max_bytes / LEAST_LINE_BYTES + 1);
            block(&mut lines, page, &args.indentation.block(offset, limit)?)
        }
    }
}

/// Opens a regular file. Anything else that can be opened, a pipe say, might never answer.
fn open(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}

fn unreadable(error: io::Error) -> String {
    format!("failed to read file: {error}")
}

/// `limit` lines from line `offset` on, or as many as fit the page.
fn slice<R: BufRead>(lines: &mut Lines<R>, mut page: Page, offset: usize, limit: usize) -> Result<String, String> {
    let skipped = lines.skip(offset - 1).map_err(unreadable)?;
    if lines.at_end().map_err(unreadable)? {
        return if skipped == 0 && offset == 1 {
            Ok("The file is empty.".into())
        } else {
            Err("offset exceeds file length".into())
        };
    }
    let mut next = offset;
    while next - offset < limit {
        let Some(line) = lines.read().map_err(unreadable)? else { break };
        if !page.fits(&line) {
            return Ok(page.finish(Some(next)));
        }
        page.push(&line);
        next += 1;
    }
    let more = !lines.at_end().map_err(unreadable)?;
    Ok(page.finish(more.then_some(next)))
}

fn block<R: BufRead>(lines: &mut Lines<R>, mut page: Page, block: &Block) -> Result<String, String> {
    let shown = indentation::read(lines, block).map_err(unreadable)?.ok_or("anchor_line exceeds file length")?;
    shown.iter().for_each(|line| page.push(line));
    Ok(page.finish(None))
}

impl Indentation {
    fn block(&self, offset: usize, limit: usize) -> Result<Block, String> {
        let anchor = self.anchor_line.unwrap_or(offset);
        if anchor == 0 {
            return Err("anchor_line must be a 1-indexed line number".into());
        }
        if self.max_lines == Some(0) {
            return Err("max_lines must be greater than zero".into());
        }
        Ok(Block {
            anchor,
            levels: self.max_levels.unwrap_or(0),
            siblings: self.include_siblings.unwrap_or(false),
            header: self.include_header.unwrap_or(true),
            max_lines: limit.min(self.max_lines.unwrap_or(limit)),
        })
    }
}

/// What the model gets: numbered lines, and notes on what it does not see.
struct Page {
    text: String,
    max_bytes: usize,
    cut: bool,
    binary: bool,
}

impl Page {
    fn new(max_bytes: usize) -> Self {
        Self { text: String::new(), max_bytes, cut: false, binary: false }
    }

    /// Whether there is room for `line`. The first one always fits, so that reading gets on.
    fn fits(&self, line: &Line) -> bool {
        const NUMBER_BYTES: usize = 24;
        self.text.is_empty() || self.text.len() + line.text.len() + NUMBER_BYTES + NOTES_BYTES <= self.max_bytes
    }

    fn push(&mut self, line: &Line) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("L{}: {}", line.number, line.text));
        self.cut |= line.cut;
        self.binary |= line.binary;
    }

    /// The text with its notes; `next` is the first line that is left.
    fn finish(mut self, next: Option<usize>) -> String {
        if self.cut {
            self.text.push_str(&format!("\n[lines longer than {LINE_CHARS} characters are cut]"));
        }
        if self.binary {
            self.text.push_str("\n[not a plain text file; bytes that are no UTF-8 show as \u{fffd}]");
        }
        if let Some(next) = next {
            self.text.push_str(&format!("\n[more lines follow; go on with offset {next}]"));
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tokio_util::sync::CancellationToken;

    const MANY: usize = 40_000;

    fn read_with(content: &[u8], mut arguments: Value, max_bytes: usize) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("f.txt"), content).unwrap();
        if arguments.get("file_path").is_none() {
            arguments["file_path"] = "f.txt".into();
        }
        let args = arguments::parse(&arguments.to_string()).unwrap();
        read(&args, folder.path(), max_bytes, &Stop::new(CancellationToken::new()))
    }

    #[test]
    fn lines_carry_their_numbers() {
        for (arguments, expected) in [
            (json!({}), "L1: a\nL2: \nL3: c"),
            (json!({"offset": 2}), "L2: \nL3: c"),
            (json!({"offset": 2, "limit": 1}), "L2: \n[more lines follow; go on with offset 3]"),
            (json!({"limit": 3, "mode": "slice"}), "L1: a\nL2: \nL3: c"),
            (json!({"offset": null, "limit": null}), "L1: a\nL2: \nL3: c"),
        ] {
            assert_eq!(read_with(b"a\r\n\nc\n", arguments.clone(), MANY).as_deref(), Ok(expected), "{arguments}");
        }
        assert_eq!(read_with(b"", json!({}), MANY).unwrap(), "The file is empty.");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (arguments, expected) in [
            (json!({"offset": 0}), "offset must be a 1-indexed line number"),
            (json!({"limit": 0}), "limit must be greater than zero"),
            (json!({"offset": 3}), "offset exceeds file length"),
            (json!({"file_path": "none"}), "failed to read file: No such file or directory (os error 2)"),
            (json!({"file_path": "."}), "failed to read file: is a directory"),
            (json!({"file_path": "/dev/null"}), "failed to read file: not a regular file"),
            (json!({"mode": "indentation", "offset": 9}), "anchor_line exceeds file length"),
            (
                json!({"mode": "indentation", "indentation": {"anchor_line": 0}}),
                "anchor_line must be a 1-indexed line number",
            ),
            (json!({"mode": "indentation", "indentation": {"max_lines": 0}}), "max_lines must be greater than zero"),
        ] {
            assert_eq!(read_with(b"a\nb\n", arguments.clone(), MANY).unwrap_err(), expected, "{arguments}");
        }
    }

    #[test]
    fn a_page_ends_where_the_output_limit_is_and_says_where_to_go_on() {
        let content = "0123456789\n".repeat(1000);
        let mut seen = String::new();
        let mut offset = 1;
        loop {
            let page = read_with(content.as_bytes(), json!({"offset": offset}), 1000).unwrap();
            assert!(page.len() <= 1000);
            let (lines, next) = match page.split_once("\n[more lines follow; go on with offset ") {
                Some((lines, rest)) => (lines, rest.trim_end_matches(']').parse().ok()),
                None => (page.as_str(), None),
            };
            seen.push_str(lines);
            seen.push('\n');
            match next {
                Some(next) => offset = next,
                None => break,
            }
        }
        let expected: String = (1..=1000).map(|number| format!("L{number}: 0123456789\n")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn cut_lines_and_binary_files_are_noted() {
        let text = read_with(&[b'x'; 600], json!({}), MANY).unwrap();
        assert_eq!(text, format!("L1: {}\n[lines longer than 500 characters are cut]", "x".repeat(500)));
        let text = read_with(b"\x7fELF\xff\0", json!({}), MANY).unwrap();
        assert_eq!(text, "L1: \x7fELF\u{fffd}\0\n[not a plain text file; bytes that are no UTF-8 show as \u{fffd}]");
    }

    #[test]
    fn a_block_is_shown_around_its_anchor() {
        let content = b"fn a() {\n    one();\n    two();\n}\nfn b() {}\n";
        let arguments = json!({"mode": "indentation", "indentation": {"anchor_line": 2}});
        assert_eq!(read_with(content, arguments, MANY).unwrap(), "L1: fn a() {\nL2:     one();\nL3:     two();\nL4: }");
        let arguments = json!({"mode": "indentation", "offset": 3, "indentation": {"max_lines": 2}});
        assert_eq!(read_with(content, arguments, MANY).unwrap(), "L2:     one();\nL3:     two();");
    }
}
