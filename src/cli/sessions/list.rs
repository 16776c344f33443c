//! `hone sessions list`.

use std::fmt::Write as _;

use clap::Args;

use super::place::Place;
use super::words::{age, describe, one_line};
use crate::cli::terminal;
use crate::protocol::{ThreadId, UserError};
use crate::rollout::index::{self, Scan, Selection, SessionSummary};

/// Fewer characters of an id look like a mistake.
const MIN_ID: usize = 8;

/// `hone sessions list …`
#[derive(Debug, Args)]
pub struct List {
    /// Those of all folders
    #[arg(long)]
    pub all: bool,
    /// Those put away
    #[arg(long)]
    pub archived: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// At most this many
    #[arg(short, value_name = "N", default_value_t = 20)]
    pub n: usize,
}

pub(super) fn run(place: &Place, list: &List) -> Result<u8, UserError> {
    let Scan { sessions: all, .. } = index::scan(&place.home)?;
    let ids = Ids::of(&all);
    let problems = all.iter().filter(|session| session.problem.is_some()).count();
    let cwd = (!list.all).then_some(place.cwd.as_path());
    let chosen = Selection { cwd, provider: None, archived: list.archived }.of(all);
    let shown = &chosen[..chosen.len().min(list.n)];
    let mut out = String::new();
    for session in shown {
        if list.json {
            writeln!(out, "{}", describe(session)).unwrap_or_default();
        } else {
            line(&mut out, session, &ids, list.all);
        }
    }
    terminal::print(&out);
    terminal::print_error(&footer(place, list, shown.len(), chosen.len(), problems));
    Ok(0)
}

fn line(out: &mut String, session: &SessionSummary, ids: &Ids, with_folder: bool) {
    let id = session.id.to_string();
    let what = session.title.as_deref().or(session.first_user_message.as_deref()).unwrap_or("(nothing said yet)");
    let turns = format!("{}{}", session.turns, if session.more_turns { "+" } else { "" });
    let unit = if turns == "1" { "turn " } else { "turns" };
    let model = session.model.as_deref().unwrap_or("-");
    let age = age(session.modified);
    write!(out, "{}  {age:>8}  {turns:>4} {unit}  {model:<14}  {}", &id[..ids.shown], one_line(what))
        .unwrap_or_default();
    if with_folder {
        write!(out, "  [{}]", session.cwd.display()).unwrap_or_default();
    }
    out.push('\n');
}

/// What is not in the list, and how to see it.
fn footer(place: &Place, list: &List, shown: usize, chosen: usize, problems: usize) -> String {
    let mut text = String::new();
    let of = if list.all { String::new() } else { format!(" of {}", place.cwd.display()) };
    let archived = if list.archived { " archived" } else { "" };
    let all = if list.all { "" } else { "; --all shows those of every folder" };
    if chosen == 0 {
        writeln!(text, "no{archived} sessions{of}{all}").unwrap_or_default();
    } else if shown < chosen {
        writeln!(text, "{shown} of {chosen}{archived} sessions{of}; -n {chosen} shows the rest").unwrap_or_default();
    }
    if problems > 0 {
        let (files, have) = if problems == 1 { ("file", "has") } else { ("files", "have") };
        writeln!(text, "{problems} session {files} {have} something wrong; `hone sessions repair --all` says what and sets it right")
            .unwrap_or_default();
    }
    text
}

/// How much of an id is enough to name it.
struct Ids {
    shown: usize,
}

impl Ids {
    fn of(all: &[SessionSummary]) -> Self {
        let mut ids: Vec<ThreadId> = all.iter().map(|session| session.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let longest = texts.windows(2).map(|pair| common(&pair[0], &pair[1])).max().unwrap_or(0);
        // The dashes stand after 8, 13, 18 and 23; ending with one looks odd.
        let shown = (longest + 1).max(MIN_ID);
        Self { shown: if matches!(shown, 9 | 14 | 19 | 24) { shown + 1 } else { shown }.min(36) }
    }
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}
