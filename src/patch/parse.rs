//! Reads a patch: which files it adds, deletes and updates, and how.
//!
//! The grammar offered to models is stricter than this parser, which takes what models really write: padded markers, a
//! heredoc around the patch, a first chunk without `@@`. Everything borrows from the patch's text. Messages are Codex's,
//! since models have learnt to react to them.

use std::fmt;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ENVIRONMENT: &str = "*** Environment ID:";
const MOVE: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";
const NO_LINES: &str = "Update hunk does not contain any lines";

/// A whole patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch<'a> {
    /// What it does, file by file, in its own order. Empty for a patch that does nothing.
    pub hunks: Vec<Hunk<'a>>,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hunk<'a> {
    /// Writes a file, in place of any other of that name.
    Add {
        /// The path as the patch writes it.
        path: &'a str,
        /// The file's lines without their endings.
        lines: Vec<&'a str>,
    },
    /// Removes a file.
    Delete {
        /// The path as the patch writes it.
        path: &'a str,
    },
    /// Changes a file.
    Update {
        /// The path as the patch writes it.
        path: &'a str,
        /// Where the changed file goes instead.
        moved_to: Option<&'a str>,
        /// The changes, in the order of the file. Never empty.
        chunks: Vec<Chunk<'a>>,
    },
}

/// A run of neighbouring lines of a file, and what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Lines to find first, one after the other, from the `@@` headers that have text.
    pub headers: Vec<&'a str>,
    /// The lines in order.
    pub lines: Vec<(Mark, &'a str)>,
    /// Whether the lines are the file's last.
    pub at_end: bool,
}

/// What becomes of a line of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is there and stays.
    Keep,
    /// It is there and goes.
    Remove,
    /// It is new.
    Insert,
}

/// Why a text is no patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The patch as a whole is wrong.
    Patch(&'static str),
    /// A line of it is wrong.
    Hunk {
        /// The line's number in the patch, from 1; a heredoc around the patch does not count.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patch(message) => write!(f, "invalid patch: {message}"),
            Self::Hunk { line, message } => write!(f, "invalid hunk at line {line}, {message}"),
        }
    }
}

impl std::error::Error for ParseError {}

impl Hunk<'_> {
    /// The paths it names, as the patch writes them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (path, moved_to) = match self {
            Self::Add { path, .. } | Self::Delete { path } => (*path, None),
            Self::Update { path, moved_to, .. } => (*path, *moved_to),
        };
        std::iter::once(path).chain(moved_to)
    }
}

/// Reads a patch.
///
/// # Errors
/// The text is no patch; the message says which line is wrong and what could stand there.
pub fn parse(text: &str) -> Result<Patch<'_>, ParseError> {
    let lines = unwrap(text)?;
    let first = 1 + environment_lines(&lines[1..])?;
    let mut parser = Parser::default();
    // The last line is known to end the patch, even where an indented one would be context.
    let last = lines.len() - 1;
    for (index, line) in lines[..last].iter().enumerate().skip(first) {
        parser.line(index + 1, line)?;
    }
    parser.finish(lines.len())
}

/// The patch's lines, first and last checked, out of the heredoc that some models put around a patch although no shell
/// reads it.
fn unwrap(text: &str) -> Result<Vec<&str>, ParseError> {
    let lines: Vec<&str> = text.trim().split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let trouble = match check_ends(&lines) {
        Ok(()) => return Ok(lines),
        Err(trouble) => trouble,
    };
    match lines.as_slice() {
        ["<<EOF" | "<<'EOF'" | "<<\"EOF\"", inner @ .., last] if inner.len() >= 2 && last.ends_with("EOF") => {
            check_ends(inner)?;
            Ok(inner.to_vec())
        }
        _ => Err(trouble),
    }
}

fn check_ends(lines: &[&str]) -> Result<(), ParseError> {
    if lines.first().is_none_or(|line| line.trim() != BEGIN) {
        return Err(ParseError::Patch("The first line of the patch must be '*** Begin Patch'"));
    }
    if lines.last().is_none_or(|line| line.trim() != END) {
        return Err(no_end());
    }
    Ok(())
}

fn no_end() -> ParseError {
    ParseError::Patch("The last line of the patch must be '*** End Patch'")
}

/// How many lines name an environment. There is only one here, so the name itself does not matter.
fn environment_lines(lines: &[&str]) -> Result<usize, ParseError> {
    let mut ids = lines.iter().map_while(|line| line.trim().strip_prefix(ENVIRONMENT));
    match (ids.next(), ids.next()) {
        (None, _) => Ok(0),
        (Some(id), _) if id.trim().is_empty() => Err(ParseError::Patch("apply_patch environment_id cannot be empty")),
        (Some(_), None) => Ok(1),
        (Some(_), Some(_)) => Err(ParseError::Patch("apply_patch environment_id cannot be specified more than once")),
    }
}

