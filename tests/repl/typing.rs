//! Typing, at rest and while the model works.

use crate::desk::{Desk, answer, command, slow_answer};
use crate::support::Gate;

/// Where the text that is being typed stands: the last row with a prompt.
fn typed(screen: &str) -> &str {
    screen.lines().rev().find_map(|line| line.split_once("› ").or(line.strip_suffix('›').map(|l| (l, "")))).unwrap().1
}

#[test]
fn what_is_typed_while_an_answer_streams_stays_and_the_answer_too() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("The first words", &gate, " and the last.\n\nDone.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("hello there\r");
    terminal.wait_for("The first words");
    terminal.keys("a thought");
    terminal.wait_until("the thought is typed", |screen| typed(screen) == "a thought");
    gate.open();
    let screen = terminal.wait_for("100 in");
    assert_eq!(screen.matches("The first words").count(), 1, "{screen}");
    let rows: Vec<_> = screen.lines().map(str::trim_end).filter(|row| !row.is_empty()).collect();
    let at = rows.iter().position(|row| *row == "› hello there").unwrap();
    assert_eq!(rows[at + 1..at + 3], ["The first words and the last.", "Done."], "{screen}");
    terminal.wait_until("the thought is still there", |screen| typed(screen) == "a thought");
}

#[test]
fn two_steers_during_a_tool_join_in_order_after_its_output() {
    let desk = Desk::new(vec![
        command("while [ ! -e go ]; do read -t 0.02 x < /dev/zero || sleep 0.02; done; echo went"),
        answer("All done."),
    ]);
    let mut terminal = desk.start(&[]);
    terminal.keys("wait for it\r");
    terminal.wait_for("$ while");
    terminal.keys("first steer\r");
    terminal.wait_for("[steer] queued: first steer");
    terminal.keys("second steer\r");
    terminal.wait_for("[steer] queued: second steer");
    std::fs::write(desk.folder.path().join("go"), "").unwrap();
    let screen = terminal.wait_for("All done.");
    assert!(screen.contains("[steer] inserted: first steer\n[steer] inserted: second steer"), "{screen}");
    assert_eq!(desk.prompts(1), ["wait for it", "first steer", "second steer"]);
    let requests = desk.server.requests();
    let output = requests[1].input().iter().position(|item| item["type"] == "function_call_output").unwrap();
    assert!(requests[1].input()[output]["output"].as_str().unwrap().contains("went"));
    assert_eq!(requests[1].input().len(), output + 3, "the steers come last");
}

#[test]
fn a_steer_cuts_a_streaming_answer_and_is_answered() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Half an ans", &gate, "wer"), answer("Right away.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("go\r");
    terminal.wait_for("Half an ans");
    terminal.keys("stop that\r");
    terminal.wait_for("Right away.");
    assert_eq!(desk.prompts(1), ["go", "stop that"]);
    gate.open();
}

#[test]
fn queued_messages_wait_for_the_end_of_the_turn() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Working", &gate, "."), answer("Second answer."), answer("Third answer.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("one\r");
    terminal.wait_for("Working");
    terminal.keys("/queue two\r");
    terminal.wait_for("[steer] queued: two");
    terminal.keys("three\x1b\r");
    terminal.wait_for("[steer] queued: three");
    assert_eq!(desk.server.requests().len(), 1);
    gate.open();
    terminal.wait_for("Third answer.");
    assert_eq!(desk.prompts(1), ["one", "two"]);
    assert_eq!(desk.prompts(2), ["one", "two", "three"]);
}

#[test]
fn escape_interrupts_a_stream_and_gives_back_what_was_queued() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Working", &gate, "."), answer("Other.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("one\r");
    terminal.wait_for("Working");
    terminal.keys("/queue later\r");
    terminal.wait_for("[steer] queued: later");
    terminal.keys("\x1b");
    let screen =
        terminal.wait_until("it is interrupted", |screen| screen.contains("interrupted") && typed(screen) == "later");
    assert!(!screen.contains("error"), "{screen}");
    terminal.keys(" on\r");
    terminal.wait_for("Other.");
    assert_eq!(desk.prompts(1), ["one", "later on"]);
    let aborted = desk.server.requests()[1].input().iter().any(|item| item.to_string().contains("<turn_aborted>"));
    assert!(aborted);
    gate.open();
}

