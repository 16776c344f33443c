//! What the exit statuses of a conversation tell: checks that passed, and commands that failed until another one did.

use crate::protocol::learned::{CallRecord, TurnRecord, Work};

/// What a command is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To test.
    Test,
    /// To build.
    Build,
    /// To find faults without running.
    Lint,
    /// To format.
    Format,
    /// To get dependencies.
    Install,
}

/// A command with its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Ran<'a> {
    /// The turn, by its index.
    pub turn: usize,
    /// The command.
    pub line: &'a str,
    /// Its exit status.
    pub exit: i32,
    /// What it printed.
    pub output: &'a str,
}

/// A command failed, and then another one for the same end passed.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What failed.
    pub failed: Ran<'a>,
    /// What passed.
    pub passed: Ran<'a>,
}

/// How many calls later a command may still be the answer to one that failed.
const REACH: usize = 8;

enum Step<'a> {
    Ran(Ran<'a>),
    Edited,
}

/// The commands of `turns`, which are one conversation's with their indices, in order.
fn steps<'a>(turns: &[(usize, &'a TurnRecord)]) -> Vec<Step<'a>> {
    let step = |turn: usize, call: &'a CallRecord| match &call.work {
        Work::Command { line, .. } => {
            let exit = call.exit_code?;
            Some(Step::Ran(Ran { turn, line: line.trim(), exit, output: &call.output }))
        }
        Work::Edit if call.ok => Some(Step::Edited),
        Work::Edit | Work::Other { .. } => None,
    };
    turns.iter().flat_map(|(index, turn)| turn.calls.iter().filter_map(move |call| step(*index, call))).collect()
}

/// The commands that failed and what passed in their place, when it was the command and not an edit that made the difference,
/// and the failure was no passing one.
#[must_use]
pub fn pairs<'a>(turns: &[(usize, &'a TurnRecord)]) -> Vec<Pair<'a>> {
    let steps = steps(turns);
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let Step::Ran(failed) = step else { continue };
        if failed.exit == 0 || is_transient(failed) {
            continue;
        }
        let mut edited = false;
        for later in steps[at + 1..].iter().take(REACH) {
            match later {
                Step::Edited => edited = true,
                // Run again as it was, it says for itself how it goes.
                Step::Ran(later) if later.line == failed.line => break,
                Step::Ran(later) if later.exit == 0 && answers(failed, later) && (!edited || is_misuse(failed)) => {
                    pairs.push(Pair { failed: *failed, passed: *later });
                    break;
                }
                Step::Ran(_) => {}
            }
        }
    }
    pairs.dedup_by(|a, b| (a.failed.line, a.passed.line) == (b.failed.line, b.passed.line));
    pairs
}

/// Whether some check failed and then passed after an edit.
#[must_use]
pub fn check_turned(turns: &[(usize, &TurnRecord)]) -> bool {
    let steps = steps(turns);
    steps.iter().enumerate().any(|(at, step)| {
        let Step::Ran(failed) = step else { return false };
        failed.exit != 0
            && goal(failed.line).is_some()
            && steps[at + 1..]
                .iter()
                .any(|later| matches!(later, Step::Ran(ran) if ran.line == failed.line && ran.exit == 0))
    })
}

/// The commands that tested and passed, in their plain form.
#[must_use]
pub fn passed_checks<'a>(turns: &[(usize, &'a TurnRecord)]) -> Vec<Ran<'a>> {
    let plain =
        |line: &str| !line.contains(['|', ';', '&', '>', '<', '\n', '$']) && line.split_whitespace().count() <= 3;
    let mut checks: Vec<Ran<'a>> = Vec::new();
    for step in steps(turns) {
        if let Step::Ran(ran) = step
            && ran.exit == 0
            && plain(ran.line)
            && goal(ran.line) == Some(Goal::Test)
            && checks.iter().all(|seen| seen.line != ran.line)
        {
            checks.push(ran);
        }
    }
    checks
}

/// Whether `passed` is another way to what `failed` was after.
fn answers(failed: &Ran<'_>, passed: &Ran<'_>) -> bool {
    let (one, other) = (tokens(failed.line), tokens(passed.line));
    let narrows = one.iter().all(|token| other.contains(token)) && is_verdict(failed.output);
    if one.is_empty() || other.is_empty() || narrows {
        return false;
    }
    let same_goal = goal(failed.line).is_some() && goal(failed.line) == goal(passed.line);
    let subject =
        |tokens: &[&str]| tokens.iter().skip(1).find(|token| !token.starts_with('-')).map(|token| (*token).to_owned());
    let same_subject = one[0] == other[0] && subject(&one).is_some() && subject(&one) == subject(&other);
    // `python x.py` and `python3 x.py`.
    let other_program = one.len() > 1 && one[1..] == other[1..] && failed.exit == 127;
    same_goal || same_subject || other_program
}

/// What a command is run for.
#[must_use]
pub fn goal(line: &str) -> Option<Goal> {
    tokens(line).into_iter().take(4).find_map(|token| match token.rsplit('/').next().unwrap_or(token) {
        "test" | "tests" | "t" | "pytest" | "jest" | "vitest" | "nextest" | "tox" | "rspec" | "ctest" | "mocha"
        | "check" | "unittest" => Some(Goal::Test),
        "build" | "compile" | "tsc" => Some(Goal::Build),
        "lint" | "clippy" | "ruff" | "eslint" | "flake8" | "mypy" | "vet" => Some(Goal::Lint),
        "fmt" | "format" | "prettier" | "black" | "gofmt" | "rustfmt" => Some(Goal::Format),
        "install" | "ci" | "sync" | "i" => Some(Goal::Install),
        _ => None,
    })
}

