//! Conversation items: what the model sees and what the rollout stores.
//!
//! An [`Item`] keeps the JSON it came with, byte for byte, and beside it the few facts the loop acts on. It is
//! serialised exactly once: request bodies and rollout lines are made by joining [`Item::json`], and unknown fields
//! of the server survive because nothing ever rewrites them. Longer texts are read out of the JSON when asked for, so a
//! large item is held in memory once. Items clone by reference count.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::ids::new_item_id;

/// One item of a conversation.
#[derive(Clone)]
pub struct Item(Arc<Inner>);

struct Inner {
    json: Bytes,
    facts: Facts,
}

/// What is read off an item when it is taken, in one pass over its JSON.
struct Facts {
    id: Option<Box<str>>,
    kind: ItemKind,
    phase: Option<Box<str>>,
}

/// What the loop must know of an item to act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A message of the user, the developer or the model.
    Message(Role),
    /// The model's reasoning, usually encrypted.
    Reasoning,
    /// The model asks for a tool.
    Call(Call),
    /// The answer to a call.
    Output {
        /// The form of the call that is answered.
        form: CallForm,
        /// The call that is answered.
        call_id: Box<str>,
    },
    /// Something the provider ran by itself, such as a web search: kept and replayed, never acted on.
    Hosted,
    /// A summary that stands for earlier items.
    Compaction,
    /// A type this version does not know, or an item that lacks what its type needs. Never enters history.
    Unknown,
}

/// The head of a tool call. Its arguments stay in the JSON, see [`Item::call_input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which item type the call came as.
    pub form: CallForm,
    /// Pairs the call with its output.
    pub call_id: Box<str>,
    /// The tool's name; empty for forms that carry none.
    pub name: Box<str>,
    /// The namespace, when the tool lives in one.
    pub namespace: Option<Box<str>>,
}

/// The item types a call can come as. Its output must be of the matching type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallForm {
    /// `function_call`: JSON arguments.
    Function,
    /// `custom_tool_call`: free text.
    Custom,
    /// `local_shell_call`: a form of older models; answered as a function call.
    LocalShell,
    /// `tool_search_call`: the model looks for deferred tools.
    ToolSearch,
}

impl CallForm {
    /// Prefix of the id of an output of this form.
    #[must_use]
    pub const fn output_id_prefix(self) -> &'static str {
        match self {
            Self::Function | Self::LocalShell => "fco",
            Self::Custom => "ctco",
            Self::ToolSearch => "tso",
        }
    }

    const fn output_type(self) -> &'static str {
        match self {
            Self::Function | Self::LocalShell => "function_call_output",
            Self::Custom => "custom_tool_call_output",
            Self::ToolSearch => "tool_search_output",
        }
    }
}

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person, or context shown on the person's behalf.
    User,
    /// The program that runs the model.
    Developer,
    /// The model.
    Assistant,
    /// Only in foreign files; never enters history.
    System,
}

impl Role {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Developer => "developer",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

/// A part of a tool's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputPart {
    /// Text.
    Text(String),
    /// An image as a `data:` URL, with the detail level the provider should read it at.
    Image {
        /// `data:image/png;base64,…`
        url: String,
        /// `high`, `low`, `auto` or `original`.
        detail: &'static str,
    },
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    phase: Option<Cow<'a, str>>,
}

impl Head<'_> {
    fn facts(&self) -> Facts {
        let id = self.id.as_deref().filter(|id| !id.is_empty());
        Facts { id: id.map(Box::from), kind: classify(self), phase: self.phase.as_deref().map(Box::from) }
    }
}

impl Item {
    /// Takes an item as a rollout or a program holds it.
    ///
    /// # Errors
    /// The bytes are not a JSON object with a `type`.
    pub fn parse(json: impl Into<Bytes>) -> Result<Self, serde_json::Error> {
        let json = json.into();
        let facts = serde_json::from_slice::<Head<'_>>(&json)?.facts();
        Ok(Self(Arc::new(Inner { json, facts })))
    }

