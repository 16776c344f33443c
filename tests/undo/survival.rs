//! A process can die at any moment.

use std::fs;

use super::kit::{World, patch, replies};
use super::support::{FakeServer, Reply, Step};

#[test]
fn a_turn_killed_after_its_patch_can_be_undone() {
    let world = World::new();
    world.write("a.txt", "a\n", 0o755);
    let before = world.tree();
    let mut script = replies(&[patch("*** Update File: a.txt\n@@\n-a\n+A\n*** Add File: n/b.txt\n+b\n")]);
    // The second request says that the patch is in; it never gets an answer.
    script[1] = Reply::stream(vec![Step::HoldOpen]);
    let server = FakeServer::start(script);
    let mut child = world.command(Some(&server), &["go"]).spawn().unwrap();
    server.wait_for_requests(2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.read("a.txt"), "A\n");
    let undone = world.undo();
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert!(undone.stdout.contains("ended before the turn did"), "{}", undone.stdout);
    assert_eq!(world.tree(), before);
}

/// Cuts the journal after every line and in the middle of every line, as if the process had died there: what is undone is
/// all of the turn that can be, and never anything that was not the turn's.
#[test]
fn a_journal_that_ends_anywhere_is_good() {
    let world = World::new();
    world.write("a.txt", "a\n", 0o644);
    world.write("b.txt", "b\n", 0o644);
    let before = world.tree();
    let change = |file: &str, from: &str, to: &str| patch(&format!("*** Update File: {file}\n@@\n-{from}\n+{to}\n"));
    world.turn(&["go"], &[change("a.txt", "a", "A"), change("b.txt", "b", "B"), change("a.txt", "A", "AA")]);
    let store = world.home.join("hone/undo");
    let journal = fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
    let journal = journal.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "jsonl")).unwrap();
    let whole = fs::read(&journal).unwrap();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    assert_eq!(ends.len(), 7, "{}", String::from_utf8_lossy(&whole));
    let after_first_patch = [("a.txt", "A\n"), ("b.txt", "b\n")];
    let after_second_patch = [("a.txt", "A\n"), ("b.txt", "B\n")];
    let after_third_patch = [("a.txt", "AA\n"), ("b.txt", "B\n")];
    // What the files may be when the journal ends there: before or after the patch it was about.
    for (end, files) in [
        (ends[0] / 2, [("a.txt", "a\n"), ("b.txt", "b\n")]),
        (ends[0], [("a.txt", "a\n"), ("b.txt", "b\n")]),
        (ends[0], after_first_patch),
        (ends[0] + 5, after_first_patch),
        (ends[1], after_first_patch),
        (ends[2], after_first_patch),
        (ends[2], after_second_patch),
        (ends[3], after_second_patch),
        (ends[4] - 2, after_second_patch),
        (ends[4], after_second_patch),
        (ends[4], after_third_patch),
        (ends[5], after_third_patch),
        (ends[6] - 3, after_third_patch),
    ] {
        fs::write(&journal, &whole[..end]).unwrap();
        for (path, content) in files {
            fs::write(world.work.join(path), content).unwrap();
        }
        let undone = world.undo();
        let was_nothing_to_do = end < ends[0];
        assert_eq!(undone.code, Some(i32::from(was_nothing_to_do)), "{end} {undone:?}");
        assert_eq!(world.tree(), before, "{end}");
    }
    // A file that is neither what it was nor what the journal knows of is not the turn's.
    fs::write(&journal, &whole[..ends[3]]).unwrap();
    for (path, content) in after_third_patch {
        fs::write(world.work.join(path), content).unwrap();
    }
    assert_eq!(world.undo().code, Some(1));
}

#[test]
fn an_undo_killed_halfway_is_finished_by_the_next() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.write(name, "old\n", 0o644);
    }
    let before = world.tree();
    let change = |name: &str| format!("*** Update File: {name}\n@@\n-old\n+new\n");
    world.turn(&["go"], &[patch(&["a", "b", "c"].map(change).concat())]);
    world.write("b", "old\n", 0o644);
    assert_eq!(world.undo().code, Some(0));
    assert_eq!(world.tree(), before);
}
