//! A Responses request as an Anthropic Messages request.

use serde_json::{Map, Value, json};

use super::chat::first;
use super::conversation::{Assistant, Conversation, Part, Step};
use super::tools::{Tools, arguments_object, wire_name};

/// The version of the format that is spoken.
pub const VERSION: &str = "2023-06-01";

/// Marks reasoning that came from a Messages stream; its signature follows.
pub const SEAL: &str = "messages:";

/// Marks reasoning the server keeps to itself; its data follow.
pub const REDACTED: &str = "messages-redacted:";

/// The most a response may be when nobody says.
const MAX_TOKENS: u64 = 32_000;

/// The body that asks for what `request` asks for.
#[must_use]
pub fn request(request: &Value, tools: &Tools) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    let max_tokens = first(request, &["max_output_tokens", "max_tokens"]).as_u64().unwrap_or(MAX_TOKENS);
    let conversation = Conversation::of(request);
    let mut messages = messages(&conversation);
    let choice = tool_choice(&request["tool_choice"], &request["parallel_tool_calls"]);
    let forced = matches!(choice["type"].as_str(), Some("any" | "tool"));
    let thinking = thinking(request, max_tokens).filter(|_| !forced && may_think(&messages));
    set("model", request["model"].clone());
    set("stream", true.into());
    set("max_tokens", max_tokens.into());
    if thinking.is_none() {
        set("temperature", request["temperature"].clone());
        set("top_p", request["top_p"].clone());
    }
    set("thinking", thinking.unwrap_or_default());
    if !tools.0.is_empty() {
        let tool = |tool: &super::tools::Tool| json!({"name": tool.wire_name, "description": tool.description, "input_schema": tool.parameters});
        set("tools", tools.0.iter().map(tool).collect());
        set("tool_choice", choice);
    }
    let format = &request["text"]["format"];
    if format["type"] == "json_schema" {
        set("output_config", json!({"format": {"type": "json_schema", "schema": format["schema"]}}));
    }
    if !conversation.system.is_empty() {
        let mut blocks: Vec<Value> =
            conversation.system.iter().map(|text| json!({"type": "text", "text": text})).collect();
        // Covers the tools as well, which come before.
        blocks.last_mut().into_iter().for_each(mark);
        set("system", blocks.into());
    }
    mark_messages(&mut messages);
    set("messages", messages.into());
    Value::Object(body)
}

/// Asks the server to keep everything up to here for the next request.
fn mark(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

/// Marks the ends of the last two things said to the model: the later is what the next request begins with, the earlier
/// what this one does.
fn mark_messages(messages: &mut [Value]) {
    let said = messages.iter_mut().rev().filter(|message| message["role"] == "user").take(2);
    for message in said {
        message["content"].as_array_mut().and_then(|blocks| blocks.last_mut()).into_iter().for_each(mark);
    }
}

fn tool_choice(choice: &Value, parallel: &Value) -> Value {
    let mut choice = match (choice.as_str(), choice["name"].as_str()) {
        (_, Some(name)) => json!({"type": "tool", "name": wire_name(name, choice["namespace"].as_str())}),
        (Some("required"), _) => json!({"type": "any"}),
        (Some("none"), _) => return json!({"type": "none"}),
        _ => json!({"type": "auto"}),
    };
    if *parallel == false {
        choice["disable_parallel_tool_use"] = true.into();
    }
    choice
}

/// How much thinking an effort is worth. Without an effort the server's own way is left alone.
fn thinking(request: &Value, max_tokens: u64) -> Option<Value> {
    let budget = match request["reasoning"]["effort"].as_str()? {
        "low" => 4_096,
        "medium" => 10_240,
        "high" => 20_480,
        "xhigh" | "max" => 28_672,
        _ => return None,
    };
    // The budget is a part of the whole response, and at least 1,024.
    let budget = budget.min(max_tokens.saturating_sub(1_024));
    (budget >= 1_024).then(|| json!({"type": "enabled", "budget_tokens": budget}))
}

/// A response that goes on after calls must have begun with thinking for the server to think again: one that another
/// model began has not.
fn may_think(messages: &[Value]) -> bool {
    let last = messages.iter().rev().find(|message| message["role"] == "assistant");
    let Some(blocks) = last.and_then(|message| message["content"].as_array()) else { return true };
    let calls = blocks.iter().any(|block| block["type"] == "tool_use");
    !calls || matches!(blocks[0]["type"].as_str(), Some("thinking" | "redacted_thinking"))
}

/// Speakers alternate in this format, so everything said in a row is one message; all results of a response's calls are.
fn messages(conversation: &Conversation<'_>) -> Vec<Value> {
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    for step in &conversation.steps {
        let (role, blocks) = match step {
            Step::User(parts) => ("user", parts.iter().filter_map(block).collect()),
            Step::Assistant(said) => ("assistant", assistant(said)),
            Step::Output { call_id, parts } => {
                let content: Vec<Value> = parts.iter().filter_map(block).collect();
                ("user", vec![json!({"type": "tool_result", "tool_use_id": call_id, "content": content})])
            }
        };
        match messages.last_mut() {
            Some((last, said)) if *last == role => said.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => messages.push((role, blocks)),
        }
    }
    messages.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn assistant(said: &Assistant<'_>) -> Vec<Value> {
    let mut blocks = Vec::new();
    for reasoning in &said.reasoning {
        // The server takes back only what it signed.
        let Some(sealed) = reasoning.sealed else { continue };
        if let Some(signature) = sealed.strip_prefix(SEAL) {
            blocks.push(json!({"type": "thinking", "thinking": reasoning.text, "signature": signature}));
        } else if let Some(data) = sealed.strip_prefix(REDACTED) {
            blocks.push(json!({"type": "redacted_thinking", "data": data}));
        }
    }
    if !said.text.trim().is_empty() {
        blocks.push(json!({"type": "text", "text": said.text}));
    }
    blocks.extend(said.calls.iter().map(|call| {
        json!({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(&call.arguments)})
    }));
    blocks
}

/// Blank texts are refused by the server, and say nothing.
fn block(part: &Part<'_>) -> Option<Value> {
    match part {
        Part::Text(text) => (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text})),
        Part::Image { url, .. } => Some(json!({"type": "image", "source": source(url)})),
    }
}