    /// Takes the item that `bytes` begin with, and says how many of them it is. The one scan that finds its end also
    /// checks it. `hold` makes the bytes that are kept; it may leave out what the item's kind and id do not come from.
    ///
    /// # Errors
    /// `bytes` do not begin with a JSON object with a `type`.
    pub fn parse_prefix(bytes: &[u8], hold: impl FnOnce(&[u8]) -> Bytes) -> Result<(Self, usize), serde_json::Error> {
        let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Head<'_>>();
        let head = stream.next().unwrap_or_else(|| Err(serde::de::Error::custom("an item is missing")))?;
        let end = stream.byte_offset();
        let facts = head.facts();
        Ok((Self(Arc::new(Inner { json: hold(&bytes[..end]), facts })), end))
    }

    /// Takes an item as a server sent it. Servers refuse ids that do not look like `prefix_rest`, so such an id is dropped
    /// here, once, and an empty one is replaced; everything else stays as received.
    ///
    /// # Errors
    /// The bytes are not a JSON object with a `type`.
    pub fn from_server(json: impl Into<Bytes>) -> Result<Self, serde_json::Error> {
        let json = json.into();
        let (facts, replacement) = {
            let head: Head<'_> = serde_json::from_slice(&json)?;
            match head.id.as_deref() {
                Some("") => (None, Some(new_item_id(if head.kind == "message" { "msg" } else { "item" }))),
                Some(id) if !replayable_id(id) => (None, None),
                _ => (Some(head.facts()), None),
            }
        };
        if let Some(facts) = facts {
            return Ok(Self(Arc::new(Inner { json, facts })));
        }
        let mut value: serde_json::Map<String, Value> = serde_json::from_slice(&json)?;
        match replacement {
            Some(id) => value.insert("id".into(), id.into()),
            None => value.shift_remove("id"),
        };
        Self::parse(serde_json::to_vec(&value)?)
    }

    fn from_value(value: &Value, kind: ItemKind) -> Self {
        let id = value.get("id").and_then(Value::as_str).map(Box::from);
        let facts = Facts { id, kind, phase: None };
        Self(Arc::new(Inner { json: Bytes::from(value.to_string()), facts }))
    }

    /// A message with one text part for each of `texts`, under a fresh id.
    #[must_use]
    pub fn message<T: AsRef<str>>(role: Role, texts: &[T]) -> Self {
        let part_type = if role == Role::Assistant { "output_text" } else { "input_text" };
        let parts: Vec<Value> = texts.iter().map(|text| json!({"type": part_type, "text": text.as_ref()})).collect();
        Self::message_from_parts(role, parts)
    }

    /// A message made of ready content parts, under a fresh id.
    #[must_use]
    pub fn message_from_parts(role: Role, content: Vec<Value>) -> Self {
        let value = json!({"type": "message", "id": new_item_id("msg"), "role": role.as_str(), "content": content});
        Self::from_value(&value, ItemKind::Message(role))
    }

    /// The answer to a call. A single text travels as a plain string, everything else as an array of parts. `id` is
    /// left out of the item when `None`.
    #[must_use]
    pub fn output(form: CallForm, call_id: &str, id: Option<String>, parts: &[OutputPart]) -> Self {
        let output = match parts {
            [OutputPart::Text(text)] => Value::from(text.as_str()),
            parts => parts.iter().map(output_part).collect(),
        };
        let mut value = json!({"type": form.output_type(), "call_id": call_id});
        if let Some(id) = id {
            value["id"] = id.into();
        }
        if form == CallForm::ToolSearch {
            value["status"] = "completed".into();
            value["execution"] = "client".into();
            value["tools"] = Value::Array(Vec::new());
        } else {
            value["output"] = output;
        }
        Self::from_value(&value, ItemKind::Output { form, call_id: call_id.into() })
    }

    /// The item's JSON, exactly as it was received or first written.
    #[must_use]
    pub fn json(&self) -> &Bytes {
        &self.0.json
    }

