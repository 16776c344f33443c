//! The chunks of a Chat Completions stream as what a Responses stream says.
//!
//! Servers differ in everything the format leaves open, so a chunk is read leniently. Calls are passed on when the response
//! has ended well, never before: a cut response must not run half of a command.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::chat::SEAL;
use super::failure::failed;
use super::think::{Piece, Splitter};
use super::tools::Tools;
use super::words::Said;

/// Reads one stream.
#[derive(Debug)]
pub struct ChatDecoder {
    tools: Tools,
    /// Makes ids that no other response has.
    seed: String,
    id: Option<String>,
    splitter: Splitter,
    text: String,
    reasoning: String,
    /// The field reasoning came in, and goes back in.
    field: &'static str,
    calls: Vec<Call>,
    usage: Value,
    finish: Option<String>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default)]
    content: Option<Words>,
    #[serde(default)]
    reasoning_content: Option<Words>,
    #[serde(default)]
    reasoning: Option<Words>,
    #[serde(default)]
    refusal: Option<Words>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
}

/// A text, or a list of parts as some servers have it. What is neither says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    Other(Value),
}

impl Words {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Other(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            Self::Other(_) => String::new(),
        }
    }
}

impl ChatDecoder {
    /// Reads a stream that answers a request which offered `tools`. `seed` is different for every response.
    #[must_use]
    pub fn new(tools: Tools, seed: String) -> Self {
        Self {
            tools,
            seed,
            id: None,
            splitter: Splitter::default(),
            text: String::new(),
            reasoning: String::new(),
            field: "reasoning",
            calls: Vec::new(),
            usage: Value::Null,
            finish: None,
            ended: false,
        }
    }

    /// Takes the data of one event.
    pub fn push(&mut self, data: &str) -> Vec<Said> {
        let data = data.trim();
        if self.ended || data.is_empty() {
            return Vec::new();
        }
        let said = match data {
            "[DONE]" => self.conclude(true),
            _ => self.chunk(data),
        };
        self.ended = said.last().is_some_and(Said::is_end);
        said
    }

    /// The stream ended without a mark. When the server had said why it stops, nothing is missing.
    pub fn end(&mut self) -> Vec<Said> {
        match self.ended || self.finish.is_none() {
            true => Vec::new(),
            false => {
                self.ended = true;
                self.conclude(false)
            }
        }
    }

    fn chunk(&mut self, data: &str) -> Vec<Said> {
        // Lists and numbers would be read as a chunk, field by field.
        let chunk: Chunk<'_> = match data.starts_with('{').then(|| serde_json::from_str(data)) {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return vec![Said::broken(format!("a chunk of the stream cannot be read: {error}"))],
            None => return vec![Said::broken("a chunk of the stream is no JSON object")],
        };
        if let Some(error) = chunk.error.map(read).filter(|error| !error.is_null()) {
            return vec![failed(&error)];
        }
        self.id = self.id.take().or(chunk.id);
        if let Some(usage) = chunk.usage.map(read).filter(Value::is_object) {
            self.usage = usage;
        }
        let mut said = Vec::new();
        for choice in chunk.choices.into_iter().flatten().take(1) {
            if let Some(delta) = choice.delta {
                self.delta(delta, &mut said);
            }
            self.finish = choice.finish_reason.or(self.finish.take());
        }
        said
    }

    fn delta(&mut self, delta: Delta<'_>, said: &mut Vec<Said>) {
        // Some servers say the same under both names.
        let named = [("reasoning_content", delta.reasoning_content), ("reasoning", delta.reasoning)];
        for (field, words) in named {
            let text = words.map(Words::text).unwrap_or_default();
            if !text.is_empty() {
                self.field = field;
                self.think(text, said);
                break;
            }
        }
        for words in [delta.content, delta.refusal] {
            let text = words.map(Words::text).unwrap_or_default();
            if !text.is_empty() {
                for piece in self.splitter.push(text) {
                    self.piece(piece, said);
                }
            }
        }
        if let Some(calls) = delta.tool_calls.map(read) {
            calls.as_array().into_iter().flatten().for_each(|call| self.call(call));
        }
    }

    fn think(&mut self, text: String, said: &mut Vec<Said>) {
        self.reasoning.push_str(&text);
        said.push(Said::Reasoning(text));
    }

    fn piece(&mut self, piece: Piece, said: &mut Vec<Said>) {
        match piece {
            Piece::Reasoning(text) => self.think(text, said),
            Piece::Text(text) => {
                self.text.push_str(&text);
                said.push(Said::Text(text));
            }
        }
    }

