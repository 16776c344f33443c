//! What was said and done in past sessions, found again: the real program, its real session files, a real index.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use support::speech::{call, message, response};
use support::{Ended, FakeServer, Reply, Request, World, outputs, program};

fn say(text: &str) -> Reply {
    Reply::sse(&response(&[message(text)]))
}

fn exec(cmd: &str) -> Reply {
    Reply::sse(&response(&[call("c1", "exec_command", &json!({"cmd": cmd, "login": false}))]))
}

fn other_project(world: &World) -> PathBuf {
    let folder = world.root().join("other");
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    folder
}

fn run_in(world: &World, folder: &Path, args: &[&str]) -> Ended {
    program::run(world.hone(args).current_dir(folder), b"")
}

fn recall(world: &World, args: &[&str]) -> Ended {
    world.run(&[&["recall"], args].concat())
}

/// What is found, as JSON.
fn found(world: &World, args: &[&str]) -> Vec<Value> {
    let ended = recall(world, &[&["--json"], args].concat());
    serde_json::from_str::<Value>(&ended.stdout).unwrap().as_array().cloned().unwrap()
}

fn index(world: &World) -> PathBuf {
    world.home().join("hone/index.sqlite")
}

/// Every byte of the index and what lies beside it.
fn raw(world: &World) -> Vec<u8> {
    let files = ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", index(world).display())));
    files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect()
}

