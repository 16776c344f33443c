//! What a compaction keeps, and when one is due: figures and lists, no words.
//!
//! A compacted conversation is: the person's latest messages, the context told anew, the person's last message with the
//! skills it named, and what stands for all the rest. The person's words are never summarised away as long as they fit.

use super::estimate::item_tokens;
use super::prompts::{is_context, is_prompt, recent_prompts};
use crate::protocol::item::{Item, Role};
use crate::text::truncate::{OutputLimit, estimate_tokens, middle};
use serde_json::json;

/// How much of the person's messages is kept at most, in tokens. Codex's figure.
const KEPT_TOKENS: u64 = 20_000;
/// Of a window that is small, kept messages may take this share; otherwise little would be won.
const KEPT_SHARE: u64 = 4;
/// The person's last message is kept as it is, unless it takes more than this share.
const LAST_SHARE: u64 = 2;
/// A compaction that leaves more than this much of the conversation is not worth what it loses.
const MOST_LEFT_PERCENT: usize = 70;
/// What a conversation needs before anything is said: the indicator starts to count there. Codex's figure.
const BASELINE: u64 = 12_000;

/// The last item of a request that asks the server to compact in its own form.
pub const COMPACTION_TRIGGER: &str = r#"{"type":"compaction_trigger"}"#;

const PLAN_OPEN: &str = "<current_plan>\n";
const PLAN_CLOSE: &str = "\n</current_plan>";

/// From how many tokens on a conversation is compacted: nine tenths of the window, or less if the person wants.
#[must_use]
pub fn limit(window: u64, configured: Option<u64>) -> u64 {
    let most = window.saturating_mul(9) / 10;
    configured.map_or(most, |tokens| tokens.min(most))
}

/// How much of the usable window is left, in percent.
#[must_use]
pub fn context_left_percent(usable_window: u64, used: u64) -> u8 {
    let Some(room) = usable_window.checked_sub(BASELINE).filter(|room| *room > 0) else { return 0 };
    let left = room.saturating_sub(used.saturating_sub(BASELINE));
    // Rounded; at most 100, since `left` is at most `room`.
    u8::try_from((left.saturating_mul(200) + room) / (room * 2)).unwrap_or(100)
}

/// Whether a conversation of `after` tokens in place of one of `before` is worth it.
#[must_use]
pub fn is_worth_it(before: usize, after: usize) -> bool {
    after.saturating_mul(100) <= before.saturating_mul(MOST_LEFT_PERCENT)
}

/// The compacted conversation: what of `old` is kept, with `context` in front of the person's last message and `rest` at
/// the end. `limit` is that of [`limit`]; `is_summary` tells messages that stand for an earlier compaction. Fewer of the
/// earlier messages are kept when all that may be would make the compaction worthless.
#[must_use]
pub fn replacement(
    old: &[Item],
    context: &[Item],
    rest: &Item,
    limit: u64,
    is_summary: impl Fn(&str) -> bool,
) -> Vec<Item> {
    let said = |item: &Item| is_prompt(item) && !is_summary(&item.text());
    let (earlier, task) = match old.iter().rposition(said) {
        Some(last) => (&old[..last], task(&old[last..], limit)),
        None => (&old[..0], Vec::new()),
    };
    let task_tokens: usize = task.iter().map(|item| estimate_tokens(item.text().len())).sum();
    let mut room = to_usize(KEPT_TOKENS.min(limit / KEPT_SHARE)).saturating_sub(task_tokens);
    let before = tokens(old);
    loop {
        let mut items = recent_prompts(earlier, room, &is_summary);
        items.extend_from_slice(context);
        items.extend_from_slice(&task);
        items.push(rest.clone());
        if room == 0 || is_worth_it(before, tokens(&items)) {
            return items;
        }
        room /= 2;
    }
}

