//! Other models that answer when the chosen one cannot.
//!
//! The chain is the chosen model, then the configured ones. A model that failed is left alone for a while, so that the next
//! requests do not wait for it again; when all are, the chain is gone through from the beginning. What one provider sealed
//! another cannot read: `fit` makes the conversation fit whoever is asked.

mod fit;

use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::catalogue;
use super::provider::Provider;
use super::record::Recorder;
use super::responses::ResponsesClient;
use crate::agent::ports::{Completion, ModelClient, ModelEvent, ModelStream};
use crate::protocol::error::{ModelErrorCause as Cause, Retry};
use crate::protocol::event::Fallback;
use crate::protocol::provider::WireApi;
use crate::protocol::{ItemKind, ModelError, Prompt, TurnId};

/// A model to fall back to, and who serves it.
#[derive(Clone, Debug)]
pub struct Spare {
    /// Its slug.
    pub model: String,
    /// Its provider; `None` for that of the chosen model.
    pub provider: Option<Provider>,
}

/// Asks the chosen model, or one of the others.
pub struct FailoverClient {
    home: Served,
    spares: Vec<(String, Option<Served>)>,
    cooldown: Duration,
    state: Arc<Mutex<State>>,
}

/// A provider and the way to it.
struct Served {
    id: String,
    name: String,
    wire: WireApi,
    client: ResponsesClient,
}

#[derive(Default)]
struct State {
    /// Until when a model, by provider and slug, is left alone.
    cooling: HashMap<(String, String), Instant>,
    /// What is under way.
    request: Option<Underway>,
    /// The turn whose person was told that the chosen model rests.
    told: Option<TurnId>,
}

/// The request of a turn that is being made, until it is answered.
struct Underway {
    turn: TurnId,
    /// The chosen model.
    chosen: String,
    /// Those that were given up on, by their place in the chain.
    passed: Vec<usize>,
    /// Who is asked now.
    asked: usize,
    /// The conversation holds a summary that only the chosen model's provider can read.
    bound: bool,
}

/// One model of the chain.
struct Candidate<'a> {
    slug: &'a str,
    served: &'a Served,
}

impl FailoverClient {
    /// A client of `provider` that falls back to `spares`, in their order.
    #[must_use]
    pub fn new(provider: Provider, spares: Vec<Spare>, cooldown: Duration, recorder: Option<&Recorder>) -> Self {
        let home_wire = provider.wire;
        let served = |provider: Provider| Served {
            id: provider.id.clone(),
            name: provider.name.clone(),
            wire: provider.wire,
            // A tape holds one format.
            client: {
                let recorder = recorder.filter(|_| provider.wire == home_wire).cloned();
                ResponsesClient::new(provider, recorder)
            },
        };
        let home = served(provider);
        let spares = spares.into_iter().map(|spare| {
            let foreign = spare.provider.filter(|provider| provider.id != home.id);
            (spare.model, foreign.map(served))
        });
        Self { spares: spares.collect(), home, cooldown, state: Arc::default() }
    }

