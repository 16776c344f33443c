//! Has a model put a draft into better words. What is done, what checks it and what it was made from stay the program's; every word is
//! held to the gates like the program's own, and where it does not pass, those stand.

use serde::Deserialize;
use serde_json::json;

use super::draft::{free_name, request};
use super::gates::{Ground, check};
use crate::agent::ports::ModelClient;
use crate::evolution::ask::{NoAnswer, Question, object, sample};
use crate::evolution::budget::Budget;
use crate::protocol::Item;
use crate::protocol::item::Role;
use crate::protocol::learned::{Author, EntryId, Scope, Skill, Step, TurnRecord};
use crate::text::redact::redact;

const INSTRUCTIONS: &str = include_str!("../../../prompts/evolution/skill.md");

#[derive(Deserialize)]
struct Words {
    title: String,
    description: String,
    trigger: String,
    inputs: Vec<String>,
    steps: Vec<String>,
    on_failure: Vec<String>,
}

/// The draft in the model's words.
///
/// # Errors
/// Why it stays as it is.
pub async fn reword(
    draft: &Skill,
    ground: &Ground<'_>,
    taken: &[String],
    (model, slug): (&dyn ModelClient, &str),
    budget: &mut Budget<'_>,
) -> Result<Skill, String> {
    let question = Question { slug, instructions: INSTRUCTIONS, schema: schema() };
    let items = [Item::message(Role::User, &[digest(draft, ground.turns)])];
    let wall = budget.wall();
    let answer = tokio::time::timeout(wall, sample(model, &question, &items, budget)).await;
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(NoAnswer::Failed(why) | NoAnswer::OverBudget(why))) => return Err(why),
        Err(_) => return Err("the answer did not come in time".to_owned()),
    };
    let words: Words = serde_json::from_value(object(&answer)?).map_err(|error| error.to_string())?;
    let skill = with(draft, words, ground, taken, slug)?;
    check(&skill, ground).map_err(|why| why.to_string())?;
    Ok(skill)
}

/// What a model is shown: the person's own words and what ran, nothing of what anything printed or answered.
fn digest(draft: &Skill, turns: &[&TurnRecord]) -> String {
    let cited = turns.iter().filter(|turn| draft.evidence.iter().any(|evidence| evidence.turn == turn.turn));
    let asked: Vec<String> = cited.take(4).map(|turn| redact(&request(turn), &[]).into_owned()).collect();
    json!({ "asked": asked, "inputs": draft.inputs, "steps": draft.steps, "check": draft.check }).to_string()
}

fn with(draft: &Skill, words: Words, ground: &Ground<'_>, taken: &[String], model: &str) -> Result<Skill, String> {
    for (name, is, was) in
        [("steps", words.steps.len(), draft.steps.len()), ("inputs", words.inputs.len(), draft.inputs.len())]
    {
        if is != was {
            return Err(format!("the field `{name}` has {is} lines in place of {was}"));
        }
    }
    let name = |input: &String| input.split('`').nth(1).map(|name| format!("`{name}`"));
    if let Some((_, was)) =
        words.inputs.iter().zip(&draft.inputs).find(|(is, was)| name(was).is_some_and(|name| !is.contains(&name)))
    {
        return Err(format!("the field `inputs` does not name {}", name(was).unwrap_or_default()));
    }
    let slug: Vec<String> = words
        .title
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if !(1..=6).contains(&slug.len()) || words.on_failure.is_empty() || words.on_failure.len() > 5 {
        return Err("the field `title` or `on_failure` has too much or nothing in it".to_owned());
    }
    let step = |(text, step): (String, &Step)| Step { text: line(&text), command: step.command.clone() };
    // The file a step changes stays named, whatever is said of it.
    let keeps = |step: &Step, was: &Step| {
        step.command.is_some() || crate::evolution::words::code(&was.text).all(|path| step.text.contains(path))
    };
    let steps: Vec<Step> = words.steps.into_iter().zip(&draft.steps).map(step).collect();
    if !steps.iter().zip(&draft.steps).all(|(step, was)| keeps(step, was)) {
        return Err("the field `steps` leaves out a file".to_owned());
    }
    let repo = ground.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = free_name(&slug.join("-"), &repo, taken);
    let place = |text: &str| {
        let text = line(text);
        if text.contains(&repo) { text } else { format!("{} (in the repository `{repo}`)", text.trim_end_matches('.')) }
    };
    Ok(Skill {
        id: EntryId::of(Scope::Repo.name(), &name, draft.created_ms),
        name,
        description: place(&words.description),
        trigger: place(&words.trigger),
        inputs: words.inputs.iter().map(|text| line(text)).collect(),
        steps,
        on_failure: words.on_failure.iter().map(|text| line(text)).collect(),
        author: Author::Model(model.to_owned()),
        ..draft.clone()
    })
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn schema() -> serde_json::Value {
    let text = json!({ "type": "string" });
    let list = json!({ "type": "array", "items": text });
    json!({
        "type": "object",
        "properties": {
            "title": text, "description": text, "trigger": text, "inputs": list, "steps": list, "on_failure": list,
        },
        "required": ["title", "description", "trigger", "inputs", "steps", "on_failure"],
        "additionalProperties": false,
    })
}