    /// Takes a piece of a call. It belongs to the call of its index; without one, to the call of its id; with neither, to
    /// the call before. A new id under an old index is a new call: some servers number every call 0.
    fn call(&mut self, piece: &Value) {
        let index = piece["index"].as_u64();
        let id = piece["id"].as_str().unwrap_or_default();
        let function = &piece["function"];
        let name = function["name"].as_str().unwrap_or_default();
        let known = match index {
            Some(index) => self.calls.iter().rposition(|call| call.index == Some(index)),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == id),
            None if !name.is_empty() => None,
            None => self.calls.len().checked_sub(1),
        };
        let other = |call: &Call| !id.is_empty() && !call.id.is_empty() && call.id != id && !name.is_empty();
        let position = known.filter(|at| !other(&self.calls[*at])).unwrap_or_else(|| {
            self.calls.push(Call { index, ..Call::default() });
            self.calls.len() - 1
        });
        let call = &mut self.calls[position];
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        // Most send the name once; some repeat it with every piece, and some send it in pieces.
        if !name.is_empty() && call.name != name {
            call.name.push_str(name);
        }
        match &function["arguments"] {
            Value::String(text) => call.arguments.push_str(text),
            Value::Null => {}
            object => call.arguments = object.to_string(),
        }
    }

    fn conclude(&mut self, marked: bool) -> Vec<Said> {
        let mut said = Vec::new();
        if let Some(piece) = self.splitter.finish() {
            self.piece(piece, &mut said);
        }
        let spoke = !self.text.is_empty() || !self.calls.is_empty();
        match self.finish.as_deref() {
            Some("length") => {
                self.items(&mut said, false);
                said.push(Said::Incomplete("max_output_tokens"));
            }
            Some("content_filter") => said.push(Said::Incomplete("content_filter")),
            Some("error") => said.push(Said::broken("the server ended the response with an error")),
            _ if !spoke => said.push(Said::broken("the model ended its response without an answer")),
            None if !marked => said.push(Said::broken("stream closed before the response was complete")),
            _ => self.complete(&mut said),
        }
        said
    }

    fn complete(&mut self, said: &mut Vec<Said>) {
        for call in &mut self.calls {
            if call.name.is_empty() {
                self.tools.only_name().unwrap_or_default().clone_into(&mut call.name);
            }
            if call.name.is_empty() {
                return said.push(Said::broken("the model called a tool without naming it"));
            }
        }
        self.items(said, true);
        let id = self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("resp_{}", self.seed));
        said.push(Said::Completed { id, usage: usage(&self.usage), end_turn: None });
    }

    fn items(&self, said: &mut Vec<Said>, with_calls: bool) {
        let seed = &self.seed;
        if !self.reasoning.is_empty() {
            said.push(Said::Item(json!({
                "type": "reasoning", "id": format!("rs_{seed}"), "summary": [],
                "content": [{"type": "reasoning_text", "text": self.reasoning}],
                "encrypted_content": format!("{SEAL}{}", self.field),
            })));
        }
        if !self.text.is_empty() {
            said.push(Said::Item(json!({
                "type": "message", "id": format!("msg_{seed}"), "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": self.text, "annotations": []}],
            })));
        }
        for (number, call) in self.calls.iter().enumerate().filter(|_| with_calls) {
            let item_id = format!("{seed}_{number}");
            let made_up = format!("call_{item_id}");
            let call_id = if call.id.is_empty() { &made_up } else { &call.id };
            said.push(Said::Item(self.tools.call_item(&item_id, call_id, &call.name, &call.arguments)));
        }
    }
}

fn read(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).unwrap_or_default()
}

