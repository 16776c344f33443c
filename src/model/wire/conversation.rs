//! The conversation of a Responses request, sorted into what other formats know: who speaks, calls beside the words they
//! came with, and every call answered right after it was made.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

use super::tools::wire_name;

/// Stands where a call was never answered. The other formats refuse a conversation with such a gap.
const UNANSWERED: &str = "(no output: the call was interrupted)";

/// A part of what somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Words.
    Text(&'a str),
    /// An image.
    Image {
        /// Its address; often a `data:` URL.
        url: &'a str,
        /// The detail to read it at.
        detail: Option<&'a str>,
    },
}

/// Reasoning of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasoning<'a> {
    /// Its words.
    pub text: String,
    /// What came with it that only the server understands.
    pub sealed: Option<&'a str>,
}

/// A call of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Pairs it with its output.
    pub id: &'a str,
    /// What the backend knows the tool by.
    pub name: String,
    /// The arguments as JSON text.
    pub arguments: String,
}

/// What the model says in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assistant<'a> {
    /// What it thought.
    pub reasoning: Vec<Reasoning<'a>>,
    /// What it said.
    pub text: String,
    /// What it called.
    pub calls: Vec<Call<'a>>,
}

/// A step of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Somebody speaks to the model.
    User(Vec<Part<'a>>),
    /// The model speaks.
    Assistant(Assistant<'a>),
    /// A call is answered. Follows the step that made it.
    Output {
        /// The call.
        call_id: &'a str,
        /// The answer.
        parts: Vec<Part<'a>>,
    },
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The instructions, and what the developer says before anybody else speaks. What the developer says later is said
    /// with the user's voice, since many a model's template takes instructions at the beginning alone.
    pub system: Vec<&'a str>,
    /// The steps.
    pub steps: Vec<Step<'a>>,
    pending: Assistant<'a>,
}

impl<'a> Conversation<'a> {
    /// The conversation of `request`.
    #[must_use]
    pub fn of(request: &'a Value) -> Self {
        let mut conversation = Self::default();
        conversation.system.extend(request["instructions"].as_str().filter(|text| !text.is_empty()));
        if let Some(text) = request["input"].as_str() {
            conversation.steps.push(Step::User(vec![Part::Text(text)]));
        }
        let items = request["input"].as_array().map_or(&[][..], Vec::as_slice);
        let outputs: HashMap<&str, &Value> = items.iter().filter_map(|item| Some((output_of(item)?, item))).collect();
        let made: HashSet<&str> = items.iter().filter(|item| is_call(item)).filter_map(call_id).collect();
        for item in items {
            conversation.take(item, &outputs, &made);
        }
        conversation.flush(&outputs);
        conversation
    }

    fn take(&mut self, item: &'a Value, outputs: &HashMap<&'a str, &'a Value>, made: &HashSet<&str>) {
        match item["type"].as_str().unwrap_or("message") {
            "message" if item["role"] == "assistant" => {
                if !self.pending.calls.is_empty() {
                    self.flush(outputs);
                }
                parts(&item["content"]).iter().for_each(|part| {
                    if let Part::Text(text) = part {
                        self.pending.text.push_str(text);
                    }
                });
            }
            "message" => self.hear(item, outputs),
            "reasoning" => {
                if !self.pending.calls.is_empty() {
                    self.flush(outputs);
                }
                self.pending.reasoning.push(reasoning(item));
            }
            "function_call" | "custom_tool_call" => self.pending.calls.extend(call(item)),
            _ => {
                let Some(id) = output_of(item) else { return };
                self.flush(outputs);
                // An output stands behind its call; one whose call is gone is still worth reading.
                if !made.contains(id) {
                    self.steps.push(Step::User(parts(&item["output"])));
                }
            }
        }
    }

    fn hear(&mut self, item: &'a Value, outputs: &HashMap<&'a str, &'a Value>) {
        self.flush(outputs);
        let parts = parts(&item["content"]);
        if parts.is_empty() {
            return;
        }
        if self.steps.is_empty() && item["role"] != "user" {
            let texts = parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(*text) } else { None });
            return self.system.extend(texts);
        }
        self.steps.push(Step::User(parts));
    }

    /// Ends what the model says, and answers its calls.
    fn flush(&mut self, outputs: &HashMap<&'a str, &'a Value>) {
        let said = std::mem::take(&mut self.pending);
        if said == Assistant::default() {
            return;
        }
        let ids: Vec<&str> = said.calls.iter().map(|call| call.id).collect();
        self.steps.push(Step::Assistant(said));
        for call_id in ids {
            let parts =
                outputs.get(call_id).map_or_else(|| vec![Part::Text(UNANSWERED)], |item| parts(&item["output"]));
            self.steps.push(Step::Output { call_id, parts });
        }
    }
}

fn call_id(item: &Value) -> Option<&str> {
    item["call_id"].as_str()
}

fn is_call(item: &Value) -> bool {
    matches!(item["type"].as_str(), Some("function_call" | "custom_tool_call"))
}

/// The call an item answers.
fn output_of(item: &Value) -> Option<&str> {
    let answers = matches!(item["type"].as_str(), Some("function_call_output" | "custom_tool_call_output"));
    if answers { call_id(item) } else { None }
}

fn call(item: &Value) -> Option<Call<'_>> {
    let name = wire_name(item["name"].as_str()?, item["namespace"].as_str());
    let arguments = match item["input"].as_str() {
        Some(input) => serde_json::json!({"input": input}).to_string(),
        None => item["arguments"].as_str().unwrap_or_default().to_owned(),
    };
    Some(Call { id: call_id(item)?, name, arguments })
}

fn reasoning(item: &Value) -> Reasoning<'_> {
    let texts = |key: &str| {
        let parts = item[key].as_array().into_iter().flatten();
        parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n\n")
    };
    let text = Some(texts("content")).filter(|text| !text.is_empty()).unwrap_or_else(|| texts("summary"));
    Reasoning { text, sealed: item["encrypted_content"].as_str() }
}

fn parts(content: &Value) -> Vec<Part<'_>> {
    if let Some(text) = content.as_str() {
        return if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] };
    }
    content.as_array().into_iter().flatten().filter_map(read_part).collect()
}

fn read_part(part: &Value) -> Option<Part<'_>> {
    if part["type"] == "input_image" {
        let url = part["image_url"].as_str().or_else(|| part["image_url"]["url"].as_str())?;
        return Some(Part::Image { url, detail: part["detail"].as_str() });
    }
    part["text"].as_str().or_else(|| part["refusal"].as_str()).filter(|text| !text.is_empty()).map(Part::Text)
}
