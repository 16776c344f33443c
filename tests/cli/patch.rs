//! The patch engine as a program of its own.

use super::support::World;
use super::support::program::run;
use std::process::Stdio;

const PATCH: &str = "*** Begin Patch\n*** Update File: a.txt\n@@\n-old\n+new\n*** End Patch\n";

#[test]
fn a_patch_is_applied_by_subcommand_and_by_name() {
    let world = World::new();
    let link = world.root().join("apply_patch");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hone"), &link).unwrap();
    let commands = [
        (world.hone(&["apply-patch", PATCH]), ""),
        (world.hone(&["apply-patch"]), PATCH),
        (world.program(&link, &[PATCH]), ""),
        (world.program(&link, &[]), PATCH),
    ];
    for (mut command, stdin) in commands {
        world.write_project("a.txt", "one\nold\ntwo\n");
        let ended = run(command.stdin(Stdio::piped()), stdin.as_bytes()).expect(0);
        assert_eq!(ended.stdout, "Success. Updated the following files:\nM a.txt\n");
        assert_eq!(world.read_project("a.txt"), "one\nnew\ntwo\n");
    }
}

#[test]
fn a_patch_that_does_not_fit_changes_nothing() {
    let world = World::new();
    world.write_project("a.txt", "other\n");
    let ended = world.run(&["apply-patch", PATCH]).expect(1).says(&["a.txt"]);
    assert_eq!((ended.stdout.as_str(), world.read_project("a.txt").as_str()), ("", "other\n"));
    world.run(&["apply-patch", "nonsense"]).expect(1).says(&["Invalid patch", "*** Begin Patch"]);
    world.run(&["apply-patch", "a", "b"]).expect(2);
}

#[test]
fn a_patch_is_applied_in_the_folder_that_was_named() {
    let world = World::new();
    world.write_project("sub/a.txt", "old\n");
    world.run(&["-C", "sub", "apply-patch", PATCH]).expect(0);
    assert_eq!(world.read_project("sub/a.txt"), "new\n");
}
