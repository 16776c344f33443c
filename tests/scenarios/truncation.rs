//! However much a tool prints, the model gets a bounded part of it.

use super::exec;
use super::support::speech::{message, response};
use super::support::{FakeServer, Reply, World, outputs};

fn output_of(script: &str, options: &[&str]) -> String {
    let server = FakeServer::start(vec![
        Reply::sse(&response(&[exec("c1", script)])),
        Reply::sse(&response(&[message("done")])),
    ]);
    let world = World::of(&server);
    world.run(&[&["go"], options].concat()).expect(0);
    let output = outputs(server.requests()[1].input()).remove(0).1;
    assert_eq!(outputs(&world.items())[0].1, output);
    output
}

#[test]
fn a_long_output_keeps_its_beginning_and_its_end() {
    let output = output_of("seq 1 200000", &[]);
    assert!(output.len() < 42_000, "{}", output.len());
    assert!(output.contains("\n1\n2\n3\n") && output.trim_end().ends_with("\n200000"), "{output}");
    assert!(output.contains("truncated"));
}

#[test]
fn the_limit_can_be_set() {
    let output = output_of("seq 1 200000", &["-c", "tool_output_token_limit=100"]);
    assert!(output.len() < 1_000, "{}", output.len());
    assert!(output.trim_end().ends_with("200000"));
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let output = output_of("printf 'a\\377b\\000c'", &[]);
    assert!(output.contains("a\u{fffd}b"), "{output:?}");
}
