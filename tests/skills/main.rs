//! Skills, from the turns that show them to the list a session begins with, and out again: the real program in new processes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use support::speech::{call, message, response};
use support::{Ended, FakeServer, Reply, Request, World, program};

fn say(text: &str) -> Reply {
    Reply::sse(&response(&[message(text)]))
}

fn exec(cmd: &str) -> Reply {
    Reply::sse(&response(&[call("c1", "exec_command", &json!({"cmd": cmd, "login": false}))]))
}

/// The commands of one task, and its end.
fn task(table: &str) -> Vec<Reply> {
    vec![
        exec(&format!("./new-migration {table}")),
        exec(&format!("./add-column {table} created_at")),
        exec("./dev check"),
        say(&format!("The migration for {table} is there, and 17 checks passed.")),
    ]
}

struct Place {
    world: World,
    server: FakeServer,
}

impl Place {
    fn new(replies: Vec<Reply>) -> Self {
        let server = FakeServer::start(replies);
        let world = World::of(&server);
        let config = std::fs::read_to_string(world.home().join("config.toml")).unwrap();
        world
            .write_home("config.toml", &format!("{config}\n[evolution]\nwithhold_percent = 0\nreviewer = \"rules\"\n"));
        for script in ["new-migration", "add-column", "dev"] {
            world.write_project(script, "#!/bin/sh\nexit 0\n");
            let path = world.project().join(script);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { world, server }
    }

    /// Two sessions that do the same kind of task, and a review.
    fn with_a_draft(more: Vec<Reply>) -> Self {
        let place = Self::new([task("users"), task("orders"), more].concat());
        place.world.run(&["Add a migration for the users table with a created_at column"]).expect(0);
        place.world.run(&["Add a migration for the orders table with a created_at column"]).expect(0);
        let told = place.evolve(&["run"]).expect(0).stdout;
        assert!(told.contains("skills: drafted hone-") && told.contains("2 of 2 such turns succeeded"), "{told}");
        place
    }

    fn evolve(&self, args: &[&str]) -> Ended {
        self.world.run(&[&["evolve"], args].concat())
    }

    /// The only skill, in full.
    fn skill(&self) -> Value {
        let listed = self.evolve(&["list", "--all", "--kind", "skill", "--json"]).expect(0).stdout;
        let skills: Vec<Value> = serde_json::from_str(&listed).unwrap();
        assert_eq!(skills.len(), 1, "{listed}");
        skills[0]["entry"]["skill"].clone()
    }

    fn name(&self) -> String {
        self.skill()["name"].as_str().unwrap().to_owned()
    }

    fn active(&self) -> PathBuf {
        self.world.home().join("skills").join(self.name()).join("SKILL.md")
    }

    fn kept(&self) -> PathBuf {
        self.world.home().join("hone/skills").join(self.name()).join("SKILL.md")
    }

    fn last(&self) -> Request {
        self.server.requests().pop().unwrap()
    }
}

/// All texts of a request.
fn texts(request: &Request) -> String {
    let parts = request.input().iter().flat_map(|item| item["content"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn two_sessions_of_one_kind_leave_a_staged_skill_which_approved_is_listed_and_unused_goes_cold() {
    let place = Place::with_a_draft((0..30).map(|_| say("ok")).collect());
    let skill = place.skill();
    assert_eq!(skill["state"], "staged", "{skill}");
    let name = place.name();
    assert!(name.starts_with("hone-") && name.contains("migration"), "{name}");
    let text = std::fs::read_to_string(place.kept()).unwrap();
    for part in ["./new-migration <", "./add-column <", "created_at", "Run `./dev check`", "migration"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A final answer copied into a skill as its "expected result".
    assert!(!text.contains("17 checks"), "{text}");
    assert!(!place.active().exists());
    place.world.run(&["hello"]).expect(0);
    assert!(!texts(&place.last()).contains(&name), "what waits is offered to nobody");

    place.evolve(&["approve", &name]).expect(0);
    assert!(place.active().exists() && !place.kept().exists());
    // Learned skills that no loader ever loads.
    place.world.run(&["hello again"]).expect(0);
    let listed = texts(&place.last());
    assert!(listed.contains(&name) && listed.contains("checked with `./dev check`"), "{listed}");

    // Project A's rules applied in project B.
    let other = place.world.root().join("other");
    std::fs::create_dir_all(other.join(".git")).unwrap();
    std::fs::write(other.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    program::run(place.world.hone(&["hello there"]).current_dir(&other), b"").expect(0);
    assert!(!texts(&place.last()).contains(&name), "it was learned elsewhere");

    // Offered in vain, again and again.
    for n in 0..24 {
        place.world.run(&[&format!("What does part {n} of the documentation say?")]).expect(0);
    }
    place.evolve(&["run"]).expect(0);
    assert_eq!(place.skill()["state"], "cold");
    assert!(!place.active().exists() && place.kept().exists());
    place.world.run(&["and now?"]).expect(0);
    assert!(!texts(&place.last()).contains(&name), "cold really leaves the list");
    place.evolve(&["revive", &name]).expect(0);
    assert!(place.active().exists());
}

#[test]
fn every_change_is_taken_back_byte_for_byte() {
    let place = Place::with_a_draft(Vec::new());
    let (name, staged) = (place.name(), std::fs::read(place.kept()).unwrap());
    place.evolve(&["approve", &name]).expect(0);
    let active = std::fs::read(place.active()).unwrap();
    assert_eq!(active, staged);
    place.evolve(&["reject", &name]).expect(0);
    assert!(!place.active().exists());
    place.evolve(&["undo", "--last"]).expect(0);
    assert_eq!(std::fs::read(place.active()).unwrap(), active);
    place.evolve(&["undo", "--last"]).expect(0);
    assert!(!place.active().exists());
    assert_eq!(std::fs::read(place.kept()).unwrap(), staged);
}

/// Drafts regenerated for ever after quarantine.
#[test]
fn what_was_rejected_is_not_drafted_again_from_the_same_kind_of_turns() {
    let place = Place::with_a_draft(task("invoices"));
    place.evolve(&["reject", &place.name()]).expect(0);
    place.world.run(&["Add a migration for the invoices table with a created_at column"]).expect(0);
    place.evolve(&["run"]).expect(0);
    assert_eq!(place.skill()["state"]["quarantined"], "you rejected it", "and there is no other one");
}

/// Hand edits destroyed.
#[test]
fn what_the_person_writes_into_a_skill_stays_and_other_peoples_skills_are_never_touched() {
    let place = Place::with_a_draft(Vec::new());
    let name = place.name();
    place.evolve(&["approve", &name]).expect(0);
    let edited = std::fs::read_to_string(place.active()).unwrap().replace("## Check", "Ask Ann first.\n\n## Check");
    std::fs::write(place.active(), &edited).unwrap();
    assert!(place.evolve(&["why", &name]).expect(0).stdout.contains("edited by hand"));
    place.evolve(&["run"]).expect(0);
    assert_eq!(std::fs::read_to_string(place.active()).unwrap(), edited);

    // Somebody else's skill where ours belongs.
    let foreign = "---\nname: mine\ndescription: somebody else's\n---\nmine\n";
    let other = Place::with_a_draft(Vec::new());
    let path = other.active();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, foreign).unwrap();
    other.evolve(&["approve", &other.name()]).expect(5).says(&["not this program's"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), foreign);
    assert_eq!(other.skill()["state"], "staged", "as it was before");
}

#[test]
fn failures_are_counted_against_a_skill_and_a_wish_makes_one_at_once() {
    // Failure counted as a reason to keep: two of four attempts failed, which is too many.
    let failing = |table: &str| {
        vec![
            exec(&format!("./new-migration {table}")),
            exec("./add-column x y"),
            exec("./dev check; exit 1"),
            say("It fails."),
        ]
    };
    let place = Place::new([task("users"), failing("a"), failing("b"), task("orders")].concat());
    for table in ["users", "accounts", "baskets", "orders"] {
        place.world.run(&[&format!("Add a migration for the {table} table with a created_at column")]).expect(0);
    }
    place.evolve(&["run"]).expect(0);
    let listed = place.evolve(&["list", "--all", "--kind", "skill"]).expect(0).stdout;
    assert!(listed.contains("nothing of the kind"), "{listed}");

    let place = Place::new([task("users"), vec![say("Done.")]].concat());
    place.world.run(&["Add a migration for the users table with a created_at column"]).expect(0);
    place.world.run(&["exec", "resume", "--last", "Great. Make a skill of this."]).expect(0);
    place.evolve(&["run"]).expect(0);
    assert_eq!(place.skill()["state"], "staged");
}
