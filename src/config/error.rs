//! What can be wrong with a configuration, in words for the person who wrote it.

use std::path::Path;
use std::{fmt, io};

use crate::protocol::{ErrorKind, UserError};

/// A configuration that cannot be used. The message names the file, the line and the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// What is wrong, and where.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ConfigError {
    /// An error without a hint.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that is there and cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("cannot read {}: {error}", path.display())).hint("make it readable, or move it away")
    }
}

impl From<ConfigError> for UserError {
    fn from(error: ConfigError) -> Self {
        Self { kind: ErrorKind::Usage, message: error.message, hint: error.hint }
    }
}

/// The one of `names` a person probably meant by `typed`, when it is close enough to ask.
pub(super) fn near_match<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let allowed = (typed.chars().count() / 3).max(1);
    let distances = names.into_iter().map(|name| (strsim::osa_distance(&typed, &name.to_lowercase()), name));
    distances.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Names in quotes with commas between them, for "use one of …".
pub(super) fn quoted_list<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_names_are_suggested() {
        let names = ["model", "model_provider", "notify", "sandbox_mode"];
        for (typed, expected) in [
            ("modle", Some("model")),
            ("Model", Some("model")),
            ("model_povider", Some("model_provider")),
            ("sandboxmode", Some("sandbox_mode")),
            ("banana", None),
            ("x", None),
        ] {
            assert_eq!(near_match(typed, names), expected, "{typed}");
        }
    }

    #[test]
    fn a_configuration_error_is_a_usage_error() {
        let error: UserError = ConfigError::new("no").hint("yes").into();
        assert_eq!((error.kind, error.to_string()), (ErrorKind::Usage, "no\n  hint: yes".to_owned()));
    }
}
