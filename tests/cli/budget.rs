//! Turns stop when a limit is reached, and what was used is told.

use serde_json::{Value, json};

use crate::support::program::lines;
use crate::support::speech::{call, message, response};
use crate::support::{FakeServer, Reply, World};

const PRICED: &str = "[limits]\ncost_per_day = 0.0001\n[prices.\"test-model\"]\ninput = 1.0\noutput = 1.0\n";

/// A home with more tables, whose server answers every request with a call: a model that goes round in circles.
fn looping(tables: &str) -> (FakeServer, World) {
    let again = call("c1", "exec_command", &json!({"cmd": "echo again"}));
    let server = FakeServer::repeating(Reply::sse(&response(&[again])));
    let world = world(&server, tables);
    (server, world)
}

fn world(server: &FakeServer, tables: &str) -> World {
    let world = World::of(server);
    let usual = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
    world.write_home("config.toml", &format!("{usual}\n{tables}"));
    world
}

fn usage(world: &World) -> Value {
    serde_json::from_str(&world.run(&["usage", "--json"]).expect(0).stdout).unwrap()
}

#[test]
fn a_model_that_goes_round_in_circles_stops_at_its_tokens() {
    let (server, world) = looping("[limits]\ntokens_per_turn = 1000\n");
    let hint = "hone -c limits.tokens_per_turn=2200 exec resume --last";
    world.run(&["exec", "hello"]).expect(4).says(&[
        "the turn used 1100 tokens",
        "limits.tokens_per_turn is 1000",
        hint,
    ]);
    // Every response uses 110.
    assert_eq!(server.requests().len(), 10);
    // The last call has its answer, so that the conversation can go on.
    let calls = |kind: &str| world.items().iter().filter(|item| item["type"] == kind).count();
    assert_eq!((calls("function_call"), calls("function_call_output")), (10, 10));
    world.run(&["exec", "resume", "--last", "continue"]).expect(4);
    assert_eq!(server.requests().len(), 20);
}

#[test]
fn an_answer_that_is_there_is_no_failure() {
    let server = FakeServer::start(vec![Reply::sse(&response(&[message("here")]))]);
    world(&server, "[limits]\ntokens_per_turn = 50\n").run(&["exec", "hello"]).expect(0);
}

#[test]
fn sessions_share_the_money_of_a_day() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("here")])));
    let world = world(&server, PRICED);
    world.run(&["exec", "hello"]).expect(0);
    world.run(&["exec", "hello again"]).expect(4).says(&[
        "were spent today",
        "limits.cost_per_day",
        "exec resume --last",
    ]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_not_recorded_costs_money_too() {
    let (server, world) = looping(PRICED);
    world.run(&["exec", "--ephemeral", "hello"]).expect(4).says(&["limits.cost_per_day"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_limit_of_money_says_when_it_is_blind() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("here")])));
    let world = world(&server, "[limits]\ncost_per_day = 1\n");
    world.run(&["exec", "hello"]).expect(0).says(&["does not count test-model", "[prices.\"test-model\"]"]);
}

#[test]
fn a_projects_own_file_can_neither_lift_a_limit_nor_set_a_price() {
    let (_server, world) = looping("[limits]\ntokens_per_turn = 1000\n");
    world.write_home(
        "config.toml",
        &format!(
            "{}\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
            std::fs::read_to_string(world.home().join("config.toml")).unwrap(),
            world.project().display()
        ),
    );
    world.write_project(".codex/config.toml", "[limits]\ntokens_per_turn = 100000000\n");
    world.run(&["exec", "hello"]).expect(4).says(&["a project may not set limits"]);
}

#[test]
fn usage_is_told_by_day_model_and_session() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("here")])));
    let world = world(&server, "[prices.\"test\"]\ninput = 10.0\noutput = 100.0\n");
    world.run(&["exec", "one"]).expect(0);
    world.run(&["exec", "-m", "other", "two"]).expect(0);
    let told = usage(&world);
    assert_eq!(told["total"]["input_tokens"], 200);
    assert_eq!(told["total"]["unpriced_models"], json!(["other"]));
    let models: Vec<_> =
        told["models"].as_array().unwrap().iter().map(|row| (&row["model"], &row["cost_usd"])).collect();
    assert_eq!(models, [(&json!("other"), &Value::Null), (&json!("test-model"), &json!(0.002))]);
    assert_eq!((told["days"].as_array().unwrap().len(), told["sessions"].as_array().unwrap().len()), (1, 2));
    let text = world.run(&["usage"]).expect(0).stdout;
    assert!(text.contains("test-model") && text.contains("no price is known for other"), "{text}");
}

#[test]
fn what_another_model_used_is_its_own() {
    let missing = Reply::status(404, &[], r#"{"error":{"code":"model_not_found","message":"no"}}"#);
    let server = FakeServer::start(vec![missing, Reply::sse(&response(&[message("here")]))]);
    let world = World::of(&server);
    let usual = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
    world.write_home("config.toml", &format!("fallback_models = [\"spare\"]\n{usual}"));
    world.run(&["exec", "hello"]).expect(0);
    let told = usage(&world);
    assert_eq!(told["models"].as_array().unwrap().len(), 1);
    assert_eq!(told["models"][0]["model"], "spare");
}

#[test]
fn a_fork_does_not_count_what_its_origin_used() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("here")])));
    let world = World::of(&server);
    world.run(&["exec", "one"]).expect(0);
    world.run(&["exec", "fork", "--last", "two"]).expect(0);
    let told = usage(&world);
    assert_eq!(told["total"]["input_tokens"], 200, "{told}");
}

#[test]
fn the_same_count_told_twice_counts_once() {
    let server = FakeServer::start(vec![Reply::sse(&response(&[message("here")]))]);
    let world = World::of(&server);
    world.run(&["exec", "one"]).expect(0);
    let path = world.session();
    let text = std::fs::read_to_string(&path).unwrap();
    let count = text.lines().rfind(|line| line.contains("\"token_count\"")).unwrap();
    // Codex says it again whenever rate limits changed; a crash may cut the last line.
    std::fs::write(&path, format!("{text}{count}\n{count}\n{}", &count[..count.len() / 2])).unwrap();
    assert!(lines(count)[0]["payload"]["info"].is_object());
    assert_eq!(usage(&world)["total"]["input_tokens"], 100);
}
