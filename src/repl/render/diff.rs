//! Changes of files for people: a line that says which file and how much, then the changed lines with the words that
//! differ set off.

use std::path::Path;

use similar::{Algorithm, DiffOp, capture_diff_slices, diff_ratio};
use unicode_segmentation::UnicodeSegmentation;

use crate::protocol::event::{FileChange, FileChangeKind};
use crate::text::style::{Color, Look, Style};
use crate::text::styled::Styled;
use crate::text::width::{self, Break};

/// Lines of a change that are shown at most.
pub const MAX_LINES: usize = 400;
/// Lines longer than this are not compared word by word.
const MAX_COMPARED: usize = 2000;
/// Lines less alike than this are different lines, not one changed line.
const MIN_ALIKE: f32 = 0.4;

const REMOVED: Look = Look::of(Color::Red);
const ADDED: Look = Look::of(Color::Green);

/// A change as rows of at most `width` columns, of which [`MAX_LINES`] lines of the diff. Paths are shown from `cwd`.
#[must_use]
pub fn render(change: &FileChange, cwd: &Path, width: usize, style: Style) -> Vec<String> {
    let width = width.max(8);
    let (lines, left_out) = read(&change.diff);
    let mut rows = vec![header(change, cwd, &lines, left_out).fit(width).paint(style)];
    let digits = lines.iter().map(|line| line.number).max().unwrap_or(0).to_string().len();
    // Numbers are a luxury on a narrow terminal.
    let digits = if width >= 40 { digits } else { 0 };
    let looks = word_looks(&lines[..lines.len().min(MAX_LINES)]);
    for (line, text) in lines.iter().zip(&looks) {
        write_rows(&mut rows, line, text, digits, width, style);
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        rows.push(style.dim(&width::fit(&format!("  … {more} more lines"), width)));
    }
    rows
}

/// The header alone: what happened to which file, and how many lines came and went.
#[must_use]
pub fn summary(change: &FileChange, cwd: &Path, width: usize, style: Style) -> String {
    let (lines, left_out) = read(&change.diff);
    header(change, cwd, &lines, left_out).fit(width).paint(style)
}

/// Shortens an absolute path to how it is seen from `cwd`.
#[must_use]
pub fn relative(path: &Path, cwd: &Path) -> String {
    let shown = path.strip_prefix(cwd).ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path);
    width::one_line(&shown.display().to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Same,
    Removed,
    Added,
    /// The beginning of a hunk that does not follow the one before it directly.
    Skip,
    /// What diff says about the line above.
    Note,
}

struct Line<'a> {
    kind: Kind,
    number: usize,
    text: &'a str,
}

/// The lines of a unified diff. The second answer says whether there was none to read.
fn read(diff: &str) -> (Vec<Line<'_>>, bool) {
    let (mut old, mut new) = (1, 1);
    let mut lines = Vec::new();
    for line in diff.lines() {
        let (mark, text) = line.split_at_checked(1).unwrap_or(("", line));
        let mut push = |kind, number| lines.push(Line { kind, number, text });
        match mark {
            "@" => {
                (old, new) = hunk_start(line).unwrap_or((old, new));
                if !lines.is_empty() {
                    lines.push(Line { kind: Kind::Skip, number: 0, text: "" });
                }
            }
            "-" => {
                push(Kind::Removed, old);
                old += 1;
            }
            "+" => {
                push(Kind::Added, new);
                new += 1;
            }
            "\\" => push(Kind::Note, 0),
            _ => {
                push(Kind::Same, new);
                (old, new) = (old + 1, new + 1);
            }
        }
    }
    (lines, diff.is_empty())
}

