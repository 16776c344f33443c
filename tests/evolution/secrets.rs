//! Secrets that pass through a session are nowhere below the folder of what is learned, in no file of whatever kind.

use serde_json::json;
use std::path::{Path, PathBuf};

use crate::support::speech::{call, message, response};
use crate::support::{FakeServer, Reply, World};

/// A text as a person, a file or a model may write it, and what of it nobody may find. Letters and digits, so that an index, which
/// keeps words by themselves and in small letters, cannot hide it.
const PLANTED: &[(&str, &str)] = &[
    (r#"{"api_key": "a8F5f167f44f4964e6"}"#, "a8F5f167f44f4964e6"),
    ("OPENAI_API_KEY=sk-proj-Qw3rTy7uIo9pAsDf2gHj", "Qw3rTy7uIo9pAsDf2gHj"),
    ("sk-ant-api03-Zx8cVb6nMq1wErTy3uIo", "Zx8cVb6nMq1wErTy3uIo"),
    ("ghp_Lk4jHg5fDs6aPo7iUy8tRe9wQz1xCv2bNm3q", "Lk4jHg5fDs6aPo7iUy8tRe9wQz1xCv2bNm3q"),
    ("github_pat_11ABCDEFG0Mn8bVc7xZl6k_Jh", "11ABCDEFG0Mn8bVc7xZl6k"),
    ("glpat-Gf2dSa9pOi8uYt7rEw6q", "Gf2dSa9pOi8uYt7rEw6q"),
    ("AKIAQ7RS8TU9VW1XY2ZA", "AKIAQ7RS8TU9VW1XY2ZA"),
    ("aws_secret_access_key = Pq9wEr8tYu7iOp6aSd5fGh4jKl3zXc2vBn1mQwEr", "Pq9wEr8tYu7iOp6aSd5fGh4jKl3zXc2vBn1mQwEr"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ5x.Sg7hJk8lPo9iUy6tRe5w", "Sg7hJk8lPo9iUy6tRe5w"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAw7Ty8uIo9pZx\nNb6vCx5zLk4jHg3fDs2aPo1iUy9t\nRe8wQm==\n-----END RSA PRIVATE KEY-----",
        "Nb6vCx5zLk4jHg3fDs2aPo1iUy9t",
    ),
    ("postgres://app:Tr5eWq4aSd3fGh2j@db.example/app", "Tr5eWq4aSd3fGh2j"),
    ("xoxb-2468013579-Hj7kLp8oIu9yTr6e", "Hj7kLp8oIu9yTr6e"),
    ("AIzaSyB5nMk6jHg7fDs8aPo9iUy1tRe2wQz3xCv4", "AIzaSyB5nMk6jHg7fDs8aPo9iUy1tRe2wQz3xCv4"),
    ("npm_Vc3xZl4kJh5gFd6sAp7oIu8yTr9eWq1mNb2c", "Vc3xZl4kJh5gFd6sAp7oIu8yTr9eWq1mNb2c"),
    ("sk_live_Bn5mKl6jHg7fDs8a", "Bn5mKl6jHg7fDs8a"),
    ("Authorization: Bearer Xc9vBn8mQw7eRt6y", "Xc9vBn8mQw7eRt6y"),
    ("export DB_PASSWORD=Correct9horse8battery", "Correct9horse8battery"),
    ("deploy --token Uy4tRe5wQa6sDf7g", "Uy4tRe5wQa6sDf7g"),
    // What the program itself is given to reach its provider.
    ("sk-fake-key", "sk-fake-key"),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Every secret that is in a file below `folder`, in whatever case, or whose end is: an index keeps of a word what tells it from the one
/// before.
fn leaks(folder: &Path) -> Vec<String> {
    let mut leaks = Vec::new();
    for path in files(folder) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_lowercase();
        for (_, secret) in PLANTED {
            let end = &secret[secret.len() - 10..];
            if text.contains(&end.to_lowercase()) {
                leaks.push(format!("{secret} in {}", path.display()));
            }
        }
    }
    leaks
}

#[test]
fn secrets_redacted_in_the_body_and_leaked_in_the_snippet() {
    let all: Vec<&str> = PLANTED.iter().map(|(text, _)| *text).collect();
    let all = all.join("\n");
    let (shown, said) = (all.clone(), all.clone());
    let server = FakeServer::answering(move |request| {
        let heard = serde_json::to_string(request.input()).unwrap();
        let lesson = |text: &str| json!({ "action": "add", "target": "", "kind": "rule", "scope": "repo", "text": text, "turn": 1, "source": "said", "quote": text });
        let item = if heard.contains("\\\"turn\\\":") || heard.contains("\"lessons\"") {
            // The reviewer repeats whatever it could get hold of.
            message(&json!({ "lessons": PLANTED.iter().map(|(text, _)| lesson(text)).collect::<Vec<_>>() }).to_string())
        } else if heard.contains("\"c2\"") {
            message(&format!("Done. For the record:\n{said}"))
        } else if heard.contains("\"c1\"") {
            call(
                "c2",
                "exec_command",
                &json!({ "cmd": format!("cat secrets.txt; git restore x; cat <<'E'\n{said}\nE"), "login": false }),
            )
        } else {
            call("c1", "exec_command", &json!({ "cmd": "cat secrets.txt; exit 3", "login": false }))
        };
        Reply::sse(&response(&[item]))
    });
    let world = World::of(&server);
    world.write_project("secrets.txt", &shown);
    for (at, text) in [format!("look at this:\n{all}"), format!("remember: always use {}", all.replace('\n', " and "))]
        .iter()
        .enumerate()
    {
        world.run(&["exec", "-c", "evolution.withhold_percent=0", text]).expect(0);
        assert_eq!(leaks(&world.home().join("hone")), Vec::<String>::new(), "after session {at}");
    }
    let learned = world.run(&["evolve", "run"]).expect(0);
    assert_eq!(leaks(&world.home().join("hone")), Vec::<String>::new(), "{learned:?}");
    // What has no shape of its own is known where a session is: here it is the person's own word.
    let shaped = &PLANTED[..PLANTED.len() - 1];
    for (text, _) in shaped {
        world.run(&["evolve", "add", text]);
    }
    // By hand, into the view, which is then read and written again.
    world.run(&["evolve", "add", "the docs are in `book/`"]).expect(0);
    let view = files(&world.home().join("hone")).into_iter().find(|path| path.ends_with("MEMORY.md")).unwrap();
    let lines = shaped.iter().flat_map(|(text, _)| text.lines());
    let lines: String = lines.map(|line| format!("- {line}\n")).collect();
    std::fs::write(&view, std::fs::read_to_string(&view).unwrap() + &lines).unwrap();
    let list = world.run(&["evolve", "list"]).expect(0);
    assert!(list.stdout.contains("book/"), "{list:?}");
    world.run(&["exec", "what do you know of the docs?"]).expect(0);
    drop(world.run(&["recall", "bearer token password key"]));
    assert_eq!(leaks(&world.home().join("hone")), Vec::<String>::new());
    // The net would catch it: what was planted is in the session's own file, which is the person's.
    assert!(leaks(&world.home().join("sessions")).len() >= PLANTED.len() - 1);
}
