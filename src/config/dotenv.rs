//! `$CODEX_HOME/.env`: variables for this program and what it starts.
//!
//! They win over the process's environment, as Codex has it. Names that begin with `CODEX_` are left alone, so that a file
//! cannot move the folder it lies in. A line that cannot be read is a warning; the others count all the same.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;

use super::environment::Environment;
use super::error::ConfigError;
use super::layer::is_absent;

/// Adds the variables of the file at `path` to `env`, and a warning for each line that cannot be read.
///
/// # Errors
/// The file is there and cannot be read.
pub fn load(path: &Path, env: &mut Environment, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(ConfigError::unreadable(path, &error)),
    };
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    parse(
        &text,
        |name, value| env.set(name, value),
        |line| {
            let place = path.display();
            warnings.push(format!("{place}:{line}: not NAME=VALUE, ignored; put a value with spaces in quotes"));
        },
    );
    Ok(())
}

/// Hands every variable to `set` and the number of every broken line to `broken`. A quote that is not closed would swallow
/// the rest of the file, so reading goes on after the line that opened it.
fn parse(text: &str, mut set: impl FnMut(String, String), mut broken: impl FnMut(usize)) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut start = 0;
    while start < lines.len() {
        let taken = Cell::new(0);
        let mut entries = dotenvy::from_read_iter(Lines { lines: &lines[start..], current: &[], taken: &taken });
        let mut entry_start = 0;
        start = loop {
            match entries.next() {
                None => break lines.len(),
                Some(Ok((name, value))) if name.starts_with("CODEX_") => drop(value),
                Some(Ok((name, value))) => set(name, value),
                Some(Err(_)) => {
                    let first = (entry_start..taken.get()).find(|at| !is_blank(lines[start + at]));
                    let first = start + first.unwrap_or(entry_start);
                    broken(first + 1);
                    break first + 1;
                }
            }
            entry_start = taken.get();
        };
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Gives out one line at a time, so that it is known how far the parser has read.
struct Lines<'a> {
    lines: &'a [&'a str],
    current: &'a [u8],
    taken: &'a Cell<usize>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty()
            && let Some((line, rest)) = self.lines.split_first()
        {
            (self.current, self.lines) = (line.as_bytes(), rest);
            self.taken.set(self.taken.get() + 1);
        }
        self.current.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file, the variables in it, the numbers of its broken lines.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [usize]);

    fn parsed(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
        let (mut set, mut broken) = (Vec::new(), Vec::new());
        parse(text, |name, value| set.push((name, value)), |line| broken.push(line));
        (set, broken)
    }

    #[test]
    fn good_lines_count_and_broken_ones_are_numbered() {
        let long = format!("LONG={}", "x".repeat(20_000));
        let cases: &[Case<'_>] = &[
            ("A=1\nB=2", &[("A", "1"), ("B", "2")], &[]),
            ("# c\n\nexport A='x y' # c\nB=\"a\\nb\"\r\nC=", &[("A", "x y"), ("B", "a\nb"), ("C", "")], &[]),
            ("A=1\nbroken line\nB=2\n", &[("A", "1"), ("B", "2")], &[2]),
            ("A=it's\nB=2\nC=3\n", &[("B", "2"), ("C", "3")], &[1]),
            ("A=1\n\n# c\nB=a b\nC=x\"y\nD=4", &[("A", "1"), ("D", "4")], &[4, 5]),
            ("A=\"one\ntwo\"\nB=2", &[("A", "one\ntwo"), ("B", "2")], &[]),
            ("CODEX_HOME=/x\nCODEX_API_KEY=k\nA=1", &[("A", "1")], &[]),
            (&long, &[("LONG", &long[5..])], &[]),
            ("", &[], &[]),
        ];
        for (text, set, broken) in cases {
            let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(parsed(text), (set, broken.to_vec()), "{text}");
        }
    }

    #[test]
    fn the_file_wins_over_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        let mut env: Environment = [("A", "process"), ("B", "process")].into_iter().collect();
        let mut warnings = Vec::new();
        load(&path, &mut env, &mut warnings).unwrap();
        assert_eq!((env.get("A"), warnings.len()), (Some("process"), 0));
        std::fs::write(&path, b"\xef\xbb\xbfA=file\n???\n").unwrap();
        load(&path, &mut env, &mut warnings).unwrap();
        assert_eq!((env.get("A"), env.get("B")), (Some("file"), Some("process")));
        let expected = "not NAME=VALUE, ignored; put a value with spaces in quotes";
        assert_eq!(warnings, [format!("{}:2: {expected}", path.display())]);
    }
}
