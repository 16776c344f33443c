//! Tables of Markdown, fitted to the columns there are: as written, with wrapped cells, or stacked row by row.

use super::inline;
use crate::text::style::{Look, Style};
use crate::text::styled::Styled;
use crate::text::width::{self, Break};

/// What stands between two columns.
const GAP: &str = " │ ";
const GAP_WIDTH: usize = 3;
/// A column narrower than this holds no word, so the table is stacked instead.
const MIN_COLUMN: usize = 6;

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At its left.
    Left,
    /// In its middle.
    Center,
    /// At its right.
    Right,
}

/// The alignments that a line such as `|:--|--:|` sets, if it is one.
#[must_use]
pub fn alignments(line: &str) -> Option<Vec<Align>> {
    let one = |cell: &str| {
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        let align = match (cell.starts_with(':'), cell.ends_with(':')) {
            (true, true) => Align::Center,
            (false, true) => Align::Right,
            _ => Align::Left,
        };
        (!dashes.is_empty() && dashes.bytes().all(|b| b == b'-')).then_some(align)
    };
    if !line.contains('|') {
        return None;
    }
    cells(line).iter().map(|cell| one(cell)).collect()
}

/// The cells of a line. A `|` in code or after a backslash is text, as people mean it.
#[must_use]
pub fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let (mut cells, mut cell, mut in_code) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            '|' if !in_code => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            _ => {
                // A lone backtick opens nothing.
                in_code ^= c == '`' && (in_code || chars.clone().any(|next| next == '`'));
                cell.push(c);
            }
        }
    }
    if !cell.trim().is_empty() || cells.is_empty() {
        cells.push(cell.trim().to_owned());
    }
    cells
}

/// Renders a table whose first line is its header.
#[must_use]
pub fn render(lines: &[String], aligns: &[Align], width: usize, style: Style) -> Vec<Styled> {
    let mut rows: Vec<Vec<Styled>> = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let look = if index == 0 { Look::BOLD } else { Look::PLAIN };
        let mut row: Vec<Styled> = cells(line).iter().map(|cell| inline::parse(cell, look, style).text).collect();
        row.resize(aligns.len(), Styled::default());
        rows.push(row);
    }
    let widths = column_widths(&rows, aligns.len());
    match fit_columns(&widths, width) {
        Some(widths) => grid(&rows, &widths, aligns),
        None => stack(&rows, width),
    }
}

fn column_widths(rows: &[Vec<Styled>], columns: usize) -> Vec<usize> {
    (0..columns).map(|column| rows.iter().map(|row| widest_line(&row[column])).max().unwrap_or(0).max(1)).collect()
}

fn widest_line(cell: &Styled) -> usize {
    cell.text().split('\n').map(width::width).max().unwrap_or(0)
}

/// The widths that fit: the widest columns give way first, down to one common width. `None` when that is too narrow.
fn fit_columns(widths: &[usize], width: usize) -> Option<Vec<usize>> {
    let available = width.checked_sub(GAP_WIDTH * widths.len().saturating_sub(1))?;
    if widths.iter().sum::<usize>() <= available {
        return Some(widths.to_vec());
    }
    let total = |cap: usize| widths.iter().map(|width| *width.min(&cap)).sum::<usize>();
    let cap = (MIN_COLUMN..=available).rev().find(|cap| total(*cap) <= available)?;
    let mut spare = available - total(cap);
    Some(
        widths
            .iter()
            .map(|width| {
                let extra = usize::from(*width > cap && spare > 0);
                spare -= extra;
                *width.min(&cap) + extra
            })
            .collect(),
    )
}

fn grid(rows: &[Vec<Styled>], widths: &[usize], aligns: &[Align]) -> Vec<Styled> {
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        grid_row(&mut out, row, widths, aligns);
        if index == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            out.push(Styled::new(&rule.join("─┼─"), Look::DIM));
        }
    }
    out
}

fn grid_row(out: &mut Vec<Styled>, row: &[Styled], widths: &[usize], aligns: &[Align]) {
    let wrapped: Vec<_> =
        row.iter().zip(widths).map(|(cell, width)| width::wrap(cell.text(), *width, *width, Break::Words)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let mut text = Styled::default();
        for (column, cell) in row.iter().enumerate() {
            let mut part = Styled::default();
            if let Some(range) = wrapped[column].get(line) {
                part.append_part(cell, range.clone());
            }
            let space = widths[column].saturating_sub(part.width());
            let before = match aligns[column] {
                Align::Left => 0,
                Align::Center => space / 2,
                Align::Right => space,
            };
            let is_last = column + 1 == row.len();
            text.push(&" ".repeat(before), Look::PLAIN);
            text.append(&part);
            if !is_last {
                text.push(&" ".repeat(space - before), Look::PLAIN);
                text.push(GAP, Look::DIM);
            }
        }
        out.push(text);
    }
}

/// Every row as a list of `header: cell`.
fn stack(rows: &[Vec<Styled>], width: usize) -> Vec<Styled> {
    let Some((header, body)) = rows.split_first() else { return Vec::new() };
    let mut out = Vec::new();
    for (index, row) in body.iter().enumerate() {
        if index > 0 {
            out.push(Styled::new(&"─".repeat(width.min(3)), Look::DIM));
        }
        for (name, cell) in header.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let mut text = name.clone();
            text.push(if name.is_empty() { "" } else { ": " }, Look::DIM);
            text.append(cell);
            wrap_into(&mut out, &text, width);
        }
    }
    if body.is_empty() {
        header.iter().for_each(|name| wrap_into(&mut out, name, width));
    }
    out
}

fn wrap_into(out: &mut Vec<Styled>, text: &Styled, width: usize) {
    let rest = width.saturating_sub(2).max(2);
    for (index, range) in width::wrap(text.text(), width, rest, Break::Words).into_iter().enumerate() {
        let mut row = Styled::new(if index > 0 { "  " } else { "" }, Look::PLAIN);
        row.append_part(text, range);
        out.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: usize) -> Vec<String> {
        let lines = ["| Name | Wert |", "| a `x|y` | 中文 |", "| long words in here | 12 |"].map(String::from);
        let aligns = alignments("|---|--:|").unwrap();
        render(&lines, &aligns, width, Style::PLAIN).iter().map(|row| row.paint(Style::PLAIN)).collect()
    }

    #[test]
    fn columns_take_what_they_need_then_give_way_then_stack() {
        assert_eq!(
            shown(40),
            [
                "Name               │ Wert",
                "───────────────────┼─────",
                "a `x|y`            │ 中文",
                "long words in here │   12"
            ]
        );
        assert_eq!(
            shown(20),
            [
                "Name          │ Wert",
                "──────────────┼─────",
                "a `x|y`       │ 中文",
                "long words in │   12",
                "here          │"
            ]
            .map(|row| if row.ends_with('│') { format!("{row}     ") } else { row.to_owned() })
        );
        assert_eq!(
            shown(10),
            ["Name: a", "  `x|y`", "Wert: 中文", "───", "Name: long", "  words in", "  here", "Wert: 12"]
        );
    }

    #[test]
    fn lines_are_told_from_tables() {
        assert_eq!(alignments("|:-:|--|-:|"), Some(vec![Align::Center, Align::Left, Align::Right]));
        assert_eq!(alignments("--- | :---"), Some(vec![Align::Left, Align::Left]));
        for line in ["---", "| a |", "|--|x|", "|  |"] {
            assert_eq!(alignments(line), None, "{line:?}");
        }
        assert_eq!(cells(r"| a \| b | c"), ["a | b", "c"]);
        assert_eq!(cells("| ` | c |"), ["`", "c"]);
    }
}
