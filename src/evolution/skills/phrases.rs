//! The words around what was learned, which are data: `prompts/evolution/skill_words.md`, one phrase a line.

use crate::text::template::fill;

const PHRASES: &str = include_str!("../../../prompts/evolution/skill_words.md");

/// The phrase of a name, filled in.
#[must_use]
pub fn phrase(name: &str, values: &[(&str, &str)]) -> String {
    let line = PHRASES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    fill(line.unwrap_or_default(), values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_filled() {
        assert_eq!(phrase("add", &[("path", "a.rs")]), "Create `a.rs`");
        assert_eq!(phrase("run", &[]), "Run");
    }
}
