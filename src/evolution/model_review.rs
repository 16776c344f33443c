//! The reviewer that asks a model: one call without tools over a digest of the turns. It is asked only where the rules found
//! nothing though something happened, within the [`Budget`], and what it says goes through `verify` like everything else.

use serde_json::json;

use super::ask::{NoAnswer, Question, sample};
use super::budget::Budget;
use super::digest::{self, Reply};
use super::stage::{Pass, Ports, Report, Signal, Stage};
use crate::agent::ports::{BoxFuture, ModelClient};
use crate::ledger::Ledger;
use crate::protocol::Item;
use crate::protocol::item::Role;
use crate::protocol::learned::{Author, Decision, Discard, MemoryKind, ReviewEnd, Scope, TurnRecord, Verdict};

const INSTRUCTIONS: &str = include_str!("../../prompts/evolution/review.md");

/// The stage.
pub struct ModelStage;

impl Stage for ModelStage {
    fn name(&self) -> &'static str {
        "model"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            if !is_wanted(pass, ports) {
                return Report::did("was not asked");
            }
            if pass.quick {
                return Report::end("left for a review that may ask a model");
            }
            let Some(model) = ports.model else { return Report::did("there is none to ask") };
            review(pass, ports, model).await
        })
    }
}

/// Whether a model is to be asked: something happened, and the rules made nothing of it.
fn is_wanted(pass: &Pass, ports: &Ports<'_>) -> bool {
    let speaks = |signal: &Signal| !matches!(signal, Signal::Turns | Signal::Alike | Signal::Wished);
    let asks = ports.settings.model_reviewer && !pass.rules_only && !pass.dry_run;
    asks && pass.candidates.is_empty() && pass.signals.iter().any(speaks)
}

async fn review(pass: &mut Pass, ports: &Ports<'_>, model: &dyn ModelClient) -> Report {
    let mut budget = Budget::new(ports.settings, &pass.reviews, pass.now_ms, ports.clock);
    let turns: Vec<&TurnRecord> =
        pass.fresh.iter().rev().take(digest::TURNS).rev().map(|index| &pass.turns[*index]).collect();
    let slug = ports.settings.review_model.clone().or_else(|| turns.last().map(|turn| turn.model.clone()));
    let slug = slug.unwrap_or_default();
    let ledgers: Vec<Ledger> =
        [Scope::Repo, Scope::User].into_iter().filter_map(|scope| ports.store.ledger(scope).ok()).collect();
    let digest = digest::digest(&turns, &ledgers.iter().collect::<Vec<_>>());
    let wall = budget.wall();
    let asked = tokio::time::timeout(wall, ask(model, &slug, &digest, &turns, &mut budget)).await;
    let late = |_| Err(NoAnswer::OverBudget(format!("the answer did not come in time: {} s", wall.as_secs())));
    let asked = asked.unwrap_or_else(late);
    pass.cost = budget.spent();
    pass.by = Some(Author::Model(slug));
    match asked {
        Ok(reply) => take(pass, reply),
        Err(NoAnswer::Failed(why)) => {
            pass.trouble = Some(ReviewEnd::Failed(why.clone()));
            Report::did(format!("failed: {why}"))
        }
        Err(NoAnswer::OverBudget(why)) => {
            pass.trouble = Some(ReviewEnd::OverBudget(why.clone()));
            Report::did(format!("stopped at the budget: {why}"))
        }
    }
}

fn take(pass: &mut Pass, reply: Reply) -> Report {
    let mut report = Report::did(format!("proposed {}", reply.candidates.len()));
    pass.candidates.extend(reply.candidates);
    for (text, why) in reply.malformed {
        // What cannot be read has no kind of its own; its text is not trusted with a place on disk.
        let verdict = Verdict::Discarded(Discard::Malformed);
        pass.decisions.push(Decision { kind: MemoryKind::Fact, scope: Scope::Repo, text: String::new(), verdict });
        report.dropped.push((text, why));
    }
    report
}

/// Asks; an answer that cannot be read is answered once with the field and the reason.
async fn ask(
    model: &dyn ModelClient,
    slug: &str,
    digest: &str,
    turns: &[&TurnRecord],
    budget: &mut Budget<'_>,
) -> Result<Reply, NoAnswer> {
    let mut items = vec![Item::message(Role::User, &[digest])];
    let question = Question { slug, instructions: INSTRUCTIONS, schema: schema() };
    let first = sample(model, &question, &items, budget).await?;
    let why = match digest::read(&first, turns, slug) {
        Ok(reply) => return Ok(reply),
        Err(why) => why,
    };
    let repair = format!("That cannot be used: {why}. Answer again, with the JSON object alone.");
    items.push(Item::message(Role::Assistant, &[first]));
    items.push(Item::message(Role::User, &[repair]));
    let second = sample(model, &question, &items, budget).await?;
    digest::read(&second, turns, slug)
        .map_err(|why| NoAnswer::Failed(format!("the reviewer's answer cannot be used: {why}")))
}

fn schema() -> serde_json::Value {
    let text = json!({ "type": "string" });
    let one_of = |names: &[&str]| json!({ "type": "string", "enum": names });
    let lesson = json!({
        "type": "object",
        "properties": {
            "action": one_of(&["add", "replace", "retire"]),
            "target": text,
            "kind": one_of(&["fact", "rule", "preference", "pitfall", "reference"]),
            "scope": one_of(&["repo", "user"]),
            "text": text,
            "turn": { "type": "integer" },
            "source": one_of(&["said", "exit", "answer", "output"]),
            "quote": text,
        },
        "required": ["action", "target", "kind", "scope", "text", "turn", "source", "quote"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": { "lessons": { "type": "array", "items": lesson } },
        "required": ["lessons"],
        "additionalProperties": false,
    })
}
