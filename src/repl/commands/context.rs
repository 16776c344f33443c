//! `/context`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::repl::screen::columns;
use crate::runtime::ContextReport;
use crate::text::width::{self, Break};

/// The command.
pub const COMMAND: Command = Command {
    name: "/context",
    aliases: &[],
    argument: "",
    help: "show what fills the model's window",
    // Whoever runs a turn has the conversation.
    while_busy: WhileBusy::Refuses("show the context"),
    run: |console, _| Box::pin(context(console)),
};

/// The longest bar. On a wide terminal a longer one says no more.
const WIDEST_BAR: usize = 40;
/// Where there is less room for a bar, it gets a row of its own.
const NARROWEST_BAR: usize = 4;

async fn context(console: &mut Console) {
    let report = match &console.session {
        Some(session) => session.context_report().await,
        None => None,
    };
    match report {
        Some(report) => console.say(&chart(&report, columns())),
        None => console.say("The session has ended."),
    }
}

/// The report on a screen of `columns`: a row for each kind, then what it comes to.
fn chart(report: &ContextReport, columns: usize) -> String {
    let room = columns.saturating_sub(1).max(1);
    let shares = &report.shares;
    let names = shares.iter().map(|share| width::width(share.name)).max().unwrap_or(0);
    let numbers = shares.iter().map(|share| share.tokens.to_string().len()).max().unwrap_or(0);
    let most = shares.iter().map(|share| share.tokens).max().unwrap_or(0).max(1);
    let sum = shares.iter().map(|share| share.tokens).sum::<usize>().max(1);
    // One column between name and number, and `  100%  ` in front of the bar.
    let beside = room.saturating_sub(names + 1 + numbers + 8).min(WIDEST_BAR);
    let names = names.min(room.saturating_sub(1 + numbers)).max(1);
    let mut rows: Vec<String> = Vec::new();
    for share in shares {
        let row = format!("{:<names$} {:>numbers$}", width::fit(share.name, names), share.tokens);
        if beside >= NARROWEST_BAR {
            let percent = (share.tokens * 200 + sum) / (sum * 2);
            rows.push(format!("{row}  {percent:>3}%  {}", bar(share.tokens, most, beside)));
        } else {
            rows.extend([row, bar(share.tokens, most, room)]);
        }
    }
    rows.extend(totals(report).iter().flat_map(|text| wrapped(text, room)));
    rows.join("\n")
}

/// `part` of `most` as a bar. What is there at all is seen.
fn bar(part: usize, most: usize, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part * width * 8).div_ceil(most);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn totals(report: &ContextReport) -> Vec<String> {
    let used = match report.usable_window {
        Some(window) => format!("{} of {window} tokens used", report.used),
        None => format!("{} tokens used", report.used),
    };
    let left = report.left_percent.map(|percent| format!("{percent}% left"));
    let compacts = match report.compacts_at {
        u64::MAX => "compacts only when asked to".to_owned(),
        limit => format!("compacts at {limit}"),
    };
    [Some(used), left, Some(compacts)].into_iter().flatten().collect()
}

/// A text in rows of at most `room` columns, broken between words.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    width::wrap(text, room, room, Break::Words).into_iter().map(|row| text[row].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::report::Share;

    fn report() -> ContextReport {
        let shares = [("instructions", 6_000), ("your messages", 20), ("tool outputs", 12_000)];
        ContextReport {
            shares: shares.map(|(name, tokens)| Share { name, tokens }).to_vec(),
            used: 18_100,
            usable_window: Some(258_400),
            left_percent: Some(98),
            compacts_at: 244_800,
        }
    }

    #[test]
    fn the_parts_and_their_sum_are_readable_on_every_terminal() {
        assert_eq!(
            chart(&report(), 60),
            "instructions   6000   33%  ████████████████\n\
             your messages    20    0%  ▏\n\
             tool outputs  12000   67%  ████████████████████████████████\n\
             18100 of 258400 tokens used\n98% left\ncompacts at 244800"
        );
        assert_eq!(
            chart(&report(), 20),
            "instructions   6000\n█████████▌\nyour messages    20\n▏\ntool outputs  12000\n███████████████████\n\
             18100 of 258400\ntokens used\n98% left\ncompacts at 244800"
        );
        for columns in [20, 40, 80, 300] {
            assert!(chart(&report(), columns).lines().all(|row| width::width(row) < columns), "{columns}");
        }
    }
}