    /// The item's id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.facts.id.as_deref()
    }

    /// What the item is.
    #[must_use]
    pub fn kind(&self) -> &ItemKind {
        &self.0.facts.kind
    }

    /// The call, if the item is one.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        match self.kind() {
            ItemKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Whether this is a message of `role`.
    #[must_use]
    pub fn is_message(&self, role: Role) -> bool {
        *self.kind() == ItemKind::Message(role)
    }

    /// The texts of a message's content parts, images left out; empty for everything that is no message.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow, default)]
            content: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Part<'a> {
            #[serde(borrow, default)]
            text: Option<Cow<'a, str>>,
        }
        if !matches!(self.kind(), ItemKind::Message(_)) {
            return Vec::new();
        }
        let content = serde_json::from_slice::<Message<'_>>(self.json()).ok().and_then(|message| message.content);
        let Some(content) = content.map(RawValue::get) else { return Vec::new() };
        if let Ok(parts) = serde_json::from_str::<Vec<Part<'_>>>(content) {
            return parts.into_iter().filter_map(|part| part.text.map(Cow::into_owned)).collect();
        }
        // Some servers send a message's only text without a list around it.
        serde_json::from_str(content).map(|text| vec![text]).unwrap_or_default()
    }

    /// All texts of a message, joined without a separator.
    #[must_use]
    pub fn text(&self) -> String {
        let mut texts = self.texts();
        if texts.len() == 1 { texts.swap_remove(0) } else { texts.concat() }
    }

    /// What a call asks for: the JSON arguments of a function call as text, the free text of a custom call.
    /// `None` when the item carries neither.
    #[must_use]
    pub fn call_input(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Input {
            #[serde(default)]
            arguments: Option<Value>,
            #[serde(default)]
            input: Option<String>,
        }
        let input: Input = serde_json::from_slice(self.json()).ok()?;
        match (self.call()?.form, input) {
            (CallForm::Custom, Input { input, .. }) => input,
            (_, Input { arguments: Some(Value::String(text)), .. }) => Some(text),
            // Some servers send the arguments as an object instead of as text.
            (_, Input { arguments: Some(value), .. }) if !value.is_null() => Some(value.to_string()),
            _ => None,
        }
    }

    /// What part of the answer a message of the model is: `commentary` or `final_answer`, when the server says so.
    #[must_use]
    pub fn phase(&self) -> Option<&str> {
        self.0.facts.phase.as_deref()
    }

    /// The parts of the readable summary of a reasoning item; none when the provider gave none.
    #[must_use]
    pub fn reasoning_parts(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Reasoning {
            #[serde(default)]
            summary: Vec<Part>,
        }
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            text: String,
        }
        let parts = serde_json::from_slice::<Reasoning>(self.json()).map(|item| item.summary).unwrap_or_default();
        parts.into_iter().map(|part| part.text).collect()
    }

    /// Parses the whole item. For the rare reader of rare fields.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::from_slice(self.json()).unwrap_or(Value::Null)
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.json()[..self.json().len().min(200)];
        write!(f, "Item({})", String::from_utf8_lossy(shown))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

fn output_part(part: &OutputPart) -> Value {
    match part {
        OutputPart::Text(text) => json!({"type": "input_text", "text": text}),
        OutputPart::Image { url, detail } => json!({"type": "input_image", "image_url": url, "detail": detail}),
    }
}

/// Whether a server takes `id` back: an underscore with something on both sides.
fn replayable_id(id: &str) -> bool {
    id.split_once('_').is_some_and(|(prefix, rest)| !prefix.is_empty() && !rest.is_empty())
}

