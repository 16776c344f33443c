//! Files that a crash or another program left in a bad state.

use std::fs;

use hone::agent::ports::Rollout as _;
use hone::protocol::Item;
use hone::rollout::{Recorder, load};

use crate::support::*;

#[test]
fn a_file_cut_anywhere_is_read_and_continued() {
    let home = tempfile::tempdir().unwrap();
    let recorder = recorder(home.path());
    turn().iter().for_each(|line| recorder.append(line).unwrap());
    let path = recorder.path().to_owned();
    drop(recorder);
    let whole = fs::read(&path).unwrap();
    let all = items(&path);
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in 0..whole.len() {
        // A new file each time: file systems wait for the disk when a file is emptied and written anew.
        fs::remove_file(&path).unwrap();
        fs::write(&path, &whole[..cut]).unwrap();
        if cut < first_line {
            assert!(load(&path).is_err(), "{cut}");
            assert!(Recorder::resume(home.path(), &path, clock()).is_err(), "{cut}");
            continue;
        }
        // A record without its newline is whole; one without its last brace is not.
        let complete = whole[..cut + 1].iter().filter(|byte| **byte == b'\n').count();
        let expected = items_of_lines(&whole, complete);
        let before = items(&path);
        assert_eq!(before, all[..expected], "cut at {cut}");

        let resumed = Recorder::resume(home.path(), &path, clock()).unwrap();
        resumed.append(&user("after the crash")).unwrap();
        let continued = fs::read(&path).unwrap();
        assert!(continued.starts_with(&whole[..cut]), "cut at {cut}: nothing is taken away");
        let own_line = continued.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap();
        assert!(
            serde_json::from_slice::<serde_json::Value>(own_line).is_ok(),
            "cut at {cut}: other readers need whole lines"
        );
        let after = items(&path);
        assert_eq!(after[..expected], before, "cut at {cut}");
        assert_eq!(after.len(), expected + 1, "cut at {cut}");
        assert_eq!(after.last().map(Item::text).as_deref(), Some("after the crash"));
    }
}

/// How many items the first lines of a file hold.
fn items_of_lines(file: &[u8], lines: usize) -> usize {
    let lines = file.split(|byte| *byte == b'\n').take(lines);
    lines.filter(|line| String::from_utf8_lossy(line).contains(r#""type":"response_item""#)).count()
}

#[test]
fn files_in_any_layout_hold_the_same_session() {
    let original = fs::read_to_string(fixture("codex-0.169-paginated.jsonl")).unwrap();
    let records: Vec<serde_json::Value> = original.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pretty: Vec<String> = records.iter().map(|record| serde_json::to_string_pretty(record).unwrap()).collect();
    let spaced: Vec<String> = records.iter().map(|record| python_style(&record.to_string())).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    let read = |text: String| {
        fs::write(&path, text).unwrap();
        let loaded = load(&path).unwrap();
        (loaded.meta.id, loaded.folded.history.items().iter().map(Item::to_value).collect::<Vec<_>>(), loaded.notice)
    };
    let expected = read(original.clone());
    assert_eq!(expected.1.len(), 7);
    assert_eq!(expected.2, None);
    for (name, text) in [
        ("pretty", pretty.join("\n")),
        ("pretty, back to back", pretty.concat()),
        ("back to back", original.replace('\n', "")),
        ("windows", original.replace('\n', "\r\n")),
        ("mark and empty lines", format!("\u{feff}\n{}", original.replace('\n', "\n\n \n"))),
        ("spaces", spaced.join("\n")),
    ] {
        assert_eq!(read(text), expected, "{name}");
    }
    let garbage = original.replace('\n', "\nnot a record\n");
    let (id, items, notice) = read(garbage);
    assert_eq!((id, items), (expected.0, expected.1));
    assert!(notice.unwrap().contains("21 lines"));
}

/// As `json.dumps` writes it: with a space after every colon and comma.
fn python_style(json: &str) -> String {
    let escaped_quotes_aside = json.replace("\\\"", "\u{1}");
    escaped_quotes_aside.replace("\":", "\": ").replace(",\"", ", \"").replace('\u{1}', "\\\"")
}

#[test]
fn a_file_that_names_no_session_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    for text in ["", "garbage\n", r#"{"timestamp":"t","type":"session_meta","payload":{"id":"x"}}"#] {
        fs::write(&path, text).unwrap();
        let error = load(&path).unwrap_err();
        assert!(error.message.contains("session_meta") && error.message.contains(path.to_str().unwrap()), "{error}");
        assert!(error.hint.is_some());
    }
    fs::remove_file(&path).unwrap();
    assert!(load(&path).unwrap_err().message.contains("could not read the session file"));
}