fn source(url: &str) -> Value {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match data {
        Some((media_type, data)) => json!({"type": "base64", "media_type": media_type, "data": data}),
        None => json!({"type": "url", "url": url}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(responses: Value) -> Value {
        request(&responses, &Tools::of(&responses))
    }

    #[test]
    fn a_conversation_becomes_messages() {
        let ephemeral = json!({"type": "ephemeral"});
        let body = translated(json!({
            "model": "m", "instructions": "Be brief.", "reasoning": {"effort": "low"}, "parallel_tool_calls": false,
            "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}],
            "input": [
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "look"}, {"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
                {"type": "reasoning", "summary": [], "encrypted_content": "messages-redacted:zzz"},
                {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}], "encrypted_content": "messages:sig"},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So:"}]},
                {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{\"a\":1}"},
                {"type": "function_call", "call_id": "2", "name": "f", "arguments": "oops"},
                {"type": "function_call_output", "call_id": "1", "output": "one"},
                {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_image", "image_url": "http://h/i.png"}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "and"}]},
            ],
        }));
        assert_eq!(
            body,
            json!({
                "model": "m", "stream": true, "max_tokens": 32_000, "thinking": {"type": "enabled", "budget_tokens": 4_096},
                "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
                "system": [{"type": "text", "text": "Be brief.", "cache_control": ephemeral}],
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}, "cache_control": ephemeral}]},
                    {"role": "assistant", "content": [
                        {"type": "redacted_thinking", "data": "zzz"},
                        {"type": "thinking", "thinking": "hm", "signature": "sig"},
                        {"type": "text", "text": "So:"},
                        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                        {"type": "tool_use", "id": "2", "name": "f", "input": {"invalid_arguments": "oops"}}]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "one"}]},
                        {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "image", "source": {"type": "url", "url": "http://h/i.png"}}]},
                        {"type": "text", "text": "and", "cache_control": ephemeral}]},
                ],
            })
        );
    }

    #[test]
    fn thinking_is_asked_for_only_where_the_server_allows_it() {
        let input = json!([
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        ]);
        let tools = json!([{"type": "function", "name": "f"}]);
        for (request, thinks) in [
            (json!({"input": "hi"}), false),
            (json!({"input": "hi", "reasoning": {"effort": "none"}}), false),
            (json!({"input": "hi", "reasoning": {"effort": "high"}}), true),
            (json!({"input": "hi", "reasoning": {"effort": "high"}, "max_output_tokens": 1_500}), false),
            (json!({"input": input, "reasoning": {"effort": "high"}, "tools": tools}), false),
            (json!({"input": "hi", "reasoning": {"effort": "high"}, "tools": tools, "tool_choice": "required"}), false),
        ] {
            assert_eq!(translated(request.clone()).get("thinking").is_some(), thinks, "{request}");
        }
    }

    #[test]
    fn choices_are_named_as_the_format_has_them() {
        for (choice, expected) in [
            (json!("auto"), json!({"type": "auto"})),
            (json!("required"), json!({"type": "any"})),
            (json!("none"), json!({"type": "none"})),
            (json!({"type": "function", "name": "f"}), json!({"type": "tool", "name": "f"})),
        ] {
            assert_eq!(tool_choice(&choice, &Value::Null), expected);
        }
    }
}
