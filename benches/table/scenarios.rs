//! What is measured, in the order of the table.
//!
//! A gap is the time from the server's last byte to the first byte of the next request: parsing, the tool's run, the history
//! and the next request, without any time of the model's.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::lab::{Lab, Run};
use super::learned;
use super::row::Row;
use super::server::{Answer, answer, gaps};
use super::speech::{self, call, completed, created, custom_call, delta, done, message, response};

/// How a row is measured.
pub type Scenario = fn(&Lab) -> Row;

/// The rows by name.
pub const SCENARIOS: &[(&str, Scenario)] = &[
    ("cold start, `--version`", cold_start),
    ("one-shot turn", one_shot),
    ("one-shot turn, shown some of 200 memories", with_200_memories),
    ("one-shot turn, shown some of 1,000 memories", with_1000_memories),
    ("keeping the record of a turn of 40 calls, 95th of 100", keeping_a_record),
    ("shell round trip (of 200)", shell_round_trips),
    ("growing history (100 × 20 KB), per MB sent", growing_history),
    ("reply of 100,000 deltas", deltas),
    ("reply of one 20 MB item", big_item),
    ("8 parallel `sleep 0.5`", parallel_sleeps),
    ("command printing 200 MB", printing),
    ("resume 50 MB, 20,000 items", resume_big),
    ("resume the latest of 2,000 sessions", resume_latest),
    ("patch of 200 hunks to a 5 MB file", patch),
    ("grep over 50,000 files", grep),
    ("50 one-shot turns at once, each", many_at_once),
];

const RESUME: &[&str] = &["exec", "resume", "--last", "go"];

fn cold_start(lab: &Lab) -> Row {
    lab.row("ms", || {
        let begin = Instant::now();
        assert!(lab.spawn(&["--version"]).wait().unwrap().success());
        ms(begin.elapsed())
    })
}

fn one_shot(lab: &Lab) -> Row {
    let answers = [ok()];
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    lab.row("ms", || ms(lab.turn(&answers).wall)).with_memory(memory)
}

fn keeping_a_record(lab: &Lab) -> Row {
    lab.row("ms", || learned::keep_records(lab, 100, 95))
}

fn with_200_memories(lab: &Lab) -> Row {
    with_memories(lab, 200)
}

fn with_1000_memories(lab: &Lab) -> Row {
    with_memories(lab, 1_000)
}

fn with_memories(lab: &Lab, count: u64) -> Row {
    let told = learned::learn(lab, count);
    let answers = [ok()];
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    let row = lab.row("ms", || {
        let run = lab.run(&["exec", "What about part17?"], &answers);
        assert!(run.exchanges[0].bytes > told, "nothing learned was sent");
        ms(run.wall)
    });
    row.with_memory(memory)
}

fn shell_round_trips(lab: &Lab) -> Row {
    let answers = commands(200, "true");
    lab.row("ms", || median(gaps(&lab.turn(&answers).exchanges).into_iter().map(ms).collect()))
}

fn growing_history(lab: &Lab) -> Row {
    let answers = commands(100, "head -c 20000 /dev/zero | tr '\\0' x");
    lab.row("ms", || {
        let exchanges = lab.turn(&answers).exchanges;
        let sent = exchanges.iter().skip(1).map(|exchange| exchange.bytes as f64 / 1e6);
        slope(&sent.zip(gaps(&exchanges).into_iter().map(ms)).collect::<Vec<_>>())
    })
}

fn deltas(lab: &Lab) -> Row {
    let count = 100_000;
    let text = "tok1 ".repeat(count);
    let mut events = vec![created()];
    events.extend((0..count).map(|_| delta("tok1 ")));
    events.extend([done(message(&text)), completed()]);
    whole_turn(lab, &events)
}

fn big_item(lab: &Lab) -> Row {
    whole_turn(lab, &response(&[message(&"0123456789 abcdef\n".repeat(20_000_000 / 18))]))
}

fn whole_turn(lab: &Lab, events: &[Value]) -> Row {
    let answers = [answer(events)];
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    lab.row("s", || lab.turn(&answers).wall.as_secs_f64()).with_memory(memory)
}

fn parallel_sleeps(lab: &Lab) -> Row {
    let calls: Vec<Value> = (0..8).map(|number| command(number, "sleep 0.5")).collect();
    let answers = [answer(&response(&calls)), ok()];
    lab.row("s", || only_gap(&lab.turn(&answers)))
}

fn printing(lab: &Lab) -> Row {
    let answers = [answer(&response(&[command(0, "yes 0123456789abcdef | head -c 200000000")])), ok()];
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    lab.row("s", || only_gap(&lab.turn(&answers))).with_memory(memory)
}

fn resume_big(lab: &Lab) -> Row {
    let (path, first) = recorded(lab);
    let session = first + &rounds(5_000);
    let reset = || fs::write(&path, &session).unwrap();
    reset();
    let memory = lab.peak_of_turn(RESUME, &[ok()]);
    let row = lab.row("s", || {
        reset();
        let run = lab.run(RESUME, &[ok()]);
        assert!(run.exchanges[0].bytes > 40_000_000, "the history was not sent");
        run.wall.as_secs_f64()
    });
    row.with_memory(memory)
}

fn resume_latest(lab: &Lab) -> Row {
    let (path, text) = recorded(lab);
    copies(lab, &text, 2_000);
    // The session that was recorded is the latest.
    fs::write(path, text).unwrap();
    let memory = lab.peak_of_turn(RESUME, &[ok()]);
    lab.row("ms", || ms(lab.run(RESUME, &[ok()]).wall)).with_memory(memory)
}