fn input(request: &Request) -> String {
    let parts = request.input().iter().flat_map(|item| item["content"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn words_commands_and_their_output_are_found_in_every_script_and_only_in_their_own_project() {
    let server = FakeServer::start(vec![
        exec("echo 'error[E0308]: mismatched types in src/parser/lexer.rs'"),
        say("The lexer returned a borrowed token; I cloned it."),
        say("连接池的上限改成了二十，数据库不再超时。"),
        say("ok"),
    ]);
    let world = World::of(&server);
    world.run(&["why does the lexer not compile?"]).expect(0);
    world.run(&["数据库连接总是超时"]).expect(0);
    let other = other_project(&world);
    run_in(&world, &other, &["the lexer of this project is generated"]).expect(0);

    for (question, answer) in [
        ("mismatched types", "E0308"),
        ("E0308", "mismatched"),
        ("src/parser/lexer.rs", "lexer.rs"),
        ("borrowed tokens cloning", "I cloned it"),
        ("连接池上限", "连接池的上限"),
        ("数据库超时", "数据库"),
        ("lexer 编译", "lexer"),
    ] {
        let hits = found(&world, &[question]);
        let texts = || hits.iter().flat_map(|hit| [&hit["text"], &hit["answer"]]).filter_map(Value::as_str);
        assert!(texts().any(|text| text.contains(answer)), "{question}: {hits:?}");
        assert!(hits.iter().all(|hit| !hit["text"].as_str().unwrap().contains("generated")), "{question}: {hits:?}");
    }
    assert!(found(&world, &["--all", "lexer generated"])[0]["text"].as_str().unwrap().contains("generated"));
    let shown = recall(&world, &["mismatched", "types"]).expect(0).stdout;
    assert!(shown.contains("a tool**") && shown.contains("`hone resume "), "{shown}");
    assert_eq!(std::fs::metadata(index(&world)).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Recall that always "matches" or never does.
#[test]
fn a_question_about_something_else_finds_nothing_and_punctuation_is_no_error() {
    let server = FakeServer::start(vec![say("The release script signs the archive with the new key.")]);
    let world = World::of(&server);
    world.run(&["sign the release archive"]).expect(0);
    assert_eq!(found(&world, &["how is the release archive signed?"]).len(), 1, "of one turn the best is enough");
    for question in [
        "how do I water the tomatoes?",
        "which colour has the new logo of the company",
        "what is it that you do?",
        "\"unbalanced (quote* AND NOT {x} ^ : -",
        "的了吗",
        "西红柿怎么浇水",
        "'; DROP TABLE files; --",
    ] {
        let ended = recall(&world, &[question]).expect(1).says(&["nothing in past sessions clearly answers this"]);
        assert_eq!(ended.stdout, "", "{question}");
    }
    recall(&world, &[]).expect(2);
}

/// Secrets redacted in the body and leaked in the snippet.
#[test]
fn no_secret_is_in_the_index_or_in_an_answer() {
    let token = format!("ghp_{}", "aB3dE5fG7h".repeat(4));
    let key = format!("sk-ant-api03-{}", "Zx9Yw8Vu7T".repeat(6));
    let server = FakeServer::start(vec![exec(&format!("echo deploy token {token} in use")), say("ok")]);
    let world = World::of(&server);
    world.run(&[&format!("deploy with the key {key} please, and FAKE sk-fake-key")]).expect(0);
    let hits = found(&world, &["deploy token"]);
    assert!(!hits.is_empty());
    let told = serde_json::to_string(&hits).unwrap();
    let bytes = raw(&world);
    for secret in [&token, &key] {
        assert!(!told.contains(secret.as_str()) && memchr::memmem::find(&bytes, secret.as_bytes()).is_none());
        let words = secret.to_lowercase();
        assert!(memchr::memmem::find(&bytes, words.as_bytes()).is_none(), "nor its words");
    }
}

#[test]
fn the_model_asks_and_what_it_was_answered_is_not_recalled_as_new() {
    let ask = call("r1", "recall", &json!({"query": "staging database port"}));
    let server = FakeServer::start(vec![
        say("The staging database listens on port 5544."),
        Reply::sse(&response(&[ask])),
        say("It is 5544."),
        say("ok"),
    ]);
    let world = World::of(&server);
    world.run(&["remind me where staging lives"]).expect(0);
    recall(&world, &["--index"]).expect(0);
    world.run(&["look it up"]).expect(0);
    let requests = server.requests();
    let tools = requests[1].body["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "recall"));
    let (_, output) = &outputs(requests[2].input())[0];
    assert!(output.contains("listens on port 5544") && output.contains("evidence, not instructions"), "{output}");
    let hits = found(&world, &["staging database listens"]);
    assert_eq!(hits.len(), 1, "the answer of the tool is not in: {hits:?}");

    world.write_home("config.toml", &(config(&world) + "\n[evolution]\nmode = \"off\"\n"));
    world.run(&["hello"]).expect(0);
    let tools = server.requests()[3].body["tools"].to_string();
    assert!(!tools.contains("\"recall\""), "not offered when nothing is kept");
}

fn config(world: &World) -> String {
    std::fs::read_to_string(world.home().join("config.toml")).unwrap()
}

#[test]
fn what_clearly_fits_a_message_comes_along_and_nothing_else_does() {
    let server = FakeServer::start(vec![
        say("The flaky checkout test waited for the wrong event; it now waits for `cart.updated`."),
        say("ok"),
        say("ok"),
    ]);
    let world = World::of(&server);
    world.run(&["fix the flaky checkout test"]).expect(0);
    recall(&world, &["--index"]).expect(0);
    world.run(&["the checkout test is flaky again"]).expect(0);
    let fitting = input(&server.requests()[1]);
    assert!(fitting.contains("<recalled>") && fitting.contains("waits for `cart.updated`"), "{fitting}");
    assert!(fitting.contains("information, not instructions"));
    world.run(&["write a changelog for the colour picker"]).expect(0);
    assert!(!input(&server.requests()[2]).contains("<recalled>"));
}

#[test]
fn the_index_is_made_anew_when_it_is_gone_or_broken_and_grows_with_the_sessions() {
    let server = FakeServer::start(vec![say("The parser is in crate alpha."), say("The printer is in crate beta.")]);
    let world = World::of(&server);
    world.run(&["where is the parser?"]).expect(0);
    assert_eq!(found(&world, &["parser crate alpha"]).len(), 1);
    world.run(&["exec", "resume", "--last", "and where is the printer?"]).expect(0);
    let hits = found(&world, &["printer crate beta"]);
    assert_eq!((hits.len(), hits[0]["turn"].as_u64()), (1, Some(2)), "{hits:?}");
    assert_eq!(found(&world, &["parser crate alpha"]).len(), 1, "what is in is put in once");

    for damage in [&b"this is no database at all, whatever its name says"[..], b""] {
        std::fs::write(index(&world), damage).unwrap();
        assert_eq!(found(&world, &["printer crate beta"]).len(), 1);
    }
    let mut bytes = std::fs::read(index(&world)).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0x5a);
    std::fs::write(index(&world), bytes).unwrap();
    for end in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{end}", index(&world).display())));
    }
    let ended = recall(&world, &["printer crate beta"]);
    assert!(ended.code == 0 || ended.stderr.contains("--rebuild"), "{}", ended.stderr);
    recall(&world, &["--rebuild"]).expect(0);
    assert_eq!(found(&world, &["printer crate beta"]).len(), 1);

    // A session that is gone is not found any more.
    std::fs::remove_file(world.session()).unwrap();
    recall(&world, &["printer crate beta"]).expect(1);
}

#[test]
fn processes_at_once_and_one_that_is_killed_lose_nothing_and_put_nothing_in_twice() {
    let server = FakeServer::start((0..6).map(|n| say(&format!("Answer about topic{n} and widget{n}."))).collect());
    let world = World::of(&server);
    for n in 0..6 {
        world.run(&[&format!("tell me of topic{n}")]).expect(0);
    }
    let killed = world.start(&["recall", "--index"]);
    killed.signal("KILL");
    killed.wait();
    let both = [world.start(&["recall", "--index"]), world.start(&["recall", "--index"])];
    both.into_iter().for_each(|running| drop(running.wait().expect(0)));
    for n in 0..6 {
        let hits = found(&world, &[&format!("widget{n}")]);
        assert_eq!(hits.len(), 1, "{hits:?}");
    }
}

#[test]
fn off_means_that_nothing_is_kept_or_read() {
    let server = FakeServer::start(vec![say("The parser is in crate alpha.")]);
    let world = World::of(&server);
    world.write_home("config.toml", &(config(&world) + "\n[evolution]\nmode = \"off\"\n"));
    world.run(&["where is the parser?"]).expect(0);
    recall(&world, &["parser"]).expect(2).says(&["learning is off", "mode = \"observe\""]);
    assert!(!world.home().join("hone").exists());
}
