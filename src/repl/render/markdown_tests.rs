//! Streams of Markdown against what a terminal should show.

use super::*;
use proptest::prelude::*;

fn whole(text: &str, width: usize, style: Style) -> Vec<String> {
    let mut stream = Stream::new(width, style);
    let mut rows = stream.feed(text);
    rows.extend(stream.finish());
    rows
}

fn in_pieces(text: &str, sizes: &[usize], width: usize) -> Vec<String> {
    let mut stream = Stream::new(width, Style::PLAIN);
    let mut rows = Vec::new();
    let mut sizes = sizes.iter().cycle();
    let mut rest = text;
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).max(1);
        let end = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
        let update = stream.push(&rest[..end]);
        assert!(width::width(&update.partial) <= width, "{:?}", update.partial);
        rows.extend(update.settled);
        rest = &rest[end..];
    }
    rows.extend(stream.finish());
    rows
}

const SAMPLE: &str = "# Überblick 概览\n\nHere is **bold**, *slanted*, ~~gone~~, `code` and a [link](https://example.com/a/long/path). \
This paragraph is long enough to need several rows even on a terminal of eighty columns, 中文也可以换行，标点不会出现在行首。👩‍👩‍👧‍👦\n\n\
- first\n- second item that is rather long and wraps under itself, not under its mark\n  - nested **one**\n    1. deep\n- [x] done\n- [ ] to do\n\n\
1. one\n  - loosely nested\n2. two\n\n> A quote that goes on\n> and on.\n>\n> - with a list\n\n\
```rust\nfn main() {\n\tlet answer = \"a string that is long enough to be wrapped on narrow terminals, visibly\"; // 42\n}\n```\n\n\
| Name | Value | Notes |\n|:-----|------:|:-----:|\n| width | 80 | `a|b` |\n| 中文 | 12345 | **bold** words that wrap |\n\n\
Setext\n------\n\n***\nhard  \nbreak\\\nagain<br>more &amp; less\n\n    indented code\n";

#[test]
fn an_answer_is_readable_at_every_width() {
    for (name, width, style) in [
        ("markdown_20", 20, Style::PLAIN),
        ("markdown_80", 80, Style::PLAIN),
        ("markdown_80_coloured", 80, Style::COLORED),
        ("markdown_300", 300, Style::PLAIN),
    ] {
        insta::assert_snapshot!(name, whole(SAMPLE, width, style).join("\n").replace('\x1b', "␛"));
    }
}

#[test]
fn rows_settle_while_a_paragraph_is_written() {
    let mut stream = Stream::new(20, Style::PLAIN);
    let update = stream.push("one two three four five six");
    assert_eq!(update, Update { settled: vec!["one two three four".into()], partial: "five six".into() });
    let update = stream.push(" seven **eight nine ten");
    assert_eq!(update.settled, ["five six seven"]);
    let update = stream.push("** end");
    assert!(update.partial.ends_with("end"), "{update:?}");
    assert_eq!(stream.finish().join(" "), "eight nine ten end");
}

#[test]
fn code_settles_line_by_line_and_a_table_at_its_end() {
    let mut stream = Stream::new(40, Style::PLAIN);
    assert_eq!(stream.push("```sh\nls\nec").settled, ["```sh", "ls"]);
    assert_eq!(stream.push("ho\n```\n").settled, ["echo", "```"]);
    assert_eq!(stream.push("| a | b |\n|---|---|\n| 1 | 2 |\n").settled, [""; 0]);
    assert_eq!(stream.push("\n").settled, ["a │ b", "──┼──", "1 │ 2"]);
}

#[test]
fn a_stray_mark_does_not_hold_back_the_answer() {
    let text = format!("a *stray mark {}", "and many words ".repeat(400));
    let mut stream = Stream::new(80, Style::PLAIN);
    let settled = stream.feed(&text).len();
    let all = settled + stream.finish().len();
    assert!(settled * 10 > all * 7, "{settled} of {all}");
}

