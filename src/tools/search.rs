//! Searches files as ripgrep does, with its libraries: in parallel, without what `.gitignore` and its like exclude,
//! without hidden and binary files. A file that is asked for by name is searched whatever it is.

use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, MmapChoice, Searcher, SearcherBuilder, Sink, SinkMatch};
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{WalkBuilder, WalkState};

use super::disk::Stop;
use super::lines::{LINE_CHARS, cut_to};

/// The most memory a search takes for one line; files with longer ones are passed over.
const LINE_MEMORY: usize = 64 * 1024 * 1024;

/// A search that is ready to run.
pub struct Search {
    matcher: RegexMatcher,
    root: PathBuf,
    root_is_file: bool,
    cwd: PathBuf,
    include: Override,
}

/// Files that match.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The one changed last comes first.
    pub files: Vec<PathBuf>,
    /// How many there are in all.
    pub total: usize,
}

/// A line that matches.
#[derive(Debug, PartialEq, Eq)]
pub struct MatchedLine {
    /// From 1.
    pub number: u64,
    /// Without its line ending, cut as all lines are that the model sees.
    pub text: String,
}

impl Search {
    /// Looks for the regular expression `pattern` in the file or folder `root`, which is absolute. `include` is a glob
    /// as for `rg --glob`: relative to `cwd`, and `!` in front excludes.
    ///
    /// # Errors
    /// What is wrong with the pattern, the glob or the folder.
    pub fn new(pattern: &str, include: Option<&str>, root: PathBuf, cwd: &Path) -> Result<Self, String> {
        let metadata =
            fs::metadata(&root).map_err(|error| format!("unable to access `{}`: {error}", root.display()))?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(format!("unable to access `{}`: neither a file nor a folder", root.display()));
        }
        let matcher = RegexMatcherBuilder::new()
            .multi_line(true)
            .line_terminator(Some(b'\n'))
            .build(pattern)
            .map_err(|error| format!("invalid pattern: {error}"))?;
        // A glob with a slash counts from where it stands; one for another tree can only mean that tree's top.
        let base = if root.starts_with(cwd) { cwd } else { &root };
        let include = match include {
            Some(glob) => globs(glob, base).map_err(|error| format!("invalid include: {error}"))?,
            None => Override::empty(),
        };
        Ok(Self { matcher, root, root_is_file: metadata.is_file(), cwd: cwd.into(), include })
    }

    /// The `limit` files changed last of those that match. Files that cannot be read are passed over.
    ///
    /// # Errors
    /// The search was stopped.
    pub fn files(&self, limit: usize, stop: &Stop) -> Result<Found, String> {
        let newest = Mutex::new(Newest::new(limit));
        let visit = |searcher: &mut Searcher, path: &Path| {
            if let Ok(Some(changed)) = self.match_in(searcher, path, stop) {
                newest.lock().unwrap_or_else(PoisonError::into_inner).offer(changed, path);
            }
        };
        if self.root_is_file {
            visit(&mut self.searcher(false), &self.root);
        } else {
            self.walk().run(|| {
                let mut searcher = self.searcher(false);
                let visit = &visit;
                Box::new(move |entry| {
                    if stop.check().is_err() {
                        return WalkState::Quit;
                    }
                    if let Ok(entry) = entry
                        && entry.file_type().is_some_and(|kind| kind.is_file())
                    {
                        visit(&mut searcher, entry.path());
                    }
                    WalkState::Continue
                })
            });
        }
        stop.check()?;
        Ok(newest.into_inner().unwrap_or_else(PoisonError::into_inner).into_found())
    }

    /// The first `most` lines of `file` that match.
    ///
    /// # Errors
    /// The file cannot be read, or the search was stopped.
    pub fn lines(&self, file: &Path, most: usize, stop: &Stop) -> io::Result<Vec<MatchedLine>> {
        if stop.hides(file) {
            return Ok(Vec::new());
        }
        let mut sink = MatchedLines { lines: Vec::new(), most };
        self.searcher(true).search_reader(&self.matcher, stop.reader(File::open(file)?), &mut sink)?;
        Ok(sink.lines)
    }

    /// When `path` was last changed, if it matches.
    fn match_in(&self, searcher: &mut Searcher, path: &Path, stop: &Stop) -> io::Result<Option<SystemTime>> {
        if stop.hides(path) {
            return Ok(None);
        }
        let file = File::open(path)?;
        let mut sink = AnyMatch(false);
        searcher.search_reader(&self.matcher, stop.reader(&file), &mut sink)?;
        if sink.0 { file.metadata()?.modified().map(Some) } else { Ok(None) }
    }

    fn walk(&self) -> ignore::WalkParallel {
        WalkBuilder::new(&self.root)
            .current_dir(&self.cwd)
            .overrides(self.include.clone())
            .add_custom_ignore_filename(".rgignore")
            .build_parallel()
    }

    /// Memory maps are left alone, as ripgrep does when it walks folders: for many small files they cost more than they
    /// save.
    fn searcher(&self, line_numbers: bool) -> Searcher {
        let binary = if self.root_is_file { BinaryDetection::convert(0) } else { BinaryDetection::quit(0) };
        SearcherBuilder::new()
            .line_number(line_numbers)
            .memory_map(MmapChoice::never())
            .binary_detection(binary)
            .heap_limit(Some(LINE_MEMORY))
            .build()
    }
}

fn globs(glob: &str, base: &Path) -> Result<Override, ignore::Error> {
    OverrideBuilder::new(base).add(glob)?.build()
}

/// Whether anything matches; the search ends at the first match.
struct AnyMatch(bool);

impl Sink for AnyMatch {
    type Error = io::Error;

    fn matched(&mut self, _searcher: &Searcher, _line: &SinkMatch<'_>) -> io::Result<bool> {
        self.0 = true;
        Ok(false)
    }
}

struct MatchedLines {
    lines: Vec<MatchedLine>,
    most: usize,
}

impl Sink for MatchedLines {
    type Error = io::Error;

    fn matched(&mut self, _searcher: &Searcher, line: &SinkMatch<'_>) -> io::Result<bool> {
        let shown = &line.bytes()[..line.bytes().len().min(LINE_CHARS * 4)];
        let text = String::from_utf8_lossy(shown);
        let text = cut_to(text.trim_end_matches(['\r', '\n']), LINE_CHARS).0.to_owned();
        self.lines.push(MatchedLine { number: line.line_number().unwrap_or(0), text });
        Ok(self.lines.len() < self.most)
    }
}

/// The files changed last among those offered. It never holds more than it may keep, however many match.
struct Newest {
    limit: usize,
    total: usize,
    /// The one to give up first is on top: the oldest, and of equally old ones the last by name.
    kept: BinaryHeap<(std::cmp::Reverse<SystemTime>, PathBuf)>,
}

impl Newest {
    fn new(limit: usize) -> Self {
        Self { limit, total: 0, kept: BinaryHeap::new() }
    }

    fn offer(&mut self, changed: SystemTime, path: &Path) {
        self.total += 1;
        self.kept.push((std::cmp::Reverse(changed), path.into()));
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    fn into_found(self) -> Found {
        Found { files: self.kept.into_sorted_vec().into_iter().map(|(_, path)| path).collect(), total: self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_newest_are_kept_in_order() {
        let mut newest = Newest::new(3);
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (seconds, name) in [(1, "a"), (5, "e"), (3, "d"), (3, "c"), (2, "b")] {
            newest.offer(at(seconds), Path::new(name));
        }
        let found = newest.into_found();
        assert_eq!((found.files, found.total), (["e", "c", "d"].map(PathBuf::from).to_vec(), 5));
    }
}
