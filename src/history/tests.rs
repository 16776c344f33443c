//! Tables over whole conversations.

use proptest::prelude::*;

use super::*;
use crate::protocol::item::{CallForm, OutputPart};

fn item(json: &str) -> Item {
    Item::parse(json.to_owned()).unwrap()
}

fn user(text: &str) -> Item {
    Item::message(Role::User, &[text])
}

fn call(id: Option<&str>, call_id: &str) -> Item {
    let id = id.map(|id| format!(r#""id":"{id}","#)).unwrap_or_default();
    item(&format!(r#"{{"type":"function_call",{id}"name":"f","arguments":"{{}}","call_id":"{call_id}"}}"#))
}

fn output(call_id: &str, text: &str) -> Item {
    Item::output(CallForm::Function, call_id, None, &[OutputPart::Text(text.into())])
}

fn history(items: impl IntoIterator<Item = Item>) -> History {
    let mut history = History::new();
    for item in items {
        history.push(item);
    }
    history
}

fn json_of(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| String::from_utf8(item.json().to_vec()).unwrap()).collect()
}

#[test]
fn what_a_server_would_refuse_never_enters() {
    let mut history = History::new();
    for (json, taken) in [
        (r#"{"type":"brand_new"}"#, false),
        (r#"{"type":"message","role":"system","content":[]}"#, false),
        (r#"{"type":"function_call_output","call_id":"c1","output":"early"}"#, false),
        (r#"{"type":"function_call","name":"f","arguments":"","call_id":"c1"}"#, true),
        (r#"{"type":"custom_tool_call_output","call_id":"c1","output":"wrong form"}"#, false),
        (r#"{"type":"function_call_output","call_id":"c1","output":"x"}"#, true),
        (r#"{"type":"function_call_output","call_id":"c1","output":"again"}"#, false),
        (r#"{"type":"local_shell_call","call_id":"c2","action":{}}"#, true),
        (r#"{"type":"function_call_output","call_id":"c2","output":"x"}"#, true),
        (r#"{"type":"web_search_call","id":"ws_1"}"#, true),
    ] {
        assert_eq!(history.push(item(json)), taken, "{json}");
    }
    assert_eq!(history.for_prompt(), history.items());
}

#[test]
fn unanswered_calls_are_answered_right_after_themselves() {
    let search = item(r#"{"type":"tool_search_call","id":"ts_1","call_id":"c3","execution":"client","arguments":{}}"#);
    let custom = item(r#"{"type":"custom_tool_call","id":"ct_1","name":"p","call_id":"c4","input":""}"#);
    let history = history([
        user("go"),
        call(Some("fc_1"), "c1"),
        call(None, "c2"),
        search,
        custom,
        call(Some("fc_5"), "c5"),
        output("c5", "fine"),
    ]);
    let prompt = history.for_prompt();
    let kinds: Vec<String> = prompt.iter().map(|item| item.to_value()["type"].as_str().unwrap().into()).collect();
    assert_eq!(
        kinds,
        [
            "message",
            "function_call",
            "function_call_output",
            "function_call",
            "function_call_output",
            "tool_search_call",
            "tool_search_output",
            "custom_tool_call",
            "custom_tool_call_output",
            "function_call",
            "function_call_output"
        ]
    );
    assert_eq!(prompt[2].to_value()["output"], "aborted");
    assert!(prompt[2].id().unwrap().starts_with("fco_"));
    assert_eq!(prompt[4].id(), None);
    assert_eq!(prompt[6].to_value()["tools"], serde_json::json!([]));
    assert!(prompt[8].id().unwrap().starts_with("ctco_"));
    assert_eq!(json_of(&prompt), json_of(&history.for_prompt()));
    assert_eq!(history.len(), 7);
}

#[test]
fn repeated_call_ids_are_answered_in_order() {
    let mut history = history([call(Some("fc_1"), "c"), call(Some("fc_2"), "c"), output("c", "first")]);
    let prompt = history.for_prompt();
    let aborted = prompt.iter().position(|item| item.to_value()["output"] == "aborted");
    assert_eq!(aborted, Some(2), "the second call is the open one");
    assert_eq!(history.open_calls().map(|call| call.id().unwrap()).collect::<Vec<_>>(), ["fc_2"]);
    assert!(history.push(output("c", "second")));
    assert!(!history.push(output("c", "third")));
    assert_eq!(history.for_prompt().len(), 4);
}

#[test]
fn a_late_output_takes_the_place_of_the_made_up_one() {
    let mut history = history([call(Some("fc_1"), "c1"), user("meanwhile")]);
    assert_eq!(history.for_prompt().len(), 3);
    history.push(output("c1", "late"));
    let prompt = history.for_prompt();
    assert_eq!(prompt.len(), 3);
    assert_eq!(prompt[2].to_value()["output"], "late");
}

#[test]
fn replacing_checks_pairs_anew() {
    let mut history = history([call(Some("fc_1"), "c1"), output("c1", "x"), user("a")]);
    history.replace(vec![output("c1", "x"), user("b"), call(Some("fc_9"), "c9")]);
    assert_eq!(history.len(), 2);
    assert_eq!(history.for_prompt().len(), 3);
    let fresh = self::history(history.items().to_vec());
    assert_eq!(history.tokens(), fresh.tokens());
}

#[test]
fn taking_turns_back_keeps_what_came_before_the_first() {
    let context = || user("<environment_context>x</environment_context>");
    let developer = || Item::message(Role::Developer, &["changed"]);
    let items = [
        developer(),
        context(),
        user("one"),
        call(Some("fc_1"), "c1"),
        output("c1", "x"),
        developer(),
        context(),
        user("two"),
        call(Some("fc_2"), "c2"),
    ];
    for (turns, left) in [(0, 9), (1, 5), (2, 2), (7, 2)] {
        let mut history = history(items.clone());
        history.truncate_turns(turns);
        assert_eq!(history.len(), left, "{turns}");
        assert_eq!(history.items(), &items[..left]);
        assert_eq!(history.tokens(), self::history(items[..left].to_vec()).tokens());
    }
    let mut nothing_said = history([developer(), context()]);
    nothing_said.truncate_turns(3);
    assert_eq!(nothing_said.len(), 2);
}

#[test]
fn estimates_follow_the_items() {
    let mut history = history([user("12345"), Item::message(Role::Assistant, &["ok"])]);
    assert_eq!(history.tokens_since_last_model_item(), 0);
    let late = [user("more"), user("and more")];
    let expected: usize = late.iter().map(estimate::item_tokens).sum();
    let before = history.tokens();
    late.into_iter().for_each(|item| _ = history.push(item));
    assert_eq!(history.tokens_since_last_model_item(), expected);
    assert_eq!(history.tokens(), before + expected);
}

#[test]
fn the_last_message_with_text_is_the_answer() {
    let history = history([
        Item::message(Role::Assistant, &["first"]),
        Item::message(Role::Assistant, &["an", "swer"]),
        Item::message(Role::Assistant, &[""]),
        user("thanks"),
    ]);
    assert_eq!(history.last_agent_message().as_deref(), Some("answer"));
    assert_eq!(History::new().last_agent_message(), None);
}

/// One step of a conversation as a careless server might make it: few ids, so that they repeat.
fn any_item() -> impl Strategy<Value = Item> {
    prop_oneof![
        (0..4u8).prop_map(|id| call(Some(&format!("fc_{id}")), &format!("c{id}"))),
        (0..4u8).prop_map(|id| output(&format!("c{id}"), "x")),
        (0..4u8)
            .prop_map(|id| item(&format!(r#"{{"type":"custom_tool_call","name":"p","input":"","call_id":"c{id}"}}"#))),
        (0..4u8).prop_map(|id| Item::output(CallForm::Custom, &format!("c{id}"), None, &[])),
        Just(user("hi")),
        Just(item(r#"{"type":"brand_new"}"#)),
    ]
}

proptest! {
    #[test]
    fn a_prompt_pairs_every_call_with_one_output(items in proptest::collection::vec(any_item(), 0..40)) {
        let history = history(items);
        let mut open = Vec::new();
        for item in history.for_prompt() {
            match item.kind() {
                ItemKind::Call(call) => open.push((call.form, call.call_id.clone())),
                ItemKind::Output { form, call_id } => {
                    let waiting = open.iter().position(|call| *call == (*form, call_id.clone()));
                    prop_assert!(waiting.is_some(), "an output without a call: {:?}", item);
                    open.remove(waiting.unwrap());
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty(), "calls without an output: {:?}", open);
        prop_assert_eq!(history.tokens(), history.items().iter().map(estimate::item_tokens).sum::<usize>());
    }
}