    /// Leaves no model alone any more: the person chose one.
    pub fn forget(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn chain<'a>(&'a self, chosen: &'a str) -> Vec<Candidate<'a>> {
        let first = Candidate { slug: chosen, served: &self.home };
        let spares = self
            .spares
            .iter()
            .map(|(slug, served)| Candidate { slug, served: served.as_ref().unwrap_or(&self.home) })
            .filter(|spare| spare.slug != chosen || spare.served.id != self.home.id);
        std::iter::once(first).chain(spares).collect()
    }

    /// Who is asked next: the first that was not given up on and need not rest, else the first that was not given up on.
    fn choose(&self, chain: &[Candidate<'_>], state: &State, passed: &[usize], bound: bool) -> Option<usize> {
        let now = Instant::now();
        let rests = |at: &usize| {
            let Candidate { slug, served } = &chain[*at];
            state.cooling.get(&(served.id.clone(), (*slug).to_owned())).is_some_and(|until| *until > now)
        };
        let able = |at: &usize| !passed.contains(at) && (!bound || chain[*at].served.id == self.home.id);
        let mut left = (0..chain.len()).filter(able);
        left.clone().find(|at| !rests(at)).or_else(|| left.next())
    }

    /// What the person is told, once in a turn, when the chosen model still rests.
    fn rest(&self, chain: &[Candidate<'_>], state: &mut State, turn: TurnId, asked: usize) -> Option<ModelEvent> {
        if asked == 0 || state.told == Some(turn) {
            return None;
        }
        state.told = Some(turn);
        let until = state.cooling.get(&(self.home.id.clone(), chain[0].slug.to_owned()))?;
        let left = until.saturating_duration_since(Instant::now()).as_secs().div_ceil(60);
        let (chosen, answers) = (self.name(&chain[0]), self.name(&chain[asked]));
        let text =
            format!("{chosen} failed before and is tried again in {left} min; {answers} answers. /model asks it now");
        Some(ModelEvent::Notice(text))
    }

    fn name(&self, candidate: &Candidate<'_>) -> String {
        match candidate.served.id == self.home.id {
            true => candidate.slug.to_owned(),
            false => format!("{} ({})", candidate.slug, candidate.served.name),
        }
    }

    /// The prompt as the candidate can take it.
    fn fitted(&self, candidate: &Candidate<'_>, asked: usize, mut prompt: Prompt) -> Prompt {
        let (home, id) = (candidate.served.id == self.home.id, candidate.served.id.as_str());
        prompt.items = fit::items(prompt.items, id, home);
        if asked == 0 {
            return prompt;
        }
        let info = catalogue::lookup(candidate.slug);
        candidate.slug.clone_into(&mut prompt.model);
        prompt.parallel_tool_calls &= info.parallel_calls;
        // A model that nothing is known of may refuse a field it does not take; none needs one.
        prompt.effort = prompt.effort.filter(|_| info.default_effort.is_some());
        prompt.summary = prompt.summary.filter(|_| info.default_effort.is_some());
        prompt.verbosity = prompt.verbosity.filter(|_| info.takes_verbosity());
        if !home {
            prompt.service_tier = None;
            prompt.turn_state = Arc::new(OnceLock::new());
        }
        // The other formats know functions alone, and translate by themselves.
        if !info.freeform_patch && candidate.served.wire == WireApi::Responses {
            prompt.items = prompt.items.into_iter().map(fit::as_function).collect();
            prompt.tools = Arc::new(fit::functions(&prompt.tools));
        }
        prompt
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModelClient for FailoverClient {
    fn stream(&self, prompt: Prompt) -> ModelStream {
        let chosen = prompt.model.clone();
        let chain = self.chain(&chosen);
        let bound = prompt.items.iter().any(|item| *item.kind() == ItemKind::Compaction);
        let mut state = self.state();
        if state.request.as_ref().is_some_and(|request| request.turn != prompt.turn_id || request.chosen != chosen) {
            state.request = None;
        }
        let passed = state.request.take().map(|request| request.passed).unwrap_or_default();
        let asked = self.choose(&chain, &state, &passed, bound).unwrap_or(0);
        let notice = if passed.is_empty() { self.rest(&chain, &mut state, prompt.turn_id, asked) } else { None };
        state.request = Some(Underway { turn: prompt.turn_id, chosen: chosen.clone(), passed, asked, bound });
        drop(state);
        let candidate = &chain[asked];
        let mark = (candidate.served.id != self.home.id).then(|| candidate.served.id.clone());
        let answer = candidate.served.client.stream(self.fitted(candidate, asked, prompt));
        let (state, spare) = (Arc::clone(&self.state), (asked > 0).then(|| candidate.slug.to_owned()));
        let answer = answer.map(move |event| match (event, &mark) {
            (Ok(ModelEvent::ItemDone(item)), Some(id)) => Ok(ModelEvent::ItemDone(fit::marked(item, id))),
            (Ok(ModelEvent::Completed(completion)), _) => {
                locked(&state).request = None;
                Ok(ModelEvent::Completed(Completion { model: spare.clone(), ..completion }))
            }
            (event, _) => event,
        });
        Box::pin(stream::iter(notice.map(Ok)).chain(answer))
    }

    fn stream_max_retries(&self) -> u32 {
        self.home.client.stream_max_retries()
    }

    fn backoff(&self, attempt: u32) -> Duration {
        self.home.client.backoff(attempt)
    }

    fn fall_back(&self, error: &ModelError, last_try: bool) -> Option<Fallback> {
        if !helps(error, last_try) {
            return None;
        }
        let mut state = self.state();
        let mut request = state.request.take()?;
        let chain = self.chain(&request.chosen);
        let failed = chain.get(request.asked)?;
        request.passed.push(request.asked);
        if !self.cooldown.is_zero() && chain.len() > 1 {
            let key = (failed.served.id.clone(), failed.slug.to_owned());
            state.cooling.insert(key, Instant::now() + self.cooldown);
        }
        let next = self.choose(&chain, &state, &request.passed, request.bound)?;
        let fallback = Fallback {
            from: self.name(failed),
            to: self.name(&chain[next]),
            cooldown: self.cooldown,
            detail: error.message.clone(),
        };
        // The person knows why another answers.
        state.told = Some(request.turn);
        state.request = Some(request);
        Some(fallback)
    }
}

/// Whether another model may answer where this one failed so.
fn helps(error: &ModelError, last_try: bool) -> bool {
    match error.cause {
        Cause::ModelNotFound | Cause::NoFirstData | Cause::Overloaded => true,
        Cause::UsageLimit | Cause::RateLimited | Cause::Server | Cause::Transport => last_try,
        // One that was cut short by its own limit would be so again.
        Cause::Stream => last_try && error.retry != Retry::No,
        Cause::ContextWindowExceeded | Cause::Auth | Cause::BadRequest => false,
    }
}
