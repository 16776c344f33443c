//! The first stage: what is kept of a turn.
//!
//! No model, no waiting: a turn's trace is shortened and redacted. What the program itself told the model is not among the words
//! the person said, so that nothing learned is learned again.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::protocol::event::{Activity, FileChangeKind};
use crate::protocol::learned::{CallRecord, FileTouched, TurnKind, TurnRecord, TurnStatus, Work};
use crate::protocol::trace::{CallTrace, Ended, TurnTrace};
use crate::text::redact::redact;
use crate::text::truncate::{self, OutputLimit};

/// How many bytes of a message are kept.
const MESSAGE: OutputLimit = OutputLimit::Bytes(4096);
/// How many bytes of a command or of a tool's arguments.
const COMMAND: OutputLimit = OutputLimit::Bytes(1024);
/// How many bytes of what a tool answered: its begin and its end.
const OUTPUT: OutputLimit = OutputLimit::Bytes(1024);
/// How much of a long text is looked at, from its begin and from its end.
const END: usize = 4 * 1024;
/// How many calls of a turn. The last ones say how it went.
const CALLS: usize = 200;

/// What else a record says, and what must not be in it.
pub struct Surroundings<'a> {
    /// Who asked for the turn.
    pub kind: TurnKind,
    /// Where the conversation is recorded.
    pub rollout: Option<PathBuf>,
    /// The folder that paths are relative to.
    pub root: &'a Path,
    /// Secrets the program knows word for word.
    pub secrets: &'a [&'a str],
}

/// What is kept of a turn.
#[must_use]
pub fn record(trace: TurnTrace, around: &Surroundings<'_>) -> TurnRecord {
    let keep = |text: &str, limit| {
        let near = ends(text);
        let clean = redact(&near, around.secrets);
        truncate::middle(&clean, limit).into_owned()
    };
    let skills = skills(&trace);
    let calls = &trace.calls[trace.calls.len().saturating_sub(CALLS)..];
    TurnRecord {
        turn: trace.turn,
        thread: trace.thread,
        kind: around.kind,
        started_ms: trace.started_ms,
        ended_ms: trace.ended_ms,
        model: trace.model.clone(),
        rollout: around.rollout.clone(),
        said: trace.said.iter().map(|text| keep(text, MESSAGE)).collect(),
        answer: trace.answer.as_deref().filter(|text| !text.is_empty()).map(|text| keep(text, MESSAGE)),
        status: match &trace.ended {
            Ended::Completed => TurnStatus::Completed,
            Ended::Failed(why) => TurnStatus::Failed(keep(why, COMMAND)),
            Ended::Interrupted => TurnStatus::Interrupted,
        },
        calls: calls.iter().map(|call| call_record(call, around, &keep)).collect(),
        skills,
        cwd: trace.cwd,
    }
}

/// The begin and the end of a long text, far more of it than is kept: what lies between cannot matter, and looking for secrets in
/// megabytes would hold up the turn's end.
fn ends(text: &str) -> Cow<'_, str> {
    if text.len() <= 3 * END {
        return Cow::Borrowed(text);
    }
    let begin = &text[..text.floor_char_boundary(END)];
    let end = &text[text.ceil_char_boundary(text.len() - END)..];
    Cow::Owned(format!("{begin}\n…\n{end}"))
}

fn call_record(call: &CallTrace, around: &Surroundings<'_>, keep: &impl Fn(&str, OutputLimit) -> String) -> CallRecord {
    let result = call.result.clone().unwrap_or_default();
    let (tool, work) = match &call.activity {
        Activity::Exec { command, cwd, .. } => {
            ("shell".to_owned(), Work::Command { line: keep(command, COMMAND), cwd: cwd.clone() })
        }
        Activity::Patch { .. } => ("apply_patch".to_owned(), Work::Edit),
        Activity::Other { tool, summary } => (tool.clone(), Work::Other { summary: keep(summary, COMMAND) }),
    };
    CallRecord {
        tool,
        work,
        ok: result.ok,
        exit_code: result.exit_code,
        output: keep(&result.output, OUTPUT),
        duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
        files: result.changes.iter().map(|change| touched(&change.path, &change.kind, around.root)).collect(),
    }
}

fn touched(path: &Path, kind: &FileChangeKind, root: &Path) -> FileTouched {
    let change = match kind {
        FileChangeKind::Add => "add",
        FileChangeKind::Delete => "delete",
        FileChangeKind::Update { .. } => "update",
    };
    FileTouched { path: path.strip_prefix(root).unwrap_or(path).to_owned(), change: change.to_owned() }
}

