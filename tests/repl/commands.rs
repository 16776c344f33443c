//! Commands that change or show the conversation.

use crate::desk::{Desk, answer, slow_answer};
use crate::support::terminal::Terminal;
use crate::support::{Gate, Reply, speech};

/// A summary of a conversation that was long enough to be worth one.
fn long_talk() -> Vec<Reply> {
    vec![answer(&"A long answer. ".repeat(400)), answer("THE SUMMARY"), answer("After it.")]
}

fn patch(patch: &str) -> Reply {
    Reply::sse(&speech::response(&[speech::custom_call("c1", "apply_patch", patch)]))
}

/// A desk whose model changes `note.txt` from `old` to `new`.
fn patching(rest: Vec<Reply>) -> Desk {
    let change = "*** Begin Patch\n*** Update File: note.txt\n@@\n-old\n+new\n*** End Patch";
    let desk = Desk::new([vec![patch(change), answer("Patched.")], rest].concat());
    let config = desk.home.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("model = \"gpt-x\"", "model = \"gpt-5.5\"")).unwrap();
    std::fs::write(desk.folder.path().join("note.txt"), "old\n").unwrap();
    desk
}

fn note(desk: &Desk) -> String {
    std::fs::read_to_string(desk.folder.path().join("note.txt")).unwrap()
}

#[test]
fn compact_shows_what_it_wins_and_the_next_request_has_the_summary() {
    let desk = Desk::new(long_talk());
    let mut terminal = desk.start(&[]);
    terminal.keys("remember the number 7\r");
    terminal.wait_for("100 in");
    terminal.keys("/compact the number\r");
    terminal.wait_for("Summarising the conversation …");
    let screen = terminal.wait_for("200 in");
    assert!(screen.contains("Compacted: "), "{screen}");
    terminal.keys("which number?\r");
    terminal.wait_for("After it.");
    let requests = desk.server.requests();
    assert!(requests[1].body.to_string().contains("keep above all: the number"));
    let next = requests[2].body.to_string();
    assert!(next.contains("THE SUMMARY") && next.contains("remember the number 7"), "{next}");
    assert!(!next.contains("A long answer. A long answer."), "{next}");
}

#[test]
fn a_compaction_can_be_taken_back() {
    let desk = Desk::new(long_talk());
    let mut terminal = desk.start(&[]);
    terminal.keys("hello\r");
    terminal.wait_for("100 in");
    terminal.keys("/compact\r");
    terminal.wait_for("200 in");
    terminal.keys("/compact undo\r");
    terminal.wait_for("Compaction undone: ");
    terminal.wait_until("it has ended", |screen| screen.matches("200 in").count() == 2);
    terminal.keys("go on\r");
    terminal.wait_for("After it.");
    let next = desk.server.requests()[2].body.to_string();
    assert!(next.contains("A long answer. A long answer."), "{next}");
}

