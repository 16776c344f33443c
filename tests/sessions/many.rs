//! Ten thousand sessions, and what is wrong with some of them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use hone::rollout::Problem;
use hone::rollout::index::{Scan, Selection, SessionSummary, scan, sessions};

use crate::home::{Place, id, session_text};

const MANY: u64 = 10_000;

fn by_id<'a>(scan: &'a Scan, id: &str) -> &'a SessionSummary {
    scan.sessions.iter().find(|session| session.id.to_string() == id).unwrap()
}

fn index(place: &Place) -> PathBuf {
    place.home().join("hone/sessions-index.jsonl")
}

#[test]
fn damaged_and_huge_files_among_ten_thousand_are_listed_at_once_and_repaired_once() {
    let place = Place::new();
    for n in 0..MANY {
        place.session(n, "do something");
    }
    let work = place.work();
    let torn = place.write(&id(MANY), &(session_text(&id(MANY), &work, "torn") + "{\"timestamp\":\"2026-1"));
    let empty = place.write(&id(MANY + 1), "");
    // A folder in a file's place cannot be read by anybody, not even by root.
    let unreadable = place.path(&id(MANY + 2));
    fs::create_dir(&unreadable).unwrap();
    let nameless = session_text(&id(MANY + 3), &work, "nameless").split_once('\n').unwrap().1.to_owned();
    let unnamed = place.write(&id(MANY + 3), &nameless);
    let huge = place.write(&id(MANY + 4), &session_text(&id(MANY + 4), &work, "huge"));
    let mut file = OpenOptions::new().write(true).open(&huge).unwrap();
    file.seek(SeekFrom::Start(1 << 30)).unwrap();
    let name = "\n{\"timestamp\":\"t\",\"type\":\"event_msg\",\"payload\":{\"type\":\"thread_name_updated\",\"thread_name\":\"late\"}}\n";
    file.write_all(name.as_bytes()).unwrap();

    let first = scan(&place.home()).unwrap();
    assert_eq!(first.sessions.len() as u64, MANY + 5);
    assert_eq!(first.opened as u64, MANY + 5);
    assert_eq!(by_id(&first, &id(7)).first_user_message.as_deref(), Some("do something"));
    let seen = by_id(&first, &id(MANY + 4));
    assert_eq!((seen.title.as_deref(), seen.turns, seen.more_turns), (Some("late"), 1, true));
    let problem = |n| by_id(&first, &id(n)).problem.clone();
    assert_eq!(problem(MANY), Some(Problem::Torn));
    assert_eq!(problem(MANY + 1), Some(Problem::Empty));
    assert!(matches!(problem(MANY + 2), Some(Problem::Unreadable(_))));
    assert_eq!(problem(MANY + 3), Some(Problem::Unnamed));

    // The second time only what may have changed without a trace is opened.
    assert_eq!(scan(&place.home()).unwrap().opened, 1);
    let listed = sessions(&place.home(), Selection { cwd: Some(&work), ..Selection::default() }).unwrap();
    assert_eq!(listed.len() as u64, MANY + 2, "all but the empty, the unreadable and the unnamed one");

    let repair = place.run(&["sessions", "repair"]);
    assert_eq!(repair.status.code(), Some(5), "one is left");
    let said = crate::home::out(&repair);
    assert_eq!(said.lines().count(), 8, "{said}");
    for path in [&torn, &empty, &unreadable, &unnamed] {
        assert_eq!(said.matches(&format!("{}\n", path.display())).count(), 1, "{said}");
    }
    fs::remove_dir(&unreadable).unwrap();
    assert_eq!(place.ok(&["sessions", "repair"]), "nothing is wrong with the session files\n");

    assert!(fs::read_to_string(&torn).unwrap().ends_with("{\"timestamp\":\"2026-1\n"));
    assert!(!empty.exists() && empty.with_extension("jsonl.empty").exists());
    assert_eq!(fs::read_to_string(unnamed.with_extension("jsonl.unreadable")).unwrap(), nameless);
    let mended = fs::read_to_string(&unnamed).unwrap();
    assert!(mended.ends_with(&nameless));
    assert!(place.ok(&["sessions", "show", &id(MANY + 3)]).contains("nameless"));
}

#[test]
fn the_index_may_be_deleted_broken_or_of_another_version() {
    let place = Place::new();
    (0..5).for_each(|n| _ = place.session(n, "do something"));
    let titles = |scan: &Scan| scan.sessions.iter().map(|s| (s.id, s.first_user_message.clone())).collect::<Vec<_>>();
    let first = scan(&place.home()).unwrap();
    let good = fs::read_to_string(index(&place)).unwrap();
    let half = good[..good.len() / 2].to_owned();
    let broken_line = good.replacen("\"path\"", "\"pa\0th\"", 1);
    for (text, opened) in [
        (Some(String::new()), 5),
        (Some(half), 3),
        (Some(broken_line), 1),
        (Some(good.replacen(":1}", ":0}", 1)), 5),
        (None, 5),
    ] {
        match &text {
            Some(text) => fs::write(index(&place), text).unwrap(),
            None => fs::remove_file(index(&place)).unwrap(),
        }
        let again = scan(&place.home()).unwrap();
        assert_eq!(again.opened, opened, "{text:?}");
        assert_eq!(titles(&again), titles(&first));
        assert_eq!(scan(&place.home()).unwrap().opened, 0);
    }
}

#[test]
fn only_what_changed_is_opened() {
    let place = Place::new();
    let paths: Vec<PathBuf> = (0..5).map(|n| place.session(n, "do something")).collect();
    scan(&place.home()).unwrap();
    let more = session_text(&id(2), &place.work(), "more").split_once('\n').unwrap().1.to_owned();
    place.append(&paths[2], &more);
    fs::remove_file(&paths[4]).unwrap();
    let later = SystemTime::now() + Duration::from_secs(60);
    File::open(&paths[2]).unwrap().set_modified(later).unwrap();
    let again = scan(&place.home()).unwrap();
    assert_eq!((again.opened, again.sessions.len()), (1, 4));
    assert_eq!((again.sessions[0].id.to_string(), again.sessions[0].turns), (id(2), 2));
    assert!(!fs::read_to_string(index(&place)).unwrap().contains(&id(4)));
}

#[test]
fn many_processes_may_list_at_once() {
    let place = Place::new();
    (0..50).for_each(|n| _ = place.session(n, "do something"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| assert_eq!(scan(&place.home()).unwrap().sessions.len(), 50)));
        }
    });
    assert_eq!(scan(&place.home()).unwrap().opened, 0);
    assert_eq!(fs::read_dir(place.home().join("hone")).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn a_home_that_cannot_be_written_lists_all_the_same() {
    let place = Place::new();
    place.session(1, "do something");
    // A file where the index's folder should be stops everybody, root too.
    fs::write(place.home().join("hone"), "").unwrap();
    fs::set_permissions(place.home(), Permissions::from_mode(0o500)).unwrap();
    assert_eq!(scan(&place.home()).unwrap().sessions.len(), 1);
    fs::set_permissions(place.home(), Permissions::from_mode(0o700)).unwrap();
}
