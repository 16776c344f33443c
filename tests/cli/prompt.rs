//! Where the prompt comes from and where the answer goes.

use super::support::speech::{call, message, response};
use super::support::{FakeServer, Reply, World};
use super::{answering, last_text};
use serde_json::json;

#[test]
fn the_prompt_comes_from_the_arguments_standard_input_or_both() {
    for (args, stdin, prompt) in [
        (&["say", "hi"][..], "", "say hi"),
        (&["exec", "say hi"], "", "say hi"),
        (&["e", "say hi"], "", "say hi"),
        (&["exec"], "from a pipe\n", "from a pipe\n"),
        (&[], "from a pipe\n", "from a pipe\n"),
        (&["-"], "from a pipe", "from a pipe"),
        (&["exec", "-"], "from a pipe", "from a pipe"),
        (&["sum up"], "data\n", "sum up\n\n<stdin>\ndata\n</stdin>"),
        (&["exec", "--", "--not-an-option"], "", "--not-an-option"),
        (&["--", "exec"], "", "exec"),
    ] {
        let (server, world) = answering(1);
        let ended = world.pipe(args, stdin).expect(0);
        assert_eq!(ended.stdout, "answer 1\n", "{args:?}");
        assert_eq!(last_text(&server.requests()[0]), prompt, "{args:?}");
    }
}

#[test]
fn no_prompt_at_all_is_wrong_usage() {
    for (args, stdin) in [(&[][..], ""), (&["exec"], "  \n"), (&["-"], "")] {
        let (server, world) = answering(1);
        let ended = world.pipe(args, stdin).expect(2).says(&["No prompt provided via stdin", "hint: give one"]);
        assert_eq!((ended.stdout.as_str(), server.requests().len()), ("", 0));
        assert!(world.sessions().is_empty());
    }
}

#[test]
fn only_the_answer_is_on_standard_output() {
    let commentary = json!({"type": "message", "id": "msg_0", "role": "assistant", "phase": "commentary",
        "content": [{"type": "output_text", "text": "Looking around."}]});
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[commentary, call("c1", "exec_command", &json!({"cmd": "echo printed; exit 3"}))])),
        Reply::sse(&response(&[message("two\nlines\n")])),
    ]);
    let world = World::of(&server);
    let ended = world.run(&["go", "-o", "answer.txt"]).expect(0);
    assert_eq!(ended.stdout, "two\nlines\n");
    assert_eq!(world.read_project("answer.txt"), "two\nlines\n");
    ended.says(&["Looking around.", "$ echo printed; exit 3", "  printed", "exit 3 in", "tokens: 200 in"]);
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    for (args, colored) in
        [(&["hi"][..], false), (&["hi", "--color", "always"], true), (&["hi", "--color=never"], false)]
    {
        let (_server, world) = answering(1);
        let ended = world.run(args).expect(0);
        assert_eq!((ended.stderr.contains('\u{1b}'), ended.stdout.as_str()), (colored, "answer 1\n"));
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_told_and_still_printed() {
    let (_server, world) = answering(1);
    let ended = world.run(&["hi", "-o", "no/such/folder/answer"]).expect(5).says(&["no/such/folder/answer", "hint:"]);
    assert_eq!(ended.stdout, "answer 1\n");
}

#[test]
fn a_failed_turn_leaves_no_old_answer_behind() {
    let server = FakeServer::start(vec![Reply::status(400, &[], "no")]);
    let world = World::of(&server);
    world.write_project("answer", "of yesterday");
    assert_eq!(world.run(&["hi", "-o", "answer"]).expect(1).stdout, "");
    assert_eq!(world.read_project("answer"), "");
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let (_server, world) = answering(1);
    let script = format!("{} hi | true", env!("CARGO_BIN_EXE_hone"));
    let ended = super::support::program::run(&mut world.program("/bin/sh".as_ref(), &["-c", &script]), b"");
    ended.expect(0).says(&["tokens:"]);
    assert_eq!(world.events().last().unwrap(), "task_complete");
}

#[test]
fn what_is_not_utf8_on_standard_input_is_replaced() {
    let (server, world) = answering(1);
    let mut hone = world.hone(&["look"]);
    super::support::program::run(hone.stdin(std::process::Stdio::piped()), b"a\xffb").expect(0);
    assert_eq!(last_text(&server.requests()[0]), "look\n\n<stdin>\na\u{fffd}b\n</stdin>");
}
