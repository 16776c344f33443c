//! Random scripts: nothing panics, and nothing that writes is known to read only.

use std::path::Path;

use hone::policy::{Access, Request, Verdict, judge};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::table::settings;

/// Each of these writes when a shell runs it, whatever stands around it outside quotes.
const WRITES: &[&str] = &[
    "rm x",
    "touch x",
    "echo a > x",
    "cat <a >>x",
    "sed -i s/a/b/ x",
    "find . -delete",
    "tee x",
    "sort -o x a",
    "git commit",
    "sort --outp=x a",
    "dd of=x",
    "cp a b",
    "uniq a b",
    "find . -exec rm {} +",
    "xargs rm",
    "env rm x",
    "sudo ls",
    "rg --pre=./x a",
    "git diff --output=x",
    "bash -c 'rm x'",
    "sh -c \"touch x\"",
    "eval rm x",
    "time rm x",
    "$(rm x)",
    "echo `rm x`",
    "echo \"$(rm x)\"",
    "cat <(rm x)",
    "X=1 make",
    "awk '{print > \"x\"}' a",
    "sed 'w x' a",
    ">x",
];

const READS: &[&str] =
    &["ls", "cat a", "git status", "echo 'a b'", "wc -l < a", "true", "grep -r \"x y\" .", "sed -n 1p a"];

/// What may join two commands so that both are looked at.
const JOINS: &[&str] = &[" && ", " || ", "; ", " | ", "\n", " & ", " |& ", ";\\\n "];

/// What may stand around a whole script; `@` is its place.
const AROUND: &[&str] = &[
    "@",
    "(@)",
    "{ @\n}",
    "if @\nthen ls; fi",
    "while @\ndo ls\ndone",
    "echo $(@\n)",
    "echo \"$(@\n)\"",
    "cat <(@\n)",
    "! @",
    "for x in a; do @\ndone",
    "ls # it's\n@",
    "cat <<'E'\nit's $(\nE\n@",
    "echo $((1 + 2)); @",
    "echo \\' ; @",
    "echo \"\\\"\"; @",
    "echo $'a' ; @",
    "echo ${HOME:-x}; @",
];

const PIECES: &[&str] = &[
    "'",
    "\"",
    "`",
    "$",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "|",
    "&",
    ";",
    "\n",
    "\\",
    " ",
    "#",
    "~",
    "*",
    "=",
    "-",
    "$(",
    "${",
    "$((",
    "))",
    "<<E",
    "E\n",
    "ls",
    "cat",
    "echo",
    "git log",
    "é",
    "\t",
    "\r",
    "$'",
    "2>&1",
    ">/dev/null",
    "if ",
    "then ",
    "bash -c ",
    "xargs ",
    "env ",
    "find . -exec ",
    "[[ ",
    "]]",
    "!",
    "\u{0}",
];

fn writing() -> impl Strategy<Value = String> {
    let part = prop::sample::select(READS);
    (
        prop::collection::vec((part.clone(), prop::sample::select(JOINS)), 0..3),
        prop::sample::select(WRITES),
        prop::collection::vec((prop::sample::select(JOINS), part), 0..3),
        prop::collection::vec(prop::sample::select(AROUND), 0..3),
    )
        .prop_map(|(before, write, after, around)| {
            let mut script: String = before.iter().flat_map(|(part, join)| [*part, *join]).collect();
            script.push_str(write);
            script.extend(after.iter().flat_map(|(join, part)| [*join, *part]));
            around.iter().fold(script, |script, around| around.replace('@', &script))
        })
}

fn noise() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

fn verdict(script: &str) -> Verdict {
    let command = ["bash", "-lc", script].map(str::to_owned);
    judge(&Request { access: Access::Exec(&command), cwd: Path::new("/repo"), escalation: None }, &settings("u"))
        .verdict
}

fn try_out(cases: u32) {
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    runner
        .run(&(writing(), noise()), |(script, noise)| {
            prop_assert_ne!(verdict(&script), Verdict::Allow, "{:?}", script);
            // No panic; and a write behind any noise on a line of its own is seen unless a quote holds it.
            let _any = verdict(&noise);
            let noisy = format!("{noise}\n{script}");
            let quoted = noise.contains(['\'', '"', '\\', '`', '$', '<']);
            prop_assert!(quoted || verdict(&noisy) != Verdict::Allow, "{noisy:?}");
            Ok(())
        })
        .unwrap();
}

#[test]
fn nothing_that_writes_is_known_to_read_only() {
    try_out(2_000);
}

/// `cargo test --test policy -- --ignored`: two or three judgements a case.
#[test]
#[ignore = "minutes; docs/policy.md has the figure"]
fn nothing_that_writes_is_known_to_read_only_in_a_million() {
    try_out(1_000_000);
}