enum Header<'a> {
    Add(&'a str),
    Delete(&'a str),
    Update(&'a str),
    End,
}

impl<'a> Header<'a> {
    fn read(line: &'a str) -> Option<Self> {
        if line == END {
            return Some(Self::End);
        }
        let rest = line.strip_prefix("*** ")?;
        let path = |verb| rest.strip_prefix(verb);
        path("Add File: ")
            .map(Self::Add)
            .or_else(|| path("Delete File: ").map(Self::Delete))
            .or_else(|| path("Update File: ").map(Self::Update))
    }
}

#[derive(Default)]
struct Parser<'a> {
    hunks: Vec<Hunk<'a>>,
    /// The line of the last hunk's header.
    header_line: usize,
    ended: bool,
}

impl<'a> Parser<'a> {
    fn line(&mut self, number: usize, line: &'a str) -> Result<(), ParseError> {
        let in_update = matches!(self.hunks.last(), Some(Hunk::Update { .. }));
        if self.ended {
            return if matches!(line.trim(), "" | END) { Ok(()) } else { Err(no_end()) };
        }
        // In the body of an update a leading space makes a context line, whatever follows it.
        let marker = if in_update { line.trim_end() } else { line.trim() };
        match Header::read(marker) {
            Some(header) => {
                self.close_update(number, Some(marker).filter(|marker| *marker != END))?;
                self.open(number, header);
                Ok(())
            }
            None => self.body_line(number, line),
        }
    }

    fn open(&mut self, number: usize, header: Header<'a>) {
        self.header_line = number;
        self.hunks.push(match header {
            Header::Add(path) => Hunk::Add { path, lines: Vec::new() },
            Header::Delete(path) => Hunk::Delete { path },
            Header::Update(path) => Hunk::Update { path, moved_to: None, chunks: Vec::new() },
            Header::End => {
                self.ended = true;
                return;
            }
        });
    }

    fn body_line(&mut self, number: usize, line: &'a str) -> Result<(), ParseError> {
        let fail = |message| Err(ParseError::Hunk { line: number, message });
        match self.hunks.last_mut() {
            Some(Hunk::Add { lines, .. }) if line.starts_with('+') => lines.push(&line[1..]),
            Some(Hunk::Update { moved_to, chunks, .. }) => {
                return update_line(moved_to, chunks, line).or_else(fail);
            }
            _ => return fail(not_a_header(line.trim())),
        }
        Ok(())
    }

    /// Checks the update that ends before line `number`: at another header, or at the end of the patch.
    fn close_update(&self, number: usize, header: Option<&str>) -> Result<(), ParseError> {
        let Some(Hunk::Update { path, chunks, .. }) = self.hunks.last() else { return Ok(()) };
        match (chunks.last(), header) {
            (None, _) => Err(ParseError::Hunk {
                line: self.header_line,
                message: format!("Update file hunk for path '{path}' is empty"),
            }),
            (Some(Chunk { lines, .. }), header) if lines.is_empty() => {
                Err(ParseError::Hunk { line: number, message: header.map_or_else(|| NO_LINES.into(), unexpected) })
            }
            _ => Ok(()),
        }
    }

    fn finish(self, last: usize) -> Result<Patch<'a>, ParseError> {
        if !self.ended {
            self.close_update(last, None)?;
        }
        Ok(Patch { hunks: self.hunks })
    }
}

fn update_line<'a>(moved_to: &mut Option<&'a str>, chunks: &mut Vec<Chunk<'a>>, line: &'a str) -> Result<(), String> {
    let marker = line.trim_end();
    let header = marker.strip_prefix("@@").filter(|text| text.is_empty() || text.starts_with(' '));
    if chunks.last().is_some_and(|chunk| chunk.at_end) && header.is_none() {
        return if marker.is_empty() { Ok(()) } else { Err(not_a_chunk(line)) };
    }
    if chunks.is_empty()
        && moved_to.is_none()
        && let Some(path) = marker.strip_prefix(MOVE)
    {
        *moved_to = Some(path);
        return Ok(());
    }
    if let Some(header) = header {
        open_chunk(chunks, header);
        return Ok(());
    }
    if marker == END_OF_FILE {
        return match chunks.last_mut() {
            None => Ok(()),
            Some(chunk) if chunk.lines.is_empty() => Err(NO_LINES.into()),
            Some(chunk) => {
                chunk.at_end = true;
                Ok(())
            }
        };
    }
    let Some(marked) = marked_line(line) else {
        let begun = chunks.last().is_some_and(|chunk| !chunk.lines.is_empty());
        return Err(if begun { not_a_chunk(line) } else { unexpected(line) });
    };
    match chunks.last_mut() {
        Some(chunk) => chunk.lines.push(marked),
        None => chunks.push(Chunk { lines: vec![marked], ..Chunk::default() }),
    }
    Ok(())
}

