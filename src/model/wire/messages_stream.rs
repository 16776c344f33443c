//! The events of an Anthropic Messages stream as what a Responses stream says.
//!
//! As with Chat Completions, calls are passed on when the response has ended well, never before.

use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::failure::failed;
use super::messages::{REDACTED, SEAL};
use super::tools::Tools;
use super::words::Said;

/// Reads one stream.
#[derive(Debug)]
pub struct MessagesDecoder {
    tools: Tools,
    /// Makes ids that no other response has.
    seed: String,
    id: String,
    blocks: BTreeMap<u64, Block>,
    calls: Vec<Value>,
    spoke: bool,
    usage: Value,
    stop: Option<String>,
    ended: bool,
}

#[derive(Debug)]
enum Block {
    Text(String),
    Thinking { text: String, signature: String },
    Redacted(String),
    Call { id: String, name: String, arguments: String },
    Other,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    content_block: Option<Value>,
    #[serde(default)]
    message: Option<Value>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    partial_json: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
}

impl MessagesDecoder {
    /// Reads a stream that answers a request which offered `tools`. `seed` is different for every response.
    #[must_use]
    pub fn new(tools: Tools, seed: String) -> Self {
        Self {
            tools,
            id: format!("resp_{seed}"),
            seed,
            blocks: BTreeMap::new(),
            calls: Vec::new(),
            spoke: false,
            usage: json!({}),
            stop: None,
            ended: false,
        }
    }

    /// Takes the data of one event.
    pub fn push(&mut self, data: &str) -> Vec<Said> {
        let data = data.trim();
        if self.ended || data.is_empty() || data == "[DONE]" {
            return Vec::new();
        }
        let said = match data.starts_with('{').then(|| serde_json::from_str::<Event<'_>>(data)) {
            Some(Ok(event)) => self.event(event),
            Some(Err(error)) => vec![Said::broken(format!("an event of the stream cannot be read: {error}"))],
            None => vec![Said::broken("an event of the stream is no JSON object")],
        };
        self.ended = said.last().is_some_and(Said::is_end);
        said
    }

    /// The stream ended without a mark. When the server had said why it stops, nothing is missing.
    pub fn end(&mut self) -> Vec<Said> {
        match self.ended || self.stop.is_none() {
            true => Vec::new(),
            false => {
                self.ended = true;
                self.conclude()
            }
        }
    }

    fn event(&mut self, event: Event<'_>) -> Vec<Said> {
        let index = event.index.unwrap_or_default();
        match event.kind.as_ref() {
            "content_block_delta" => event.delta.and_then(|delta| self.delta(index, delta)).into_iter().collect(),
            "content_block_start" => self.begin(index, &event.content_block.unwrap_or_default()).into_iter().collect(),
            "content_block_stop" => self.close(index).into_iter().collect(),
            "message_start" => {
                let message = event.message.unwrap_or_default();
                if let Some(id) = message["id"].as_str() {
                    id.clone_into(&mut self.id);
                }
                self.count(&message["usage"]);
                Vec::new()
            }
            "message_delta" => {
                self.stop = event.delta.and_then(|delta| delta.stop_reason).or(self.stop.take());
                self.count(&event.usage.unwrap_or_default());
                Vec::new()
            }
            "message_stop" => self.conclude(),
            "error" => vec![failed(&event.error.unwrap_or_default())],
            _ => Vec::new(),
        }
    }

    /// Later counts replace earlier ones; they are totals.
    fn count(&mut self, usage: &Value) {
        for (name, count) in usage.as_object().into_iter().flatten().filter(|(_, count)| count.is_u64()) {
            self.usage[name] = count.clone();
        }
    }

    fn begin(&mut self, index: u64, block: &Value) -> Option<Said> {
        let text = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
        let (block, said) = match block["type"].as_str() {
            Some("text") => (Block::Text(text("text")), Said::Text(text("text"))),
            Some("thinking") => {
                let block = Block::Thinking { text: text("thinking"), signature: text("signature") };
                (block, Said::Reasoning(text("thinking")))
            }
            Some("redacted_thinking") => (Block::Redacted(text("data")), Said::Text(String::new())),
            Some("tool_use") => {
                let whole = block["input"].as_object().filter(|input| !input.is_empty());
                let arguments = whole.map(|input| Value::from(input.clone()).to_string()).unwrap_or_default();
                (Block::Call { id: text("id"), name: text("name"), arguments }, Said::Text(String::new()))
            }
            _ => (Block::Other, Said::Text(String::new())),
        };
        self.blocks.insert(index, block);
        match &said {
            Said::Text(text) | Said::Reasoning(text) if text.is_empty() => None,
            _ => Some(said),
        }
    }

