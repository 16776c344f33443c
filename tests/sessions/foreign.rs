//! Sessions that Codex and pycodex recorded.

use std::fs;

use serde_json::Value;

use crate::home::Place;
use crate::support::server::{FakeServer, Reply};
use crate::support::speech;

pub const CODEX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rollout/fixtures/codex-0.169-paginated.jsonl");
const PYCODEX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sessions/fixtures/pycodex-0.5.1.jsonl");

/// The session a file's first line names.
pub fn id_of(text: &str) -> String {
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    first["payload"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn they_are_listed_named_resumed_and_continued() {
    for (fixture, message, turns) in [(CODEX, "say hello", 2), (PYCODEX, "remember the number 42", 2)] {
        let place = Place::new();
        let server = FakeServer::repeating(Reply::sse(&speech::response(&[speech::message("fine")])));
        place.configure(&server.base_url);
        let text = fs::read_to_string(fixture).unwrap();
        let id = id_of(&text);
        let path = place.write(&id, &text);

        let listed = place.ok(&["sessions", "list", "--all", "--json"]);
        let session: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(session["first_user_message"], message, "{listed}");
        assert_eq!(session["problem"], Value::Null);
        assert!(session["turns"].as_u64().unwrap() >= 1, "{listed}");
        assert!(place.ok(&["sessions", "show", &id]).contains(message));
        place.ok(&["sessions", "rename", &id, "foreign"]);
        assert_eq!(place.ok(&["exec", "resume", "foreign", "go on"]), "fine\n");

        let continued = fs::read_to_string(&path).unwrap();
        assert!(continued.starts_with(&text), "nothing that was there is touched");
        let sent = server.requests()[0].input().to_vec();
        assert!(sent.iter().any(|item| item["content"][0]["text"] == message), "{sent:?}");
        let listed = place.ok(&["sessions", "list", "--all", "--json"]);
        let session: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(session["title"], "foreign");
        assert_eq!(session["turns"], turns, "{listed}");
    }
}
