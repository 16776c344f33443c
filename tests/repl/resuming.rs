//! Going on with sessions.

use crate::desk::{Desk, answer, slow_answer};
use crate::support::{Gate, Reply, speech};

#[test]
fn a_killed_session_goes_on_where_it_was_with_its_name_and_nothing_twice() {
    let gate = Gate::default();
    let plan = serde_json::json!({"plan": [{"step": "Look around", "status": "completed"}, {"step": "Tidy up", "status": "pending"}]});
    let plan = Reply::sse(&speech::response(&[speech::call("c1", "update_plan", &plan)]));
    let desk = Desk::new(vec![plan, answer("One."), slow_answer("Half", &gate, "."), answer("Three.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("first\r");
    terminal.wait_for("One.");
    terminal.keys("/title A good name\r");
    terminal.wait_for("Session: A good name");
    terminal.keys("second\r");
    terminal.wait_for("Half");
    terminal.kill();
    gate.open();

    let mut terminal = desk.start(&[]);
    terminal.keys("/resume 1\r");
    terminal.wait_for("› second");
    let screen = terminal.wait_for("[ ] Tidy up");
    assert!(screen.contains("[x] Look around"), "{screen}");
    terminal.keys("/title\r");
    terminal.wait_for("Session: A good name");
    terminal.keys("third\r");
    terminal.wait_for("Three.");
    assert_eq!(desk.prompts(3), ["first", "second", "third"]);
    let sessions = walk(&desk.home.path().join("sessions"));
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let recorded = std::fs::read_to_string(&sessions[0]).unwrap();
    let mut items: Vec<_> = recorded.lines().filter_map(|line| line.split_once(r#""type":"response_item""#)).collect();
    items.sort_unstable_by_key(|(_, item)| *item);
    let count = items.len();
    items.dedup_by_key(|(_, item)| *item);
    assert!(items.len() == count && count > 6, "an item is there twice, or none at all:\n{recorded}");
    for said in ["first", "second", "third"] {
        let lines =
            recorded.lines().filter(|line| line.contains("user_message") && line.contains(&format!("\"{said}\"")));
        assert_eq!(lines.count(), 1, "{said}:\n{recorded}");
    }
}

#[test]
fn the_picker_lists_sessions_of_this_folder_and_takes_a_number() {
    let desk = Desk::new(vec![answer("One."), answer("Two.")]);
    for (prompt, reply) in [("older question", "One."), ("newer question", "Two.")] {
        let mut terminal = desk.start(&[]);
        terminal.keys(&format!("{prompt}\r"));
        terminal.wait_for(reply);
        terminal.keys("/exit\r");
        assert!(terminal.wait_for_end().success());
    }
    let mut terminal = desk.start(&["resume"]);
    let screen = terminal.wait_for("/resume N goes on with one");
    let row = |text: &str| screen.lines().find(|line| line.contains(text)).unwrap().trim().to_owned();
    assert!(row("newer question").starts_with("1 "), "{screen}");
    assert!(row("older question").starts_with("2 "), "{screen}");
    assert!(row("older question").contains("gpt-x · 1 turn"), "{screen}");
    terminal.keys("/resume 2\r");
    terminal.wait_for("One.");
    terminal.keys("/resume 7\r");
    terminal.wait_for("There is no session 7 in the list.");
}

#[test]
fn a_fork_goes_on_by_itself() {
    let desk = Desk::new(vec![answer("One."), answer("Forked.")]);
    let mut terminal = desk.start(&[]);
    terminal.keys("first\r");
    terminal.wait_for("100 in");
    terminal.keys("/fork\r");
    terminal.wait_for("Forked session: ");
    terminal.keys("second\r");
    terminal.wait_for("Forked.\n");
    assert_eq!(desk.prompts(1), ["first", "second"]);
    assert_eq!(walk(&desk.home.path().join("sessions")).len(), 2);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
