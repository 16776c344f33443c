//! What is kept of what processes print.

use super::*;

/// This process's own memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn the_frame() {
    let bench = Bench::new();
    let output = bench.exec("echo out; echo err >&2; echo out").await;
    let lines: Vec<&str> = text(&output).lines().collect();
    let chunk = lines[0].strip_prefix("Chunk ID: ").unwrap();
    assert!(chunk.len() == 6 && chunk.chars().all(|c| c.is_ascii_hexdigit()));
    let wall = lines[1].strip_prefix("Wall time: ").and_then(|rest| rest.strip_suffix(" seconds")).unwrap();
    assert!(wall.split_once('.').unwrap().1.len() == 4 && wall.parse::<f64>().unwrap() > 0.0);
    assert_eq!(lines[2..], ["Process exited with code 0", "Original token count: 3", "Output:", "out", "err", "out"]);
    assert_eq!((output.shown.as_str(), output.exit_code, output.ok), ("out\nerr\nout\n", Some(0), true));
}

#[tokio::test]
async fn exit_codes() {
    let bench = Bench::new();
    for (script, code) in
        [("", 0), ("exit 3", 3), ("no-such-program-here", 127), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("cat", 0)]
    {
        let output = bench.exec(script).await;
        assert_eq!((output.exit_code, output.ok), (Some(code), code == 0), "{script}");
        assert!(text(&output).contains(&format!("\nProcess exited with code {code}\n")));
    }
    assert!(text(&bench.exec("").await).ends_with("\nOriginal token count: 0\nOutput:\n"));
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let bench = Bench::new();
    assert_eq!(bench.exec(r"printf 'a\377b\000\033[1mc\r\n'").await.shown, "a\u{FFFD}b\0\u{1b}[1mc\r\n");
}

#[tokio::test]
async fn one_huge_line_is_cut_in_the_middle() {
    let bench = Bench::new();
    let output = bench.exec("head -c 100000 /dev/zero | tr '\\0' x").await;
    assert!(text(&output).contains(
        "\nOriginal token count: 25000\nOutput:\nWarning: truncated output (original token \
                                    count: 25000)\nTotal output lines: 1\n\nxxx"
    ));
    assert!(output.shown.contains("x…15000 tokens truncated…x"));
    let less = bench.call("exec_command", json!({"cmd": "seq 9999", "login": false, "max_output_tokens": 10})).await;
    assert!(
        less.shown.contains("10…12212 tokens truncated…9996") && less.shown.ends_with("\n9999\n"),
        "{}",
        less.shown
    );
}

#[tokio::test]
async fn two_hundred_megabytes_take_no_more_memory_than_one() {
    let bench = Bench::new();
    let before = resident();
    let output = bench.exec("yes 0123456789abcdef0123456789abcdef0123456789abcdef | head -c 200000000").await;
    let grown = resident().saturating_sub(before);
    assert!(text(&output).contains(
        "\nOriginal token count: 50000000\nOutput:\nWarning: truncated output (original \
                                    token count: 50000000)\n... 198951424 bytes omitted ...\n\n0123"
    ));
    assert!(output.shown.contains("…49990000 tokens truncated…"));
    assert!(grown < 24 << 20, "{grown} bytes");
}

#[tokio::test]
async fn a_long_command_is_looked_at_later() {
    let bench = Bench::new();
    let script = "mkfifo go; echo one; cat go; echo two; exit 4";
    let args = json!({"cmd": script, "login": false, "yield_time_ms": 1000});
    let first = bench.call("exec_command", args).await;
    assert_eq!((first.shown.as_str(), first.exit_code, first.ok), ("one\n", None, true));
    let id = session_id(&first);
    std::fs::write(bench.path("go"), "").unwrap();
    let second = bench.call("write_stdin", json!({"session_id": id})).await;
    assert_eq!((second.shown.as_str(), second.exit_code), ("two\n", Some(4)));
    let third = bench.call("write_stdin", json!({"session_id": id})).await;
    assert_eq!(text(&third), format!("write_stdin failed: Unknown process id {id}"));
}
