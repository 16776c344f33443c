//! The tools of a session by name.

use std::sync::Arc;

use super::ports::Tool;
use crate::protocol::Toolset;

/// The tools a model can call. Some are on offer; others are answered when called, because models know them from elsewhere.
pub struct Toolbox {
    tools: Vec<Arc<dyn Tool>>,
    offered: Arc<Toolset>,
}

impl Toolbox {
    /// A box that tells the model of `offered`, in this order, and also answers calls of `accepted`.
    #[must_use]
    pub fn new(offered: Vec<Arc<dyn Tool>>, accepted: Vec<Arc<dyn Tool>>) -> Self {
        let toolset = Toolset::new(offered.iter().map(|tool| tool.spec()));
        Self { offered: Arc::new(toolset), tools: offered.into_iter().chain(accepted).collect() }
    }

    /// The tool of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.tools.iter().find(|tool| tool.spec().name == name).cloned()
    }

    /// What the model is told.
    #[must_use]
    pub fn offered(&self) -> Arc<Toolset> {
        Arc::clone(&self.offered)
    }
}
