//! The main moments as a person sees them. Each is a snapshot, and stands in `docs/screens.md` as well.

use serde_json::json;

use crate::desk::{Desk, answer, command, slow_answer};
use crate::support::terminal::Terminal;
use crate::support::{Gate, Reply, Step, speech};

const ANSWER: &str = "## What I found\n\nThe loop in `main.rs` **never ends**:\n\n1. it counts down\n2. and compares \
                      with `>=`\n\n| case | steps |\n|------|------:|\n| 0    | ∞     |\n| 3    | 4     |\n\n```rust\nfor n in (0..3).rev() {\n    \
                      println!(\"{n}\");\n}\n```\n\nThat is all.";

/// A screen with what differs from run to run made the same.
fn steady(desk: &Desk, screen: &str) -> String {
    let folder = desk.folder.path().display().to_string();
    let rows = screen.lines().map(|row| steady_row(&row.replace(&folder, "/home/me/project")));
    rows.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn steady_row(row: &str) -> String {
    for (name, value) in [("folder   ", "/home/me/project"), ("session  ", "0198c5c4-3f5e-7000-8000-000000000001")] {
        if let Some(shown) = row.strip_prefix(name).filter(|shown| shown.ends_with('…')) {
            return name.chars().chain(value.chars().take(shown.chars().count() - 1)).chain(['…']).collect();
        }
    }
    let row: String = row.chars().map(|c| if ('⠀'..='⣿').contains(&c) { '⠋' } else { c }).collect();
    let words: Vec<_> = row.split(' ').collect();
    let mut steady: Vec<&str> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let unit = words.get(index + 1).is_some_and(|next| ["ms", "s", "ms:", "s:"].contains(next)) && is_number(word);
        let after_number = index > 0 && ["ms", "s"].contains(word) && is_number(words[index - 1]);
        steady.push(match *word {
            "ms:" | "s:" if index > 0 && is_number(words[index - 1]) => "ms:",
            // The size of a context hangs on the words it is made of.
            _ if index > 0 && words[index - 1] == "→" && word.ends_with('k') => "2.3k",
            _ if unit => "7",
            _ if after_number => "ms",
            _ if *word == env!("CARGO_PKG_VERSION") => "0.1.0",
            _ if word.len() == 36 && word.matches('-').count() == 4 => "0198c5c4-3f5e-7000-8000-000000000001",
            _ if word.strip_suffix('s').is_some_and(is_number) => "0s",
            word => word,
        });
    }
    steady.join(" ").trim_end().to_owned()
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Holds the screen to its snapshot, and the page of screens to the screen.
fn show(name: &str, desk: &Desk, screen: &str) {
    let screen = steady(desk, screen);
    insta::assert_snapshot!(name, screen);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screens.md")).unwrap();
    assert!(page.contains(&format!("```text\n{screen}\n```")), "docs/screens.md shows `{name}` differently:\n{screen}");
}

/// The terminal once nothing runs and everything is drawn: with the last row of a turn on it and the prompt at rest.
fn at_rest(terminal: &Terminal, text: &str) -> String {
    terminal.wait_until(&format!("`{text}` is shown and all is at rest"), |screen| {
        screen.contains(text)
            && screen.trim_end().ends_with('›')
            && !screen.lines().last().unwrap_or_default().contains(|c| ('⠀'..='⣿').contains(&c))
    })
}

#[test]
fn start() {
    let desk = Desk::new(vec![]);
    let terminal = desk.start(&[]);
    show("start", &desk, &at_rest(&terminal, "session"));
}

#[test]
fn streaming_with_tools() {
    let gate = Gate::default();
    let plan = speech::call(
        "p1",
        "update_plan",
        &json!({"plan": [
            {"step": "Read the loop", "status": "completed"},
            {"step": "Find why it never ends", "status": "in_progress"},
            {"step": "Say so", "status": "pending"},
        ]}),
    );
    let script = "printf 'one\\ntwo\\nthree\\n'; exit 3";
    let call = speech::call("c1", "exec_command", &json!({"cmd": script, "yield_time_ms": 30_000}));
    let thought = speech::message("I look at it **first**.");
    let (first, rest) = ANSWER.split_at(ANSWER.find(" in `main").unwrap());
    let desk = Desk::new(vec![
        Reply::sse(&speech::response(&[thought, plan])),
        Reply::sse(&speech::response(&[call])),
        slow_answer(first, &gate, rest),
    ]);
    let mut terminal = desk.start_sized(&[], 40, 80);
    terminal.keys("why does it hang?\r");
    let screen = terminal
        .wait_until("the answer streams", |screen| screen.contains("The loop") && screen.trim_end().ends_with('›'));
    show("streaming", &desk, &screen);
    gate.open();
    let screen = at_rest(&terminal, " out · ");
    show("answered", &desk, &screen);
    terminal.keys("/show 1\r");
    at_rest(&terminal, "\n$ printf 'one\\ntwo\\nthree\\n'; exit 3\none\ntwo\nthree\n");
}

#[test]
fn diff() {
    let patch = "*** Begin Patch\n*** Update File: src/main.rs\n@@\n fn main() {\n-    let count = old_value(1);\n+    \
                 let count = new_value(1);\n+    // 中文 🎉\n }\n*** Add File: NOTES.md\n+# Notes\n*** End Patch\n";
    let desk = Desk::new(vec![
        Reply::sse(&speech::response(&[speech::custom_call("c1", "apply_patch", patch)])),
        answer("Renamed it."),
    ]);
    std::fs::create_dir(desk.folder.path().join("src")).unwrap();
    std::fs::write(desk.folder.path().join("src/main.rs"), "fn main() {\n    let count = old_value(1);\n}\n").unwrap();
    let mut terminal = desk.start(&[]);
    terminal.keys("rename it\r");
    show("diff", &desk, &at_rest(&terminal, " out · "));
}

#[test]
fn resume_picker_and_the_last_exchange() {
    let desk = Desk::new(vec![answer("One."), answer("Two, in **bold** and `code`:\n\n- a\n- b")]);
    for prompt in ["count the steps of the loop", "and now in words"] {
        let mut terminal = desk.start(&[]);
        terminal.keys(&format!("{prompt}\r"));
        at_rest(&terminal, " out · ");
        terminal.keys("/exit\r");
        assert!(terminal.wait_for_end().success());
    }
    let mut terminal = desk.start(&["resume"]);
    show("resume_picker", &desk, &at_rest(&terminal, "/resume N"));
    terminal.keys("/resume 1\r");
    show("resumed", &desk, &at_rest(&terminal, "• b"));
}

#[test]
fn compaction() {
    let mut full = speech::completed();
    full["response"]["usage"]["total_tokens"] = json!(50_000);
    let first = Reply::sse(&[speech::created(), speech::done(speech::message(&"A long story. ".repeat(300))), full]);
    let summary = answer("Goal: tell stories. Done: one. Next: another one.");
    let keys = "model_auto_compact_token_limit = 20000\n";
    let desk = Desk::configured(keys, 0, vec![first, summary, answer("Another story.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("tell me a story\r");
    at_rest(&terminal, " out · ");
    terminal.keys("another\r");
    let screen = at_rest(&terminal, "Another story.");
    let screen = &screen[screen.find("› another").unwrap()..];
    show("compaction", &desk, screen);
}

#[test]
fn error() {
    let desk = Desk::new(vec![Reply::status(
        400,
        &[("content-type", "application/json")],
        r#"{"error":{"message":"The model `gpt-x` does not exist."}}"#,
    )]);
    let mut terminal = desk.start(&[]);
    terminal.keys("hello\r");
    show("error", &desk, &at_rest(&terminal, "error:"));
}

#[test]
fn a_stream_that_breaks_leaves_its_row_and_begins_anew_below() {
    let begin = speech::sse(&[speech::created(), speech::delta("Half an ans")]);
    let desk = Desk::configured("", 1, vec![Reply::stream(vec![Step::Write(begin)]), answer("A whole answer.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("go on\r");
    show("reconnecting", &desk, &at_rest(&terminal, " out · "));
}

#[test]
fn narrow_and_wide_terminals() {
    for (name, columns) in [("narrow", 20), ("wide", 300)] {
        let gate = Gate::default();
        gate.open();
        let desk = Desk::new(vec![command("echo done"), slow_answer("", &gate, ANSWER)]);
        let mut terminal = desk.start_sized(&[], 50, columns);
        terminal.keys("why does it hang?\r");
        show(name, &desk, &at_rest(&terminal, "200 in"));
    }
}

#[test]
fn without_colour_no_colour_is_written_and_a_dumb_terminal_gets_lines_alone() {
    for (env, sequences) in [
        (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")][..], &["\x1b[1m", "\x1b[2m", "\x1b[1;", "\x1b[36m"][..]),
        (&[("TERM", "dumb")][..], &["\x1b"][..]),
    ] {
        let gate = Gate::default();
        gate.open();
        let desk = Desk::new(vec![command("echo done"), slow_answer("## Head", &gate, "ing\n\nText with `code`.")]);
        let mut terminal = desk.start_with(env, &[], 24, 80);
        terminal.keys("go\r");
        let screen = terminal.wait_for("200 in");
        assert!(screen.contains("$ echo done\n  ✓ "), "{screen}");
        assert!(screen.contains("## Heading\n\nText with `code`.\n"), "{screen}");
        for sequence in sequences {
            assert!(!terminal.has_written(sequence), "{env:?} wrote {sequence:?}");
        }
    }
}
