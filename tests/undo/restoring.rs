//! What was, is again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::kit::{World, patch, shell};

/// A folder with every kind of file a patch can meet, and a turn that adds, changes, moves and deletes.
fn many_changes() -> (World, Vec<serde_json::Value>) {
    let world = World::new();
    world.write("run.sh", "#!/bin/sh\necho old\n", 0o755);
    world.write("plain.txt", "one\ntwo\nthree\n", 0o644);
    world.write("secret.txt", "key\n", 0o600);
    world.write("dos.txt", "a\r\nb\r\nno end", 0o640);
    world.write("moved/from.txt", "stay\nchange\n", 0o755);
    world.write("bytes.bin", b"\x00\xff\xfe\x01old\n", 0o644);
    world.write("gone.txt", "", 0o444);
    world.write("over.txt", "what the move writes over\n", 0o600);
    world.write("target.txt", "behind a link\n", 0o644);
    symlink("target.txt", world.work.join("link.txt")).unwrap();
    symlink("plain.txt", world.work.join("another")).unwrap();
    fs::create_dir(world.root.join("outside")).unwrap();
    fs::write(world.root.join("outside/far.txt"), "far\n").unwrap();
    fs::create_dir(world.work.join("empty")).unwrap();
    let first = patch(
        "*** Update File: run.sh\n@@\n-echo old\n+echo new\n\
         *** Update File: dos.txt\n@@\n-a\n+A\n\
         *** Update File: moved/from.txt\n*** Move to: new/deep/to.txt\n@@\n-change\n+changed\n\
         *** Update File: link.txt\n@@\n-behind a link\n+through a link\n\
         *** Delete File: gone.txt\n\
         *** Delete File: bytes.bin\n\
         *** Delete File: another\n\
         *** Add File: fresh/a/b.txt\n+hello\n\
         *** Add File: empty/inside.txt\n+x\n\
         *** Update File: ../outside/far.txt\n@@\n-far\n+near\n\
         *** Add File: ../outside/more/new.txt\n+new\n",
    );
    let second = patch(
        "*** Update File: plain.txt\n*** Move to: over.txt\n@@\n-two\n+2\n\
         *** Update File: run.sh\n@@\n-echo new\n+echo newer\n\
         *** Delete File: secret.txt\n",
    );
    let third =
        shell("cd new && apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: third.txt\n+3\n*** End Patch\nEOF\n");
    (world, vec![first, second, third])
}

#[test]
fn every_byte_and_mode_comes_back_and_can_be_had_again() {
    let (world, calls) = many_changes();
    let before = world.tree();
    world.turn(&["go"], &calls);
    let after = world.tree();
    assert_ne!(before, after);
    assert_eq!(world.read("new/third.txt"), "3\n");

    let look = world.hone(None, &["undo", "--dry-run"]);
    assert_eq!(look.code, Some(0), "{look:?}");
    let run = world.work.join("run.sh");
    assert!(look.stdout.contains(&format!("restore {}\n", run.display())), "{}", look.stdout);
    assert!(look.stdout.contains("-echo newer\n+echo old\n"), "{}", look.stdout);
    assert!(!look.stdout.contains("note:") && !look.stdout.contains("conflict"), "{}", look.stdout);
    assert_eq!(world.tree(), after, "a look changes nothing");

    let undone = world.undo();
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert_eq!(world.tree(), before);
    let redone = world.hone(None, &["undo", "--redo", "--yes"]);
    assert_eq!(redone.code, Some(0), "{redone:?}");
    assert_eq!(world.tree(), after);
    assert_eq!(world.undo().code, Some(0));
    assert_eq!(world.tree(), before);
    let nothing = world.undo();
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stderr.contains("can be undone"), "{}", nothing.stderr);
}

#[test]
fn what_is_kept_is_for_the_person_alone() {
    let (world, calls) = many_changes();
    world.turn(&["go"], &calls);
    let mut folders = vec![world.home.join("hone/undo")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
                files += 1;
            }
        }
    }
    assert!(files > 5);
}

#[test]
fn each_undo_goes_one_turn_further_back_also_over_a_resumed_session() {
    let world = World::new();
    world.write("a.txt", "0\n", 0o644);
    let zero = world.tree();
    world.turn(&["one"], &[patch("*** Update File: a.txt\n@@\n-0\n+1\n*** Add File: b.txt\n+b\n")]);
    let one = world.tree();
    world.turn(&["exec", "resume", "--last", "a question"], &[]);
    world.turn(
        &["exec", "resume", "--last", "two"],
        &[patch("*** Update File: a.txt\n@@\n-1\n+2\n*** Delete File: b.txt\n")],
    );
    let two = world.tree();
    for (args, tree) in [
        (&["undo", "--yes"][..], &one),
        (&["undo", "--yes"], &zero),
        (&["undo", "--redo", "--yes"], &one),
        (&["undo", "--redo", "--yes"], &two),
        (&["undo", "--yes"], &one),
    ] {
        let ran = world.hone(None, args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(&world.tree(), tree, "{args:?}");
    }
    // A turn that writes ends what can be redone.
    world.turn(&["exec", "resume", "--last", "three"], &[patch("*** Add File: c.txt\n+c\n")]);
    assert_eq!(world.hone(None, &["undo", "--redo", "--yes"]).code, Some(1));
    assert_eq!(world.undo().code, Some(0));
    assert_eq!(world.tree(), one);
}

#[test]
fn a_turn_that_writes_nothing_leaves_no_checkpoint_in_the_home() {
    let world = World::new();
    world.turn(&["hi"], &[shell("echo hi")]);
    assert!(!world.home.join("hone/undo").exists());
    world.turn(&["--ephemeral", "go"], &[patch("*** Add File: a.txt\n+a\n")]);
    assert!(!world.home.join("hone/undo").exists());
}

#[test]
fn what_others_put_into_a_new_folder_stays() {
    let world = World::new();
    world.turn(&["go"], &[patch("*** Add File: new/a.txt\n+a\n")]);
    world.write("new/mine.txt", "mine\n", 0o644);
    assert_eq!(world.undo().code, Some(0));
    assert!(!world.work.join("new/a.txt").exists());
    assert_eq!(world.read("new/mine.txt"), "mine\n");
}

#[test]
fn a_folder_removed_since_comes_back_with_its_file() {
    let world = World::new();
    world.write("lib/a.txt", "a\n", 0o644);
    let before = world.tree();
    world.turn(&["go"], &[patch("*** Delete File: lib/a.txt\n")]);
    fs::remove_dir(world.work.join("lib")).unwrap();
    assert_eq!(world.undo().code, Some(0));
    assert_eq!(world.tree(), before);
}

#[test]
fn hard_links_stay_together() {
    let world = World::new();
    world.write("a.txt", "a\n", 0o644);
    fs::hard_link(world.work.join("a.txt"), world.work.join("b.txt")).unwrap();
    world.turn(&["go"], &[patch("*** Update File: a.txt\n@@\n-a\n+A\n")]);
    assert_eq!(world.read("b.txt"), "A\n");
    assert_eq!(world.undo().code, Some(0));
    assert_eq!((world.read("a.txt"), world.read("b.txt")), ("a\n".into(), "a\n".into()));
    fs::write(world.work.join("a.txt"), "both\n").unwrap();
    assert_eq!(world.read("b.txt"), "both\n");
}
