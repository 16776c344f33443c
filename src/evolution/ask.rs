//! Asks a model, once and without tools, within the [`Budget`]: what the reviewer and the drafter of skills share.

use futures_util::StreamExt as _;
use std::sync::{Arc, OnceLock};

use super::budget::Budget;
use crate::agent::ports::{ModelClient, ModelEvent};
use crate::protocol::item::Role;
use crate::protocol::prompt::{Prompt, Purpose, Toolset};
use crate::protocol::{Item, ThreadId, TurnId};
use crate::text::truncate::estimate_tokens;

/// Tokens an answer may have.
const ANSWER: u64 = 1_200;

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The provider did not give one, or none that can be used.
    Failed(String),
    /// The budget was used up first.
    OverBudget(String),
}

/// What is asked.
pub struct Question<'a> {
    /// The model's slug.
    pub slug: &'a str,
    /// Its instructions.
    pub instructions: &'static str,
    /// The form of the answer.
    pub schema: serde_json::Value,
}

/// The text of one answer to `items`.
///
/// # Errors
/// There is none.
pub async fn sample(
    model: &dyn ModelClient,
    question: &Question<'_>,
    items: &[Item],
    budget: &mut Budget<'_>,
) -> Result<String, NoAnswer> {
    let bytes = question.instructions.len() + items.iter().map(|item| item.json().len()).sum::<usize>();
    let before = budget.spent();
    budget.request(estimate_tokens(bytes) as u64, ANSWER).map_err(NoAnswer::OverBudget)?;
    let mut stream = model.stream(prompt(question, items));
    let mut text = String::new();
    loop {
        let event = stream.next().await;
        let event = event.ok_or_else(|| NoAnswer::Failed("the answer broke off".to_owned()))?;
        let event = event.map_err(|error| NoAnswer::Failed(error.message))?;
        let tokens = match &event {
            ModelEvent::MessageDelta(delta) | ModelEvent::ReasoningDelta(delta) => estimate_tokens(delta.len()) as u64,
            _ => 1,
        };
        budget.receive(tokens).map_err(NoAnswer::OverBudget)?;
        match event {
            ModelEvent::ItemDone(item) if item.is_message(Role::Assistant) => text = item.text(),
            ModelEvent::Completed(completion) => {
                budget.settle(before, completion.usage.input_tokens, completion.usage.output_tokens);
                return Ok(text);
            }
            _ => {}
        }
    }
}

fn prompt(question: &Question<'_>, items: &[Item]) -> Prompt {
    Prompt {
        model: question.slug.to_owned(),
        instructions: question.instructions.into(),
        items: items.to_vec(),
        tools: Arc::new(Toolset::new([])),
        parallel_tool_calls: false,
        effort: None,
        summary: None,
        verbosity: None,
        service_tier: None,
        output_schema: Some(Arc::new(question.schema.clone())),
        // A conversation of its own: it shares no cache and no state with the person's.
        thread_id: ThreadId::new(),
        turn_id: TurnId::new(),
        window: 0,
        purpose: Purpose::Turn,
        turn_state: Arc::new(OnceLock::new()),
    }
}

/// The JSON object in an answer.
///
/// # Errors
/// There is none, in words for whoever answered.
pub fn object(answer: &str) -> Result<serde_json::Value, String> {
    let object = answer.find('{').zip(answer.rfind('}')).and_then(|(start, end)| answer.get(start..=end));
    let object = object.ok_or("the answer holds no JSON object")?;
    serde_json::from_str(object).map_err(|error| format!("the answer is no JSON: {error}"))
}
