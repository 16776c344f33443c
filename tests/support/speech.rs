//! The words of a Responses server, for scripts.

use serde_json::{Value, json};

/// `events` framed as a server frames them.
pub fn sse(events: &[Value]) -> Vec<u8> {
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("message"));
    events.iter().map(frame).collect::<String>().into_bytes()
}

/// The first event of a response.
pub fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1"}})
}

/// A piece of text.
pub fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text})
}

/// A finished item.
pub fn done(item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": 0, "item": item})
}

/// A message of the model.
pub fn message(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
}

/// A function call.
pub fn call(call_id: &str, name: &str, arguments: &Value) -> Value {
    json!({"type": "function_call", "id": format!("fc_{call_id}"), "name": name, "arguments": arguments.to_string(), "call_id": call_id})
}

/// A free-text call.
pub fn custom_call(call_id: &str, name: &str, input: &str) -> Value {
    json!({"type": "custom_tool_call", "id": format!("ctc_{call_id}"), "name": name, "input": input, "call_id": call_id})
}

/// The last event of a response.
pub fn completed() -> Value {
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110,
    });
    json!({"type": "response.completed", "response": {"id": "resp_1", "usage": usage}})
}

/// A whole response made of finished items.
pub fn response(items: &[Value]) -> Vec<Value> {
    let items = items.iter().cloned().map(done);
    [created()].into_iter().chain(items).chain([completed()]).collect()
}
