//! Questions about calls, as a person meets them.

use serde_json::{Value, json};

use crate::desk::{Desk, answer};
use crate::support::terminal::Terminal;
use crate::support::{Reply, outputs, speech};

const ASKS: &str = "sandbox_mode = \"danger-full-access\"\napproval_policy = \"untrusted\"\n";

fn calls(commands: &[(&str, &str)]) -> Reply {
    let call = |(id, command): &(&str, &str)| speech::call(id, "exec_command", &json!({ "cmd": command }));
    Reply::sse(&speech::response(&commands.iter().map(call).collect::<Vec<_>>()))
}

/// A desk whose model makes each of these calls in a turn of its own.
fn desk(commands: &[&str]) -> Desk {
    let turns = commands.iter().flat_map(|command| [calls(&[("c", command)]), answer("Done.")]);
    Desk::configured(ASKS, 0, turns.collect())
}

fn asked(terminal: &Terminal, times: usize) -> String {
    let is_asked = |screen: &str| screen.matches("May this be done?").count() == times && screen.contains("? 100%");
    terminal.wait_until("it is asked", is_asked)
}

fn turns_ended(terminal: &Terminal, times: usize) -> String {
    terminal.wait_until("the turn has ended", |screen| screen.matches(" in (").count() == times)
}

/// The answers the model got in request number `index`.
fn answers(desk: &Desk, index: usize) -> Vec<String> {
    outputs(desk.server.wait_for_requests(index + 1)[index].input()).into_iter().map(|(_, text)| text).collect()
}

fn made(desk: &Desk, name: &str) -> bool {
    desk.folder.path().join(name).exists()
}

#[test]
fn a_yes_is_for_this_time_and_a_no_is_told_with_what_the_person_said() {
    let desk = desk(&["touch one", "touch one", "touch three"]);
    let mut terminal = desk.start_sized(&[], 60, 100);
    terminal.keys("go\r");
    let screen = asked(&terminal, 1);
    for words in ["  touch one\n", "always commands that begin with `touch one`", "y yes, this time"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    assert!(!made(&desk, "one"));
    terminal.keys("y\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one"));
    terminal.keys("again\r");
    asked(&terminal, 2);
    terminal.keys("\r");
    turns_ended(&terminal, 2);
    terminal.keys("third\r");
    asked(&terminal, 3);
    terminal.keys("write a file instead\r");
    turns_ended(&terminal, 3);
    assert!(!made(&desk, "three"));
    assert!(answers(&desk, 3)[1].contains("The person was asked and said no"), "{:?}", answers(&desk, 3));
    assert!(answers(&desk, 5)[2].contains("They said: write a file instead"), "{:?}", answers(&desk, 5));
}

#[test]
fn always_counts_for_what_begins_the_same_for_as_long_as_was_said() {
    let desk = desk(&["touch one", "touch one", "touch other", "touch one"]);
    let mut terminal = desk.start_sized(&[], 60, 100);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("a\r");
    terminal.wait_for("s this session");
    terminal.keys("s\r");
    turns_ended(&terminal, 1);
    std::fs::remove_file(desk.folder.path().join("one")).unwrap();
    terminal.keys("again\r");
    turns_ended(&terminal, 2);
    assert!(made(&desk, "one"), "the same command needs no question");
    terminal.keys("other\r");
    asked(&terminal, 2);
    terminal.keys("n\r");
    turns_ended(&terminal, 3);
    terminal.keys("/permissions\r");
    terminal.wait_for("1  run touch one  (this session)");
    terminal.keys("/permissions revoke 1\r");
    terminal.wait_for("Taken back.");
    terminal.keys("once more\r");
    asked(&terminal, 3);
}

#[test]
fn always_in_this_project_is_written_down_with_its_last_day_and_outlives_the_session() {
    let desk = desk(&["touch one", "touch one", "touch other"]);
    let mut terminal = desk.start_sized(&[], 60, 160);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("a\r");
    terminal.wait_for("p this project, until 2");
    terminal.keys("p\r");
    terminal.wait_for("Written to ");
    turns_ended(&terminal, 1);
    terminal.keys("/exit\r");
    terminal.wait_for_end();
    std::fs::remove_file(desk.folder.path().join("one")).unwrap();
    let mut terminal = desk.start_sized(&[], 60, 160);
    terminal.keys("again\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one"));
    terminal.keys("/permissions\r");
    terminal.wait_for("1  allow touch one  (this project, until 2");
    terminal.keys("/permissions revoke 1\r");
    terminal.wait_for("Taken out of ");
    let file = std::fs::read_dir(desk.home.path().join("rules/projects")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    // What is over does not count any more.
    std::fs::write(&file, "prefix_rule(pattern=[\"touch\"], decision=\"allow\")  # until 2020-01-01\n").unwrap();
    terminal.keys("last\r");
    asked(&terminal, 1);
}