fn usage(usage: &Value) -> Value {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let (input, output) = (count("/prompt_tokens").unwrap_or(0), count("/completion_tokens").unwrap_or(0));
    let cached = count("/prompt_tokens_details/cached_tokens").or_else(|| count("/prompt_cache_hit_tokens"));
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": cached.unwrap_or(0)},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": count("/completion_tokens_details/reasoning_tokens").unwrap_or(0)},
        "total_tokens": count("/total_tokens").unwrap_or(input + output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Tools {
        Tools::of(&json!({"tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]}))
    }

    /// What a stream of these chunks says: `R` reasoning, `M` text, then items, then the end.
    fn hear(chunks: &[&str]) -> Vec<String> {
        let mut decoder = ChatDecoder::new(tools(), "s".into());
        let mut said: Vec<Said> = chunks.iter().flat_map(|chunk| decoder.push(chunk)).collect();
        said.extend(decoder.end());
        said.iter().map(show).collect()
    }

    fn show(said: &Said) -> String {
        match said {
            Said::Text(text) => format!("M {text}"),
            Said::Reasoning(text) => format!("R {text}"),
            Said::Item(item) => match item["type"].as_str().unwrap() {
                "message" => format!("message {}", item["content"][0]["text"].as_str().unwrap()),
                "reasoning" => format!(
                    "reasoning {} {}",
                    item["content"][0]["text"].as_str().unwrap(),
                    item["encrypted_content"].as_str().unwrap()
                ),
                _ => {
                    let said = item["arguments"].as_str().or(item["input"].as_str()).unwrap();
                    format!("{} {}={said}", item["call_id"].as_str().unwrap(), item["name"].as_str().unwrap())
                }
            },
            Said::Completed { id, usage, .. } => {
                format!("done {id} {}/{}", usage["input_tokens"], usage["output_tokens"])
            }
            Said::Failed { code, message } => format!("failed {code}: {message}"),
            Said::Incomplete(reason) => format!("incomplete {reason}"),
        }
    }

    fn delta(delta: &str) -> String {
        format!("{{\"id\":\"r\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}]}}")
    }

    const STOP: &str = r#"{"id":"r","choices":[{"delta":{},"finish_reason":"stop"}]}"#;

    #[test]
    fn words_and_thoughts_are_told_apart() {
        for (deltas, expected) in [
            (&[r#"{"role":"assistant","content":""}"#, r#"{"content":"hi"}"#][..], &["M hi", "message hi"][..]),
            (
                &[r#"{"reasoning_content":"t","reasoning":"t"}"#, r#"{"content":"a"}"#],
                &["R t", "M a", "reasoning t chat:reasoning_content", "message a"],
            ),
            (
                &[r#"{"reasoning":"t","content":null}"#, r#"{"content":[{"type":"text","text":"a"}]}"#],
                &["R t", "M a", "reasoning t chat:reasoning", "message a"],
            ),
            (
                &[r#"{"content":"<thi"}"#, r#"{"content":"nk>t</think>\n\na"}"#],
                &["R t", "M a", "reasoning t chat:reasoning", "message a"],
            ),
            (&[r#"{"refusal":"no"}"#], &["M no", "message no"]),
        ] {
            let chunks: Vec<String> = deltas.iter().map(|text| delta(text)).collect();
            let mut chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
            let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
            chunks.extend([STOP, usage, "[DONE]"]);
            let heard = hear(&chunks);
            assert_eq!(heard[..heard.len() - 1], expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
            assert_eq!(heard.last().unwrap(), "done r 3/2");
        }
    }

    #[test]
    fn no_call_is_lost_however_it_is_numbered() {
        for (pieces, expected) in [
            (
                &[
                    r#"{"index":0,"id":"1","function":{"name":"f","arguments":"{\"a\""}}"#,
                    r#"{"index":1,"id":"2","function":{"name":"c","arguments":"{\"input\":\"x\"}"}}"#,
                    r#"{"index":0,"function":{"arguments":":1}"}}"#,
                ][..],
                &["1 f={\"a\":1}", "2 c=x"][..],
            ),
            (
                &[
                    r#"{"index":null,"id":"1","function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"index":null,"id":"2","function":{"name":"f","arguments":"{"}}"#,
                    r#"{"function":{"arguments":"}"}}"#,
                ],
                &["1 f={}", "2 f={}"],
            ),
            (
                &[
                    r#"{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"index":0,"id":"2","function":{"name":"f","arguments":"{}"}}"#,
                ],
                &["1 f={}", "2 f={}"],
            ),
            (
                &[r#"{"function":{"name":"f","arguments":{"a":1}}}"#, r#"{"function":{"name":"f","arguments":null}}"#],
                &["call_s_0 f={\"a\":1}", "call_s_1 f={}"],
            ),
            (
                &[
                    r#"{"index":0,"id":"1","function":{"name":"f"}}"#,
                    r#"{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}}"#,
                ],
                &["1 f={}"],
            ),
        ] {
            let chunks: Vec<String> =
                pieces.iter().map(|piece| delta(&format!("{{\"tool_calls\":[{piece}]}}"))).collect();
            let mut chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
            chunks.extend([r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]"]);
            let heard = hear(&chunks);
            assert_eq!(heard[..heard.len() - 1], expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_response_that_did_not_end_well_is_never_complete() {
        let call =
            delta(r#"{"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{\"cmd\":\"rm"}}]}"#);
        let nameless = delta(r#"{"tool_calls":[{"index":0,"id":"1","function":{"arguments":"{}"}}]}"#);
        let text = delta(r#"{"content":"half"}"#);
        let thought = delta(r#"{"reasoning":"t"}"#);
        let length = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
        for (chunks, expected) in [
            (&[call.as_str()][..], &[][..]),
            (&[&text], &["M half"]),
            (&[&text, length, "[DONE]"], &["M half", "message half", "incomplete max_output_tokens"]),
            (&[&call, length], &["incomplete max_output_tokens"]),
            (&[&nameless, STOP], &["failed server_error: the model called a tool without naming it"]),
            (
                &[&thought, STOP, "[DONE]"],
                &["R t", "failed server_error: the model ended its response without an answer"],
            ),
            (&["[1]"], &["failed server_error: a chunk of the stream is no JSON object"]),
            (&["null"], &["failed server_error: a chunk of the stream is no JSON object"]),
            (&[r#"{"error":{"message":"slow","code":429}}"#, STOP], &["failed rate_limit_exceeded: slow"]),
            (&[r#"{"error":"out of memory"}"#], &["failed server_error: out of memory"]),
        ] {
            assert_eq!(hear(chunks), expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), "{chunks:?}");
        }
        assert!(hear(&["{\"choices\":"])[0].starts_with("failed server_error: a chunk of the stream cannot be read"));
    }

    #[test]
    fn a_reason_to_stop_is_end_enough() {
        assert_eq!(hear(&[&delta(r#"{"content":"a"}"#), STOP]), ["M a", "message a", "done r 0/0"]);
        assert_eq!(hear(&[&delta(r#"{"content":"a"}"#), "[DONE]"]), ["M a", "message a", "done r 0/0"]);
    }
}
