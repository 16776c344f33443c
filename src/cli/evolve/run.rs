//! `hone evolve run`: reviews the turns that wait, due or not.

use clap::Args;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::ports::EventSink;
use crate::cli::terminal;
use crate::config::clock::SystemClock;
use crate::evolution::Mode;
use crate::evolution::account::why_not::in_words;
use crate::evolution::ports::Store as _;
use crate::evolution::run::How;
use crate::evolution::stage::Pass;
use crate::protocol::learned::{ReviewEnd, Verdict};
use crate::protocol::{ErrorKind, Event, UserError};
use crate::runtime::evolution::Reviewer;
use crate::runtime::{AgentRuntime, Learning, Setup};

/// `hone evolve run …`
#[derive(Debug, Args)]
pub struct Run {
    /// The turns of all projects, not only of this one
    #[arg(long)]
    pub all: bool,
    /// Only tell what would be learned; no model is asked
    #[arg(long)]
    pub dry_run: bool,
}

/// Takes no events: there is no turn whose progress could be shown.
struct Nobody;

impl EventSink for Nobody {
    fn emit(&self, _event: Event) {}
}

/// Reviews, and tells what came of it.
///
/// # Errors
/// The configuration cannot be read, or nothing may be learned.
pub fn run(setup: Setup, asked: &Run) -> Result<u8, UserError> {
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the operating system gives no event queue: {error}"))
    })?;
    executor.block_on(review(setup, asked))
}

async fn review(setup: Setup, asked: &Run) -> Result<u8, UserError> {
    let loaded = setup.load()?;
    let clock = Arc::new(SystemClock::new(&loaded.env));
    let here = Learning::at(&loaded, &setup.cwd, Arc::<SystemClock>::clone(&clock));
    let here = here.filter(|learning| learning.settings.mode >= Mode::Suggest).ok_or_else(|| {
        UserError::new(ErrorKind::Usage, "nothing is learned in this mode")
            .hint("set `mode = \"suggest\"` or `mode = \"auto\"` under [evolution] in config.toml")
    })?;
    let projects = if asked.all { here.all_projects() } else { vec![here] };
    // Rules need no model: a timer that has no key still learns what the person said.
    let runtime = match setup.prepare() {
        Ok(prepared) => Some(AgentRuntime::start(prepared, Arc::new(Nobody)).await?),
        Err(error) => {
            terminal::print_error(&format!("no model is asked: {}\n", error.message));
            None
        }
    };
    let how = How { forced: true, dry_run: asked.dry_run, ..How::default() };
    let mut failed = false;
    for learning in projects {
        let (name, store) = (learning.name(), Arc::clone(&learning.store));
        if !learning.root.is_dir() {
            // Whether what is learned still holds cannot be seen without its files.
            terminal::print(&format!("{name}: its folder is not there, so its turns wait\n"));
            continue;
        }
        let model = runtime.as_ref().map(AgentRuntime::model);
        let reviewer = Reviewer::new(learning, model, Arc::clone(&clock));
        let pass = reviewer.pass(how).await;
        failed |= pass.trouble.is_some();
        if !asked.dry_run {
            reviewer.index(Duration::from_secs(60)).await;
        }
        terminal::print(&told(&name, &pass, asked.dry_run));
        for damage in store.damage() {
            terminal::print_error(&format!("warning: {damage}\n"));
        }
    }
    if let Some(runtime) = runtime {
        runtime.shutdown().await;
    }
    Ok(u8::from(failed))
}

/// What a pass came to, for people.
fn told(name: &str, pass: &Pass, dry_run: bool) -> String {
    if pass.fresh.is_empty() {
        let why = pass.reports.last().map(|(_, report)| report.did.as_str()).unwrap_or_default();
        let why = if why == "nothing is due" { "no turn waits" } else { why };
        return format!("{name}: {why}\n");
    }
    let would = if dry_run { ", and nothing was changed" } else { "" };
    let mut text = format!("{name}: {} turns reviewed{would}\n", pass.fresh.len());
    for decision in &pass.decisions {
        let what = match &decision.verdict {
            Verdict::Kept(id) => format!("learned {}", id.0),
            Verdict::Merged(id) => format!("more evidence for {}", id.0),
            Verdict::Discarded(why) => format!("dropped, {}", in_words(*why)),
        };
        let about = if decision.text.is_empty() { "(not shown)" } else { &decision.text };
        _ = writeln!(text, "  {what}: {about}");
    }
    let skills = pass.reports.iter().find(|(stage, _)| *stage == "skills").map(|(_, report)| report.did.as_str());
    if let Some(did) = skills.filter(|did| *did != "drafted none") {
        _ = writeln!(text, "  skills: {did}");
    }
    if pass.cost.requests > 0 {
        let (requests, input, output) = (pass.cost.requests, pass.cost.input_tokens, pass.cost.output_tokens);
        _ = writeln!(text, "  asked a model: {requests} requests, {input} tokens in, {output} out");
    }
    match &pass.trouble {
        Some(ReviewEnd::Failed(why)) => _ = writeln!(text, "  failed, and is tried again later: {why}"),
        Some(ReviewEnd::OverBudget(why)) => _ = writeln!(text, "  stopped at the budget: {why}"),
        Some(ReviewEnd::Done) | None => {}
    }
    text
}