fn classify(head: &Head<'_>) -> ItemKind {
    let call = |form, name: Option<&str>| match (head.call_id.as_deref(), name) {
        (Some(call_id), Some(name)) => ItemKind::Call(Call {
            form,
            call_id: call_id.into(),
            name: name.into(),
            namespace: head.namespace.as_deref().map(Box::from),
        }),
        _ => ItemKind::Unknown,
    };
    let output = |form| match head.call_id.as_deref() {
        Some(call_id) => ItemKind::Output { form, call_id: call_id.into() },
        None => ItemKind::Unknown,
    };
    match head.kind.as_ref() {
        "message" => match head.role.as_deref() {
            Some("user") => ItemKind::Message(Role::User),
            Some("developer") => ItemKind::Message(Role::Developer),
            Some("assistant") => ItemKind::Message(Role::Assistant),
            Some("system") => ItemKind::Message(Role::System),
            _ => ItemKind::Unknown,
        },
        "reasoning" => ItemKind::Reasoning,
        "function_call" => call(CallForm::Function, head.name.as_deref()),
        "custom_tool_call" => call(CallForm::Custom, head.name.as_deref()),
        "local_shell_call" => call(CallForm::LocalShell, Some("local_shell")),
        "tool_search_call" => call(CallForm::ToolSearch, Some("tool_search")),
        "function_call_output" => output(CallForm::Function),
        "custom_tool_call_output" => output(CallForm::Custom),
        "tool_search_output" => output(CallForm::ToolSearch),
        "web_search_call" | "image_generation_call" => ItemKind::Hosted,
        "compaction" | "context_compaction" => ItemKind::Compaction,
        _ => ItemKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_item_is_kept_byte_for_byte() {
        let json = r#"{"type":"message", "id":"msg_1","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"a\u00e9","annotations":[]}]}"#;
        let item = Item::from_server(json).unwrap();
        assert_eq!(item.json(), json);
        assert_eq!(item.text(), "aé");
        assert_eq!(item.id(), Some("msg_1"));
    }

    #[test]
    fn ids_a_server_would_refuse_are_dropped() {
        for (id, kept) in [
            ("abc_1", true),
            ("item_0_0", true),
            ("1_2", true),
            ("m1", false),
            ("x-1", false),
            ("rs_", false),
            ("_a", false),
        ] {
            let json = format!(r#"{{"type":"reasoning","id":"{id}","summary":[]}}"#);
            let item = Item::from_server(json).unwrap();
            assert_eq!(item.id().is_some(), kept, "{id}");
            assert_eq!(item.to_value().get("id").is_some(), kept, "{id}");
        }
        let item = Item::from_server(r#"{"type":"message","id":"","role":"assistant","content":[]}"#).unwrap();
        assert!(item.id().unwrap().starts_with("msg_"));
    }

    #[test]
    fn call_input_reads_arguments_of_every_form() {
        let input = |json: &'static str| Item::parse(json).unwrap().call_input();
        assert_eq!(
            input(r#"{"type":"function_call","name":"f","call_id":"c","arguments":"{\"a\":1}"}"#).as_deref(),
            Some(r#"{"a":1}"#)
        );
        assert_eq!(
            input(r#"{"type":"function_call","name":"f","call_id":"c","arguments":{"a":1}}"#).as_deref(),
            Some(r#"{"a":1}"#)
        );
        assert_eq!(input(r#"{"type":"function_call","name":"f","call_id":"c"}"#), None);
        assert_eq!(
            input(r#"{"type":"custom_tool_call","name":"f","call_id":"c","input":"x\ny"}"#).as_deref(),
            Some("x\ny")
        );
    }

    #[test]
    fn an_item_without_what_its_type_needs_is_unknown() {
        for json in [
            r#"{"type":"function_call","name":"f"}"#,
            r#"{"type":"function_call_output","output":"x"}"#,
            r#"{"type":"message"}"#,
            r#"{"type":"brand_new"}"#,
        ] {
            assert_eq!(*Item::parse(json).unwrap().kind(), ItemKind::Unknown, "{json}");
        }
    }

    #[test]
    fn a_single_text_output_is_a_plain_string() {
        let item = Item::output(CallForm::Function, "c1", None, &[OutputPart::Text("ok".into())]);
        assert_eq!(item.json(), r#"{"type":"function_call_output","call_id":"c1","output":"ok"}"#);
    }
}
