//! The tools of a request, as functions: the other formats know nothing else. Free-text tools take their text in `input`;
//! tools of a namespace get its name in front.

use serde_json::{Map, Value, json};

/// A tool on offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// What the backend knows it by.
    pub wire_name: String,
    /// What the client knows it by.
    name: String,
    namespace: Option<String>,
    custom: bool,
    /// What it does, in the words the model reads.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
}

/// The tools of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tools(pub Vec<Tool>);

impl Tools {
    /// The tools `request` offers, wherever it does. Tools the provider would have to run itself are left out.
    #[must_use]
    pub fn of(request: &Value) -> Self {
        let mut tools = Self::default();
        let within = request["input"].as_array().into_iter().flatten();
        let additional = within.filter(|item| item["type"] == "additional_tools").map(|item| &item["tools"]);
        for list in additional.chain([&request["tools"]]) {
            list.as_array().into_iter().flatten().for_each(|tool| tools.add(tool, None));
        }
        tools
    }

    fn add(&mut self, tool: &Value, namespace: Option<&str>) {
        let name = tool["name"].as_str().unwrap_or_default();
        let (custom, parameters) = match tool["type"].as_str() {
            Some("namespace") => {
                let inner = tool["tools"].as_array().into_iter().flatten();
                return inner.for_each(|tool| self.add(tool, Some(name)));
            }
            Some("function") => (false, schema(&tool["parameters"])),
            Some("custom") => (true, free_text()),
            _ => return,
        };
        let wire_name = wire_name(name, namespace);
        if name.is_empty() || self.find(&wire_name).is_some() {
            return;
        }
        let mut description = tool["description"].as_str().unwrap_or_default().to_owned();
        if custom {
            description += &describe_format(&tool["format"]);
        }
        let namespace = namespace.map(str::to_owned);
        self.0.push(Tool { wire_name, name: name.to_owned(), namespace, custom, description, parameters });
    }

    fn find(&self, wire_name: &str) -> Option<&Tool> {
        self.0.iter().find(|tool| tool.wire_name == wire_name)
    }

    /// The name of a call that came without one, when only one tool could be meant.
    #[must_use]
    pub fn only_name(&self) -> Option<&str> {
        match self.0.as_slice() {
            [tool] => Some(&tool.wire_name),
            _ => None,
        }
    }

    /// A call as an item of the Responses API.
    #[must_use]
    pub fn call_item(&self, item_id: &str, call_id: &str, wire_name: &str, arguments: &str) -> Value {
        let tool = self.find(wire_name);
        let name = tool.map_or(wire_name, |tool| &tool.name);
        let namespace = tool.and_then(|tool| tool.namespace.as_deref());
        let mut item = match tool {
            Some(tool) if tool.custom => json!({
                "type": "custom_tool_call", "id": format!("ctc_{item_id}"), "status": "completed", "call_id": call_id,
                "name": name, "input": input_of(arguments),
            }),
            _ => json!({
                "type": "function_call", "id": format!("fc_{item_id}"), "status": "completed", "call_id": call_id,
                "name": name, "arguments": if arguments.trim().is_empty() { "{}" } else { arguments },
            }),
        };
        if let Some(namespace) = namespace {
            item["namespace"] = namespace.into();
        }
        item
    }
}

/// What the backend knows a tool by.
#[must_use]
pub fn wire_name(name: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) if !namespace.is_empty() => format!("{namespace}__{name}"),
        _ => name.to_owned(),
    }
}

/// Arguments as a JSON object, which is all backends take. What the model got wrong it sees again, as it wrote it.
#[must_use]
pub fn arguments_object(arguments: &str) -> Map<String, Value> {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(object)) => object,
        _ if arguments.trim().is_empty() => Map::new(),
        _ => Map::from_iter([("invalid_arguments".to_owned(), arguments.into())]),
    }
}

/// The text of a free-text call: `input`, or what the model wrote when it wrote no such object.
fn input_of(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(Value::String(text)) => text,
        Ok(object) => object["input"].as_str().map_or_else(|| arguments.to_owned(), str::to_owned),
        Err(_) => arguments.to_owned(),
    }
}

fn schema(parameters: &Value) -> Value {
    match parameters.is_object() {
        true => parameters.clone(),
        false => json!({"type": "object", "properties": {}}),
    }
}

/// A free-text tool as a function of the Responses API.
#[must_use]
pub fn as_function(tool: &Value) -> Value {
    let description = tool["description"].as_str().unwrap_or_default().to_owned() + &describe_format(&tool["format"]);
    json!({
        "type": "function", "name": tool["name"], "description": description, "strict": false, "parameters": free_text(),
    })
}

fn free_text() -> Value {
    json!({
        "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"], "additionalProperties": false,
    })
}

fn describe_format(format: &Value) -> String {
    let mut text = "\n\nPut the whole text this tool takes, unescaped and unwrapped, into `input`.".to_owned();
    if let (Some(syntax), Some(grammar)) = (format["syntax"].as_str(), format["definition"].as_str()) {
        text += &format!(" It must follow this {syntax} grammar:\n{grammar}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Tools {
        Tools::of(&json!({
            "input": [{"type": "additional_tools", "tools": [{"type": "function", "name": "late"}]}],
            "tools": [
                {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
                {"type": "custom", "name": "c", "description": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
                {"type": "namespace", "name": "mcp__s", "tools": [{"type": "function", "name": "g"}]},
                {"type": "web_search"},
            ],
        }))
    }

    #[test]
    fn every_tool_becomes_a_function() {
        let tools = tools();
        let names: Vec<&str> = tools.0.iter().map(|tool| tool.wire_name.as_str()).collect();
        assert_eq!(names, ["late", "f", "c", "mcp__s__g"]);
        assert!(tools.0[2].description.ends_with("lark grammar:\nstart: X"));
        assert_eq!(tools.0[2].parameters["required"], json!(["input"]));
    }

    #[test]
    fn calls_come_back_as_what_was_offered() {
        for (name, arguments, expected) in [
            ("f", "{\"a\":1}", json!({"type": "function_call", "name": "f", "arguments": "{\"a\":1}"})),
            ("f", "", json!({"type": "function_call", "name": "f", "arguments": "{}"})),
            ("nope", "{", json!({"type": "function_call", "name": "nope", "arguments": "{"})),
            ("c", "{\"input\":\"x\\ny\"}", json!({"type": "custom_tool_call", "name": "c", "input": "x\ny"})),
            ("c", "raw text", json!({"type": "custom_tool_call", "name": "c", "input": "raw text"})),
            (
                "mcp__s__g",
                "{}",
                json!({"type": "function_call", "name": "g", "namespace": "mcp__s", "arguments": "{}"}),
            ),
        ] {
            let item = tools().call_item("1", "call", name, arguments);
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&item[key], value, "{item}");
            }
            assert_eq!(item["call_id"], "call");
        }
    }

    #[test]
    fn arguments_are_always_an_object() {
        assert_eq!(Value::from(arguments_object("{\"a\":1}")), json!({"a": 1}));
        assert_eq!(Value::from(arguments_object(" ")), json!({}));
        assert_eq!(Value::from(arguments_object("{\"a\":")), json!({"invalid_arguments": "{\"a\":"}));
    }
}