fn patch(lab: &Lab) -> Row {
    let lines: Vec<String> =
        (0..100_000).map(|number| format!("line {number:07} {}", "abcdefghij".repeat(4))).collect();
    let before = lines.join("\n") + "\n";
    let mut patch = "*** Begin Patch\n*** Update File: big.txt\n".to_owned();
    for hunk in 0..200 {
        let at = hunk * 500 + 250;
        let around = |range: &[String]| range.iter().fold(String::new(), |text, line| text + " " + line + "\n");
        let (above, below) = (around(&lines[at - 3..at]), around(&lines[at + 1..at + 4]));
        let changed = lines[at].replace("line", "LINE");
        write!(patch, "@@\n{above}-{}\n+{changed}\n{below}", lines[at]).unwrap();
    }
    patch += "*** End Patch";
    let answers = [answer(&response(&[custom_call("c", "apply_patch", &patch)])), ok()];
    let file = lab.work.join("big.txt");
    fs::write(&file, &before).unwrap();
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    let row = lab.row("ms", || {
        fs::write(&file, &before).unwrap();
        let run = lab.turn(&answers);
        assert_eq!(fs::read_to_string(&file).unwrap().matches("LINE").count(), 200);
        1e3 * only_gap(&run)
    });
    row.with_memory(memory)
}

fn grep(lab: &Lab) -> Row {
    let tree = lab.work.join("tree");
    for number in 0..50_000 {
        let folder = tree.join(format!("d{}/e{}", number % 50, number / 50 % 20));
        if number < 1_000 {
            fs::create_dir_all(&folder).unwrap();
        }
        let needle = if number % 1_000 == 7 { format!("a needle_{number}x\n") } else { String::new() };
        let text = format!("file {number}\n{}{needle}", "lorem ipsum dolor sit amet\n".repeat(5 + number % 40));
        fs::write(folder.join(format!("f{number}.txt")), text).unwrap();
    }
    let arguments = json!({"pattern": "needle_[0-9]+x", "path": tree, "lines": true});
    let answers = [answer(&response(&[call("g", "grep_files", &arguments)])), ok()];
    let memory = lab.peak_of_turn(&["exec", "go"], &answers);
    let row = lab.row("ms", || {
        let run = lab.turn(&answers);
        assert_eq!(lab.server.count_in_last_request("a needle_"), 50);
        1e3 * only_gap(&run)
    });
    row.with_memory(memory)
}

fn many_at_once(lab: &Lab) -> Row {
    let answers = [ok()];
    let memory = lab.anonymous_of_many(50, &answers);
    let row = lab.row("ms", || {
        lab.server.script(&answers);
        let begin = Instant::now();
        let children: Vec<_> = (0..50).map(|_| lab.spawn(&["exec", "go"])).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        ms(begin.elapsed()) / 50.0
    });
    row.with_memory(memory)
}

pub fn ok() -> Answer {
    answer(&response(&[message("OK")]))
}

/// `count` responses that run `line`, then the end.
fn commands(count: usize, line: &str) -> Vec<Answer> {
    (0..count).map(|number| answer(&response(&[command(number, line)]))).chain([ok()]).collect()
}

fn command(number: usize, line: &str) -> Value {
    speech::call(&format!("c{number}"), "exec_command", &json!({"cmd": line}))
}

/// The session of one turn: its file and what is in it.
pub fn recorded(lab: &Lab) -> (PathBuf, String) {
    lab.turn(&[ok()]);
    let path = first_file(&lab.home.join("sessions")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// Copies of a session, a hundred a day.
pub fn copies(lab: &Lab, text: &str, count: usize) {
    let id = text.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap();
    for number in 0..count {
        let (month, day, copy) =
            (number / 2_800 + 1, number / 100 % 28 + 1, format!("01a0fca9-0000-7000-8000-{number:012x}"));
        let folder = lab.home.join(format!("sessions/2026/{month:02}/{day:02}"));
        fs::create_dir_all(&folder).unwrap();
        let name = format!("rollout-2026-{month:02}-{day:02}T10-{:02}-00-{copy}.jsonl", number % 60);
        fs::write(folder.join(name), text.replace(id, &copy)).unwrap();
    }
}

fn first_file(folder: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.find_map(|path| if path.is_dir() { first_file(&path) } else { Some(path) })
}

/// Lines of a session: `count` rounds of four items and 10 KB each.
fn rounds(count: usize) -> String {
    let filler = |len: usize| "The quick \"brown\" fox; 0123456789.\n".repeat(len / 35);
    let (asked, said, printed) = (filler(400), filler(1_800), filler(7_200));
    let mut text = String::new();
    for round in 0..count {
        let text_of = |kind: &str, text: &str| json!([{"type": kind, "text": format!("{round} {text}")}]);
        let call_id = format!("call_{round}");
        for item in [
            json!({"type": "message", "role": "user", "content": text_of("input_text", &asked)}),
            json!({"type": "message", "role": "assistant", "content": text_of("output_text", &said)}),
            json!({"type": "function_call", "name": "exec_command", "arguments": "{\"cmd\":\"true\"}", "call_id": call_id}),
            json!({"type": "function_call_output", "call_id": call_id, "output": printed}),
        ] {
            let line = json!({"timestamp": "2026-01-01T10:00:00.000Z", "type": "response_item", "payload": item});
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

fn only_gap(run: &Run) -> f64 {
    gaps(&run.exchanges)[0].as_secs_f64()
}

pub fn ms(duration: Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How much the second number grows with the first: the slope of the line that fits best.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    covariance / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}
