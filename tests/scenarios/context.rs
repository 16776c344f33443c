//! What the model is shown beside the conversation changes between turns.

use super::support::speech::{message, response};
use super::support::{FakeServer, Reply, World};

fn three_turns(between: impl Fn(&World, usize)) -> Vec<String> {
    let answers = (0..3).map(|_| Reply::sse(&response(&[message("ok")])));
    let server = FakeServer::start(answers.collect());
    let world = World::of(&server);
    world.write_project("AGENTS.md", "Be kind.\n");
    world.run(&["one"]).expect(0);
    for turn in 1..3 {
        between(&world, turn);
        world.run(&["exec", "resume", "--last", "more"]).expect(0);
    }
    server.requests().iter().map(|request| request.body["input"].to_string()).collect()
}

#[test]
fn changed_instructions_of_the_project_appear_once() {
    let inputs = three_turns(|world, turn| {
        if turn == 1 {
            world.write_project("AGENTS.md", "Be very kind.\n");
        }
    });
    assert!(!inputs[0].contains("Be very kind."));
    for later in &inputs[1..] {
        assert_eq!((later.matches("Be kind.").count(), later.matches("Be very kind.").count()), (1, 1));
    }
}

#[test]
fn another_folder_is_told_once() {
    let server = FakeServer::start((0..3).map(|_| Reply::sse(&response(&[message("ok")]))).collect());
    let world = World::of(&server);
    std::fs::create_dir_all(world.project().join("sub")).unwrap();
    world.run(&["one"]).expect(0);
    let id = world.session_id();
    for _ in 0..2 {
        world.run(&["-C", "sub", "exec", "resume", &id, "more"]).expect(0);
    }
    let sub = format!("<cwd>{}</cwd>", world.project().join("sub").display());
    let counts: Vec<_> =
        server.requests().iter().map(|request| request.body["input"].to_string().matches(&sub).count()).collect();
    assert_eq!(counts, [0, 1, 1]);
}

#[test]
fn a_skill_the_person_names_is_shown_with_its_message() {
    let server = FakeServer::start(vec![Reply::sse(&response(&[message("ok")]))]);
    let world = World::of(&server);
    world.write_home("skills/tidy/SKILL.md", "---\nname: tidy\ndescription: Tidies up.\n---\nSweep under the bed.\n");
    world.write_home("skills/broken/SKILL.md", "no front matter\n");
    world.run(&["please $tidy up"]).expect(0).says(&["warning:", "broken"]);
    let input = server.requests()[0].body["input"].to_string();
    assert!(input.contains("Tidies up.") && input.contains("Sweep under the bed."), "{input}");
}