#[test]
fn escape_interrupts_a_compaction_and_nothing_is_compacted() {
    let gate = Gate::default();
    let desk =
        Desk::new(vec![answer(&"Long. ".repeat(900)), slow_answer("A summ", &gate, "ary"), answer("Still here.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("hello\r");
    terminal.wait_for("100 in");
    terminal.keys("/compact\r");
    desk.server.wait_for_requests(2);
    terminal.keys("/compact\r");
    terminal.wait_for("Cannot compact while work is running or queued.");
    terminal.keys("\x1b");
    terminal.wait_for("interrupted");
    terminal.keys("go on\r");
    terminal.wait_for("Still here.");
    assert!(desk.server.requests()[2].body.to_string().contains("Long. Long. "));
    gate.open();
}

#[test]
fn context_shows_what_fills_the_window_on_every_width() {
    for columns in [20, 80, 300] {
        let desk = Desk::new(vec![answer("An answer.")]);
        let mut terminal = desk.start_sized(&[], 40, columns);
        terminal.keys("hi\r");
        terminal.wait_for("100 in");
        terminal.keys("/context\r");
        let screen = terminal.wait_for("compacts at");
        for text in ["instructi", "tools", "your mess", "tokens", "100% left"] {
            assert!(screen.contains(text), "{columns}: no `{text}`\n{screen}");
        }
        assert!(screen.contains('█'), "{columns}\n{screen}");
    }
}

#[test]
fn undo_puts_a_file_back_after_a_yes_and_redo_makes_the_change_again() {
    let desk = patching(vec![]);
    let mut terminal = desk.start(&[]);
    change(&mut terminal);
    assert_eq!(note(&desk), "new\n");
    terminal.keys("/undo\r");
    let screen = terminal.wait_for("Undo this? [y/N]");
    assert!(screen.contains("-new") && screen.contains("+old"), "{screen}");
    asked(&terminal);
    terminal.keys("y\r");
    terminal.wait_for("The turn is undone: 1 path changed");
    assert_eq!(note(&desk), "old\n");
    terminal.keys("/undo redo\r");
    terminal.wait_for("Redo this? [y/N]");
    asked(&terminal);
    terminal.keys("yes\r");
    terminal.wait_for("The turn is redone: 1 path changed.");
    assert_eq!(note(&desk), "new\n");
}

#[test]
fn undo_changes_nothing_after_enter_nor_after_a_yes_from_before_the_question() {
    let gate = Gate::default();
    let desk = patching(vec![slow_answer("{", &gate, "}")]);
    let mut terminal = desk.start(&[]);
    change(&mut terminal);
    terminal.keys("/undo\r");
    asked(&terminal);
    terminal.keys("\r");
    terminal.wait_for("Nothing was changed.");
    assert_eq!(note(&desk), "new\n");
    // While it waits for the list of models, what is typed is typed ahead.
    terminal.keys("/model\r");
    desk.server.wait_for_requests(3);
    terminal.keys("/undo\ry\rrest");
    terminal.wait_until("it is typed", |screen| screen.trim_end().ends_with("› rest"));
    gate.open();
    terminal.wait_for("so it does not count.");
    asked(&terminal);
    terminal.keys("\r");
    terminal.wait_until("the question is left", |screen| {
        screen.rsplit_once("so it does not count.").is_some_and(|(_, rest)| rest.contains("Nothing was changed."))
    });
    assert_eq!(note(&desk), "new\n");
    terminal.wait_until("what was typed is still there", |screen| screen.trim_end().ends_with("› rest"));
}

#[test]
fn undo_refuses_and_names_the_file_that_changed_since() {
    let desk = patching(vec![]);
    let mut terminal = desk.start(&[]);
    change(&mut terminal);
    std::fs::write(desk.folder.path().join("note.txt"), "mine\n").unwrap();
    terminal.keys("/undo\r");
    let screen = terminal.wait_for("the turn cannot be undone; nothing was changed:");
    assert!(screen.contains("note.txt was changed since the turn ended"), "{screen}");
    assert!(!screen.contains("[y/N]"), "{screen}");
    assert_eq!(note(&desk), "mine\n");
}

#[test]
fn undo_chat_makes_the_model_forget_the_turn_also_after_a_restart() {
    let desk = patching(vec![answer("Fresh."), answer("Again.")]);
    let mut terminal = desk.start(&[]);
    change(&mut terminal);
    terminal.keys("/undo chat\r");
    asked(&terminal);
    terminal.keys("y\r");
    terminal.wait_for("The model no longer remembers your last message and what followed.");
    assert_eq!(note(&desk), "old\n");
    terminal.keys("begin anew\r");
    terminal.wait_for("Fresh.");
    assert_eq!(desk.prompts(2), ["begin anew"]);
    drop(terminal);
    let mut terminal = desk.start(&["resume", "--last"]);
    terminal.keys("go on\r");
    terminal.wait_for("Again.");
    assert_eq!(desk.prompts(3), ["begin anew", "go on"]);
}

#[test]
fn export_writes_a_file_in_the_form_that_is_asked_for() {
    let desk = Desk::new(vec![answer("An answer.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("/export\r");
    terminal.wait_for("Nothing to export: nothing is recorded yet.");
    terminal.keys("a question\r");
    terminal.wait_for("100 in");
    for (argument, begin) in [("html", "<!doctype html>"), ("talk.json", "{"), ("md talk.txt", "# a question")] {
        terminal.keys(&format!("/export {argument}\r"));
        let ending = argument.rsplit([' ', '.']).next().unwrap().to_owned();
        terminal
            .wait_until("it is written", |screen| screen.contains("Wrote") && screen.contains(&format!(".{ending}\n")));
        let files = std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let file = files.filter(|path| path.to_str().unwrap().ends_with(&format!(".{ending}"))).last().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(begin) && text.contains("An answer."), "{text}");
    }
}

#[test]
fn a_message_whose_compaction_fails_comes_back_to_the_prompt() {
    let failure =
        || Reply::status(400, &[("content-type", "application/json")], r#"{"error":{"message":"no summaries today"}}"#);
    let desk = Desk::new(vec![answer(&"Long. ".repeat(2000)), failure()]);
    let config = desk.home.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("model_auto_compact_token_limit = 100\n{text}")).unwrap();
    let mut terminal = desk.start(&[]);
    terminal.keys("hello\r");
    terminal.wait_for("100 in");
    terminal.keys("do not lose me\r");
    terminal.wait_for("Your message was not sent");
    terminal.keys("!");
    terminal.wait_until("it is back", |screen| screen.trim_end().ends_with("› do not lose me!"));
}

#[test]
fn a_name_is_told_to_lists_and_outlives_the_program() {
    let desk = Desk::new(vec![answer("One.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("/rename A good name\r");
    terminal.wait_for("Session: A good name");
    let index = desk.home.path().join("session_index.jsonl");
    assert!(!index.exists(), "there is no session to name yet");
    terminal.keys("hello\r");
    terminal.wait_for("100 in");
    assert!(std::fs::read_to_string(&index).unwrap().contains("A good name"));
    terminal.keys("/new\r");
    terminal.keys("/title\r");
    terminal.wait_for("Session: untitled");
    terminal.keys("/resume A good name\r");
    terminal.wait_for("› hello");
    terminal.keys("/title\r");
    terminal.wait_until("the name is back", |screen| {
        screen.rsplit_once("Session: untitled").is_some_and(|(_, rest)| rest.contains("Session: A good name"))
    });
}

#[test]
fn commands_complete_with_tab() {
    let desk = Desk::new(vec![]);
    let mut terminal = desk.start(&[]);
    terminal.keys("/comp\t");
    terminal.wait_until("it is complete", |screen| screen.contains("› /compact"));
    terminal.keys("\x15/undo z\r");
    terminal.wait_for("Usage: /undo [redo|chat]");
}

fn change(terminal: &mut Terminal) {
    terminal.keys("change it\r");
    terminal.wait_for("200 in");
}

/// Waits until the question is there for the keyboard too: the prompt shows it.
fn asked(terminal: &Terminal) {
    terminal.wait_until("the prompt asks", |screen| {
        screen.contains("[y/N]") && screen.lines().last().is_some_and(|row| row.starts_with('?'))
    });
}

#[test]
fn a_budget_that_was_reached_can_be_lifted_for_the_session() {
    let again =
        || Reply::sse(&speech::response(&[speech::call("c", "exec_command", &serde_json::json!({"cmd": "true"}))]));
    let desk = Desk::configured(
        "limits.tokens_per_turn = 200\n",
        0,
        vec![again(), again(), again(), again(), answer("At last.")],
    );
    let mut terminal = desk.start(&[]);
    terminal.keys("go\r");
    terminal.wait_for("limits.tokens_per_turn is 200");
    terminal.wait_for("/budget off");
    terminal.keys("/budget off\r");
    terminal.wait_for("lifted for this session");
    terminal.keys("continue\r");
    terminal.wait_for("At last.");
    assert_eq!(desk.server.requests().len(), 5);
}
