//! A conversation as the model that is asked can take it: free of what other providers sealed, and of free-text calls where
//! only functions are known. Items that need nothing stay the bytes they are.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::protocol::item::CallForm;
use crate::protocol::{Item, ItemKind, Toolset};

/// In front of what a fallback's provider sealed: `at:PROVIDER:DATA`. So it is known in the session's file, too.
const MARK: &str = "at:";

/// The item with a mark of the provider that sealed it.
pub fn marked(item: Item, provider: &str) -> Item {
    if *item.kind() != ItemKind::Reasoning {
        return item;
    }
    let value = item.to_value();
    match value["encrypted_content"].as_str() {
        Some(sealed) => resealed(&item, &value, &format!("{MARK}{provider}:{sealed}")),
        None => item,
    }
}

/// The items for `provider`. `home` is the provider that seals without a mark.
pub fn items(items: Vec<Item>, provider: &str, home: bool) -> Vec<Item> {
    items.into_iter().filter_map(|item| readable(item, provider, home)).collect()
}

/// The item as `provider` reads it; `None` when it cannot.
fn readable(item: Item, provider: &str, home: bool) -> Option<Item> {
    if *item.kind() != ItemKind::Reasoning {
        return Some(item);
    }
    if home && !String::from_utf8_lossy(item.json()).contains("\"at:") {
        return Some(item);
    }
    let value = item.to_value();
    let sealed = value["encrypted_content"].as_str().unwrap_or_default();
    let Some((owner, data)) = sealed.strip_prefix(MARK).and_then(|rest| rest.split_once(':')) else {
        return home.then_some(item);
    };
    (owner == provider).then(|| resealed(&item, &value, data))
}

fn resealed(item: &Item, value: &Value, sealed: &str) -> Item {
    let mut value = value.clone();
    value["encrypted_content"] = sealed.into();
    Item::parse(value.to_string()).unwrap_or_else(|_| item.clone())
}

/// A free-text call, or the answer to one, as that of a function which takes the text in `input`.
pub fn as_function(item: Item) -> Item {
    let value = match item.kind() {
        ItemKind::Call(call) if call.form == CallForm::Custom => {
            let arguments = json!({"input": item.call_input().unwrap_or_default()}).to_string();
            json!({"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": arguments})
        }
        ItemKind::Output { form: CallForm::Custom, .. } => {
            let mut value = item.to_value();
            value["type"] = "function_call_output".into();
            value
        }
        _ => return item,
    };
    Item::parse(value.to_string()).unwrap_or(item)
}

/// The tools, the free-text ones as functions.
pub fn functions(tools: &Toolset) -> Toolset {
    let Ok(Value::Array(mut list)) = serde_json::from_slice(&tools.responses_json) else { return tools.clone() };
    for tool in list.iter_mut().filter(|tool| tool["type"] == "custom") {
        *tool = super::super::wire::tools::as_function(tool);
    }
    Toolset { responses_json: Bytes::from(Value::Array(list).to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasoning(sealed: &str) -> Item {
        Item::parse(json!({"type": "reasoning", "summary": [], "encrypted_content": sealed}).to_string()).unwrap()
    }

    fn seen(item: Item, provider: &str, home: bool) -> Option<String> {
        let seen = items(vec![item], provider, home).pop()?;
        Some(seen.to_value()["encrypted_content"].as_str().unwrap().to_owned())
    }

    #[test]
    fn what_one_provider_sealed_only_that_one_gets() {
        assert_eq!(seen(reasoning("gAAA"), "home", true).as_deref(), Some("gAAA"));
        assert_eq!(seen(reasoning("gAAA"), "spare", false), None);
        let marked = marked(reasoning("messages:sig"), "spare");
        assert_eq!(seen(marked.clone(), "home", true), None);
        assert_eq!(seen(marked.clone(), "other", false), None);
        assert_eq!(seen(marked, "spare", false).as_deref(), Some("messages:sig"));
    }

    #[test]
    fn free_text_calls_become_those_of_functions() {
        let call = json!({"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** x"});
        let call = as_function(Item::parse(call.to_string()).unwrap()).to_value();
        assert_eq!((&call["type"], &call["arguments"]), (&json!("function_call"), &json!(r#"{"input":"*** x"}"#)));
        let output = json!({"type": "custom_tool_call_output", "call_id": "c", "output": "ok"});
        let output = as_function(Item::parse(output.to_string()).unwrap()).to_value();
        assert_eq!(output, json!({"type": "function_call_output", "call_id": "c", "output": "ok"}));
    }
}