/// The skills that were given to the model, then those whose file it read by itself, in order, by the names of their folders.
fn skills(trace: &TurnTrace) -> Vec<String> {
    let given = trace.skills.iter().filter_map(|path| folder_name(path));
    let read = trace.calls.iter().flat_map(|call| match &call.activity {
        Activity::Exec { command: words, .. } | Activity::Other { summary: words, .. } => skill_files(words),
        Activity::Patch { .. } => Vec::new(),
    });
    let mut names: Vec<String> = Vec::new();
    for name in given.chain(read) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn skill_files(words: &str) -> Vec<String> {
    let paths = words.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ';' | '|' | '&' | ',' | ')'));
    paths.filter(|word| word.ends_with("/SKILL.md")).filter_map(|word| folder_name(Path::new(word))).collect()
}

fn folder_name(path: &Path) -> Option<String> {
    Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{FileChange, ToolResult};
    use crate::protocol::{ThreadId, TurnId};
    use std::time::Duration;

    fn exec(command: &str, exit_code: i32, output: &str) -> CallTrace {
        let result = ToolResult {
            ok: exit_code == 0,
            exit_code: Some(exit_code),
            session: None,
            duration: Duration::from_millis(12),
            output: output.to_owned(),
            changes: Vec::new(),
        };
        CallTrace {
            id: "call_1".to_owned(),
            activity: Activity::Exec { command: command.to_owned(), argv: Vec::new(), cwd: "/repo".into() },
            result: Some(result),
        }
    }

    fn trace(said: &str, calls: Vec<CallTrace>) -> TurnTrace {
        TurnTrace {
            turn: TurnId::new(),
            thread: ThreadId::new(),
            started_ms: 1,
            ended_ms: 2,
            cwd: "/repo".into(),
            model: "m".to_owned(),
            said: vec![said.to_owned()],
            answer: Some("done".into()),
            ended: Ended::Completed,
            calls,
            skills: vec!["/home/u/.codex/skills/hone-release/SKILL.md".into()],
        }
    }

    fn record_of(trace: TurnTrace) -> TurnRecord {
        let around = Surroundings {
            kind: TurnKind::Person,
            rollout: None,
            root: Path::new("/repo"),
            secrets: &["hunter2-word"],
        };
        record(trace, &around)
    }

    #[test]
    fn secrets_go_before_anything_is_kept_and_texts_are_bounded() {
        let key = "sk-proj-abcdefghij0123456789abcd";
        let long = "x".repeat(10_000);
        let call = exec(&format!("curl -H {key} hunter2-word"), 1, &format!("{long}{key}{long}"));
        let record = record_of(trace(&format!("use {key}"), vec![call; 300]));
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("sk-proj") && !text.contains("hunter2-word"), "{text}");
        assert_eq!(record.calls.len(), CALLS);
        assert!(record.calls[0].output.len() < 1200);
    }

    #[test]
    fn a_secret_at_a_cut_is_gone_whole() {
        let key = "sk-proj-abcdefghij0123456789abcd";
        for at in 440..600 {
            let output = format!("{}{key}{}", "a ".repeat(at / 2), " b".repeat(4000));
            let record = record_of(trace("x", vec![exec("t", 0, &output)]));
            assert!(!record.calls[0].output.contains("sk-pr"), "key at {at}");
        }
    }

    #[test]
    fn of_megabytes_the_ends_are_kept_and_no_secret_of_them() {
        let key = "sk-proj-abcdefghij0123456789abcd";
        let output = format!("first é{key}{}é{key} last", "öß\n".repeat(300_000));
        let kept = record_of(trace("x", vec![exec("t", 0, &output)])).calls[0].output.clone();
        assert!(kept.starts_with("first é[redacted]") && kept.ends_with("é[redacted] last"), "{kept}");
        assert!(kept.len() < 1200);
    }

    #[test]
    fn files_are_relative_and_skills_have_names() {
        let mut edit = exec("", 0, "");
        edit.activity = Activity::Patch { paths: vec!["/repo/src/a.rs".into()] };
        edit.result.as_mut().unwrap().changes = vec![
            FileChange { path: "/repo/src/a.rs".into(), kind: FileChangeKind::Add, diff: String::new() },
            FileChange { path: "/etc/x".into(), kind: FileChangeKind::Delete, diff: String::new() },
        ];
        let read = exec("cat '/home/u/.codex/skills/hone-test/SKILL.md' | head", 0, "");
        let record = record_of(trace("x", vec![edit, read]));
        let files: Vec<_> = record.calls[0].files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(files, ["src/a.rs", "/etc/x"]);
        assert_eq!(record.skills, ["hone-release", "hone-test"]);
    }
}