/// Begins a chunk, or adds one more header to a chunk that has none of its lines yet.
fn open_chunk<'a>(chunks: &mut Vec<Chunk<'a>>, header: &'a str) {
    if chunks.last().is_none_or(|chunk| !chunk.lines.is_empty()) {
        chunks.push(Chunk::default());
    }
    if let (Some(chunk), Some(text)) = (chunks.last_mut(), header.strip_prefix(' ')) {
        chunk.headers.push(text);
    }
}

fn marked_line(line: &str) -> Option<(Mark, &str)> {
    if line.is_empty() {
        return Some((Mark::Keep, line));
    }
    [(' ', Mark::Keep), ('-', Mark::Remove), ('+', Mark::Insert)]
        .into_iter()
        .find_map(|(sign, mark)| Some((mark, line.strip_prefix(sign)?)))
}

fn not_a_header(line: &str) -> String {
    format!(
        "'{line}' is not a valid hunk header. Valid hunk headers: '*** Add File: {{path}}', '*** Delete File: {{path}}', \
         '*** Update File: {{path}}'"
    )
}

fn not_a_chunk(line: &str) -> String {
    format!("Expected update hunk to start with a @@ context marker, got: '{line}'")
}

fn unexpected(line: &str) -> String {
    format!(
        "Unexpected line found in update hunk: '{line}'. Every line should start with ' ' (context line), '+' (added \
         line), or '-' (removed line)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_body(body: &str) -> Result<Vec<String>, String> {
        match parse(&format!("*** Begin Patch\n{body}\n*** End Patch")) {
            Ok(patch) => Ok(patch.hunks.iter().map(|hunk| format!("{hunk:?}")).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn sections_of_all_kinds_are_read() {
        let text = "*** Begin Patch\n*** Add File: a b\n+x\n+\n  *** Delete File: c  \n*** Update File: d\n*** Move to: e\n\
                    @@ f\n@@  g \n h\n\n-i\n+j\n*** End of File\n\n@@\n+k\n*** End Patch";
        let chunk = |headers: &[&'static str], lines: &[(Mark, &'static str)], at_end| Chunk {
            headers: headers.to_vec(),
            lines: lines.to_vec(),
            at_end,
        };
        let hunks = vec![
            Hunk::Add { path: "a b", lines: vec!["x", ""] },
            Hunk::Delete { path: "c" },
            Hunk::Update {
                path: "d",
                moved_to: Some("e"),
                chunks: vec![
                    chunk(
                        &["f", " g"],
                        &[(Mark::Keep, "h"), (Mark::Keep, ""), (Mark::Remove, "i"), (Mark::Insert, "j")],
                        true,
                    ),
                    chunk(&[], &[(Mark::Insert, "k")], false),
                ],
            },
        ];
        assert_eq!(parse(text), Ok(Patch { hunks: hunks.clone() }));
        assert_eq!(parse(&text.replace('\n', "\r\n")), Ok(Patch { hunks: hunks.clone() }));
        assert_eq!(parse(&format!("\n\t {text} \n")), Ok(Patch { hunks: hunks.clone() }));
        assert_eq!(parse(&format!("<<'EOF'\n{text}\nEOF\n")), Ok(Patch { hunks }));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        for (body, message) in [
            ("junk", "invalid hunk at line 2, 'junk' is not a valid hunk header."),
            ("*** Add File: a\n+1\n", "invalid hunk at line 4, '' is not a valid hunk header."),
            ("*** Update File: a", "invalid hunk at line 2, Update file hunk for path 'a' is empty"),
            ("*** Update File: a\n@@", "invalid hunk at line 4, Update hunk does not contain any lines"),
            (
                "*** Update File: a\n@@\n*** Delete File: b",
                "invalid hunk at line 4, Unexpected line found in update hunk",
            ),
            (
                "*** Update File: a\n+1\nx",
                "invalid hunk at line 4, Expected update hunk to start with a @@ context marker, got: 'x'",
            ),
            ("*** Update File: a\nx", "invalid hunk at line 3, Unexpected line found in update hunk: 'x'."),
            ("*** Update File: a\n+1\n*** End of File\n+2", "invalid hunk at line 5, Expected update hunk to start"),
            (
                "*** Update File: a\n+1\n*** End Patch\n+2",
                "invalid patch: The last line of the patch must be '*** End Patch'",
            ),
            ("*** Environment ID: ", "invalid patch: apply_patch environment_id cannot be empty"),
        ] {
            let error = parse_body(body).unwrap_err();
            assert!(error.starts_with(message), "{body:?} gives {error:?}");
        }
        for text in
            ["", "x", "<<PATCH\n*** Begin Patch\n*** End Patch\nPATCH", "```\n*** Begin Patch\n*** End Patch\n```"]
        {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                "invalid patch: The first line of the patch must be '*** Begin Patch'"
            );
        }
    }

    #[test]
    fn in_an_update_an_indented_header_is_context() {
        let hunks = parse_body("*** Update File: a\n *** Delete File: b\n+1").unwrap();
        assert_eq!(hunks.len(), 1);
    }
}
