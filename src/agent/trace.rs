//! What happened in a turn, for whoever learns from it.
//!
//! The trace listens to the turn's own events on their way to the front end. It holds words as they were said: whoever keeps
//! any of it shortens and redacts it first.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::ports::EventSink;
use crate::context::skills::mention;
use crate::protocol::trace::CallTrace;
use crate::protocol::{Event, Item};

/// Follows a turn while it runs.
pub struct Trace {
    said: Vec<String>,
    skills: Vec<PathBuf>,
    ear: Arc<Ear>,
}

/// Hears the events of the calls, and passes them on.
struct Ear {
    front_end: Arc<dyn EventSink>,
    calls: Mutex<Vec<CallTrace>>,
}

impl Trace {
    /// Begins a trace. Events go on to `front_end`.
    pub fn new(front_end: &Arc<dyn EventSink>) -> Self {
        let ear = Ear { front_end: Arc::clone(front_end), calls: Mutex::default() };
        Self { said: Vec::new(), skills: Vec::new(), ear: Arc::new(ear) }
    }

    /// Where the events of the calls go.
    pub fn events(&self) -> Arc<dyn EventSink> {
        Arc::<Ear>::clone(&self.ear)
    }

    /// The person said something, and this is what the model is shown with it.
    pub fn said(&mut self, text: &str, shown: &[Item]) {
        self.said.push(text.to_owned());
        let texts = shown.iter().flat_map(Item::texts);
        self.skills.extend(texts.filter_map(|text| mention::path_in(&text).map(PathBuf::from)));
    }

    /// Ends the trace: the person's words, the skills, the calls.
    pub fn take(&mut self) -> (Vec<String>, Vec<PathBuf>, Vec<CallTrace>) {
        (std::mem::take(&mut self.said), std::mem::take(&mut self.skills), std::mem::take(&mut self.ear.calls()))
    }
}

impl Ear {
    fn calls(&self) -> std::sync::MutexGuard<'_, Vec<CallTrace>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Ear {
    fn emit(&self, event: Event) {
        match &event {
            Event::ToolStarted { call_id, activity } => {
                let (id, activity) = (call_id.clone(), activity.clone());
                self.calls().push(CallTrace { id, activity, result: None });
            }
            Event::ToolEnded { call_id, result } => {
                // Ids of calls are unique within a turn in practice; where they are not, the newest is meant.
                if let Some(call) = self.calls().iter_mut().rfind(|call| call.id == *call_id) {
                    call.result = Some(result.clone());
                }
            }
            _ => {}
        }
        self.front_end.emit(event);
    }
}
