//! What happens in a turn, one event at a time: a row when a tool begins, a row when it ends, and the rows of everything
//! else that is neither an answer nor a diff.

use std::path::Path;
use std::time::Duration;

use crate::protocol::UserError;
use crate::protocol::event::{
    Activity, CompactionReason, Fallback, Lesson, PlanStep, SessionInfo, StepStatus, ToolResult, TurnSummary,
};
use crate::text::style::{Color, Look, Style};
use crate::text::styled::Styled;
use crate::text::width::{self, Break};

/// The page events are written on.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether it is coloured.
    pub style: Style,
}

impl Lines {
    /// For a terminal of `width` columns; very narrow ones are taken for 8.
    #[must_use]
    pub fn new(width: usize, style: Style) -> Self {
        Self { width: width.max(8), style }
    }

    /// A tool call that runs: `$ cargo test`.
    #[must_use]
    pub fn started(self, activity: &Activity, cwd: &Path) -> String {
        self.row(title(activity, cwd))
    }

    /// A tool call that ended: `✓ 1.2 s · 14 lines · /show 3`. `named` puts its title in front, for calls that ran side by
    /// side; `show` is the number its output was folded under.
    #[must_use]
    pub fn ended(self, named: Option<(&Activity, &Path)>, result: &ToolResult, show: Option<usize>) -> String {
        let failed = !result.ok || result.exit_code.is_some_and(|code| code != 0);
        let verdict = match result.exit_code {
            Some(code) if code != 0 => format!("✗ exit {code} "),
            _ if failed => "✗ failed ".to_owned(),
            _ => "✓ ".to_owned(),
        };
        let end = self.end(&verdict, failed, result, show);
        let mut text = Styled::new("  ", Look::PLAIN);
        if let Some((activity, cwd)) = named {
            // The end of the row is its news; the title gives way.
            let room = self.width.saturating_sub(end.width() + 3);
            if room >= 4 {
                text = title(activity, cwd).fit(room);
                text.push("  ", Look::PLAIN);
            }
        }
        text.append(&end);
        self.row(text)
    }

    /// The verdict, the time, the length of the output and where it is. A narrow terminal leaves out the middle.
    fn end(self, verdict: &str, failed: bool, result: &ToolResult, show: Option<usize>) -> Styled {
        let lines = result.output.lines().count();
        let time = format!("{}{}", if failed { "· " } else { "" }, seconds(result.duration));
        let details = match show.filter(|_| lines > 0) {
            None => vec![time],
            Some(number) => {
                let plural = if lines == 1 { "" } else { "s" };
                vec![
                    format!("{time} · {lines} line{plural} · /show {number}"),
                    format!("{time} · /show {number}"),
                    format!("/show {number}"),
                ]
            }
        };
        let room = self.width.saturating_sub(2 + width::width(verdict));
        let fitting = details.iter().find(|text| width::width(text) <= room).or(details.last());
        let mut end = Styled::new(verdict, Look::of(if failed { Color::Red } else { Color::Green }));
        end.push(fitting.map_or("", String::as_str), Look::DIM);
        end
    }

    /// The plan as a checklist.
    #[must_use]
    pub fn plan(self, explanation: Option<&str>, steps: &[PlanStep]) -> Vec<String> {
        let mut rows = Vec::new();
        if let Some(why) = explanation.filter(|why| !why.trim().is_empty()) {
            self.paragraph(&mut rows, &Styled::default(), &Styled::new(&words(why), Look::DIM));
        }
        for step in steps {
            let (mark, look) = match step.status {
                StepStatus::Completed => ("  [x] ", Look::of(Color::Green)),
                StepStatus::InProgress => ("  [>] ", Look::BOLD),
                StepStatus::Pending => ("  [ ] ", Look::PLAIN),
            };
            self.paragraph(&mut rows, &Styled::new(mark, look), &Styled::new(&words(&step.step), look));
        }
        rows
    }

    /// A reasoning summary.
    #[must_use]
    pub fn reasoning(self, text: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for line in text.trim().lines() {
            // Summaries come with bold headings; the marks say nothing in faint text.
            let line = words(line).replace("**", "");
            self.paragraph(&mut rows, &Styled::default(), &Styled::new(&line, Look { italic: true, ..Look::DIM }));
        }
        rows
    }