#[test]
fn the_person_edits_the_command_and_the_model_is_told() {
    let desk = desk(&["touch one"]);
    let mut terminal = desk.start_sized(&[], 40, 100);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("e\r");
    terminal.wait_for("› touch one");
    terminal.keys(" two\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one") && made(&desk, "two"));
    assert!(answers(&desk, 1)[0].starts_with("The person put another command in place of yours"));
}

#[test]
fn keys_typed_before_the_question_never_count() {
    let desk = desk(&["touch one"]);
    let mut terminal = desk.start_sized(&[], 40, 100);
    // The line is begun before the question is there, and sent after it: a message, and no answer.
    terminal.keys("go\rplease hur");
    asked(&terminal, 1);
    terminal.keys("ry\r");
    terminal.wait_until("it is asked again", |screen| screen.contains("[steer] queued: please hurry"));
    asked(&terminal, 2);
    assert!(!made(&desk, "one"));
    terminal.keys("y\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one"));
}

#[test]
fn an_answer_sent_ahead_of_its_question_never_counts() {
    let both = calls(&[("a", "touch one"), ("b", "touch two")]);
    let desk = Desk::configured(ASKS, 0, vec![both, answer("Done."), answer("Done.")]);
    let mut terminal = desk.start_sized(&[], 60, 100);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("y\ry\r");
    let is_asked = |screen: &str| screen.contains("  touch two\n  in") && screen.contains("? 100%");
    terminal.wait_until("the second is asked", is_asked);
    terminal.keys("n\r");
    terminal.wait_until("the turn has ended", |screen| screen.contains(" in ("));
    assert!(made(&desk, "one") && !made(&desk, "two"));
}

#[test]
fn an_interrupt_is_a_no_and_ends_the_turn() {
    let desk = desk(&["touch one"]);
    let mut terminal = desk.start_sized(&[], 40, 100);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("\x03");
    terminal.wait_for("interrupted");
    terminal.keys("next\r");
    turns_ended(&terminal, 1);
    assert!(!made(&desk, "one"));
    assert!(answers(&desk, 1)[0].contains("said no"), "{:?}", answers(&desk, 1));
}

#[test]
fn several_questions_come_one_after_the_other() {
    let both = calls(&[("a", "touch one"), ("b", "touch two")]);
    let desk = Desk::configured(ASKS, 0, vec![both, answer("Done.")]);
    let mut terminal = desk.start_sized(&[], 50, 100);
    terminal.keys("go\r");
    let screen = asked(&terminal, 1);
    assert!(screen.contains("  touch one\n  in"), "{screen}");
    terminal.keys("n\r");
    let screen = asked(&terminal, 2);
    assert!(screen.contains("  touch two\n  in"), "{screen}");
    terminal.keys("y\r");
    turns_ended(&terminal, 1);
    assert!(!made(&desk, "one") && made(&desk, "two"));
}

/// Leaves with a question open and comes back.
fn resumed(desk: &Desk) -> Terminal {
    let mut terminal = desk.start_sized(&[], 40, 100);
    terminal.keys("go\r");
    asked(&terminal, 1);
    terminal.keys("\x04");
    terminal.wait_for_end();
    let terminal = desk.start_sized(&["resume", "--last"], 40, 100);
    let screen = terminal.wait_for("May it be done now? [y/N]");
    assert!(screen.contains("When you left, this was waiting for your answer:\n  touch one"), "{screen}");
    assert!(!made(desk, "one"));
    terminal
}

#[test]
fn a_question_that_was_left_open_is_asked_again_and_a_yes_is_for_that_call_once() {
    let desk = Desk::configured(
        ASKS,
        0,
        vec![calls(&[("c", "touch one")]), calls(&[("d", "touch one")]), calls(&[("e", "touch one")]), answer("Done.")],
    );
    let mut terminal = resumed(&desk);
    terminal.keys("y\r");
    asked(&terminal, 1);
    assert!(made(&desk, "one"), "the call that was left open ran without another question, the next one is asked");
    assert!(answers(&desk, 1)[0].starts_with("Not answered: "));
    assert!(desk.prompts(1).last().unwrap().contains("touch one"));
}

