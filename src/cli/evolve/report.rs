//! `hone evolve report`: what learning brought, as text or as one page.

use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::export::write_new;
use super::here::Here;
use crate::cli::terminal::{self, escape};
use crate::evolution::account::list;
use crate::evolution::account::report::{self, Day, Item, Report};
use crate::evolution::measure::Usefulness;
use crate::protocol::UserError;
use crate::runtime::Setup;

const STYLE: &str = include_str!("report.css");

/// How wide a chart is, in its own units; the page scales it.
const WIDTH: usize = 720;
/// How high.
const HEIGHT: usize = 140;
/// The most entries with a bar.
const BARS: usize = 40;

/// `hone evolve report …`
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// Write a page with charts that needs nothing else, not even a network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Tells it.
///
/// # Errors
/// Records cannot be read, or the file not be written.
pub fn run(setup: &Setup, asked: &ReportOptions) -> Result<u8, UserError> {
    let here = Here::find(setup)?;
    let report = report::report(&here.account()?)?;
    match &asked.html {
        None => terminal::print(&report::lines(&report)),
        Some(file) => {
            write_new(&setup.cwd.join(file), &page(&here, &report))?;
            terminal::print(&format!("written to {}\n", file.display()));
        }
    }
    Ok(0)
}

fn page(here: &Here, report: &Report) -> String {
    let title = format!("What {} learned", escape(&here.learning.name()));
    let chart = |name: &str, unit: &str, of: fn(&Day) -> u64| {
        let values: Vec<(String, u64)> = report.days.iter().map(|day| (day.date.clone(), of(day))).collect();
        format!("<h2>{name}</h2>\n{}", columns(&values, unit))
    };
    let charts = [
        chart("Learned, by day", "entries", |day| day.learned as u64),
        chart("Put away or taken back, by day", "changes", |day| day.put_away as u64),
        chart("What reviews cost, by day", "tokens", |day| day.review_tokens),
        chart("What was shown, by day", "tokens", |day| day.shown_tokens),
    ];
    let text = escape(&report::lines(report));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n{}<h2>What it changed, by entry</h2>\n{}\
         <details><summary>The same as text</summary><pre>{text}</pre></details>\n</html>\n",
        charts.concat(),
        entries(&report.entries),
    )
}

/// A column for each day.
fn columns(values: &[(String, u64)], unit: &str) -> String {
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or_default();
    if most == 0 {
        return "<p>None.</p>\n".to_owned();
    }
    let step = WIDTH / values.len().max(1);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{unit} by day, {most} at most\">\n",
        HEIGHT + 20
    );
    for (number, (date, value)) in values.iter().enumerate() {
        let height = usize::try_from(value * HEIGHT as u64 / most).unwrap_or(HEIGHT).max(usize::from(*value > 0));
        let (x, y, width) = (number * step, HEIGHT - height, step.saturating_sub(2).clamp(1, 40));
        _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{date}: {value} {unit}</title></rect>"
        );
    }
    let (first, last) = (&values[0].0, &values[values.len() - 1].0);
    let base = HEIGHT + 15;
    _ = writeln!(svg, "<text x=\"0\" y=\"{base}\">{first}</text>");
    if first != last {
        _ = writeln!(svg, "<text x=\"{WIDTH}\" y=\"{base}\" text-anchor=\"end\">{last}</text>");
    }
    svg + "</svg>\n"
}

/// A row for each entry, with what helped to the right and what hurt to the left.
fn entries(items: &[Item]) -> String {
    if items.is_empty() {
        return "<p>Nothing is learned yet.</p>\n".to_owned();
    }
    let most =
        items.iter().map(|item| item.usefulness.helped.max(item.usefulness.hurt)).max().unwrap_or_default().max(1);
    let mut table = "<table>\n<tr><th>Entry<th>State<th>Shown<th>Used<th>Hurt – helped<th>Score\n".to_owned();
    for (number, item) in items.iter().enumerate() {
        let Usefulness { injected, used, helped, hurt, score, .. } = item.usefulness;
        let bar = if number < BARS { diverging(hurt, helped, most) } else { String::new() };
        _ = writeln!(
            table,
            "<tr><td><b>{}</b> {}<br><code>{}</code><td>{}<td>{injected}<td>{used}<td>{bar}{hurt} – {helped}<td>{score:+.2}",
            item.kind,
            escape(&item.title),
            list::short(&item.id),
            escape(&item.state),
        );
    }
    table + "</table>\n"
}

fn diverging(hurt: u32, helped: u32, most: u32) -> String {
    let of = |value: u32| value * 50 / most;
    let (left, right) = (of(hurt), of(helped));
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" aria-hidden=\"true\"><rect class=\"hurt\" x=\"{}\" width=\"{left}\" height=\"10\"/>\
         <rect class=\"helped\" x=\"50\" width=\"{right}\" height=\"10\"/></svg>",
        50 - left
    )
}