    /// What the person typed, as it stays in the scrollback.
    #[must_use]
    pub fn user(self, text: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for (index, line) in text.trim_end().lines().enumerate() {
            let mark = Styled::new(if index == 0 { "› " } else { "  " }, Look::of(Color::Cyan).bold());
            self.paragraph(&mut rows, &mark, &Styled::new(&words(line), Look::BOLD));
        }
        rows
    }

    /// A message that waits for the turn's next safe point.
    #[must_use]
    pub fn steer_queued(self, text: &str) -> String {
        self.steer("queued", text)
    }

    /// A message that has joined the turn.
    #[must_use]
    pub fn steer_inserted(self, text: &str) -> String {
        self.steer("inserted", text)
    }

    fn steer(self, what: &str, text: &str) -> String {
        let mut row = Styled::new(&format!("[steer] {what}: "), Look::of(Color::Cyan));
        row.push(&width::one_line(text), Look::PLAIN);
        self.row(row)
    }

    /// A request that is tried again.
    #[must_use]
    pub fn reconnecting(self, attempt: u32, max: u32, delay: Duration, detail: &str) -> Vec<String> {
        let text = format!("Reconnecting {attempt}/{max} in {}: {}", seconds(delay), width::one_line(detail));
        self.notice(&Styled::default(), &Styled::new(&text, Look::of(Color::Yellow)))
    }

    /// Another model is asked.
    #[must_use]
    pub fn fell_back(self, fallback: &Fallback) -> Vec<String> {
        let text = width::one_line(&fallback.to_string());
        self.notice(&Styled::default(), &Styled::new(&text, Look::of(Color::Yellow)))
    }

    /// The conversation is about to be replaced by a summary.
    #[must_use]
    pub fn compacting(self, reason: CompactionReason) -> String {
        let text = match reason {
            CompactionReason::ContextLimit => "The conversation fills its window; summarising it …",
            CompactionReason::UserRequested => "Summarising the conversation …",
        };
        self.row(Styled::new(text, Look::DIM))
    }

    /// The conversation was replaced by a shorter one.
    #[must_use]
    pub fn compacted(self, before: u64, after: u64) -> String {
        self.shrunk("Compacted", before, after, "; /compact undo takes it back")
    }

    /// The newest compaction was taken back.
    #[must_use]
    pub fn compaction_undone(self, before: u64, after: u64) -> String {
        self.shrunk("Compaction undone", before, after, "")
    }

    fn shrunk(self, what: &str, before: u64, after: u64, more: &str) -> String {
        let mut row = Styled::new(what, Look::of(Color::Cyan));
        row.push(&format!(": {} → {} tokens{more}", count(before), count(after)), Look::DIM);
        self.row(row)
    }

    /// What was learned, one line each.
    #[must_use]
    pub fn learned(self, lessons: &[Lesson]) -> Vec<String> {
        let shown = lessons.iter().enumerate().map(|(at, lesson)| {
            let head = if at == 0 { format!("learned {}: ", lessons.len()) } else { "  ".to_owned() };
            let short = lesson.id.get(..4).unwrap_or(&lesson.id);
            let next = if lesson.waits { "approve" } else { "why" };
            let mut row = Styled::new(&head, Look::of(Color::Cyan));
            row.push(&width::one_line(&lesson.text), Look::PLAIN);
            row.push(&format!(" · /memory {next} {short}"), Look::DIM);
            self.row(row)
        });
        shown.collect()
    }

    /// Something to know, though the turn goes on.
    #[must_use]
    pub fn warning(self, text: &str) -> Vec<String> {
        let mark = Styled::new("warning: ", Look::of(Color::Yellow).bold());
        self.notice(&mark, &Styled::new(&words(text), Look::PLAIN))
    }

    /// What went wrong and what to do next.
    #[must_use]
    pub fn error(self, error: &UserError) -> Vec<String> {
        let mark = Styled::new("error: ", Look::of(Color::Red).bold());
        let mut rows = self.notice(&mark, &Styled::new(&words(&error.message), Look::PLAIN));
        if let Some(hint) = &error.hint {
            let mark = Styled::new("hint: ", Look::of(Color::Cyan));
            rows.extend(self.notice(&mark, &Styled::new(&words(hint), Look::PLAIN)));
        }
        rows
    }

    /// The end of a turn that was interrupted.
    #[must_use]
    pub fn interrupted(self) -> String {
        self.row(Styled::new("interrupted", Look::of(Color::Yellow)))
    }

