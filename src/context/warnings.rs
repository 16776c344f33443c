//! Warnings for the person, each told once in the life of a session.

use std::collections::HashSet;

/// Collects warnings until somebody takes them.
#[derive(Debug, Default)]
pub struct Warnings {
    told: HashSet<String>,
    waiting: Vec<String>,
}

impl Warnings {
    /// Adds a warning unless the same one was added before.
    pub fn once(&mut self, warning: String) {
        if !self.told.contains(&warning) {
            self.told.insert(warning.clone());
            self.waiting.push(warning);
        }
    }

    /// What was added since the last call.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting)
    }
}
