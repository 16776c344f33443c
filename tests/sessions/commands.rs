//! `hone sessions …`.

use std::fs;

use serde_json::Value;

use crate::home::{Place, err, id, out, session_text};

#[test]
fn the_list_shows_this_folder_and_says_what_it_leaves_out() {
    let place = Place::new();
    place.session(1, "first thing");
    place.session(2, "second thing");
    place.write(&id(3), &session_text(&id(3), "/elsewhere".as_ref(), "other thing"));
    let here = place.ok(&["sessions", "list"]);
    assert_eq!(here.lines().count(), 2, "{here}");
    assert!(here.contains("second thing") && here.contains("1 turn ") && here.contains("gpt-5.5"), "{here}");
    let all = place.ok(&["sessions", "list", "--all"]);
    assert!(all.contains("other thing  [/elsewhere]"), "{all}");
    let output = place.run(&["sessions", "list", "-n", "1"]);
    assert_eq!(out(&output).lines().count(), 1);
    assert!(err(&output).contains("1 of 2 sessions"), "{}", err(&output));
    let json = place.ok(&["sessions", "list", "--json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["turns"], &first["turns_exact"], &first["model"]), (&1.into(), &true.into(), &"gpt-5.5".into()));
    assert_eq!(place.ok(&["sessions", "list", "--archived"]), "");
}

#[test]
fn a_session_is_named_by_the_begin_of_its_id_its_title_or_last() {
    let place = Place::new();
    place.session(1, "first thing");
    let path = place.session(2, "second thing");
    place.ok(&["sessions", "rename", &id(2)[..14], "My", "Title"]);
    for name in ["my title", "01a1fca9-0002", &id(2)] {
        assert!(place.ok(&["sessions", "show", name]).contains("second thing"), "{name}");
    }
    std::fs::File::open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    assert!(place.ok(&["sessions", "show", "last"]).contains("second thing"));
    let (code, complaint) = place.refused(&["sessions", "show", "01a1fca9"]);
    assert_eq!(code, 2);
    assert!(complaint.contains("2 sessions") && complaint.contains(&id(1)), "{complaint}");
    let (code, complaint) = place.refused(&["sessions", "show", "no such title"]);
    assert_eq!(code, 2);
    assert!(complaint.contains("hone sessions list --all"), "{complaint}");
    assert_eq!(place.refused(&["sessions", "show", &id(9)]).0, 2);
}

#[test]
fn a_name_is_kept_in_the_file_and_does_not_make_the_session_the_latest() {
    let place = Place::new();
    let path = place.session(1, "first thing");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    place.ok(&["sessions", "list"]);
    place.ok(&["sessions", "rename", "01a1fca9-0001", "a", "name"]);
    place.ok(&["sessions", "rename", "last", "a “better” name"]);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert!(place.ok(&["sessions", "list"]).contains("a “better” name"));
    assert_eq!(hone::rollout::load(&path).unwrap().folded.name.as_deref(), Some("a “better” name"));
    let names = fs::read_to_string(place.home().join("session_index.jsonl")).unwrap();
    let last: Value = serde_json::from_str(names.lines().last().unwrap()).unwrap();
    assert_eq!((&last["id"], &last["thread_name"]), (&id(1).into(), &"a “better” name".into()));
    assert_eq!(place.refused(&["sessions", "rename", "last", " "]).0, 2);
}

#[test]
fn sessions_go_to_the_archive_and_back() {
    let place = Place::new();
    let path = place.session(1, "first thing");
    place.ok(&["sessions", "archive", &id(1)]);
    let archived = place.home().join("archived_sessions").join(path.file_name().unwrap());
    assert!(!path.exists() && archived.exists());
    assert_eq!(place.ok(&["sessions", "list"]), "");
    assert!(place.ok(&["sessions", "list", "--archived"]).contains("first thing"));
    assert_eq!(place.refused(&["sessions", "archive", &id(1)]).0, 5);
    place.ok(&["sessions", "unarchive", &id(1)]);
    assert!(path.exists() && !archived.exists());
    assert_eq!(place.refused(&["sessions", "unarchive", &id(1)]).0, 5);
}

#[test]
fn nothing_is_deleted_that_nobody_confirmed() {
    let place = Place::new();
    let path = place.session(1, "first thing");
    let (code, complaint) = place.refused(&["sessions", "delete", &id(1)]);
    assert_eq!(code, 2);
    assert!(complaint.contains("--yes") && complaint.contains("first thing"), "{complaint}");
    assert!(path.exists());
    place.ok(&["sessions", "delete", &id(1), "--yes"]);
    assert!(!path.exists());
    assert_eq!(place.ok(&["sessions", "list", "--all"]), "");
}

#[test]
fn a_conversation_is_shown_and_exported() {
    let place = Place::new();
    let path = place.session(1, "say hello");
    let shown = place.ok(&["sessions", "show", "last"]);
    let pieces = [
        "# say hello",
        "## You\n\nsay hello\n",
        "- `exec_command: echo hello`\n",
        "## Assistant\n\nIt says `hello`.\n",
    ];
    let places: Vec<usize> =
        pieces.iter().map(|piece| shown.find(piece).unwrap_or_else(|| panic!("{piece}: {shown}"))).collect();
    assert!(places.is_sorted(), "{shown}");
    assert_eq!(place.ok(&["sessions", "export", "last"]), shown);

    let json = place.ok(&["sessions", "export", "last", "--format", "json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["items"].as_array().unwrap().len(), 4);
    assert_eq!(value["id"], id(1));
    let recorded = fs::read_to_string(&path).unwrap();
    for item in json.lines().filter(|line| line.starts_with("{\"type\"")) {
        assert!(recorded.contains(item.trim_end_matches(',')), "{item}");
    }
    assert_eq!(place.ok(&["sessions", "show", "last", "--json"]), json);

    let file = place.work().join("page.html");
    place.ok(&["sessions", "export", "last", "--format", "html", "-o", file.to_str().unwrap()]);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("hello &lt;there&gt;") && page.contains("<code>exec_command: echo hello</code>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
    let (code, complaint) = place.refused(&["sessions", "export", "last", "-o", "/no/such/folder/x"]);
    assert_eq!(code, 5);
    assert!(complaint.contains("/no/such/folder/x"), "{complaint}");
}