    /// The end of a turn: tokens, how many of them the provider had at hand, and time.
    #[must_use]
    pub fn completed(self, summary: &TurnSummary) -> String {
        let usage = summary.total_usage;
        let share = (usage.cached_input_tokens * 100).checked_div(usage.input_tokens).unwrap_or(0).min(100);
        let time = seconds(summary.duration);
        let long = format!(
            "{} in ({share} % cached) · {} out · {time}",
            count(usage.input_tokens),
            count(usage.output_tokens),
        );
        let short = format!("{} in · {} out", count(usage.input_tokens), count(usage.output_tokens));
        let text = if width::width(&long) <= self.width { long } else { short };
        self.row(Styled::new(&text, Look::DIM))
    }

    /// The head of a session.
    #[must_use]
    pub fn session(self, version: &str, info: &SessionInfo) -> Vec<String> {
        let mut first = Styled::new("hone", Look::BOLD);
        first.push(&format!(" {version}"), Look::DIM);
        let mut rows = vec![self.row(first)];
        let effort = info.effort.as_ref().map(|effort| format!(" ({effort})")).unwrap_or_default();
        let unsaved = if info.rollout_path.is_none() { ", not recorded" } else { "" };
        let sandbox = info.sandbox.clone().map(|sandbox| ("sandbox", sandbox));
        let values = [
            ("folder", info.cwd.display().to_string()),
            ("model", format!("{}{effort} · {}", info.model, info.provider)),
            ("session", format!("{}{unsaved}", info.thread_id)),
        ];
        for (name, value) in values.into_iter().chain(sandbox) {
            let mut row = Styled::new(&format!("{name:<8} "), Look::DIM);
            row.push(&width::one_line(&value), Look::PLAIN);
            rows.push(self.row(row));
        }
        rows
    }

    /// Says that an earlier session goes on.
    #[must_use]
    pub fn resumed(self, title: Option<&str>, items: usize) -> Vec<String> {
        let mut text = Styled::new("resumed", Look::of(Color::Cyan).bold());
        if let Some(title) = title.filter(|title| !title.trim().is_empty()) {
            text.push(&format!(" {}", words(title.trim())), Look::BOLD);
        }
        let plural = if items == 1 { "" } else { "s" };
        text.push(&format!(" · {items} item{plural}"), Look::DIM);
        self.notice(&Styled::default(), &text)
    }

    fn row(self, text: Styled) -> String {
        text.fit(self.width).paint(self.style)
    }

    fn notice(self, mark: &Styled, text: &Styled) -> Vec<String> {
        let mut rows = Vec::new();
        self.paragraph(&mut rows, mark, text);
        rows
    }

    /// Wraps `text` behind `mark`; further rows stand under the text when there is room for that.
    fn paragraph(self, rows: &mut Vec<String>, mark: &Styled, text: &Styled) {
        let under = if mark.width() * 3 <= self.width { mark.width() } else { 2 };
        let first = self.width.saturating_sub(mark.width());
        for (index, range) in width::wrap(text.text(), first, self.width - under, Break::Words).into_iter().enumerate()
        {
            let mut row = if index == 0 { mark.clone() } else { Styled::new(&" ".repeat(under), Look::PLAIN) };
            row.append_part(text, range);
            rows.push(self.row(row));
        }
    }
}

/// What runs, in one line: `$ cargo test`, `patch src/a.rs`, `read_file src/a.rs`.
#[must_use]
pub fn title(activity: &Activity, cwd: &Path) -> Styled {
    let (name, rest) = match activity {
        Activity::Exec { command, .. } => ("$".to_owned(), width::exact(command.trim_end()).into_owned()),
        Activity::Patch { paths } => {
            let paths: Vec<_> = paths.iter().map(|path| super::diff::relative(path, cwd)).collect();
            ("patch".to_owned(), paths.join(" "))
        }
        Activity::Other { tool, summary } => (width::one_line(tool), width::one_line(summary)),
    };
    let mut text = Styled::new(&name, Look::BOLD);
    text.push(&format!(" {rest}"), Look::PLAIN);
    text
}

/// Text of several lines made harmless, its line feeds kept.
fn words(text: &str) -> String {
    text.lines().map(width::clean_line).collect::<Vec<_>>().join("\n")
}

/// `812`, `12.3k`, `4.0M`.
#[must_use]
pub fn count(tokens: u64) -> String {
    let scaled = |unit: u64, name: &str| format!("{}.{}{name}", tokens / unit, tokens % unit * 10 / unit);
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        _ => scaled(1_000_000, "M"),
    }
}