#[test]
fn ctrl_c_ends_a_running_command_and_the_session_goes_on() {
    let desk = Desk::new(vec![command("echo $$ > pid; exec sleep 1000"), answer("Fine.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("sleep\r");
    terminal.wait_for("$ echo");
    let pid = desk.folder.path().join("pid");
    while !std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')) {
        std::thread::yield_now();
    }
    terminal.keys("\x03");
    terminal.wait_for("interrupted");
    let pid = std::fs::read_to_string(&pid).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "the command still runs");
    terminal.keys("and now?\r");
    terminal.wait_for("Fine.");
    assert!(desk.server.requests()[1].body.to_string().contains("aborted by user"));
}

#[test]
fn pasted_text_never_submits_and_a_long_paste_is_folded_on_the_screen_only() {
    let desk = Desk::new(vec![answer("Two."), answer("Many.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("\x1b[200~first line\rsecond line\x1b[201~");
    terminal.wait_for("second line");
    assert!(desk.server.requests().is_empty());
    terminal.keys("\r");
    terminal.wait_for("Two.");
    assert_eq!(desk.prompts(0), ["first line\nsecond line"]);

    let lines: Vec<_> = (0..500).map(|number| format!("row {number}")).collect();
    terminal.keys(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
    terminal.wait_for("row 499");
    terminal.keys("\r");
    let screen = terminal.wait_for("Many.");
    assert!(screen.contains("[pasted 500 lines · /show 1]"), "{screen}");
    assert_eq!(desk.prompts(1)[1], lines.join("\n"));
}

#[test]
fn ctrl_j_begins_a_line_and_the_arrow_brings_the_message_back() {
    let desk = Desk::new(vec![answer("Yes."), answer("Again.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("one\ntwo");
    terminal.wait_for("two");
    terminal.keys("\r");
    terminal.wait_for("Yes.");
    terminal.keys("\x1b[A");
    terminal.wait_until("it is back", |screen| screen.ends_with("two") || screen.trim_end().ends_with("two"));
    terminal.keys("\r");
    terminal.wait_for("Again.");
    assert_eq!(desk.prompts(1), ["one\ntwo", "one\ntwo"]);
}

#[test]
fn a_terminal_that_changes_its_size_goes_on() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Some words that are there", &gate, " and some more.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("go\r");
    terminal.wait_for("Some words");
    terminal.resize(20, 100);
    terminal.keys("typed");
    terminal.wait_until("it is typed", |screen| typed(screen) == "typed");
    gate.open();
    let screen = terminal.wait_for("and some more.");
    assert_eq!(screen.matches("Some words").count(), 1, "{screen}");
}

#[test]
fn ctrl_c_twice_leaves_and_once_does_not() {
    let desk = Desk::new(vec![]);
    let mut terminal = desk.start(&[]);
    terminal.keys("draft");
    terminal.wait_for("draft");
    terminal.keys("\x03");
    terminal.wait_until("the line is empty", |screen| typed(screen).is_empty());
    terminal.keys("\x03");
    terminal.wait_for("Press Ctrl-C again to leave.");
    terminal.keys("\x03");
    assert!(terminal.wait_for_end().success());
}

#[test]
fn ctrl_d_leaves_while_work_runs_and_all_is_recorded() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Working", &gate, "."), answer("Welcome back.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("begin\r");
    terminal.wait_for("Working");
    terminal.keys("\x04");
    assert!(terminal.wait_for_end().success());
    let screen = terminal.wait_for("hone resume ");
    assert_eq!(screen.matches("Working").count(), 1, "the row that grew is left once:\n{screen}");
    assert!(!screen.contains('%'), "the prompt is gone:\n{screen}");
    gate.open();

    let mut terminal = desk.start(&["resume", "--last"]);
    terminal.wait_for("› begin");
    terminal.keys("go on\r");
    terminal.wait_for("Welcome back.");
    assert_eq!(desk.prompts(1), ["begin", "go on"]);
}

#[test]
fn commands_are_told_from_messages_and_typos_find_the_near_one() {
    let desk = Desk::new(vec![answer("A path."), answer("Literal.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("/modle\r");
    terminal.wait_for("Unknown command: /modle. Did you mean /model?");
    terminal.keys("/data/x\r");
    terminal.wait_for("A path.");
    terminal.keys(" /model\r");
    terminal.wait_for("Literal.");
    assert_eq!(desk.prompts(1), ["/data/x", "/model"]);
}

#[test]
fn the_model_can_be_changed_but_not_while_work_runs() {
    let gate = Gate::default();
    let desk = Desk::new(vec![slow_answer("Working", &gate, "."), answer("By another.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("one\r");
    terminal.wait_for("Working");
    terminal.keys("/model other\r");
    terminal.wait_for("Cannot change model while work is running or queued.");
    gate.open();
    terminal.wait_for("100 in");
    terminal.keys("/model other\r");
    terminal.wait_for("Switched model to other.");
    terminal.keys("two\r");
    terminal.wait_for("By another.");
    let requests = desk.server.requests();
    assert_eq!(requests[0].body["model"], "gpt-x");
    assert_eq!(requests[1].body["model"], "other");
    assert_eq!(requests[1].body["instructions"], requests[0].body["instructions"]);
}

#[test]
fn a_command_of_the_person_runs_and_the_model_sees_it() {
    let desk = Desk::new(vec![answer("I saw it.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("!echo out; exit 3\r");
    terminal.wait_for("exit 3\n");
    terminal.keys("what was that?\r");
    terminal.wait_for("I saw it.");
    let body = desk.server.requests()[0].body.to_string();
    assert!(body.contains("<user_shell_command>\\n<command>\\necho out; exit 3\\n</command>"), "{body}");
    assert!(body.contains("Exit code: 3"), "{body}");
}

#[test]
fn an_outside_editor_edits_what_is_typed() {
    let desk = Desk::new(vec![answer("Edited.")]);
    std::fs::write(desk.home.path().join(".env"), "EDITOR=\"sed -i s/plain/fancy/\"\n").unwrap();
    let mut terminal = desk.start(&[]);
    terminal.keys("a plain text");
    terminal.wait_for("a plain text");
    terminal.keys("\x18\x05");
    terminal.wait_until("it is edited", |screen| typed(screen) == "a fancy text");
    terminal.keys("\r");
    terminal.wait_for("Edited.");
    assert_eq!(desk.prompts(0), ["a fancy text"]);
}

#[test]
fn a_dumb_terminal_gets_lines_and_a_mark_when_it_is_the_persons_turn() {
    let desk = Desk::new(vec![answer("First answer."), answer("Second answer.")]);
    let mut terminal = desk.start_in("dumb", &[], 24, 80);
    terminal.keys("\n");
    terminal.wait_until("an empty line only brings the mark back", |screen| screen.matches('›').count() == 2);
    terminal.keys("one\n");
    terminal.wait_until("the mark follows the answer", |screen| {
        screen.contains("› one\nFirst answer.\n\n100 in") && screen.trim_end().ends_with("\n\n›")
    });
    terminal.keys("two\n");
    terminal.wait_for("› two\nSecond answer.\n");
    terminal.keys("/exit\n");
    assert!(terminal.wait_for_end().success());
    let screen = terminal.wait_for("hone resume ");
    assert!(!screen.contains("100%"), "no prompt was painted:\n{screen}");
    assert_eq!((desk.prompts(0), desk.prompts(1)), (vec!["one".to_owned()], vec!["one".to_owned(), "two".to_owned()]));
}
