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