/// The words of the command that counts: what a shell line ends with, without variables and the like before it.
fn tokens(line: &str) -> Vec<&str> {
    let last = line.rsplit("&&").next().unwrap_or(line).split(['|', ';', '>']).next().unwrap_or(line);
    let ahead = |token: &&str| {
        token.contains('=') && !token.starts_with('-') || matches!(*token, "sudo" | "time" | "env" | "exec")
    };
    last.split_whitespace().skip_while(ahead).collect()
}

/// Whether a failure says nothing about next time: the network, a lock, a signal, a full disk.
#[must_use]
pub fn is_transient(ran: &Ran<'_>) -> bool {
    const WORDS: &[&str] = &[
        "timed out",
        "timeout",
        "connection refused",
        "connection reset",
        "could not resolve",
        "temporary failure",
        "network is unreachable",
        "too many requests",
        "rate limit",
        "429",
        "502 bad",
        "503 service",
        "504 gateway",
        "resource temporarily unavailable",
        "text file busy",
        "no space left",
        "file lock",
        "address already in use",
        "out of memory",
        "cannot allocate memory",
        "econnreset",
        "etimedout",
        "eai_again",
        "index.lock",
        "超时",
    ];
    let output = ran.output.to_lowercase();
    matches!(ran.exit, 124 | 130 | 137 | 143) || ran.exit < 0 || WORDS.iter().any(|word| output.contains(word))
}

/// Whether the command itself was wrong, whatever the files held.
fn is_misuse(ran: &Ran<'_>) -> bool {
    const WORDS: &[&str] = &[
        "command not found",
        "no such command",
        "unknown option",
        "unrecognized",
        "unexpected argument",
        "no rule to make",
        "missing script",
        "not recognized",
        "unknown command",
        "invalid option",
        "no such subcommand",
        "does not contain recipe",
    ];
    let output = ran.output.to_lowercase();
    ran.exit == 127 || WORDS.iter().any(|word| output.contains(word))
}

/// Whether the output is a check's verdict about the code, so that choosing fewer checks is no remedy.
fn is_verdict(output: &str) -> bool {
    let output = output.to_lowercase();
    ["assert", "panicked", "test result: failed", "failures:", "expected"].iter().any(|word| output.contains(word))
}

/// The line of an output that says why, shortened; `None` when there is none that can be shown.
#[must_use]
pub fn decisive_line(output: &str) -> Option<String> {
    const WORDS: &[&str] = &[
        "error",
        "not found",
        "no such",
        "cannot",
        "fatal",
        "unknown",
        "unrecognized",
        "missing",
        "required",
        "denied",
        "invalid",
        "failed",
        "must be",
        "找不到",
        "错误",
        "失败",
        "缺少",
    ];
    let lines = || output.lines().map(str::trim).filter(|line| !line.is_empty());
    let says = |line: &&str| WORDS.iter().any(|word| line.to_lowercase().contains(word));
    let line = lines().find(says).or_else(|| lines().next_back())?;
    Some(line.chars().filter(|c| !c.is_control() && *c != '`').take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::stage::tests::{run, turn};

    fn found(calls: Vec<CallRecord>) -> Vec<String> {
        let turn = turn(1, "fix it", calls);
        pairs(&[(0, &turn)]).iter().map(|pair| format!("{} -> {}", pair.failed.line, pair.passed.line)).collect()
    }

    #[test]
    fn what_failed_and_what_answered_it() {
        let edit = || CallRecord { work: Work::Edit, exit_code: None, ..run("", 0, "") };
        for (calls, expected) in [
            (vec![run("cargo test", 101, "error: no env"), run("just t", 0, "ok")], vec!["cargo test -> just t"]),
            (
                vec![run("python x.py", 127, "python: command not found"), run("python3 x.py", 0, "")],
                vec!["python x.py -> python3 x.py"],
            ),
            (vec![run("cargo test", 101, "error"), run("cargo fmt", 0, "")], vec![]),
            (vec![run("cargo test", 101, "error"), edit(), run("cargo test --all", 0, "")], vec![]),
            (vec![run("cargo test", 101, "error"), run("cargo test", 0, ""), run("just t", 0, "")], vec![]),
            (vec![run("npm install", 1, "ETIMEDOUT"), run("pnpm install", 0, "")], vec![]),
            (vec![run("cargo test", 101, "assertion failed"), run("cargo test one", 0, "")], vec![]),
            (
                vec![run("make test", 2, "no rule to make target"), edit(), run("make check", 0, "")],
                vec!["make test -> make check"],
            ),
            (vec![run("grep x y", 1, ""), run("ls", 0, "")], vec![]),
        ] {
            assert_eq!(found(calls), expected);
        }
    }

    #[test]
    fn checks_and_reasons() {
        let turn = turn(
            1,
            "x",
            vec![
                run("just t", 0, ""),
                run("cargo test | tail", 0, ""),
                run("pytest", 1, ""),
                run("cargo test one::two -- --nocapture", 0, ""),
            ],
        );
        let checks: Vec<&str> = passed_checks(&[(0, &turn)]).iter().map(|ran| ran.line).collect();
        assert_eq!(checks, ["just t"]);
        assert_eq!(decisive_line("a\n  error: no `x`\nb").as_deref(), Some("error: no x"));
        assert_eq!(decisive_line(" \n"), None);
    }
}
