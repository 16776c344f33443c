//! What is not the turn's is left alone, and said.

use std::fs;

use super::kit::{World, patch, shell};

fn changed_world() -> World {
    let world = World::new();
    world.write("a.txt", "a\n", 0o644);
    world.write("b.txt", "b\n", 0o644);
    let body = "*** Update File: a.txt\n@@\n-a\n+A\n*** Update File: b.txt\n@@\n-b\n+B\n*** Add File: new/c.txt\n+c\n";
    world.turn(&["go"], &[patch(body)]);
    world
}

#[test]
fn a_file_that_changed_since_is_named_and_nothing_is_touched() {
    type Edit = fn(&World);
    let edits: [(&str, Edit); 4] = [
        ("b.txt was changed", |world| world.write("b.txt", "mine\n", 0o644)),
        ("b.txt was changed", |world| world.write("b.txt", "B\n", 0o755)),
        ("b.txt was removed", |world| fs::remove_file(world.work.join("b.txt")).unwrap()),
        ("new/c.txt was changed", |world| world.write("new/c.txt", "c\nd\n", 0o644)),
    ];
    for (reason, edit) in edits {
        let world = changed_world();
        edit(&world);
        let edited = world.tree();
        let refused = world.undo();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let expected = format!("{}/{reason} since the turn ended", world.work.display());
        assert!(refused.stderr.contains(&expected), "{}", refused.stderr);
        assert!(!refused.stderr.contains("a.txt"), "{}", refused.stderr);
        assert_eq!(world.tree(), edited);
    }
}

#[test]
fn a_file_that_is_back_already_is_no_conflict() {
    let world = changed_world();
    world.write("b.txt", "b\n", 0o644);
    let undone = world.undo();
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert!(!undone.stdout.contains("b.txt"), "{}", undone.stdout);
    assert_eq!(world.read("a.txt"), "a\n");
}

#[test]
fn without_a_terminal_nobody_can_be_asked() {
    let world = changed_world();
    let changed = world.tree();
    let refused = world.hone(None, &["undo"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stdout.contains("-A\n+a\n") && refused.stderr.contains("--yes"), "{refused:?}");
    assert_eq!(world.tree(), changed);
}

#[test]
fn a_failure_halfway_leaves_everything_as_it_was() {
    let world = World::new();
    world.write("a.txt", "a\n", 0o644);
    world.write("z/b.txt", "b\n", 0o644);
    world.turn(
        &["go"],
        &[patch("*** Update File: a.txt\n@@\n-a\n+A\n*** Delete File: z/b.txt\n*** Add File: n/c.txt\n+c\n")],
    );
    // A file where the folder has to be: it cannot be made, whoever runs this.
    fs::remove_dir(world.work.join("z")).unwrap();
    fs::write(world.work.join("z"), "in the way\n").unwrap();
    let changed = world.tree();
    let failed = world.undo();
    assert_eq!(failed.code, Some(5), "{failed:?}");
    assert!(failed.stderr.contains("nothing has changed"), "{}", failed.stderr);
    assert_eq!(world.tree(), changed);
    // Nothing stands in the way of trying again.
    fs::remove_file(world.work.join("z")).unwrap();
    assert_eq!(world.undo().code, Some(0));
    assert_eq!((world.read("a.txt"), world.read("z/b.txt")), ("a\n".into(), "b\n".into()));
}

#[test]
fn what_commands_do_is_told_apart() {
    let world = World::new();
    world.write("a.txt", "a\n", 0o644);
    world.turn(
        &["go"],
        &[patch("*** Update File: a.txt\n@@\n-a\n+A\n"), shell("echo formatted >> a.txt; echo x > other.txt")],
    );
    let look = world.hone(None, &["undo", "--dry-run"]);
    assert!(look.stdout.contains("also ran a command; what commands change is not undone"), "{}", look.stdout);
    assert!(look.stdout.contains("also changed") && look.stdout.contains("-formatted"), "{}", look.stdout);
    // A later turn that only ran commands is not passed over in silence.
    world.turn(&["exec", "resume", "--last", "more"], &[shell("echo y > more.txt")]);
    let look = world.hone(None, &["undo", "--dry-run"]);
    assert!(look.stdout.contains("Later turns ran a command"), "{}", look.stdout);
    assert_eq!(world.undo().code, Some(0));
    assert_eq!((world.read("a.txt"), world.read("other.txt")), ("a\n".into(), "x\n".into()));
}

#[test]
fn there_must_be_a_session_and_something_to_undo() {
    let world = World::new();
    let none = world.undo();
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("there is no session of"), "{}", none.stderr);
    world.turn(&["hi"], &[]);
    assert_eq!(world.undo().code, Some(1));
    for id in ["nonsense", "01a1fa61-5e16-7461-9399-893050643317"] {
        assert_eq!(world.hone(None, &["undo", "--yes", id]).code, Some(2));
    }
}

#[test]
fn contents_that_are_gone_or_damaged_are_not_made_up() {
    for damage in [
        |path: &std::path::Path| fs::remove_file(path).unwrap(),
        |path: &std::path::Path| {
            fs::write(path, "x").unwrap();
        },
    ] {
        let world = changed_world();
        let changed = world.tree();
        for shelf in fs::read_dir(world.home.join("hone/undo/blobs")).unwrap() {
            for blob in fs::read_dir(shelf.unwrap().path()).unwrap() {
                damage(&blob.unwrap().path());
            }
        }
        let refused = world.undo();
        assert!(matches!(refused.code, Some(1 | 5)), "{refused:?}");
        assert_eq!(world.tree(), changed, "{refused:?}");
    }
}

#[test]
fn a_home_that_cannot_be_written_warns_and_the_turn_goes_on() {
    let world = World::new();
    // A file in the store's place: that stops root too.
    fs::create_dir(world.home.join("hone")).unwrap();
    fs::write(world.home.join("hone/undo"), "").unwrap();
    let add = |name: &str| patch(&format!("*** Add File: {name}\n+x\n"));
    let ran = world.turn(&["go"], &[add("a.txt"), add("b.txt")]);
    assert_eq!(ran.stderr.matches("cannot all be undone").count(), 1, "{}", ran.stderr);
    assert_eq!((world.read("a.txt"), world.read("b.txt")), ("x\n".into(), "x\n".into()));
}