    fn delta(&mut self, index: u64, delta: Delta<'_>) -> Option<Said> {
        let block = self.blocks.get_mut(&index)?;
        match (delta.kind.as_deref()?, block) {
            ("text_delta", Block::Text(text)) => {
                let more = delta.text?;
                text.push_str(&more);
                Some(Said::Text(more))
            }
            ("thinking_delta", Block::Thinking { text, .. }) => {
                let more = delta.thinking?;
                text.push_str(&more);
                Some(Said::Reasoning(more))
            }
            ("signature_delta", Block::Thinking { signature, .. }) => {
                signature.push_str(&delta.signature?);
                None
            }
            ("input_json_delta", Block::Call { arguments, .. }) => {
                arguments.push_str(&delta.partial_json?);
                None
            }
            _ => None,
        }
    }

    fn close(&mut self, index: u64) -> Option<Said> {
        let item_id = format!("{}_{index}", self.seed);
        match self.blocks.remove(&index)? {
            Block::Text(text) if text.is_empty() => None,
            Block::Text(text) => {
                self.spoke = true;
                Some(Said::Item(json!({
                    "type": "message", "id": format!("msg_{item_id}"), "status": "completed", "role": "assistant",
                    "content": [{"type": "output_text", "text": text, "annotations": []}],
                })))
            }
            Block::Thinking { text, signature } => {
                // What nobody signed nobody takes back; it is kept to be read.
                let sealed = if signature.is_empty() { Value::Null } else { format!("{SEAL}{signature}").into() };
                let content = json!([{"type": "reasoning_text", "text": text}]);
                Some(reasoning(&item_id, if text.is_empty() { json!([]) } else { content }, sealed))
            }
            Block::Redacted(data) => Some(reasoning(&item_id, json!([]), format!("{REDACTED}{data}").into())),
            Block::Call { id, name, arguments } => {
                let made_up = format!("call_{item_id}");
                let call_id = if id.is_empty() { &made_up } else { &id };
                self.calls.push(self.tools.call_item(&item_id, call_id, &name, &arguments));
                None
            }
            Block::Other => None,
        }
    }

    fn conclude(&mut self) -> Vec<Said> {
        // Servers close every block; one that forgot still said it.
        let open: Vec<u64> = self.blocks.keys().copied().collect();
        let mut said: Vec<Said> = open.into_iter().filter_map(|index| self.close(index)).collect();
        let end = match self.stop.as_deref() {
            Some("max_tokens") => Said::Incomplete("max_output_tokens"),
            Some("refusal") => Said::Incomplete("content_filter"),
            Some("model_context_window_exceeded") => Said::Failed {
                code: "context_length_exceeded",
                message: "the conversation no longer fits the model's window".to_owned(),
            },
            None => Said::broken("the server ended the response without saying why"),
            // A pause asks to be sent the same again; nothing need have been said.
            Some("pause_turn") => self.completed(Some(false)),
            Some(_) if self.calls.is_empty() && !self.spoke => {
                Said::broken("the model ended its response without an answer")
            }
            Some(_) => {
                if self.calls.iter().any(|call| call["name"].as_str().is_none_or(str::is_empty)) {
                    said.push(Said::broken("the model called a tool without naming it"));
                    return said;
                }
                said.extend(self.calls.drain(..).map(Said::Item));
                self.completed(None)
            }
        };
        said.push(end);
        said
    }

