//! What holds for any file and any patch.

use proptest::prelude::*;

use super::diff;
use super::document::Document;
use super::parse::{Chunk, Mark, parse};

/// What becomes of one line of a generated file.
#[derive(Clone, Debug)]
struct Fate {
    word: String,
    mark: bool,
    inserted: Vec<String>,
    /// Whether a chunk begins here.
    begins: bool,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let word = || prop::sample::select(vec!["", "x", " y ", "“z” –", "日本", "*** End Patch", "@@ a", "-b", "+c"]);
    let inserted = prop::collection::vec(word().prop_map(str::to_owned), 0..3);
    let fate = (word(), any::<bool>(), inserted, prop::bool::weighted(0.3))
        .prop_map(|(word, mark, inserted, begins)| Fate { word: word.to_owned(), mark, inserted, begins });
    prop::collection::vec(fate, 1..30)
}

/// The file, the patch's body, and the file that is meant to come out. Lines are numbered, so that each is there once.
fn written_out(fates: &[Fate], ending: &str, terminated: bool) -> (String, String, String) {
    let (mut before, mut body, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for (number, fate) in fates.iter().enumerate() {
        let line = format!("{}{number}", fate.word);
        if fate.begins {
            body.push("@@".to_owned());
        }
        body.push(format!("{}{line}", if fate.mark { '-' } else { ' ' }));
        if !fate.mark {
            after.push(line.clone());
        }
        for text in &fate.inserted {
            body.push(format!("+{text}"));
            after.push(text.clone());
        }
        before.push(line);
    }
    let join = |lines: &[String], end: bool| {
        let text = lines.join(ending);
        if end && !lines.is_empty() { text + ending } else { text }
    };
    // A file with no ending on its last line stays so, unless its new last line is an old one that has an ending or an empty
    // one that needs it.
    let kept_last = fates.iter().rposition(|fate| !fate.mark || !fate.inserted.is_empty());
    let end_after = terminated
        || kept_last.is_none_or(|last| match fates[last].inserted.last() {
            Some(text) => text.is_empty(),
            None => last + 1 < fates.len(),
        });
    (join(&before, terminated), body.join("\n"), join(&after, end_after))
}

fn apply<'a>(before: &'a str, patch: &'a str) -> Document<'a> {
    let patch = parse(patch).unwrap();
    let [super::parse::Hunk::Update { chunks, .. }] = patch.hunks.as_slice() else { panic!("{patch:?}") };
    Document::read(before).updated(chunks).unwrap()
}

/// Applies a unified diff the plain way.
fn apply_diff(before: &str, diff: &str) -> String {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let (mut next, mut after) = (0, String::new());
    let mut lines = diff.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let mut ended = line[1..].to_owned();
        if lines.next_if(|next| next.starts_with('\\')).is_some() {
            ended.pop();
        }
        match &line[..1] {
            "@" => {
                let range = line.split(['-', ' ']).nth(2).unwrap();
                let (first, len) = range.split_once(',').unwrap_or((range, "1"));
                let start = first.parse::<usize>().unwrap() - usize::from(len != "0");
                after.push_str(&old[next..start].concat());
                next = start;
            }
            " " => {
                assert_eq!(ended, old[next]);
                after.push_str(old[next]);
                next += 1;
            }
            "-" => {
                assert_eq!(ended, old[next]);
                next += 1;
            }
            "+" => after.push_str(&ended),
            _ => panic!("{line:?}"),
        }
    }
    after + &old[next..].concat()
}

proptest! {
    #[test]
    fn a_patch_gives_the_text_it_was_made_for(
        fates in fates(), ending in prop::sample::select(vec!["\n", "\r\n"]), terminated in any::<bool>(),
    ) {
        // A single line without an ending does not say how the others would end.
        let ending = if fates.len() == 1 && !terminated { "\n" } else { ending };
        let (before, body, after) = written_out(&fates, ending, terminated);
        let patch = format!("*** Begin Patch\n*** Update File: f\n{body}\n*** End Patch");
        let document = apply(&before, &patch);
        prop_assert_eq!(document.text(), after.clone());
        prop_assert_eq!(apply_diff(&before, &diff::unified(&before, &document, usize::MAX)), after);
    }

    #[test]
    fn the_parser_takes_or_refuses_anything(
        lines in prop::collection::vec(prop::sample::select(vec![
            "*** Begin Patch", "*** End Patch", "*** Add File: a", "*** Update File: é", "*** Delete File: c", "*** Move to: d",
            "*** End of File", "@@", "@@ x", " x", "+", "-y", "", "junk", "日", "<<EOF", "EOF", "*** Environment ID: e", "\r", "*** ",
        ]), 0..20),
        junk in any::<String>(),
    ) {
        let text = lines.join("\n");
        let wrapped = format!("*** Begin Patch\n{text}\n*** End Patch");
        for text in [&text, &wrapped, &junk] {
            if let Ok(patch) = parse(text) {
                prop_assert!(patch.hunks.iter().all(|hunk| hunk.paths().all(|path| !path.is_empty())));
            }
        }
    }

    #[test]
    fn any_chunk_fits_any_text_or_is_explained(
        text in "[ab \r\n]{0,40}",
        lines in prop::collection::vec((0..3, prop::sample::select(vec!["", "a", "b ", " ab"])), 1..6),
        header in prop::option::of(prop::sample::select(vec!["", "a", "b"])),
        at_end in any::<bool>(),
    ) {
        let lines = lines.into_iter().map(|(mark, text)| ([Mark::Keep, Mark::Remove, Mark::Insert][mark as usize], text));
        let chunk = Chunk { headers: header.into_iter().collect(), lines: lines.collect(), at_end };
        let document = Document::read(&text);
        match document.updated(std::slice::from_ref(&chunk)) {
            Ok(updated) => {
                let again = updated.text();
                prop_assert_eq!(Document::read(&again).text(), again);
            }
            Err(mismatch) => prop_assert!(!mismatch.closest.is_empty() && !mismatch.closest.ends_with('\n')),
        }
    }
}
