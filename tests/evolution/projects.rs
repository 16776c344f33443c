//! What one project taught is that project's.

use std::path::Path;
use std::sync::Arc;

use hone::config::clock::SystemClock;
use hone::config::repo::Project;
use hone::config::{self, Environment, LoadRequest};
use hone::evolution::ports::Store as _;
use hone::protocol::learned::TurnRecord;
use hone::runtime::Learning;

use crate::kit::turn;
use crate::support::speech::{message, response};
use crate::support::{FakeServer, Reply, World, program};

const RULE: &str = "never touch `generated/`, we run tests with `just t`";

fn repository(folder: &Path) {
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
}

fn exec(world: &World, folder: &Path, prompt: &str) {
    let mut command = world.hone(&["exec", "--skip-git-repo-check", "-c", "evolution.withhold_percent=0", prompt]);
    program::run(command.current_dir(folder), b"").expect(0);
}

/// What the model was told in the last request.
fn told(server: &FakeServer) -> String {
    serde_json::to_string(server.take_requests().last().unwrap().input()).unwrap()
}

#[test]
fn project_a_s_rules_applied_in_project_b() {
    let server = FakeServer::repeating(Reply::sse(&response(&[message("Done.")])));
    let world = World::of(&server);
    let a = world.project();
    // One within it, one of the same name elsewhere, one that is no repository, and the folder above both.
    let [within, namesake] = [a.join("vendor/b"), world.root().join("elsewhere/project")];
    [&within, &namesake].into_iter().for_each(|folder| repository(folder));
    let [plain, above] = [world.root().join("plain"), world.root()];
    std::fs::create_dir_all(&plain).unwrap();
    exec(&world, &a, RULE);
    // Reviewed from another project, as a timer does.
    let mut all = world.hone(&["evolve", "run", "--all"]);
    let reviewed = program::run(all.current_dir(&namesake), b"").expect(0);
    assert!(reviewed.stdout.contains("Never touch `generated/`"), "{reviewed:?}");
    for folder in [&within, &namesake, &plain, &above] {
        exec(&world, folder, "which folders must I not touch, and how do I run tests?");
        let told = told(&server);
        assert!(!told.contains("generated/") && !told.contains("just t"), "{}: {told}", folder.display());
    }
    exec(&world, &a.join("vendor"), "which folders must I not touch, and how do I run tests?");
    let told = told(&server);
    assert!(told.contains("generated/") && told.contains("just t"), "a folder of the project is the project: {told}");
}

#[test]
fn every_project_is_reviewed_in_its_own_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let [here, there, gone] = ["here", "there", "gone"].map(|name| root.join(name));
    [&here, &there, &gone].into_iter().for_each(|folder| repository(folder));
    let mut env = Environment::default();
    env.set("HOME", &root);
    env.set("CODEX_HOME", root.join("home"));
    let loaded = config::load(LoadRequest::new(&here, env)).unwrap();
    let at = |folder: &Path| Learning::at(&loaded, folder, Arc::new(SystemClock::new(&loaded.env))).unwrap();
    for folder in [&here, &there, &gone] {
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let record = TurnRecord { cwd: folder.join("src"), ..turn(1, "hello", vec![]) };
        at(folder).store.append_turn(&record).unwrap();
    }
    let moved = Project::of(&gone).id;
    std::fs::remove_dir_all(&gone).unwrap();
    let all = at(&here).all_projects();
    let roots: Vec<_> = all.iter().map(|learning| learning.root.clone()).collect();
    assert_eq!(all.len(), 3);
    assert!(roots.contains(&here) && roots.contains(&there), "{roots:?}");
    let lost = all.iter().find(|learning| learning.name() == moved).unwrap();
    assert!(!lost.root.is_dir(), "nothing is looked up in another project's folder: {}", lost.root.display());
}
