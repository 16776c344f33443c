//! Speaking while a turn runs, and going on after an interrupt.

use std::sync::atomic::{AtomicUsize, Ordering};

use hone::agent::TurnEnd;
use hone::protocol::Event;
use hone::protocol::op::Op;

use super::kit::{Talk, says};
use super::support::speech::{completed, created, delta, done, message, response, sse};
use super::support::{FakeServer, Gate, Reply, Step, outputs};
use super::{exec, outline, text};

fn answer(text: &str) -> Reply {
    Reply::sse(&response(&[message(text)]))
}

#[tokio::test]
async fn a_message_that_streams_is_cut_and_forgotten() {
    let streaming = vec![Step::Write(sse(&[created(), done(message("kept")), delta("half a mess")])), Step::HoldOpen];
    let server = FakeServer::start(vec![Reply::stream(streaming), answer("as you like")]);
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::start(&server, folder.path());
    talk.session.send(Op::Submit(says("go")));
    talk.until(|event| matches!(event, Event::MessageDelta(_))).await;
    talk.session.send(Op::Steer(says("rather this")));
    talk.until(|event| matches!(event, Event::SteerQueued { .. })).await;
    talk.until(|event| matches!(event, Event::SteerInserted { .. })).await;
    let ended = talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    let Event::TurnCompleted(summary) = ended else { panic!("{ended:?}") };
    assert_eq!(summary.last_message.as_deref(), Some("as you like"));
    let requests = server.requests();
    let added = &requests[1].input()[requests[0].input().len()..];
    assert_eq!(added.iter().map(text).collect::<Vec<_>>(), ["kept", "rather this"]);
    assert!(!requests[1].body.to_string().contains("half a mess"));
    talk.close().await;
}

#[tokio::test]
async fn what_is_said_while_tools_run_comes_after_their_outputs_in_order() {
    let gate = Gate::default();
    let first = vec![
        Step::Write(sse(&[created(), done(exec("c1", "read x < go; echo $x"))])),
        Step::Wait(gate.clone()),
        Step::Write(sse(&[done(exec("c2", "echo two")), completed()])),
    ];
    let server = FakeServer::start(vec![Reply::stream(first), answer("done")]);
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let mut talk = Talk::start(&server, folder.path());
    talk.session.send(Op::Submit(says("go")));
    talk.until(|event| matches!(event, Event::ToolStarted { .. })).await;
    talk.session.send(Op::Steer(says("one more thing")));
    talk.session.send(Op::Steer(says("and another")));
    gate.open();
    // The stream is not cut: its second call still comes.
    talk.until(|event| matches!(event, Event::ToolStarted { .. })).await;
    tokio::task::spawn_blocking(move || std::fs::write(go, "one\n").unwrap()).await.unwrap();
    talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let added = &requests[1].input()[requests[0].input().len()..];
    let expected = [
        "function_call c1",
        "function_call c2",
        "function_call_output c1",
        "function_call_output c2",
        "message user",
        "message user",
    ];
    assert_eq!(outline(added), expected);
    assert!(outputs(added)[0].1.ends_with("one\n"));
    assert_eq!((text(&added[4]), text(&added[5])), ("one more thing", "and another"));
    talk.close().await;
}

#[tokio::test]
async fn what_is_said_between_turns_is_a_turn() {
    let server = FakeServer::start(vec![answer("one"), answer("two")]);
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::start(&server, folder.path());
    assert!(matches!(talk.session.run(says("go")).await, TurnEnd::Completed(_)));
    talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    talk.session.send(Op::Steer(says("more")));
    talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    assert_eq!(text(server.requests()[1].input().last().unwrap()), "more");
    talk.close().await;
}

#[tokio::test]
async fn the_turn_after_an_interrupted_one_works() {
    let held = Reply::stream(vec![Step::Write(sse(&[created(), delta("half a mess")])), Step::HoldOpen]);
    let server = FakeServer::start(vec![held, answer("here again")]);
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::start(&server, folder.path());
    talk.session.send(Op::Submit(says("go")));
    talk.until(|event| matches!(event, Event::MessageDelta(_))).await;
    talk.session.send(Op::Interrupt);
    talk.until(|event| matches!(event, Event::TurnAborted { .. })).await;
    let TurnEnd::Completed(Some(text)) = talk.session.run(says("and now")).await else { panic!() };
    assert_eq!(&*text, "here again");
    let requests = server.requests();
    let added = &requests[1].input()[requests[0].input().len()..];
    assert!(super::text(&added[0]).starts_with("<turn_aborted>"));
    assert_eq!((added.len(), super::text(&added[1])), (2, "and now"));
    talk.close().await;
}

#[tokio::test]
async fn turns_that_wait_run_in_order_and_an_interrupt_ends_only_the_first() {
    let held = Reply::stream(vec![Step::Write(sse(&[created(), delta("half a mess")])), Step::HoldOpen]);
    let server = FakeServer::start(vec![held, answer("two"), answer("three")]);
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::start(&server, folder.path());
    for prompt in ["one", "two", "three"] {
        talk.session.send(Op::Submit(says(prompt)));
    }
    talk.until(|event| matches!(event, Event::MessageDelta(_))).await;
    talk.session.send(Op::Interrupt);
    talk.until(|event| matches!(event, Event::TurnAborted { .. })).await;
    for _ in 0..2 {
        talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    }
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().map(|request| text(request.input().last().unwrap()).to_owned()).collect();
    assert_eq!(asked, ["one", "two", "three"]);
    assert!(!talk.session.is_busy());
    talk.close().await;
}

#[tokio::test]
async fn what_is_said_as_a_turn_ends_is_not_lost() {
    let server = FakeServer::start((0..5).map(|n| answer(&format!("answer {n}"))).collect());
    let folder = tempfile::tempdir().unwrap();
    let mut talk = Talk::start(&server, folder.path());
    // Each turn is answered when it has ended for the front end and not yet for the session, which is too late to join it.
    let left = AtomicUsize::new(4);
    talk.answer(move |session, event| {
        if matches!(event, Event::TurnCompleted(_)) && left.load(Ordering::Relaxed) > 0 {
            session.send(Op::Steer(says(&format!("said {}", left.fetch_sub(1, Ordering::Relaxed)))));
        }
    });
    talk.session.send(Op::Submit(says("go")));
    for _ in 0..5 {
        talk.until(|event| matches!(event, Event::TurnCompleted(_))).await;
    }
    let asked: Vec<_> =
        server.requests().iter().map(|request| text(request.input().last().unwrap()).to_owned()).collect();
    assert_eq!(asked, ["go", "said 4", "said 3", "said 2", "said 1"]);
    talk.close().await;
}
