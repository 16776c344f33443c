//! Whole turns: real loop, real tools, real files, a scripted server. One file per behaviour.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod context;
mod crash;
mod interrupt;
mod kit;
mod order;
mod prefix;
mod retry;
mod steer;
mod storage;
mod truncation;

use serde_json::{Value, json};
use support::speech::call;

/// A call of `exec_command`.
fn exec(call_id: &str, script: &str) -> Value {
    call(call_id, "exec_command", &json!({"cmd": script, "login": false}))
}

/// The kinds and call ids of items, in order: `message user`, `function_call c1`.
fn outline(items: &[Value]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let second = |item: &Value| if item["role"].is_string() { word(&item["role"]) } else { word(&item["call_id"]) };
    items.iter().map(|item| format!("{} {}", word(&item["type"]), second(item)).trim_end().to_owned()).collect()
}

/// The text of a message.
fn text(item: &Value) -> &str {
    item["content"][0]["text"].as_str().unwrap_or_default()
}
