//! Tells injected messages from the person's own words. Lists of sessions and compaction ask, so that neither takes context
//! for something the person said.

use super::fragment::{Place, inside};
use super::fragments::FRAGMENTS;
use super::skills::mention;
use crate::protocol::{Item, Role};
use crate::text::injected::RECALLED;

/// How the message that tells of an interruption begins.
pub const TURN_ABORTED_OPEN: &str = "<turn_aborted>\n";
/// How it ends.
pub const TURN_ABORTED_CLOSE: &str = "\n</turn_aborted>";

/// Beginnings and ends of what is injected as a user message and is no fragment; the last rows are Codex's.
const MARKS: &[(&str, &str)] = &[
    (mention::OPEN, mention::CLOSE),
    (TURN_ABORTED_OPEN, TURN_ABORTED_CLOSE),
    RECALLED,
    ("<user_instructions>", "</user_instructions>"),
    ("<user_shell_command>", "</user_shell_command>"),
    ("<subagent_notification>", "</subagent_notification>"),
];

/// Whether `item` is a message that was injected rather than said: every message of the developer, and a user's message that
/// begins with an injected block.
#[must_use]
pub fn is_contextual(item: &Item) -> bool {
    if item.is_message(Role::Developer) || item.is_message(Role::System) {
        return true;
    }
    let first = || item.texts().into_iter().find(|text| !text.trim().is_empty());
    item.is_message(Role::User)
        && first().is_some_and(|text| user_marks().any(|(open, close)| inside(&text, open, close).is_some()))
}

fn user_marks() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let fragments = FRAGMENTS.iter().filter(|fragment| fragment.place == Place::User);
    fragments.filter_map(|fragment| fragment.marks.as_ref()).chain(MARKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn injected_messages_are_told_from_words() {
        let user = |texts: &[&str]| Item::message(Role::User, texts);
        for (item, contextual) in [
            (user(&["<environment_context>\n  <cwd>/p</cwd>\n</environment_context>"]), true),
            (
                user(&[
                    "# AGENTS.md instructions for /p\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>",
                    "<environment_context>…",
                ]),
                true,
            ),
            (user(&["\n<skill>\n<name>x</name>\n</skill>\n"]), true),
            (user(&["<turn_aborted>\nx\n</turn_aborted>"]), true),
            (user(&["<learned>\nx\n</learned>"]), true),
            (user(&["<recalled>\nx\n</recalled>"]), true),
            (user(&["<user_instructions>\nx\n</user_instructions>"]), true),
            (Item::message(Role::Developer, &["anything"]), true),
            (user(&["hello"]), false),
            (user(&["hello <environment_context></environment_context>"]), false),
            (user(&["<environment_context> is a tag I would like explained"]), false),
            (user(&["# AGENTS.md instructions for beginners, please"]), false),
            (user(&[]), false),
            (Item::message(Role::Assistant, &["<skill>\nx\n</skill>"]), false),
            (Item::parse(r#"{"type":"reasoning","summary":[]}"#).unwrap(), false),
        ] {
            assert_eq!(is_contextual(&item), contextual, "{item:?}");
        }
    }
}
