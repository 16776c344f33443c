//! What goes wrong before or around a turn: one clear message with the next step, and the right exit code.

use std::net::TcpListener;

use super::support::speech::{message, response};
use super::support::{Ended, FakeServer, Reply, World};

/// What every failure keeps to: nothing on standard output, one error, no panic.
fn one_clear_error(ended: Ended, code: i32, texts: &[&str]) {
    let ended = ended.expect(code).says(texts);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.matches("error: ").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_broken_config_names_file_and_line() {
    let world = World::new();
    world.write_home("config.toml", "model = \"x\"\nmodel_verbosity = \"hgih\"\n");
    one_clear_error(world.run(&["hi"]), 2, &["config.toml:2:", "did you mean \"high\"", "hint:"]);
    world.write_home("config.toml", "model = \"x\"\nthis is not toml\n");
    one_clear_error(world.run(&["hi"]), 2, &["config.toml:2:"]);
    world.write_home("config.toml", "model_provider = \"nowhere\"\n");
    one_clear_error(world.run(&["hi"]), 2, &["nowhere", "hint:"]);
}

#[test]
fn a_config_that_cannot_be_read_is_named() {
    let world = World::new();
    std::fs::create_dir(world.home().join("config.toml")).unwrap();
    one_clear_error(world.run(&["hi"]), 2, &["cannot read", "config.toml", "hint:"]);
    let world = World::new();
    std::fs::write(world.home().join("config.toml"), b"model = \"\xff\"").unwrap();
    one_clear_error(world.run(&["hi"]), 2, &["config.toml"]);
}

#[test]
fn without_a_key_three_ways_on_are_named() {
    let world = World::new();
    let ended = world.run(&["hi"]);
    one_clear_error(ended, 3, &["OPENAI_API_KEY", "set a key", "local server", "hone demo"]);
    assert!(world.sessions().is_empty());
}

#[test]
fn a_provider_without_its_key_names_the_variable() {
    let server = FakeServer::start(Vec::new());
    let world = World::of(&server);
    let ended = super::support::program::run(world.hone(&["hi"]).env_remove("FAKE_KEY"), b"");
    one_clear_error(ended, 3, &["FAKE_KEY", "hint:"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_dead_server_is_named() {
    let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let world = World::at(&format!("http://{address}/v1"));
    let url = format!("http://{address}/v1/responses");
    one_clear_error(world.run(&["hi"]), 1, &[&url, "Connection refused", "Reconnecting 1/1", "base_url"]);
    assert_eq!(world.events().last().unwrap(), "task_complete");
}

#[test]
fn what_the_server_refuses_is_told_with_its_exit_code() {
    let quota = "{\"error\":{\"code\":\"insufficient_quota\"}}";
    let usage = "{\"error\":{\"type\":\"usage_limit_reached\",\"resets_at\":1795179900}}";
    let model = "{\"error\":{\"code\":\"model_not_found\",\"message\":\"The model `test-model` does not exist\"}}";
    let bad_key = "{\"error\":{\"message\":\"Incorrect API key provided\"}}";
    let html = &[("content-type", "text/html")][..];
    for (status, headers, body, code, recorded, texts) in [
        (400, &[][..], "no good", 1, "other", &["no good"][..]),
        (401, &[], bad_key, 3, "unauthorized", &["401", "Incorrect API key", "FAKE_KEY"]),
        (403, html, "<html><title>Blocked</title></html>", 3, "unauthorized", &["403", "“Blocked”"]),
        (404, &[], model, 1, "model_not_found", &["test-model", "does not exist", "hint:", "-m"]),
        (404, html, "<html><title>Not here</title></html>", 1, "other", &["404", "/v1/responses"]),
        (413, &[], "", 1, "other", &["413"]),
        (429, &[], quota, 4, "usage_limit_exceeded", &["Quota exceeded"]),
        (429, &[], usage, 4, "usage_limit_exceeded", &["usage limit", "try again at"]),
        (429, &[], "slow down", 4, "rate_limit_exceeded", &["429", "slow down"]),
        (302, &[("location", "http://elsewhere/")], "", 1, "other", &["http://elsewhere/", "base_url"]),
        (500, &[("retry-after", "0")], "boom", 1, "internal_server_error", &["boom"]),
        (503, &[("retry-after", "0")], "", 1, "internal_server_error", &["503"]),
        (200, html, "<html><title>Sign in</title></html>", 1, "other", &["“Sign in”"]),
        (200, &[("content-type", "application/json")], "{\"error\":\"loading\"}", 1, "other", &["loading"]),
        (204, &[], "", 1, "other", &["204"]),
    ] {
        let server = FakeServer::repeating(Reply::status(status, headers, body));
        let world = World::of(&server);
        one_clear_error(world.run(&["hi", "-c", "model_providers.fake.stream_max_retries=0"]), code, texts);
        let last = world.lines().pop().unwrap();
        assert_eq!(last["payload"]["type"], "task_complete", "{status}");
        assert_eq!(last["payload"]["error"]["codex_error_info"], recorded, "{status} {body}");
    }
}

#[test]
fn a_failed_turn_can_be_gone_on_with() {
    let server =
        FakeServer::start(vec![Reply::status(400, &[], "no"), Reply::sse(&response(&[message("now it works")]))]);
    let world = World::of(&server);
    world.run(&["first"]).expect(1);
    assert_eq!(world.run(&["exec", "resume", "--last", "again"]).expect(0).stdout, "now it works\n");
    let body = server.requests()[1].body.to_string();
    assert!(body.contains("first") && body.contains("again"));
}
