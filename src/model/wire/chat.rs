//! A Responses request as a Chat Completions request.

use serde_json::{Map, Value, json};

use super::conversation::{Assistant, Conversation, Part, Reasoning, Step};
use super::tools::{Tools, arguments_object, wire_name};

/// Marks reasoning that came from a Chat Completions stream, and in which field, so that it goes back the same way.
pub const SEAL: &str = "chat:";

/// The body that asks for what `request` asks for.
#[must_use]
pub fn request(request: &Value, tools: &Tools) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    set("model", request["model"].clone());
    set("stream", true.into());
    set("stream_options", json!({"include_usage": true}));
    if !tools.0.is_empty() {
        set(
            "tools",
            tools
                .0
                .iter()
                .map(|tool| {
                    json!({"type": "function", "function": {
                        "name": tool.wire_name, "description": tool.description, "parameters": tool.parameters,
                    }})
                })
                .collect(),
        );
        set("tool_choice", tool_choice(&request["tool_choice"]));
        set("parallel_tool_calls", request["parallel_tool_calls"].clone());
    }
    for name in ["temperature", "top_p", "service_tier"] {
        set(name, request[name].clone());
    }
    set("max_tokens", first(request, &["max_output_tokens", "max_tokens"]));
    set("reasoning_effort", request["reasoning"]["effort"].clone());
    set("verbosity", request["text"]["verbosity"].clone());
    set("response_format", response_format(&request["text"]["format"]));
    set("messages", messages(&Conversation::of(request)).into());
    Value::Object(body)
}

/// The first of these fields that is there.
pub(super) fn first(request: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| &request[*name]).find(|value| !value.is_null()).cloned().unwrap_or_default()
}

fn tool_choice(choice: &Value) -> Value {
    match choice["name"].as_str() {
        Some(name) => {
            let name = wire_name(name, choice["namespace"].as_str());
            json!({"type": "function", "function": {"name": name}})
        }
        None if choice.is_string() => choice.clone(),
        None => Value::Null,
    }
}

fn response_format(format: &Value) -> Value {
    match format["type"].as_str() {
        Some("json_schema") => {
            let schema = ["name", "schema", "strict", "description"].into_iter().filter(|key| !format[*key].is_null());
            let schema: Map<String, Value> = schema.map(|key| (key.to_owned(), format[key].clone())).collect();
            json!({"type": "json_schema", "json_schema": schema})
        }
        Some("json_object") => json!({"type": "json_object"}),
        _ => Value::Null,
    }
}

fn messages(conversation: &Conversation<'_>) -> Vec<Value> {
    let mut messages = Vec::new();
    if !conversation.system.is_empty() {
        messages.push(json!({"role": "system", "content": conversation.system.join("\n\n")}));
    }
    // A tool's message holds text alone. Its images are shown once all calls of the response are answered.
    let mut images: Vec<Value> = Vec::new();
    for step in &conversation.steps {
        if !matches!(step, Step::Output { .. }) {
            show(&mut images, &mut messages);
        }
        messages.push(match step {
            Step::User(parts) => json!({"role": "user", "content": content(parts)}),
            Step::Assistant(said) => assistant(said),
            Step::Output { call_id, parts } => {
                images.extend(parts.iter().filter(|part| matches!(part, Part::Image { .. })).map(content_part));
                json!({"role": "tool", "tool_call_id": call_id, "content": text_of(parts)})
            }
        });
    }
    show(&mut images, &mut messages);
    messages
}

fn show(images: &mut Vec<Value>, messages: &mut Vec<Value>) {
    if !images.is_empty() {
        messages.push(json!({"role": "user", "content": std::mem::take(images)}));
    }
}

fn assistant(said: &Assistant<'_>) -> Value {
    let mut message = json!({"role": "assistant", "content": said.text});
    for Reasoning { text, sealed } in &said.reasoning {
        let field = match sealed {
            Some(sealed) => sealed.strip_prefix(SEAL),
            None => Some("reasoning"),
        };
        // Reasoning that another kind of server sealed says nothing to this one.
        if let (Some(field), false) = (field, text.is_empty()) {
            let before = message[field].as_str().map(|before| format!("{before}\n\n")).unwrap_or_default();
            message[field] = format!("{before}{text}").into();
        }
    }
    if !said.calls.is_empty() {
        if said.text.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] = said.calls.iter().map(|call| json!({
            "id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": Value::from(arguments_object(&call.arguments)).to_string()},
        })).collect();
    }
    message
}