/// The person's last message, which `items` begin with, and the skills it named.
fn task(items: &[Item], limit: u64) -> Vec<Item> {
    let skills = items[1..].iter().filter(|item| is_skill(item)).cloned();
    [within(&items[0], limit / LAST_SHARE)].into_iter().chain(skills).collect()
}

/// An estimate of the tokens of `items`.
#[must_use]
pub fn tokens(items: &[Item]) -> usize {
    items.iter().map(item_tokens).sum()
}

/// `item`, without its middle when it is over `limit` tokens.
fn within(item: &Item, limit: u64) -> Item {
    let text = item.text();
    if estimate_tokens(text.len()) as u64 <= limit {
        return item.clone();
    }
    user_message(&middle(&text, OutputLimit::Tokens(to_usize(limit))))
}

/// A skill the person's message named: part of the task, not of the context that is told anew.
fn is_skill(item: &Item) -> bool {
    is_context(item) && item.is_message(Role::User) && item.text().trim_start().starts_with("<skill>")
}

/// A message of the person's role without an id: it was never one of the server's.
#[must_use]
pub fn user_message(text: &str) -> Item {
    let content = json!([{"type": "input_text", "text": text}]);
    let message = json!({"type": "message", "role": "user", "content": content});
    Item::parse(message.to_string()).unwrap_or_else(|_| Item::message(Role::User, &[text]))
}

/// The text that stands for what was said: `prefix`, which tells the model what it is, the summary, the plan as it was.
#[must_use]
pub fn summary_text(prefix: &str, summary: &str, plan: Option<&str>) -> String {
    let plan = plan.map(|plan| ["\n\n", PLAN_OPEN, plan, PLAN_CLOSE].concat());
    [prefix.trim_end(), "\n", summary.trim(), plan.as_deref().unwrap_or_default()].concat()
}

/// The plan in force, as the model wrote it: that of the last call that set one, or the one an earlier compaction carried on.
#[must_use]
pub fn current_plan(items: &[Item], is_summary: impl Fn(&str) -> bool) -> Option<String> {
    items.iter().rev().find_map(|item| {
        if item.call().is_some_and(|call| &*call.name == "update_plan") {
            return item.call_input();
        }
        let text = Some(item).filter(|item| item.is_message(Role::User)).map(Item::text)?;
        let (_, plan) = text.strip_suffix(PLAN_CLOSE).filter(|_| is_summary(&text))?.rsplit_once(PLAN_OPEN)?;
        Some(plan.to_owned())
    })
}

