//! The scripted model. It knows nothing: it does the obvious thing, unless a line of its request names a better one.
//!
//! It reads what the person, their files of instructions and the runtime tell it, and never what a tool printed, except to see
//! that a command failed and which other one the failure names.

use serde_json::{Value, json};

use crate::support::speech::{call, message, response};
use crate::support::{Reply, Request};
use crate::task::{Act, Choice, Task};

/// What a request was answered with.
pub struct Move {
    /// The way that was taken, when this was the first try of a turn.
    pub first: Option<usize>,
    pub reply: Reply,
}

/// Answers a request about one of `tasks`.
pub fn answer(tasks: &[Task], request: &Request) -> Move {
    let input = request.input();
    let (at, task) = (0..input.len())
        .rev()
        .find_map(|at| Some((at, asked(tasks, &text(&input[at])).filter(|_| is_told(&input[at]))?)))
        .unwrap_or_else(|| panic!("nobody asked for anything: {}", request.body));
    let choices = &tasks[task].choices;
    let told: Vec<String> = input[..=at].iter().filter(|item| is_told(item)).map(text).collect();
    let tried: Vec<String> = input[at..].iter().filter_map(command).collect();
    let failure = input[at..].iter().rev().find_map(failure);
    let choice = match (tried.is_empty(), failure) {
        (true, _) => Some(choose(choices, &told)),
        (false, Some(failure)) => named_in(choices, &failure, &tried),
        (false, None) => None,
    };
    let items = match choice.map(|choice| &choices[choice].act) {
        Some(Act::Run(line)) => {
            let id = format!("call_{at}_{}", tried.len());
            vec![call(&id, "exec_command", &json!({"cmd": line, "login": false}))]
        }
        Some(Act::Answer(words)) => vec![message(words)],
        None => vec![message("Done.")],
    };
    Move { first: choice.filter(|_| tried.is_empty()), reply: Reply::sse(&response(&items)) }
}

/// The task that a text asks for or speaks of.
fn asked(tasks: &[Task], text: &str) -> Option<usize> {
    let corrects = |task: &Task| (0..task.right.len()).any(|round| task.correction(round).as_deref() == Some(text));
    tasks.iter().position(|task| task.ask == text || corrects(task))
}

/// The way that the last line to name one speaks for; else the first that none speaks against.
fn choose(choices: &[Choice], told: &[String]) -> usize {
    let mut chosen = None;
    let mut against = vec![false; choices.len()];
    for line in told.iter().flat_map(|text| text.lines()) {
        for (number, choice) in choices.iter().enumerate() {
            match speaks(line, &choice.name) {
                Some(true) => {
                    chosen = Some(number);
                    against[number] = false;
                }
                Some(false) => {
                    chosen = chosen.filter(|chosen| *chosen != number);
                    against[number] = true;
                }
                None => {}
            }
        }
    }
    chosen.or_else(|| against.iter().position(|against| !against)).unwrap_or_default()
}

/// Whether a line speaks for what it names, or against it.
pub fn speaks(line: &str, name: &str) -> Option<bool> {
    let at = line.find(name)?;
    let before = line[..at].rsplit([',', ';', '.']).next().unwrap_or_default().to_lowercase();
    let after = &line[at + name.len()..];
    let against = ["never", "not ", "instead of"].iter().any(|word| before.contains(word));
    Some(!against && !after.trim_start().starts_with("failed"))
}

/// The longest command that a failure names and nobody tried.
fn named_in(choices: &[Choice], failure: &str, tried: &[String]) -> Option<usize> {
    let line = |number: &usize| match &choices[*number].act {
        Act::Run(line) => line.clone(),
        Act::Answer(_) => String::new(),
    };
    let named = (0..choices.len()).filter(|number| failure.contains(&line(number)) && !tried.contains(&line(number)));
    named.max_by_key(|number| line(number).len())
}

/// Whether an item is what somebody tells the model.
fn is_told(item: &Value) -> bool {
    item["type"] == "message" && item["role"] != "assistant"
}

fn text(item: &Value) -> String {
    let parts = item["content"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

fn command(item: &Value) -> Option<String> {
    let arguments: Value = serde_json::from_str(item["arguments"].as_str()?).ok()?;
    arguments["cmd"].as_str().map(ToOwned::to_owned)
}

/// What a command printed that failed; `None` when the last one passed.
fn failure(item: &Value) -> Option<String> {
    let output = item["output"].as_str()?;
    (!output.contains("exited with code 0")).then(|| output.to_owned())
}