/// `340 ms`, `1.2 s`, `3 m 05 s`.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64().min(59.9)),
        whole => format!("{} m {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ErrorKind, TurnId, Usage};
    use std::fmt::Write;

    fn everything(lines: Lines) -> String {
        let cwd = Path::new("/home/me/project");
        let command = Activity::Exec {
            command: "cargo test\n--workspace \x1b[31m中文 🎉".into(),
            argv: Vec::new(),
            cwd: cwd.into(),
        };
        let patch = Activity::Patch { paths: vec![cwd.join("src/main.rs"), "/etc/hosts".into()] };
        let tool = Activity::Other { tool: "read_file".into(), summary: "src/main.rs:1-40".into() };
        let good = ToolResult {
            ok: true,
            exit_code: Some(0),
            duration: Duration::from_millis(1234),
            output: "a\nb\n".into(),
            ..ToolResult::default()
        };
        let bad = ToolResult { exit_code: Some(101), ok: true, ..good.clone() };
        let broken = ToolResult { ok: false, exit_code: None, output: String::new(), ..good.clone() };
        let steps = [
            ("Read", StepStatus::Completed),
            ("Change the parser, then all its callers", StepStatus::InProgress),
            ("测试一下", StepStatus::Pending),
        ]
        .map(|(step, status)| PlanStep { step: step.into(), status });
        let summary = TurnSummary {
            turn_id: TurnId::new(),
            last_message: None,
            total_usage: Usage {
                input_tokens: 12_345,
                cached_input_tokens: 10_000,
                output_tokens: 678,
                ..Usage::default()
            },
            duration: Duration::from_secs(125),
        };
        let info = SessionInfo {
            thread_id: "0198c5c4-3f5e-7000-8000-000000000001".parse().unwrap(),
            model: "gpt-5".into(),
            provider: "openai".into(),
            cwd: cwd.into(),
            sandbox: None,
            rollout_path: None,
            effort: Some("high".into()),
            resumed_items: None,
            title: None,
        };
        let mut rows = lines.session("0.1.0", &info);
        rows.extend(lines.resumed(Some("Fix the parser"), 42));
        rows.extend(lines.user("make it work\nplease"));
        rows.extend(lines.reasoning("**Looking** at the parser\nIt seems fine."));
        rows.push(lines.started(&command, cwd));
        rows.push(lines.ended(None, &good, Some(3)));
        rows.push(lines.ended(Some((&command, cwd)), &bad, Some(4)));
        rows.push(lines.started(&patch, cwd));
        rows.push(lines.started(&tool, cwd));
        rows.push(lines.ended(None, &broken, Some(5)));
        rows.extend(lines.plan(Some("The tests come first."), &steps));
        rows.push(lines.steer_queued("use the other one"));
        rows.push(lines.steer_inserted("use the other one"));
        rows.extend(lines.reconnecting(1, 5, Duration::from_millis(200), "connection reset by peer"));
        rows.push(lines.compacting(CompactionReason::ContextLimit));
        rows.push(lines.compacted(210_400, 12_300));
        rows.push(lines.compaction_undone(12_300, 210_400));
        rows.extend(lines.warning("the skill `x` could not be read"));
        rows.extend(
            lines.error(&UserError::new(ErrorKind::Usage, "no such model `gpt-9`").hint("pick one with /model")),
        );
        rows.push(lines.completed(&summary));
        rows.push(lines.interrupted());
        let mut page = String::new();
        for row in rows {
            if !lines.style.color {
                assert!(width::width(&row) <= lines.width && !row.chars().any(char::is_control), "{row:?}");
            }
            writeln!(page, "{}", row.replace('\x1b', "␛")).unwrap();
        }
        page
    }

    #[test]
    fn a_turn_is_readable_at_every_width() {
        for (name, width, style) in [
            ("lines_20", 20, Style::PLAIN),
            ("lines_80", 80, Style::PLAIN),
            ("lines_80_coloured", 80, Style::COLORED),
            ("lines_300", 300, Style::PLAIN),
        ] {
            insta::assert_snapshot!(name, everything(Lines::new(width, style)));
        }
    }

    #[test]
    fn numbers_are_short() {
        for (tokens, text) in
            [(0, "0"), (999, "999"), (1_000, "1.0k"), (12_399, "12.3k"), (999_999, "999.9k"), (4_050_000, "4.0M")]
        {
            assert_eq!(count(tokens), text);
        }
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1_234, "1.2 s"), (59_990, "59.9 s"), (185_000, "3 m 05 s")] {
            assert_eq!(seconds(Duration::from_millis(ms)), text);
        }
    }
}
