//! Makes what was verified real: operations in the journals, and the review that tells of it.

use super::ports::StoreError;
use super::settle::{Settled, settle};
use super::stage::{Pass, Ports, Report, Stage};
use crate::agent::ports::BoxFuture;
use crate::protocol::TurnId;
use crate::protocol::learned::{Author, Review, ReviewEnd, Scope};

/// How often somebody else may be quicker.
const TRIES: usize = 4;

/// The stage.
pub struct ApplyStage;

impl Stage for ApplyStage {
    fn name(&self) -> &'static str {
        "apply"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let mut report = Report::default();
            let mut changes = 0;
            for scope in [Scope::Repo, Scope::User] {
                match commit(pass, ports, scope) {
                    Ok(settled) => {
                        changes += settled.operations.len();
                        pass.decisions.extend(settled.decisions);
                        pass.operations.entry(scope).or_default().extend(settled.operations);
                    }
                    Err(error) => {
                        // Nothing of this scope was kept, so nothing is said to be; the turns stay in the outbox.
                        report.dropped.push((scope.name().to_owned(), error.to_string()));
                        pass.trouble = Some(ReviewEnd::Failed(error.to_string()));
                    }
                }
            }
            report.did = format!("made {changes} changes");
            if let Some(error) = finish(pass, ports) {
                report.dropped.push(("the review".to_owned(), error.to_string()));
            }
            report
        })
    }
}

/// Decides on what is known now, and again when that changed meanwhile.
fn commit(pass: &mut Pass, ports: &Ports<'_>, scope: Scope) -> Result<Settled, StoreError> {
    if pass.verified.iter().all(|verified| verified.candidate.scope != scope) {
        return Ok(Settled::default());
    }
    let mut tries = 0;
    loop {
        let ledger = ports.store.ledger(scope)?;
        let settled = settle(&pass.verified, scope, &ledger, ports.settings.mode, pass.now_ms);
        if pass.dry_run || settled.operations.is_empty() {
            return Ok(settled);
        }
        tries += 1;
        match ports.store.commit(scope, ledger.sequence(), &settled.operations) {
            Err(StoreError::Moved) if tries < TRIES => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(settled),
        }
    }
}

/// Keeps the review.
fn finish(pass: &Pass, ports: &Ports<'_>) -> Option<StoreError> {
    let review = review(pass);
    if pass.dry_run || review.covers.is_empty() {
        return None;
    }
    ports.store.append_review(&review).err()
}

/// The review that a pass was.
#[must_use]
pub fn review(pass: &Pass) -> Review {
    let covers: Vec<TurnId> =
        pass.fresh.iter().filter_map(|index| pass.turns.get(*index)).map(|turn| turn.turn).collect();
    Review {
        at_ms: pass.now_ms,
        by: pass.by.clone().unwrap_or(Author::Rules),
        covers,
        end: pass.trouble.clone().unwrap_or(ReviewEnd::Done),
        cost: pass.cost,
        decisions: pass.decisions.clone(),
    }
}
