//! A session of several hundred turns in a small window.

use serde_json::json;

use crate::kit::{Asked, World, is_compaction, respond, texts};
use crate::support::FakeServer;
use crate::support::speech::{call, message};

const TURNS: usize = 300;

/// A model that sums up faithfully, but knows only what it is sent: every rule it sees, and the last thing it was asked.
fn faithful() -> FakeServer {
    FakeServer::answering(|request| {
        let said = texts(request);
        if is_compaction(request) {
            let mut rules: Vec<&str> =
                said.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("RULE")).collect();
            rules.sort_unstable();
            rules.dedup();
            return respond(request, &[message(&format!("## Rules of the person\n{}\n", rules.join("\n")))]);
        }
        let answered = request.input().last().unwrap()["type"] == "function_call_output";
        if said.last().unwrap().contains("make a plan") && !answered {
            let plan = json!({"plan": [{"step": "paint the shed", "status": "in_progress"}]});
            return respond(request, &[call("c1", "update_plan", &plan)]);
        }
        respond(request, &[message(&"so be it ".repeat(150))])
    })
}

#[tokio::test]
async fn a_session_of_hundreds_of_turns_keeps_rules_task_and_plan() {
    let world = World::new(16_000, faithful());
    world.project_file("AGENTS.md", "Project rule: measure twice.\n");
    let running = world.new_session().await;
    let mut rules = vec!["RULE 1: no tabs, ever"];
    running.ask("Hello.\nRULE 1: no tabs, ever").await;
    running.ask("Now make a plan").await;
    world.server.take_requests();
    for turn in 2..TURNS {
        let rule = if turn == 120 { "\nRULE 2: ask before deleting" } else { "" };
        rules.extend((turn == 120).then_some("RULE 2: ask before deleting"));
        let task = format!("task number {turn}: {}", "words ".repeat(20));
        running.ask(&format!("{task}{rule}")).await;
        let requests: Vec<Asked> = world.server.take_requests().iter().map(Asked::from).collect();
        assert!(requests.len() <= 2, "turn {turn} took {} requests", requests.len());
        let last = requests.last().unwrap();
        assert!(!last.for_summary);
        assert!(last.items.last().unwrap().contains(&task), "turn {turn}");
        for rule in &rules {
            assert!(last.holds(rule), "turn {turn} lost {rule}");
        }
        for text in ["paint the shed", "measure twice"] {
            assert_eq!(last.items.iter().filter(|item| item.contains(text)).count(), 1, "turn {turn}: {text}");
        }
    }
    let compactions = world.seen.compactions();
    assert!((10..=60).contains(&compactions.len()), "{compactions:?}");
    for (before, after) in &compactions {
        assert!(after < before && *before < 16_000, "{compactions:?}");
    }
    assert_eq!(world.seen.warnings(), [] as [String; 0]);
    running.close().await;
}
