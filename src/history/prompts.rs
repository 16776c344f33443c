//! Telling what the person wrote from the context shown on the person's behalf: both are messages of the user role.

use crate::protocol::item::{Item, Role};
use crate::text::truncate::{OutputLimit, estimate_tokens, middle};

use serde_json::json;

/// How context fragments of the user role begin. Codex writes the same marks, so its sessions read the same.
pub const CONTEXT_MARKS: &[&str] = &[
    "<environment_context>",
    "# AGENTS.md instructions",
    "<user_instructions>",
    "<INSTRUCTIONS>",
    "<skill>",
    "<learned>",
    "<recalled>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<subagent_notification>",
];

/// Whether the item is a message the person wrote. Messages without text, such as a lone image, are the person's too.
#[must_use]
pub fn is_prompt(item: &Item) -> bool {
    item.is_message(Role::User) && !has_context_mark(item)
}

/// Whether the item is context: a developer message, or a user message made of context fragments.
#[must_use]
pub fn is_context(item: &Item) -> bool {
    item.is_message(Role::Developer) || (item.is_message(Role::User) && has_context_mark(item))
}

fn has_context_mark(item: &Item) -> bool {
    let begins_with_mark = |text: &String| {
        let text = text.trim_start();
        CONTEXT_MARKS.iter().any(|mark| text.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark)))
    };
    item.texts().iter().any(begins_with_mark)
}

/// The person's messages among `items` that fit `max_tokens`, newest first chosen, oldest first returned. The one that
/// crosses the limit loses its middle. `is_summary` leaves out messages that stand for an earlier compaction.
#[must_use]
pub fn recent_prompts(items: &[Item], max_tokens: usize, is_summary: impl Fn(&str) -> bool) -> Vec<Item> {
    let mut left = max_tokens;
    let mut kept = Vec::new();
    for item in items.iter().rev().filter(|item| is_prompt(item)) {
        let text = item.text();
        if is_summary(&text) {
            continue;
        }
        let tokens = estimate_tokens(text.len());
        if tokens > left {
            if left > 0 {
                kept.push(shortened(item, &middle(&text, OutputLimit::Tokens(left))));
            }
            break;
        }
        left -= tokens;
        kept.push(item.clone());
    }
    kept.reverse();
    kept
}

/// `item` with `text` in place of its content, under its own id.
fn shortened(item: &Item, text: &str) -> Item {
    let mut value = item.to_value();
    value["content"] = json!([{"type": "input_text", "text": text}]);
    Item::parse(value.to_string()).unwrap_or_else(|_| item.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Item {
        Item::message(Role::User, &[text])
    }

    #[test]
    fn context_is_told_from_prompts() {
        for (text, prompt) in [
            ("fix the bug", true),
            ("what does <environment_context> mean?", true),
            ("<environment_context>\n  <cwd>/x</cwd>\n</environment_context>", false),
            ("# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>\nbe nice\n</INSTRUCTIONS>", false),
            ("\n<turn_aborted>\nx\n</turn_aborted>", false),
            ("", true),
        ] {
            assert_eq!(is_prompt(&user(text)), prompt, "{text}");
            assert_eq!(is_context(&user(text)), !prompt, "{text}");
        }
        let developer = Item::message(Role::Developer, &["permissions"]);
        assert!(is_context(&developer) && !is_prompt(&developer));
        let assistant = Item::message(Role::Assistant, &["done"]);
        assert!(!is_context(&assistant) && !is_prompt(&assistant));
    }

    #[test]
    fn the_newest_prompts_fit_and_the_crossing_one_is_cut() {
        let items = [user("oldest"), user(&"a".repeat(400)), user("SUM"), user("<skill>x</skill>"), user("newest__")];
        let kept = recent_prompts(&items, 12, |text| text == "SUM");
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[1], items[4]);
        assert_eq!(kept[0].id(), items[1].id());
        assert!(kept[0].text().contains("tokens truncated"), "{}", kept[0].text());
        assert_eq!(recent_prompts(&items, 1000, |text| text == "SUM").len(), 3);
        assert!(recent_prompts(&items, 0, |_| false).is_empty());
    }
}