/// The first line numbers in `@@ -old,count +new,count @@`.
fn hunk_start(line: &str) -> Option<(usize, usize)> {
    let mut numbers = line.split(' ').skip(1).map(|range| range[1.min(range.len())..].split(',').next()?.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn header(change: &FileChange, cwd: &Path, lines: &[Line<'_>], left_out: bool) -> Styled {
    let (mark, moved) = match &change.kind {
        FileChangeKind::Add => ("A", None),
        FileChangeKind::Delete => ("D", None),
        FileChangeKind::Update { moved_to: None } => ("M", None),
        FileChangeKind::Update { moved_to: Some(to) } => ("R", Some(to)),
    };
    let color = match mark {
        "A" => Color::Green,
        "D" => Color::Red,
        _ => Color::Yellow,
    };
    let mut text = Styled::new(&format!("{mark} "), Look::of(color).bold());
    text.push(&relative(&change.path, cwd), Look::BOLD);
    if let Some(to) = moved {
        text.push(&format!(" → {}", relative(to, cwd)), Look::BOLD);
    }
    let count = |kind| lines.iter().filter(|line| line.kind == kind).count();
    let (added, removed) = (count(Kind::Added), count(Kind::Removed));
    if added > 0 {
        text.push(&format!(" +{added}"), ADDED);
    }
    if removed > 0 {
        text.push(&format!(" −{removed}"), REMOVED);
    }
    let silent = left_out && matches!(change.kind, FileChangeKind::Update { moved_to: None });
    text.push(if silent { " (too large to show)" } else { "" }, Look::DIM);
    text
}

/// Every line with its looks. A run of removed lines followed by added ones is paired line by line.
fn word_looks(lines: &[Line<'_>]) -> Vec<Styled> {
    let clean: Vec<_> = lines.iter().map(|line| width::clean_line(line.text)).collect();
    let mut looks: Vec<Styled> =
        lines.iter().zip(&clean).map(|(line, text)| Styled::new(text, plain_look(line.kind))).collect();
    let mut at = 0;
    while at < lines.len() {
        let run = |kind, from: usize| lines[from..].iter().take_while(|line| line.kind == kind).count();
        let removed = run(Kind::Removed, at);
        let added = run(Kind::Added, at + removed);
        for pair in 0..removed.min(added) {
            let (old, new) = (at + pair, at + removed + pair);
            if let Some((old_look, new_look)) = compare(&clean[old], &clean[new]) {
                (looks[old], looks[new]) = (old_look, new_look);
            }
        }
        at += (removed + added).max(1);
    }
    looks
}

fn plain_look(kind: Kind) -> Look {
    match kind {
        Kind::Removed => REMOVED,
        Kind::Added => ADDED,
        Kind::Same => Look::PLAIN,
        Kind::Skip | Kind::Note => Look::DIM,
    }
}

/// Both lines with the words that differ set off; nothing when they have too little in common.
fn compare(old: &str, new: &str) -> Option<(Styled, Styled)> {
    if old.len().max(new.len()) > MAX_COMPARED {
        return None;
    }
    let old: Vec<&str> = old.split_word_bounds().collect();
    let new: Vec<&str> = new.split_word_bounds().collect();
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    if diff_ratio(&ops, old.len(), new.len()) < MIN_ALIKE {
        return None;
    }
    let (mut old_text, mut new_text) = (Styled::default(), Styled::default());
    for op in ops {
        let differs = !matches!(op, DiffOp::Equal { .. });
        let look = |base: Look| Look { reverse: differs, ..base };
        old[op.old_range()].iter().for_each(|word| old_text.push(word, look(REMOVED)));
        new[op.new_range()].iter().for_each(|word| new_text.push(word, look(ADDED)));
    }
    Some((old_text, new_text))
}

fn write_rows(rows: &mut Vec<String>, line: &Line<'_>, text: &Styled, digits: usize, width: usize, style: Style) {
    let sign = match line.kind {
        Kind::Removed => "- ",
        Kind::Added => "+ ",
        Kind::Same | Kind::Note => "  ",
        Kind::Skip => "⋮",
    };
    let number = if digits > 0 && line.number > 0 {
        format!("{:>digits$} ", line.number)
    } else {
        " ".repeat(if digits > 0 { digits + 1 } else { 0 })
    };
    let room = width - width::width(&number) - 2;
    for (index, range) in width::wrap(text.text(), room, room, Break::Anywhere).into_iter().enumerate() {
        let mut row = Styled::default();
        if index == 0 {
            row.push(&number, Look::DIM);
            row.push(sign, plain_look(line.kind));
        } else {
            row.push(&" ".repeat(number.len()), Look::PLAIN);
            row.push("↪ ", Look::DIM);
        }
        row.append_part(text, range);
        let end = row.text().trim_end().len();
        rows.push(row.paint_part(0..end, style));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change(kind: FileChangeKind, diff: &str) -> FileChange {
        FileChange { path: "/repo/src/a.rs".into(), kind, diff: diff.to_owned() }
    }

    const DIFF: &str = "@@ -9,4 +9,5 @@\n fn main() {\n-    let count = old_value(1);\n+    let count = new_value(1);\n+    // 中文 🎉\n }\n@@ -90 +91 @@\n-a\n+completely other words\n\\ No newline at end of file\n";

    #[test]
    fn changes_are_shown_at_every_width() {
        let update = change(FileChangeKind::Update { moved_to: None }, DIFF);
        for (name, width, style) in [
            ("diff_20", 20, Style::PLAIN),
            ("diff_80", 80, Style::PLAIN),
            ("diff_80_coloured", 80, Style::COLORED),
            ("diff_300", 300, Style::PLAIN),
        ] {
            let rows = render(&update, Path::new("/repo"), width, style).join("\n").replace('\x1b', "␛");
            insta::assert_snapshot!(name, rows);
        }
    }

    #[test]
    fn headers_say_what_happened() {
        let cwd = Path::new("/repo");
        let moved = FileChangeKind::Update { moved_to: Some("/else/b.rs".into()) };
        for (kind, diff, expected) in [
            (FileChangeKind::Add, "@@ -0,0 +1 @@\n+x\n", "A src/a.rs +1"),
            (FileChangeKind::Delete, "@@ -1 +0,0 @@\n-x\n", "D src/a.rs −1"),
            (moved, "", "R src/a.rs → /else/b.rs"),
            (FileChangeKind::Update { moved_to: None }, "", "M src/a.rs (too large to show)"),
        ] {
            assert_eq!(summary(&change(kind, diff), cwd, 80, Style::PLAIN), expected);
        }
    }

    #[test]
    fn a_long_change_is_cut_and_says_so() {
        let diff = format!("@@ -0,0 +1,1000 @@\n{}", "+line\n".repeat(1000));
        let rows = render(&change(FileChangeKind::Add, &diff), Path::new("/"), 80, Style::PLAIN);
        assert_eq!(rows.len(), MAX_LINES + 2);
        assert_eq!(rows.last().unwrap(), "  … 600 more lines");
        assert!(rows[0].ends_with("+1000"));
    }

    proptest! {
        #[test]
        fn rows_fit_and_steer_nothing(diff in "(@@ -[0-9]{1,3} \\+[0-9] @@\n|[-+ \\\\][a-z 中🎉\x1b\t\r]{0,40}\n){0,12}", width in 8usize..120) {
            for row in render(&change(FileChangeKind::Add, &diff), Path::new("/repo"), width, Style::PLAIN) {
                prop_assert!(width::width(&row) <= width, "{row:?}");
                prop_assert!(!row.chars().any(char::is_control));
            }
        }
    }
}