/// Text alone is sent as text: not every server takes lists.
fn content(parts: &[Part<'_>]) -> Value {
    match parts.iter().any(|part| matches!(part, Part::Image { .. })) {
        true => parts.iter().map(content_part).collect(),
        false => {
            let texts = parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(*text) } else { None });
            texts.collect::<Vec<_>>().join("\n\n").into()
        }
    }
}

fn content_part(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { url, detail } => {
            let detail = detail.map(|detail| if detail == "original" { "high" } else { detail });
            match detail {
                Some(detail) => json!({"type": "image_url", "image_url": {"url": url, "detail": detail}}),
                None => json!({"type": "image_url", "image_url": {"url": url}}),
            }
        }
    }
}

fn text_of(parts: &[Part<'_>]) -> String {
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => text,
        Part::Image { .. } => "(an image, shown below)",
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(responses: Value) -> Value {
        request(&responses, &Tools::of(&responses))
    }

    #[test]
    fn a_conversation_becomes_messages() {
        let body = translated(json!({
            "model": "m", "instructions": "Be brief.", "stream": true, "store": false, "tool_choice": "auto",
            "parallel_tool_calls": true, "reasoning": {"effort": "high", "summary": "auto"},
            "tools": [{"type": "custom", "name": "c", "description": "d"}, {"type": "function", "name": "f", "description": "e"}],
            "input": [
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "look"}, {"type": "input_image", "image_url": "data:x", "detail": "original"}]},
                {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}], "encrypted_content": "chat:reasoning_content"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So:"}]},
                {"type": "custom_tool_call", "call_id": "1", "name": "c", "input": "a\nb"},
                {"type": "function_call", "call_id": "2", "name": "f", "arguments": "{\"x\":"},
                {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_image", "image_url": "data:y"}]},
                {"type": "custom_tool_call_output", "call_id": "1", "output": "done"},
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "later"}]},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
                {"type": "function_call", "call_id": "3", "name": "f", "arguments": ""},
                {"type": "function_call_output", "call_id": "gone", "output": "orphan"},
            ],
        }));
        assert_eq!(body["reasoning_effort"], "high");
        assert_eq!(body["tools"][0]["function"]["parameters"]["required"], json!(["input"]));
        assert_eq!(
            body["messages"],
            json!([
                {"role": "system", "content": "Be brief.\n\nrules"},
                {"role": "user", "content": [
                    {"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:x", "detail": "high"}}]},
                {"role": "assistant", "content": "So:", "reasoning_content": "hm", "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "c", "arguments": "{\"input\":\"a\\nb\"}"}},
                    {"id": "2", "type": "function", "function": {"name": "f", "arguments": "{\"invalid_arguments\":\"{\\\"x\\\":\"}"}}]},
                {"role": "tool", "tool_call_id": "1", "content": "done"},
                {"role": "tool", "tool_call_id": "2", "content": "(an image, shown below)"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:y"}}]},
                {"role": "user", "content": "later"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "3", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "3", "content": "(no output: the call was interrupted)"},
                {"role": "user", "content": "orphan"},
            ])
        );
    }

    #[test]
    fn options_travel_under_their_own_names() {
        let body = translated(json!({
            "model": "m", "input": "hi", "max_output_tokens": 5, "temperature": 0.5,
            "tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "function", "name": "f"},
            "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "strict": true, "schema": {"type": "object"}}},
        }));
        assert_eq!(body["max_tokens"], 5);
        assert_eq!(body["temperature"], 0.5);
        assert_eq!(body["tool_choice"], json!({"type": "function", "function": {"name": "f"}}));
        assert_eq!(body["verbosity"], "low");
        assert_eq!(
            body["response_format"],
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}})
        );
        assert_eq!(body["messages"], json!([{"role": "user", "content": "hi"}]));
        assert_eq!(body["stream_options"], json!({"include_usage": true}));
    }
}
