//! The person's side: what `hone evolve` shows and does, with the real program in new processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::kit::{Home, input, memory};
use super::support::speech::{call, message, response};
use super::support::{FakeServer, Reply};
use hone::evolution::ports::Store as _;
use hone::protocol::learned::{Memory, MemoryKind, MemoryState, Scope};

fn say(text: &str) -> Reply {
    Reply::sse(&response(&[message(text)]))
}

fn exec(id: &str, cmd: &str) -> Reply {
    Reply::sse(&response(&[call(id, "exec_command", &json!({"cmd": cmd, "login": false}))]))
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// What is made from the journals: all but the journals and the records, the locks, and the index, which is made from the session
/// files.
fn derived(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files(&home.world.home().join("hone"));
    files.retain(|path, _| !path.to_string_lossy().contains("index.sqlite"));
    files.retain(|path, _| path.extension().is_none_or(|end| end != "jsonl") && !path.ends_with("lock"));
    files
}

#[test]
fn two_lessons_of_one_session_reach_the_next_are_accounted_for_and_taken_back_byte_for_byte() {
    let server = FakeServer::start(vec![
        exec("c1", "./check --quick"),
        exec("c2", "./check --full"),
        say("done"),
        say("second"),
        say("elsewhere"),
        say("third"),
    ]);
    let home = Home::of(&server);
    let project = home.world.project();
    home.world.write_project("check", "#!/bin/sh\n[ \"$1\" = --full ]\n");
    home.make_executable("check");
    home.world.run(&["We run tests with `just t`, never `cargo test`. Check everything."]).expect(0);
    let before = derived(&home);
    let ran = home.world.run(&["evolve", "run"]).expect(0);
    assert!(ran.stdout.contains("learned ") && ran.stdout.contains("never `cargo test`"), "{}", ran.stdout);

    home.world.run(&["next"]).expect(0);
    let second = input(&server.requests()[3]);
    let lesson = |text: &str| second.lines().find(|line| line.contains(text)).map(ToOwned::to_owned);
    assert!(lesson("never `cargo test`").is_some_and(|line| line.contains("the person said so")), "{second}");
    assert!(lesson("`./check --quick` failed here").is_some_and(|line| line.contains("it failed")), "{second}");
    home.run_in(&home.project("other"), &["hello"]).expect(0);
    assert!(!input(&server.requests()[4]).contains("just t"));

    // `why` shows the turns.
    let listed = home.world.run(&["evolve", "list"]).expect(0).stdout;
    let rule = listed.lines().find(|line| line.contains("never `cargo test`")).unwrap();
    let id = rule.split_whitespace().next().unwrap().to_owned();
    let why = home.world.run(&["evolve", "why", &id]).expect(0).stdout;
    let turn = &home.store(&project).turns().unwrap()[0];
    for part in
        [&*turn.turn.to_string(), &*turn.thread.to_string(), "you said: We run tests", "shown in 1 conversation"]
    {
        assert!(why.contains(part), "{part}: {why}");
    }

    // `undo` takes back what that session taught.
    let thread = turn.thread.to_string();
    let index = std::fs::read(home.world.home().join("hone/index.sqlite")).unwrap();
    home.world.run(&["evolve", "undo", "--session", &thread]).expect(0);
    let untouched = index == std::fs::read(home.world.home().join("hone/index.sqlite")).unwrap();
    assert!(untouched, "the index holds what was said and nothing of what was learned");
    let mut after = derived(&home);
    // What was measured stays: nobody's text is in it.
    after.retain(|path, _| before.contains_key(path) || !path.ends_with("scores.json"));
    assert_eq!(before, after, "as it was before the review");
    home.world.run(&["and now?"]).expect(0);
    assert!(!input(&server.requests()[5]).contains("<learned>"));
    let log = home.world.run(&["evolve", "log"]).expect(0).stdout;
    assert!(log.contains("taken back by you") && log.contains("(taken back)"), "{log}");
}

#[test]
fn what_waits_is_approved_edited_pinned_and_forgotten_and_each_can_be_taken_back() {
    let server = FakeServer::start(vec![say("ok")]);
    let home = Home::of(&server);
    let project = home.world.project();
    let mut waits = memory("I prefer short answers.", MemoryKind::Preference);
    (waits.state, waits.scope) = (MemoryState::Staged, Scope::User);
    home.learn(&project, &[waits.clone(), memory("The docs are in `book/`.", MemoryKind::Fact)]);
    let evolve = |args: &[&str]| home.world.run(&[&["evolve"], args].concat());
    let state = || {
        let ledger = home.store(&project).ledger(Scope::User).unwrap();
        ledger.memories().next().map(|memory: &Memory| (memory.state.clone(), memory.text.clone(), memory.pinned))
    };
    let id = &waits.id.0[..6];
    assert!(evolve(&["list"]).expect(0).stdout.contains("(waits for you)"));
    evolve(&["approve", id]).expect(0);
    evolve(&["approve", id]).expect(2).says(&["in use already"]);
    evolve(&["edit", id, "--text", "I prefer answers in one line."]).expect(0);
    evolve(&["pin", id]).expect(0);
    let view = home.world.home().join("hone/user/USER.md");
    let pinned = std::fs::read(&view).unwrap();
    assert_eq!(state(), Some((MemoryState::Active, "I prefer answers in one line.".to_owned(), true)));
    let forgot = evolve(&["forget", id]).expect(0).stdout;
    assert!(!view.exists(), "nothing of it is left to read");
    let op = forgot.split_whitespace().find(|word| word.starts_with("op-")).unwrap();
    evolve(&["undo", op]).expect(0);
    assert_eq!(std::fs::read(&view).unwrap(), pinned, "byte for byte");
    evolve(&["undo", op]).expect(2).says(&["taken back already"]);
    evolve(&["show", "zzzz"]).expect(2).says(&["nothing learned has the id `zzzz`", "hone evolve list --all"]);
    evolve(&["edit", id]).expect(2).says(&["--text"]);
    let json: serde_json::Value = serde_json::from_str(&evolve(&["list", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    evolve(&["add", "Releases", "are", "tagged", "by", "hand."]).expect(0);
    evolve(&["forget", "--query", "tagged releases"]).expect(0);
    assert!(!evolve(&["list"]).expect(0).stdout.contains("tagged by hand"));
    let status = evolve(&["status"]).expect(0).stdout;
    for part in ["mode       auto", "0 of 20000 tokens", "here       1 fact, 1 put away", "you        1 preference"] {
        assert!(status.contains(part), "{part}: {status}");
    }
}

#[test]
fn why_not_names_the_stage_and_the_reason() {
    let server = FakeServer::start(vec![say("ok")]);
    let home = Home::of(&server);
    home.world.run(&["For now always use port 5433 for the test database."]).expect(0);
    let waits = home.world.run(&["evolve", "why-not", "test", "database"]).expect(0).stdout;
    assert!(waits.contains("waits for a review"), "{waits}");
    home.world.run(&["evolve", "run"]).expect(0);
    let reviewed = home.world.run(&["evolve", "why-not", "test", "database"]).expect(0).stdout;
    assert!(reviewed.contains("was reviewed"), "{reviewed}");
}

#[test]
fn off_really_means_off() {
    let server = FakeServer::start(vec![say("ok"), say("ok")]);
    let home = Home::of(&server);
    home.learn(&home.world.project(), &[memory("We run tests with `just t`.", MemoryKind::Rule)]);
    home.configure("mode = \"off\"");
    let before = files(&home.world.home().join("hone"));
    home.world.run(&["always use `just t`"]).expect(0);
    home.world.run(&["evolve", "run"]).expect(2).says(&["nothing is learned in this mode"]);
    let listed = home.world.run(&["evolve", "list"]).expect(0).says(&["note: learning is off"]);
    assert!(listed.stdout.contains("just t"), "a person may look all the same");
    assert_eq!(files(&home.world.home().join("hone")), before, "not a byte");
    let untouched = input(&server.requests()[0]);
    std::fs::remove_dir_all(home.world.home().join("hone")).unwrap();
    home.world.run(&["always use `just t`"]).expect(0);
    assert_eq!(untouched, input(&server.requests()[1]), "the same request as with nothing learned");
    assert!(!home.world.home().join("hone").exists());
}

#[test]
fn what_other_programs_remember_is_taken_in_waits_and_goes_by_one_undo() {
    let server = FakeServer::start(vec![say("ok")]);
    let home = Home::of(&server);
    let project = home.world.project();
    let user = home.world.root().join("user");
    let write = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        project.join("CLAUDE.md"),
        "# Project\n\n- Run `make check` before a commit\n- Token: ghp_aB3dE5fG7haB3dE5fG7haB3dE5fG7haB3dE5f\n",
    );
    let mangled: String =
        project.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let memory = "---\nname: ports\ndescription: d\n---\nThe test database listens on port 5544.\n";
    write(user.join(".claude/projects").join(mangled).join("memory/ports.md"), memory);
    write(home.world.home().join("memories/MEMORY.md"), "# Memory\n\n- The person likes small commits.\n");
    let bucket = project.to_string_lossy().replace('/', "-");
    let json = r#"[{"scope":"global","summary":"ci","content":"CI runs on two cores."},{"scope":"user","summary":"x","content":"Answers in German please."}]"#;
    write(user.join(".codex-self-evolution/projects").join(bucket).join("memory/memory.json"), json);
    write(
        user.join(".hermes/memories/MEMORY.md"),
        "The docs are built\nwith mkdocs.\n§\nReleases happen on Fridays.\n",
    );

    let evolve = |args: &[&str]| home.world.run(&[&["evolve"], args].concat());
    let tried = evolve(&["import", "--from", "claude", "--dry-run"]).expect(0).stdout;
    assert!(tried.contains("nothing was changed") && tried.contains("waits: Run `make check`"), "{tried}");
    assert!(tried.contains("left out, it holds a secret: (not shown)") && !tried.contains("ghp_"), "{tried}");
    for (program, texts) in [
        ("claude", ["Run `make check`", "port 5544"]),
        ("codex", ["small commits", "small commits"]),
        ("csep", ["two cores", "in German"]),
        ("hermes", ["built with mkdocs", "on Fridays"]),
    ] {
        evolve(&["import", "--from", program]).expect(0);
        let listed = evolve(&["list"]).expect(0).stdout;
        assert!(texts.iter().all(|text| listed.contains(text)), "{program}: {listed}");
    }
    home.world.run(&["hello"]).expect(0);
    assert!(!input(&server.requests()[0]).contains("<learned>"), "what waits is shown to nobody");
    evolve(&["undo", "--last"]).expect(0);
    let listed = evolve(&["list"]).expect(0).stdout;
    assert!(!listed.contains("Fridays") && !listed.contains("mkdocs") && listed.contains("two cores"), "{listed}");
    evolve(&["approve", "--all"]).expect(0);
    assert!(!evolve(&["list"]).expect(0).stdout.contains("waits"));
    evolve(&["import", "--from", "codex", "/no/such/place"]).expect(2).says(&["/no/such/place"]);
    evolve(&["import"]).expect(2);
}

#[test]
fn an_export_comes_back_without_loss_and_the_report_is_one_page_that_needs_nothing() {
    let server = FakeServer::start(vec![say("ok")]);
    let home = Home::of(&server);
    let project = home.world.project();
    let hostile = memory("Never write <script>alert(1)</script> & friends.", MemoryKind::Rule);
    home.learn(&project, &[hostile, memory("The docs are in `book/`.", MemoryKind::Fact)]);
    home.world.run(&["where are the docs?"]).expect(0);
    let evolve = |args: &[&str]| home.world.run(&[&["evolve"], args].concat());
    evolve(&["export", "learned.json"]).expect(0);
    evolve(&["export", "learned.json"]).expect(5).says(&["not there yet"]);
    let view = home.world.home().join("hone").join("projects");
    let before = files(&view).into_iter().find(|(path, _)| path.ends_with("MEMORY.md")).unwrap();
    std::fs::remove_dir_all(home.world.home().join("hone")).unwrap();
    evolve(&["import", "learned.json", "--dry-run"]).expect(0);
    assert!(evolve(&["list"]).expect(0).stdout.contains("nothing of the kind"));
    assert!(evolve(&["import", "learned.json"]).expect(0).stdout.starts_with("2 taken in"));
    assert_eq!(std::fs::read(&before.0).unwrap(), before.1, "byte for byte");
    evolve(&["export", "again.json"]).expect(0);
    assert_eq!(home.world.read_project("learned.json"), home.world.read_project("again.json"));

    let text = evolve(&["report"]).expect(0).stdout;
    assert!(text.contains("2 learned") && text.contains("The docs are in"), "{text}");
    evolve(&["report", "--html", "report.html"]).expect(0);
    let page = home.world.read_project("report.html");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("<svg") && page.contains("&lt;script&gt;") && !page.contains("<script"));
    assert!(["http:", "https:", "src=", "@import", "url("].iter().all(|outside| !page.contains(outside)));
}
