//! `update_plan`: shows people the model's plan. Nothing is kept here: the model has the plan in its own call.

use std::path::Path;

use serde::Deserialize;

use super::{arguments, spec};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::event::{Activity, PlanStep, StepStatus};
use crate::protocol::{Event, ToolSpec};

#[derive(Deserialize)]
struct Args {
    explanation: Option<String>,
    plan: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    status: StepStatus,
}

/// The tool.
pub struct UpdatePlan {
    spec: ToolSpec,
}

impl UpdatePlan {
    pub(super) fn new() -> Self {
        Self { spec: spec(include_str!("../../tools/update_plan.json")) }
    }
}

impl Tool for UpdatePlan {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, _cwd: &Path) -> Activity {
        arguments::activity(&self.spec.name, input, |args: Args| summary(&args.plan))
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::None)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let args = match arguments::parse::<Args>(input) {
                Ok(args) => args,
                Err(answer) => return answer,
            };
            cx.events.emit(event(args));
            Output::ok("Plan updated")
        })
    }
}

fn event(args: Args) -> Event {
    let steps = args.plan.into_iter().map(|Step { step, status }| PlanStep { step, status }).collect();
    Event::PlanUpdated { explanation: args.explanation, steps }
}

/// What people were shown when the model called this with `input`; `None` when that is no plan.
#[must_use]
pub fn shown(input: &str) -> Option<Event> {
    arguments::parse(input).ok().map(event)
}

fn summary(plan: &[Step]) -> String {
    let done = plan.iter().filter(|step| step.status == StepStatus::Completed).count();
    format!("{done} of {} steps done", plan.len())
}