#[test]
fn escapes_never_pass() {
    for text in [
        "\x1b[2J\x1b]0;x\x07 text\r\n",
        "```\x1b[2J\n\x1b[31m\n```",
        "| \x1b[2J | b |\n|--|--|\n| &#27;[2J | `\x1b` |\n",
        "[a](<\x1b]8;;x>) &#27;[2J \u{9b}2J",
        "# \x1b[2J\n- \x1b[2J\n> \x1b[2J",
    ] {
        let mut stream = Stream::new(40, Style::PLAIN);
        let update = stream.push(text);
        assert!(!update.partial.contains(char::is_control), "{text:?}");
        for row in update.settled.into_iter().chain(stream.finish()) {
            assert!(!row.contains(char::is_control), "{text:?}: {row:?}");
        }
    }
}

/// Rendering is linear: twice the text costs twice the parsing. Counted in looks at the source, not in time.
#[test]
fn what_is_pending_stays_short() {
    for piece in ["word ", "*a ", "`b ", "中文", "**bold** [x](y) ", "[open ", "long"] {
        let mut stream = Stream::new(80, Style::PLAIN);
        for _ in 0..4000 {
            stream.feed(piece);
            assert!(stream.pending_len() < 2 * MAX_OPEN, "{piece:?}: {}", stream.pending_len());
        }
    }
}

fn markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\n\n"),
        Just("- "),
        Just("1. "),
        Just("  "),
        Just("> "),
        Just("```\n"),
        Just("# "),
        Just("| a | b |\n"),
        Just("|--|--|\n"),
        Just("**"),
        Just("*"),
        Just("_"),
        Just("`"),
        Just("[x](y)"),
        Just("["),
        Just("~~"),
        Just("---\n"),
        Just("some words to fill the row "),
        Just("中文，字符"),
        Just("👩‍👩‍👧‍👦"),
        Just("e\u{301}"),
        Just("\t"),
        Just("\x1b[2J"),
        Just("\\"),
        Just("[ ] "),
        Just("<b"),
        Just("&amp;"),
        Just("averyveryverylongwordthatdoesnotfit"),
        Just("\r"),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pieces_make_the_same_rows_as_the_whole(text in markdown(), sizes in prop::collection::vec(1usize..7, 1..9), width in 8usize..100) {
        prop_assert_eq!(in_pieces(&text, &sizes, width), whole(&text, width, Style::PLAIN));
    }

    #[test]
    fn rows_fit_and_steer_nothing(text in markdown(), width in 8usize..100) {
        for row in whole(&text, width, Style::PLAIN) {
            prop_assert!(width::width(&row) <= width, "{row:?}");
            prop_assert!(!row.contains(char::is_control), "{row:?}");
        }
    }

    #[test]
    fn any_text_at_all_is_survived(text in "\\PC{0,80}", width in 0usize..40) {
        whole(&text, width, Style::COLORED);
    }
}

/// Prints what a 50 KB answer costs in small pieces: `cargo test --release -- --ignored --nocapture what_50_kb_cost`.
#[test]
#[ignore = "a measurement"]
fn what_50_kb_cost() {
    let text = SAMPLE.repeat(50 * 1024 / SAMPLE.len() + 1);
    for (name, with_partial) in [("feed", false), ("push", true)] {
        let start = std::time::Instant::now();
        let mut stream = Stream::new(100, Style::COLORED);
        let (mut rows, mut pieces, mut rest) = (0, 0, text.as_str());
        while !rest.is_empty() {
            let end = rest.char_indices().nth(pieces % 5 + 1).map_or(rest.len(), |(at, _)| at);
            rows +=
                if with_partial { stream.push(&rest[..end]).settled.len() } else { stream.feed(&rest[..end]).len() };
            rest = &rest[end..];
            pieces += 1;
        }
        rows += stream.finish().len();
        println!("{name}: {} bytes in {pieces} pieces, {rows} rows: {:?}", text.len(), start.elapsed());
    }
}
