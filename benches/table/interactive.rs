//! The interactive session, in a pseudo-terminal: what a person waits for, and what a session costs that nobody types in.
//!
//! Processor time is read from `/proc`, as the time all threads of the process have run.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::lab::{Lab, status_of};
use super::row::Row;
use super::scenarios::{Scenario, copies, ms, recorded};
use super::server::answer;
use super::speech::{completed, created, delta, done, message};
use super::terminal::Terminal;

/// The rows by name.
pub const SCENARIOS: &[(&str, Scenario)] = &[
    ("interactive: start to prompt, 10,000 sessions", start),
    ("interactive: key to echo", echo_idle),
    ("interactive: key to echo, 1,000 deltas/s", echo_streaming),
    ("interactive: processor time of a 50 KB answer in 2 s", long_answer),
    ("interactive: processor time of 5 s at the prompt", idle),
];

/// The end of the prompt.
const PROMPT: &str = "›";
/// The end of the line below a turn.
const TURN_END: &str = " out";
/// Keys that are timed in one run; each is a letter that is nowhere else on the screen.
const KEYS: std::ops::Range<u32> = 0x100..0x128;

fn start(lab: &Lab) -> Row {
    let (_, text) = recorded(lab);
    copies(lab, &text, 10_000);
    let lines =
        (0..20_000).map(|number| format!("{{\"session_id\":\"s\",\"ts\":{number},\"text\":\"prompt {number}\"}}\n"));
    fs::write(lab.home.join("history.jsonl"), lines.collect::<String>()).unwrap();
    let mut memory = None;
    let row = lab.row("ms", || {
        let begin = Instant::now();
        let terminal = open(lab);
        let took = ms(begin.elapsed());
        memory = status_of(terminal.id(), "VmRSS:");
        took
    });
    row.with_memory(memory)
}

fn echo_idle(lab: &Lab) -> Row {
    lab.rows("ms", || echoes(&mut open(lab)))
}

fn echo_streaming(lab: &Lab) -> Row {
    // Far more than is streamed until the last key was seen; then the process is killed.
    let words: Vec<String> = (0..60_000).map(|number| format!("{number} ")).collect();
    let answers = [answer(&streamed(&words))];
    lab.rows("ms", || {
        lab.server.script(&answers);
        lab.server.stream(Duration::from_millis(1));
        let mut terminal = open(lab);
        terminal.keys("go\r");
        terminal.wait_for(" 60 ");
        let times = echoes(&mut terminal);
        assert!(!terminal.screen().contains(TURN_END), "the answer has ended before the keys");
        times
    })
}

/// Milliseconds from each key to its letter on the screen.
fn echoes(terminal: &mut Terminal) -> Vec<f64> {
    let letters = KEYS.filter_map(char::from_u32).map(String::from);
    let timed = letters.enumerate().map(|(number, letter)| {
        // Keys come at all moments between two paintings.
        thread::sleep(Duration::from_millis(20 + 7 * number as u64 % 33));
        let begin = Instant::now();
        terminal.keys(&letter);
        terminal.wait_for(&letter);
        ms(begin.elapsed())
    });
    timed.collect()
}

fn long_answer(lab: &Lab) -> Row {
    let text: String = SECTION.chars().cycle().take(50_000).collect();
    let pieces: Vec<String> = text.as_bytes().chunks(25).map(|piece| String::from_utf8_lossy(piece).into()).collect();
    let answers = [answer(&streamed(&pieces))];
    let mut memory = None;
    let row = lab.row("ms", || {
        lab.server.script(&answers);
        lab.server.stream(Duration::from_millis(1));
        let mut terminal = open(lab);
        let before = processor_time(terminal.id());
        terminal.keys("go\r");
        terminal.wait_for(TURN_END);
        memory = status_of(terminal.id(), "VmRSS:");
        processor_time(terminal.id()) - before
    });
    row.with_memory(memory)
}

fn idle(lab: &Lab) -> Row {
    lab.row("ms", || {
        let terminal = open(lab);
        let before = processor_time(terminal.id());
        thread::sleep(Duration::from_secs(5));
        processor_time(terminal.id()) - before
    })
}

/// A session that has just shown its prompt.
fn open(lab: &Lab) -> Terminal {
    let mut command = Command::new(super::lab::HONE);
    command.current_dir(&lab.work).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TERM", "xterm-256color");
    command.env("HOME", &lab.home).env("CODEX_HOME", &lab.home);
    let terminal = Terminal::start(command, 30, 100);
    terminal.wait_for(PROMPT);
    terminal
}

/// A response that says `pieces` one after the other.
fn streamed(pieces: &[String]) -> Vec<Value> {
    let deltas = pieces.iter().map(|piece| delta(piece));
    [created()].into_iter().chain(deltas).chain([done(message(&pieces.concat())), completed()]).collect()
}

/// Milliseconds all threads of a process have run, those that have ended left out.
fn processor_time(id: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
    let times = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    times.map(|text| text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6).sum()
}

/// All kinds of Markdown an answer is made of.
const SECTION: &str = "\
## The next part

Some **bold** text with `code` and a [link](https://example.org/) that goes on for a while, so that it must be wrapped.

- one item
- another with *emphasis*

```rust
fn main() {
    let numbers = vec![1, 2, 3];
    println!(\"{numbers:?}\");
}
```

| name | meaning |
|---|---|
| one | the first |
| two | the second |

";