#[test]
fn a_no_to_what_was_left_open_is_the_end_of_it() {
    let desk = Desk::configured(ASKS, 0, vec![calls(&[("c", "touch one")]), answer("Done.")]);
    let mut terminal = resumed(&desk);
    terminal.keys("n\r");
    terminal.wait_for("Nothing was changed.");
    terminal.keys("go on\r");
    turns_ended(&terminal, 1);
    terminal.keys("\x04");
    terminal.wait_for_end();
    let terminal = desk.start_sized(&["resume", "--last"], 40, 100);
    let screen = terminal.wait_for("go on");
    assert!(!screen.contains("May it be done now?"), "{screen}");
    assert!(!made(&desk, "one"));
}

#[test]
fn what_a_call_would_do_outside_the_sandbox_is_said_with_the_models_reason() {
    if hone::exec::containment::ladder().best().is_none() {
        return;
    }
    let call: Value = speech::call(
        "c",
        "exec_command",
        &json!({"cmd": "touch /dev/shm/../../tmp/never", "sandbox_permissions": "require_escalated",
            "justification": "May I leave a mark?", "prefix_rule": ["touch"]}),
    );
    let keys = "sandbox_mode = \"workspace-write\"\napproval_policy = \"on-request\"\n";
    let replies = vec![Reply::sse(&speech::response(&[call])), answer("Done.")];
    let desk = Desk::configured(keys, 0, replies);
    let mut terminal = desk.start_sized(&[], 40, 100);
    terminal.keys("go\r");
    let screen = asked(&terminal, 1);
    for words in [
        "why    it asks to run outside the sandbox",
        "model  May I leave a mark?",
        "runs   outside the sandbox, with your permissions",
        "always commands that begin with `touch`, outside the sandbox",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    terminal.keys("\r");
    turns_ended(&terminal, 1);
}

#[test]
fn a_project_is_asked_about_once_and_the_answer_is_written_down() {
    if hone::exec::containment::ladder().best().is_none() {
        return;
    }
    for (key, level, policy) in [("y", "trusted", "on-request"), ("n", "untrusted", "untrusted")] {
        let desk = Desk::configured("# says nothing of sandbox_mode\n", 0, vec![answer("Hello.")]);
        let mut terminal = desk.start_sized(&[], 40, 160);
        terminal.wait_for("Do you trust this project? [y/n, Enter: later]");
        terminal.keys(&format!("{key}\r"));
        terminal.wait_for(&format!("asked: {policy}"));
        let config = std::fs::read_to_string(desk.home.path().join("config.toml")).unwrap();
        assert!(config.ends_with(&format!("trust_level = \"{level}\"\n")), "{config}");
        terminal.keys("hi\r");
        turns_ended(&terminal, 1);
        let told = desk.server.requests()[0].body["input"].to_string();
        assert!(told.contains("`sandbox_mode` is `workspace-write`"), "{told}");
        assert!(told.contains(&format!("`approval_policy` is `{policy}`")), "{told}");
        terminal.keys("\x04");
        terminal.wait_for_end();
        let screen = desk.start_sized(&[], 40, 160).wait_for("100% gpt-x");
        assert!(!screen.contains("Do you trust"), "{screen}");
    }
}

#[test]
fn permissions_are_changed_for_the_session() {
    let desk = desk(&["touch one"]);
    let mut terminal = desk.start_sized(&[], 40, 100);
    terminal.keys("/permissions\r");
    terminal.wait_for("Sandbox: danger-full-access · asked: untrusted");
    terminal.keys("/permissions ask never\r");
    terminal.wait_for("Sandbox: danger-full-access · asked: never");
    terminal.keys("/permissions ask me\r");
    terminal.wait_for("Usage: /permissions");
    terminal.keys("go\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one"));
}

#[test]
fn a_terminal_without_a_live_prompt_is_asked_as_well() {
    let desk = desk(&["touch one", "touch two"]);
    let mut terminal = desk.start_in("dumb", &[], 40, 100);
    terminal.keys("go\r");
    terminal.wait_for("N no, or say what to do instead\n›");
    terminal.keys("y\r");
    turns_ended(&terminal, 1);
    assert!(made(&desk, "one"));
    terminal.keys("more\r");
    terminal.wait_until("it is asked", |screen| screen.matches("to do instead\n›").count() == 2);
    terminal.keys("e\r");
    terminal.wait_for("The command to run instead");
    terminal.keys("touch three\r");
    turns_ended(&terminal, 2);
    assert!(made(&desk, "three") && !made(&desk, "two"));
}