fn to_usize(tokens: u64) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Item {
        Item::message(Role::User, &[text])
    }

    fn texts(items: &[Item]) -> Vec<String> {
        items.iter().map(Item::text).collect()
    }

    #[test]
    fn the_limit_is_nine_tenths_or_what_the_person_wants_below() {
        for (window, configured, expected) in [
            (272_000, None, 244_800),
            (272_000, Some(100_000), 100_000),
            (272_000, Some(260_000), 244_800),
            (0, None, 0),
            (u64::MAX, None, u64::MAX / 10),
        ] {
            assert_eq!(limit(window, configured), expected, "{window} {configured:?}");
        }
    }

    #[test]
    fn the_indicator_counts_from_the_baseline() {
        for (window, used, left) in [
            (258_400, 0, 100),
            (258_400, 12_000, 100),
            (258_400, 135_200, 50),
            (258_400, 258_400, 0),
            (258_400, 300_000, 0),
            (12_000, 0, 0),
            (5, 7, 0),
            (112_000, 12_499, 100),
            (112_000, 12_501, 99),
        ] {
            assert_eq!(context_left_percent(window, used), left, "{window} {used}");
        }
    }

    #[test]
    fn three_tenths_must_be_won() {
        for (before, after, worth) in [(1000, 700, true), (1000, 701, false), (0, 0, true), (10, 20, false)] {
            assert_eq!(is_worth_it(before, after), worth, "{before} {after}");
        }
    }

    /// A long answer, so that compacting is worth it.
    fn answer() -> Item {
        Item::message(Role::Assistant, &["answer ".repeat(9000)])
    }

    #[test]
    fn the_persons_words_stay_and_context_stands_before_the_last() {
        let skill = "<skill>\n<name>a</name>\n</skill>";
        let old = [
            Item::message(Role::Developer, &["old rules"]),
            user("<environment_context>old</environment_context>"),
            user("first"),
            answer(),
            user("SUM of before"),
            user("second"),
            user(skill),
            Item::message(Role::Assistant, &["more"]),
        ];
        let context = [Item::message(Role::Developer, &["rules"]), user("<environment_context>new")];
        let is_summary = |text: &str| text.starts_with("SUM");
        let items = replacement(&old, &context, &user("SUM now"), 10_000, is_summary);
        assert_eq!(texts(&items), ["first", "rules", "<environment_context>new", "second", skill, "SUM now"]);
        assert_eq!(items[0], old[2], "ids stay");
        let nothing_said = replacement(&old[..2], &context, &user("SUM"), 10_000, is_summary);
        assert_eq!(texts(&nothing_said), ["rules", "<environment_context>new", "SUM"]);
    }

    #[test]
    fn kept_words_leave_room_in_a_small_window() {
        let long = "x".repeat(4000);
        let old = [answer(), user(&long), user(&long), user("task")];
        let rest = user("SUM");
        let items = replacement(&old, &[], &rest, 6000, |_| false);
        assert_eq!(items.len(), 4);
        assert!(items[0].text().contains("tokens truncated") && items[0].id() == old[1].id());
        assert_eq!(items[1..3], old[2..]);
        // The last message is whole even when nothing else fits, and cut only when it would leave no room itself.
        let items = replacement(&old[..3], &[], &rest, 3000, |_| false);
        assert_eq!(texts(&items), [long.as_str(), "SUM"]);
        let items = replacement(&old[..2], &[], &rest, 1000, |_| false);
        assert!(items[0].text().contains("tokens truncated"), "{}", items[0].text());
    }

    #[test]
    fn many_short_messages_do_not_make_a_compaction_worthless() {
        let old: Vec<Item> = (0..200).map(|n| user(&format!("message {n}"))).collect();
        let items = replacement(&old, &[], &user("SUM"), 10_000, |_| false);
        assert!(is_worth_it(tokens(&old), tokens(&items)), "{} of {}", items.len(), old.len());
        assert!(items.len() > 50, "as many as may stay do: {}", items.len());
        assert_eq!(texts(&items[items.len() - 2..]), ["message 199", "SUM"]);
    }

    #[test]
    fn the_plan_is_carried_from_compaction_to_compaction() {
        let call = |arguments: &str| {
            let arguments = serde_json::Value::from(arguments);
            Item::parse(format!(
                r#"{{"type":"function_call","name":"update_plan","arguments":{arguments},"call_id":"c"}}"#
            ))
            .unwrap()
        };
        let is_summary = |text: &str| text.starts_with("PREFIX");
        let plan = |items: &[Item]| current_plan(items, is_summary);
        assert_eq!(plan(&[user("hi")]), None);
        let first = plan(&[call(r#"{"plan":[1]}"#), call(r#"{"plan":[2]}"#), user("hi")]).unwrap();
        assert_eq!(first, r#"{"plan":[2]}"#);
        let summary = user(&summary_text("PREFIX\n", " done so far ", Some(&first)));
        assert_eq!(summary.text(), "PREFIX\ndone so far\n\n<current_plan>\n{\"plan\":[2]}\n</current_plan>");
        assert_eq!(plan(&[summary.clone(), user("go")]), Some(first));
        assert_eq!(plan(&[summary, call("{}")]).as_deref(), Some("{}"));
        assert_eq!(summary_text("P", "s", None), "P\ns");
    }
}
