//! A session that learns while the person is idle.

use super::desk::{Desk, answer};

#[test]
fn what_was_learned_is_told_in_one_line_and_is_there_for_the_next_message() {
    let desk = Desk::configured("evolution.withhold_percent = 0\n", 0, vec![answer("Fine."), answer("Bye.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("we run tests with `just t`, never `npm`\r");
    terminal.wait_for("Fine.");
    let screen = terminal.wait_for("learned 1: We run tests with `just t`, never `npm`.");
    assert!(screen.contains("/memory why "), "{screen}");
    terminal.keys("/exit\r");
    assert!(terminal.wait_for_end().success());
    assert_eq!(desk.server.requests().len(), 1, "no model was asked for it");
}

#[test]
fn leaving_does_not_wait_for_a_review() {
    let desk = Desk::new(vec![answer("Fine.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("never touch `vendor/`\r");
    terminal.wait_for("Fine.");
    terminal.keys("/exit\r");
    assert!(terminal.wait_for_end().success());
    assert!(!terminal.screen().contains("learned"));
    let projects = std::fs::read_dir(desk.home.path().join("hone/projects")).unwrap();
    let project = projects.map(|entry| entry.unwrap().path()).next().unwrap();
    assert!(project.join("turns.jsonl").is_file() && !project.join("reviews.jsonl").exists(), "the turn still waits");
}

#[test]
fn what_was_learned_is_looked_at_and_taken_back_where_it_is_told() {
    let desk = Desk::configured("evolution.withhold_percent = 0\n", 0, vec![answer("Fine.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("we run tests with `just t`, never `npm`\r");
    let screen = terminal.wait_for("/memory why ");
    let id = screen.split("/memory why ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    terminal.keys(&format!("/memory why {id}\r"));
    terminal.wait_for("you said: we run tests");
    terminal.keys("/memory add The docs are in `book/`.\r");
    terminal.wait_for("Added: The docs are in `book/`.");
    terminal.keys("/evolve undo\r");
    terminal.wait_for("Took back: The docs are in `book/`.");
    terminal.keys("/evolve undo\r");
    terminal.wait_for("Took back: We run tests with `just t`, never `npm`.");
    terminal.keys("/memory\r");
    terminal.wait_for("Nothing was learned here yet.");
    terminal.keys("/memory why zzz\r");
    terminal.wait_for("nothing learned has the id `zzz`");
    terminal.keys("/skills\r");
    terminal.wait_for("No skill was learned yet.");
    terminal.keys("/evolve\r");
    terminal.wait_for("0 of 20000 tokens");
    terminal.keys("/exit\r");
    assert!(terminal.wait_for_end().success());
}
