//! What a translated response says, as the events of a Responses stream. Pure.

use serde_json::{Value, json};

use crate::model::wire::Said;

/// Writes one response.
#[derive(Debug)]
pub struct Emitter {
    id: String,
    model: Value,
    sequence: u64,
    /// How many items were begun.
    begun: usize,
    message: Option<Open>,
    reasoning: Option<Open>,
    output: Vec<(usize, Value)>,
    /// The response as it ended.
    end: Option<Value>,
}

/// An item that has begun.
#[derive(Clone, Debug)]
struct Open {
    id: String,
    index: usize,
}

impl Emitter {
    /// Writes the response with this id.
    #[must_use]
    pub fn new(id: &str, model: Value) -> Self {
        Self {
            id: id.to_owned(),
            model,
            sequence: 0,
            begun: 0,
            message: None,
            reasoning: None,
            output: Vec::new(),
            end: None,
        }
    }

    /// The first event.
    pub fn start(&mut self) -> Vec<Value> {
        let response = self.response("in_progress");
        vec![self.event("response.created", json!({"response": response}))]
    }

    /// The events that say `said`.
    pub fn emit(&mut self, said: Said) -> Vec<Value> {
        if self.end.is_some() {
            return Vec::new();
        }
        match said {
            Said::Text(text) => self.delta(true, &text),
            Said::Reasoning(text) => self.delta(false, &text),
            Said::Item(item) => self.item(item),
            Said::Completed { usage, end_turn, .. } => {
                let mut response = self.response("completed");
                response["usage"] = usage;
                if let Some(end_turn) = end_turn {
                    response["end_turn"] = end_turn.into();
                }
                self.finish("response.completed", response)
            }
            Said::Failed { code, message } => {
                let mut response = self.response("failed");
                response["error"] = json!({"code": code, "message": message});
                self.finish("response.failed", response)
            }
            Said::Incomplete(reason) => {
                let mut response = self.response("incomplete");
                response["incomplete_details"] = json!({"reason": reason});
                self.finish("response.incomplete", response)
            }
        }
    }

    /// The whole response, once it has ended.
    #[must_use]
    pub const fn end(&self) -> Option<&Value> {
        self.end.as_ref()
    }

    fn event(&mut self, kind: &str, mut fields: Value) -> Value {
        let mut event = json!({"type": kind, "sequence_number": self.sequence});
        if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object_mut()) {
            event.append(fields);
        }
        self.sequence += 1;
        event
    }

    fn response(&self, status: &str) -> Value {
        let mut output: Vec<&(usize, Value)> = self.output.iter().collect();
        output.sort_by_key(|(index, _)| *index);
        let output: Vec<&Value> = output.into_iter().map(|(_, item)| item).collect();
        json!({"id": self.id, "object": "response", "status": status, "model": self.model, "output": output})
    }

    fn finish(&mut self, kind: &str, response: Value) -> Vec<Value> {
        self.end = Some(response.clone());
        vec![self.event(kind, json!({"response": response}))]
    }

    fn open(&mut self, id: String) -> Open {
        self.begun += 1;
        Open { id, index: self.begun - 1 }
    }

    fn delta(&mut self, message: bool, text: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let open = if message { self.message.clone() } else { self.reasoning.clone() };
        let open = open.unwrap_or_else(|| {
            let number = self.begun;
            let open = self.open(format!("{}_{}_{number}", if message { "msg" } else { "rs" }, self.id));
            let item = match message {
                true => json!({"type": "message", "id": open.id, "status": "in_progress", "role": "assistant", "content": []}),
                false => json!({"type": "reasoning", "id": open.id, "summary": [], "content": []}),
            };
            events.push(self.event("response.output_item.added", json!({"output_index": open.index, "item": item})));
            if message {
                let part = json!({"type": "output_text", "text": "", "annotations": []});
                let fields = json!({"item_id": open.id, "output_index": open.index, "content_index": 0, "part": part});
                events.push(self.event("response.content_part.added", fields));
            }
            *(if message { &mut self.message } else { &mut self.reasoning }) = Some(open.clone());
            open
        });
        let kind = if message { "response.output_text.delta" } else { "response.reasoning_text.delta" };
        let fields = json!({"item_id": open.id, "output_index": open.index, "content_index": 0, "delta": text});
        events.push(self.event(kind, fields));
        events
    }

    fn item(&mut self, mut item: Value) -> Vec<Value> {
        let mut events = Vec::new();
        let open = match item["type"].as_str() {
            Some("message") => self.message.take(),
            Some("reasoning") => self.reasoning.take(),
            _ => None,
        };
        let open = open.unwrap_or_else(|| {
            let id = item["id"].as_str().unwrap_or_default().to_owned();
            let open = self.open(id);
            events.push(self.event("response.output_item.added", json!({"output_index": open.index, "item": item})));
            open
        });
        item["id"] = open.id.into();
        self.output.push((open.index, item.clone()));
        events.push(self.event("response.output_item.done", json!({"output_index": open.index, "item": item})));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_begins_before_it_is_spoken_and_ends_under_the_same_id() {
        let mut emitter = Emitter::new("r", "m".into());
        let mut events = emitter.start();
        let message = json!({"type": "message", "id": "x", "content": []});
        let call = json!({"type": "function_call", "id": "fc_1", "call_id": "1", "name": "f", "arguments": "{}"});
        for said in [
            Said::Reasoning("hm".into()),
            Said::Text("a".into()),
            Said::Text("b".into()),
            Said::Item(json!({"type": "reasoning", "id": "y"})),
            Said::Item(message),
            Said::Item(call),
            Said::Completed { id: "up".into(), usage: json!({"input_tokens": 1}), end_turn: None },
            Said::Text("never".into()),
        ] {
            events.extend(emitter.emit(said));
        }
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "response.created",
                "response.output_item.added",
                "response.reasoning_text.delta",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_item.done",
                "response.output_item.done",
                "response.output_item.added",
                "response.output_item.done",
                "response.completed",
            ]
        );
        assert_eq!(events[7]["item"]["id"], events[2]["item_id"]);
        assert_eq!(events[8]["item"]["id"], events[5]["item_id"]);
        let output = emitter.end().unwrap()["output"].as_array().unwrap();
        let kinds: Vec<&Value> = output.iter().map(|item| &item["type"]).collect();
        assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    }
}
