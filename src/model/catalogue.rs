//! What is known of models: window, defaults, abilities. The facts are data, in `prompts/models.toml`.
//!
//! It is read while the program starts, so the file is small and nothing is computed beyond finding one row.

use serde::Deserialize;

use crate::text::truncate::OutputLimit;

const MODELS: &str = include_str!("../../prompts/models.toml");

/// What is known of a model. Everything can be overridden by the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// Whether a row of the catalogue matched; if not, these are safe defaults.
    pub known: bool,
    /// Tokens the model can hold.
    pub context_window: u64,
    /// The reasoning effort to ask for when the person configured none; `None`: the field is left out.
    pub default_effort: Option<String>,
    /// The verbosity to ask for when the person configured none; `None`: the model does not take the field.
    pub default_verbosity: Option<String>,
    /// Whether apply_patch is offered as a free-text tool held to a grammar, or as a JSON function.
    pub freeform_patch: bool,
    /// The most of one tool's output the model gets to see.
    pub output_limit: OutputLimit,
    /// Whether it may call several tools in one response.
    pub parallel_calls: bool,
}

impl ModelInfo {
    /// Whether the model takes `text.verbosity`.
    #[must_use]
    pub const fn takes_verbosity(&self) -> bool {
        self.default_verbosity.is_some()
    }
}

#[derive(Deserialize)]
struct Catalogue<'a> {
    #[serde(borrow)]
    model: Vec<Row<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    prefix: &'a str,
    context_window: Option<u64>,
    effort: Option<&'a str>,
    verbosity: Option<&'a str>,
    freeform_patch: Option<bool>,
    output_tokens: Option<usize>,
    parallel_calls: Option<bool>,
}

/// What is known of the model called `slug`. A maker in front, as in `openai/gpt-5.5`, does not matter.
#[must_use]
pub fn lookup(slug: &str) -> ModelInfo {
    let name = slug.rsplit('/').next().unwrap_or(slug);
    // The file is part of the program and a test reads it, so the fallback is never taken.
    let rows = toml::from_str::<Catalogue<'_>>(MODELS).map(|catalogue| catalogue.model).unwrap_or_default();
    let row = rows.into_iter().filter(|row| name.starts_with(row.prefix)).max_by_key(|row| row.prefix.len());
    let known = row.is_some();
    let row = row.unwrap_or_default();
    ModelInfo {
        known,
        context_window: row.context_window.unwrap_or(272_000),
        default_effort: row.effort.map(str::to_owned),
        default_verbosity: row.verbosity.map(str::to_owned),
        freeform_patch: row.freeform_patch.unwrap_or_else(|| takes_freeform(name)),
        output_limit: OutputLimit::Tokens(row.output_tokens.unwrap_or(10_000)),
        parallel_calls: row.parallel_calls.unwrap_or(true),
    }
}

/// Free-text tools are a feature of one maker's newer models; other servers refuse the tool type.
fn takes_freeform(name: &str) -> bool {
    ["gpt-5", "gpt-6", "codex"].iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_can_be_read() {
        assert!(toml::from_str::<Catalogue<'_>>(MODELS).unwrap().model.len() > 5);
    }

    #[test]
    fn the_longest_prefix_wins() {
        for (slug, known, window, effort, verbosity, freeform) in [
            ("gpt-5.5", true, 272_000, Some("medium"), Some("low"), true),
            ("openai/gpt-5.5", true, 272_000, Some("medium"), Some("low"), true),
            ("gpt-5.6-sol", true, 272_000, Some("low"), Some("low"), true),
            ("gpt-6.1-terra", true, 500_000, Some("low"), Some("low"), true),
            ("gpt-6.1-sol", true, 272_000, Some("low"), Some("low"), true),
            ("gpt-5-codex", true, 272_000, Some("medium"), None, true),
            ("gpt-oss:20b", true, 96_000, None, None, false),
            ("codex-next", false, 272_000, None, None, true),
            ("qwen3-coder", false, 272_000, None, None, false),
            ("", false, 272_000, None, None, false),
        ] {
            let info = lookup(slug);
            assert_eq!((info.known, info.context_window, info.freeform_patch), (known, window, freeform), "{slug}");
            assert_eq!(info.default_effort.as_deref(), effort, "{slug}");
            assert_eq!(info.default_verbosity.as_deref(), verbosity, "{slug}");
            assert_eq!(info.output_limit, OutputLimit::Tokens(10_000), "{slug}");
            assert!(info.parallel_calls, "{slug}");
        }
    }
}
