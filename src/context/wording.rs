//! Filling in our own prompts.

use crate::text::template;

/// `prompt`, one of our own files, with its values. Tests render every prompt, so a missing value is a defect they find; were
/// one to slip through, the turn goes on with the bare words.
#[must_use]
pub fn fill(prompt: &str, values: &[(&str, &str)]) -> String {
    template::fill(prompt.trim_end(), values).unwrap_or_else(|error| {
        tracing::error!(%error, "a prompt could not be filled in");
        prompt.to_owned()
    })
}