    fn completed(&self, end_turn: Option<bool>) -> Said {
        let count = |name: &str| self.usage[name].as_u64().unwrap_or(0);
        let (read, written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
        let (input, output) = (count("input_tokens") + read + written, count("output_tokens"));
        let usage = json!({
            "input_tokens": input,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": input + output,
        });
        Said::Completed { id: self.id.clone(), usage, end_turn }
    }
}

fn reasoning(item_id: &str, content: Value, sealed: Value) -> Said {
    Said::Item(json!({
        "type": "reasoning", "id": format!("rs_{item_id}"), "summary": [], "content": content, "encrypted_content": sealed,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(events: &[Value]) -> Vec<Said> {
        let tools = Tools::of(&json!({"tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]}));
        let mut decoder = MessagesDecoder::new(tools, "s".into());
        let mut said: Vec<Said> = events.iter().flat_map(|event| decoder.push(&event.to_string())).collect();
        said.extend(decoder.end());
        said
    }

    fn start() -> Value {
        json!({"type": "message_start", "message": {"id": "msg_1", "usage":
            {"input_tokens": 1, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 100, "output_tokens": 1}}})
    }

    fn open(index: u64, block: Value) -> Value {
        json!({"type": "content_block_start", "index": index, "content_block": block})
    }

    fn more(index: u64, delta: Value) -> Value {
        json!({"type": "content_block_delta", "index": index, "delta": delta})
    }

    fn close(index: u64) -> Value {
        json!({"type": "content_block_stop", "index": index})
    }

    fn stop(reason: &str) -> [Value; 2] {
        [
            json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}),
            json!({"type": "message_stop"}),
        ]
    }

    #[test]
    fn a_whole_response_keeps_signatures_and_counts_everything() {
        let mut events = vec![
            start(),
            json!({"type": "ping"}),
            open(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
            more(0, json!({"type": "thinking_delta", "thinking": "hm"})),
            more(0, json!({"type": "signature_delta", "signature": "sig"})),
            close(0),
            open(1, json!({"type": "redacted_thinking", "data": "zzz"})),
            close(1),
            open(2, json!({"type": "text", "text": ""})),
            more(2, json!({"type": "text_delta", "text": "So:"})),
            close(2),
            open(3, json!({"type": "tool_use", "id": "1", "name": "f", "input": {}})),
            more(3, json!({"type": "input_json_delta", "partial_json": "{\"a\""})),
            more(3, json!({"type": "input_json_delta", "partial_json": ":1}"})),
            close(3),
            open(4, json!({"type": "tool_use", "id": "2", "name": "c", "input": {"input": "x"}})),
            close(4),
        ];
        events.extend(stop("tool_use"));
        let said = hear(&events);
        assert_eq!(said[0], Said::Reasoning("hm".into()));
        let items: Vec<&Value> =
            said.iter().filter_map(|said| if let Said::Item(item) = said { Some(item) } else { None }).collect();
        assert_eq!(items[0]["encrypted_content"], "messages:sig");
        assert_eq!(items[0]["content"][0]["text"], "hm");
        assert_eq!(items[1]["encrypted_content"], "messages-redacted:zzz");
        assert_eq!(items[2]["content"][0]["text"], "So:");
        assert_eq!((&items[3]["call_id"], &items[3]["arguments"]), (&json!("1"), &json!("{\"a\":1}")));
        assert_eq!((&items[4]["type"], &items[4]["input"]), (&json!("custom_tool_call"), &json!("x")));
        let Some(Said::Completed { id, usage, .. }) = said.last() else { panic!("{said:?}") };
        assert_eq!(id, "msg_1");
        assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(111), &json!(7)));
        assert_eq!(usage["input_tokens_details"], json!({"cached_tokens": 10, "cache_write_tokens": 100}));
    }

    #[test]
    fn a_response_that_did_not_end_well_is_never_complete() {
        let call = [
            open(0, json!({"type": "tool_use", "id": "1", "name": "f"})),
            more(0, json!({"type": "input_json_delta", "partial_json": "{\"cmd\":\"rm"})),
            close(0),
        ];
        let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        for (events, end) in [
            (call.to_vec(), None),
            ([&call[..], &stop("max_tokens")].concat(), Some(Said::Incomplete("max_output_tokens"))),
            (
                [&call[..], &[json!({"type": "message_stop"})]].concat(),
                Some(Said::broken("the server ended the response without saying why")),
            ),
            ([&call[..], &[error]].concat(), Some(Said::Failed { code: "slow_down", message: "Overloaded".into() })),
            (stop("refusal").to_vec(), Some(Said::Incomplete("content_filter"))),
            (stop("end_turn").to_vec(), Some(Said::broken("the model ended its response without an answer"))),
            (vec![json!([1])], Some(Said::broken("an event of the stream is no JSON object"))),
        ] {
            let said = hear(&events);
            assert_eq!(said.last(), end.as_ref(), "{events:?}");
            assert!(!said.iter().any(|said| matches!(said, Said::Item(_))), "{said:?}");
        }
    }
}
