//! The gate, with real tools and a person who follows a script.

use std::path::Path;
use std::sync::{Arc, Mutex};

use hone::agent::gate::{Go, Passed, UNANSWERED};
use hone::agent::ports::{Approver, BoxFuture, EventSink, Permit, Tool, ToolCx};
use hone::agent::{Gate, Grants};
use hone::policy::{Approval, Sandbox, Settings};
use hone::protocol::event::Activity;
use hone::protocol::item::OutputPart;
use hone::protocol::{Always, Answer, Event, Extra, Question};
use hone::text::truncate::OutputLimit;
use hone::tools::TOOLS;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::deps;

/// A person with answers at hand, each given when it is let through.
pub struct Person {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<Question>>,
    open: Mutex<usize>,
    let_through: Semaphore,
}

impl Person {
    pub fn with(answers: &[Answer]) -> Arc<Self> {
        let answers = answers.iter().rev().cloned().collect();
        let (asked, open) = (Mutex::default(), Mutex::default());
        Arc::new(Self { answers: Mutex::new(answers), asked, open, let_through: Semaphore::new(100) })
    }

    pub fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }
}

impl Approver for Person {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(question.clone());
            *self.open.lock().unwrap() += 1;
            self.let_through.acquire().await.unwrap().forget();
            *self.open.lock().unwrap() -= 1;
            self.answers.lock().unwrap().pop().expect("one question too many")
        })
    }
}

struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _: Event) {}
}

fn tool(name: &str) -> Arc<dyn Tool> {
    let deps = deps::tool_deps();
    TOOLS.iter().map(|build| Arc::from(build(&deps))).find(|tool: &Arc<dyn Tool>| tool.spec().name == name).unwrap()
}

fn cx() -> ToolCx {
    ToolCx {
        call_id: "c".into(),
        thread_id: "t".into(),
        cwd: "/repo".into(),
        output_limit: OutputLimit::Tokens(1000),
        permit: Permit::default(),
        cancel: CancellationToken::new(),
        events: Arc::new(Deaf),
    }
}

fn settings(approval: Approval, sandbox: Sandbox) -> Settings {
    Settings {
        writable: vec!["/repo".into()],
        protected: vec!["/repo/.git".into()],
        ..Settings::new(approval, sandbox)
    }
}

fn gate(person: &Arc<Person>, approval: Approval) -> Gate {
    let person: Arc<dyn Approver> = Arc::<Person>::clone(person);
    Gate::new(settings(approval, Sandbox::WorkspaceWrite), Arc::default(), person)
}

pub async fn pass(gate: &Gate, name: &str, input: &str) -> Result<Go, String> {
    pass_with(gate, name, input, &cx()).await
}

async fn pass_with(gate: &Gate, name: &str, input: &str, cx: &ToolCx) -> Result<Go, String> {
    let tool = tool(name);
    match gate.pass(tool.as_ref(), input.to_owned(), &tool.activity(input, &cx.cwd), cx, &[]).await {
        Passed::Go(go) => Ok(go),
        Passed::Stop(output) => match output.parts.as_slice() {
            [OutputPart::Text(text)] => Err(text.clone()),
            parts => panic!("{parts:?}"),
        },
        Passed::Aborted => Err("aborted".into()),
    }
}

async fn run(gate: &Gate, command: &str) -> Result<Go, String> {
    pass(gate, "exec_command", &json!({ "cmd": command }).to_string()).await
}

fn escalated(command: &str, prefix: &[&str]) -> String {
    json!({"cmd": command, "sandbox_permissions": "require_escalated", "justification": "May it?", "prefix_rule": prefix})
        .to_string()
}

pub fn patch(path: &str) -> String {
    format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch")
}

#[tokio::test]
async fn a_yes_is_for_this_time_and_always_is_for_what_begins_the_same() {
    let person = Person::with(&[Answer::Once, Answer::Always, Answer::No(None), Answer::No(None)]);
    let gate = gate(&person, Approval::Untrusted);
    assert!(run(&gate, "ls").await.unwrap().permit.contained, "what reads only needs no question");
    assert!(run(&gate, "make test").await.is_ok());
    assert!(run(&gate, "make test").await.is_ok());
    let go = run(&gate, "make test").await.unwrap();
    assert_eq!((go.permit.contained, person.asked().len()), (false, 2), "a rule allows it, and outside the sandbox");
    assert_eq!(person.asked()[0].always, Some(Always::Prefix(vec!["make".into(), "test".into()])));
    let no = run(&gate, "make install").await.err().unwrap();
    assert!(no.contains("said no") && person.asked().len() == 3, "{no}");
    assert!(run(&gate, "make test; rm -rf /").await.is_err(), "an allowed part does not allow the rest");
    assert_eq!(person.asked()[3].always, None, "what is dangerous is never allowed for good");
}

#[tokio::test]
async fn leaving_the_sandbox_is_asked_with_the_models_reason_and_a_sound_prefix_only() {
    let person = Person::with(&[Answer::Once, Answer::Once, Answer::No(Some("not today".into()))]);
    let gate = gate(&person, Approval::OnRequest);
    assert!(run(&gate, "cargo fetch").await.unwrap().permit.contained);
    let go = pass(&gate, "exec_command", &escalated("cargo fetch --locked", &["cargo", "fetch"])).await.unwrap();
    assert!(!go.permit.contained);
    let broad = pass(&gate, "exec_command", &escalated("git push origin x", &["git"])).await;
    assert!(broad.is_ok());
    let said = pass(&gate, "exec_command", &escalated("cargo publish", &[])).await.err().unwrap();
    assert!(said.contains("They said: not today"), "{said}");
    let asked = person.asked();
    let offered = |at: usize| asked[at].always.clone();
    let prefix = |words: &[&str]| Some(Always::Prefix(words.iter().map(|word| (*word).to_owned()).collect()));
    assert_eq!(offered(0), prefix(&["cargo", "fetch"]));
    assert_eq!(offered(1), prefix(&["git", "push", "origin", "x"]));
    assert_eq!(asked[0].justification.as_deref(), Some("May it?"));
    assert_eq!(asked[0].reason, "it asks to run outside the sandbox");
    assert!(!asked[0].contained);
}

#[tokio::test]
async fn what_a_call_asks_for_within_the_sandbox_is_given_for_the_call_or_for_the_session() {
    let person = Person::with(&[Answer::Once, Answer::Always]);
    let gate = gate(&person, Approval::OnRequest);
    let input = json!({"cmd": "make", "sandbox_permissions": "with_additional_permissions",
        "additional_permissions": {"file_system": {"write": ["/srv/out"]}, "network": {"enabled": true}}})
    .to_string();
    let extra = Extra { writable: vec!["/srv/out".into()], network: true };
    for _ in 0..2 {
        let go = pass(&gate, "exec_command", &input).await.unwrap();
        assert!(go.permit.contained);
        assert_eq!(go.permit.extra, extra);
    }
    assert_eq!(person.asked()[0].reason, "it asks to write /srv/out and use the network");
    let go = run(&gate, "make more").await.unwrap();
    assert_eq!((go.permit.extra, person.asked().len()), (extra, 2));
    assert!(pass(&gate, "apply_patch", &patch("/srv/out/a")).await.unwrap().permit.contained, "patches may, too");
}

#[tokio::test]
async fn a_patch_is_asked_for_where_it_leaves_the_workspace() {
    let person = Person::with(&[Answer::Once, Answer::Always, Answer::Once]);
    let gate = gate(&person, Approval::OnRequest);
    let apply = async |path: &str| pass(&gate, "apply_patch", &patch(path)).await.unwrap().permit.contained;
    assert!(apply("src/a.rs").await);
    assert_eq!(person.asked().len(), 0);
    assert!(!apply("/etc/motd").await);
    assert!(!apply("/etc/motd").await);
    assert!(apply("/etc/motd").await, "it is held to the files that were allowed");
    assert_eq!(person.asked()[1].always, Some(Always::Files(vec!["/etc/motd".into()])));
    assert!(!apply(".git/hooks/pre-commit").await);
    assert_eq!(person.asked()[2].always, None);
    assert!(person.asked()[2].reason.contains("a hook that git runs"), "{:?}", person.asked()[2]);
}

#[tokio::test]
async fn the_persons_own_command_runs_in_place_of_the_models() {
    let edited = |text: &str| Answer::Edited(text.to_owned());
    let person = Person::with(&[edited("make -n"), edited("make"), edited("echo hi")]);
    let approver: Arc<dyn Approver> = Arc::<Person>::clone(&person);
    let mut settings = settings(Approval::Untrusted, Sandbox::WorkspaceWrite);
    settings.rules = hone::policy::rules::read(
        "prefix_rule(pattern = [\"make\"], decision = \"forbidden\")\nprefix_rule(pattern = [\"go\"], decision = \"prompt\")",
        "r",
    )
    .unwrap();
    let gate = Gate::new(settings, Arc::<Grants>::default(), approver);
    for _ in 0..2 {
        let refused = run(&gate, "go build").await.err().unwrap();
        assert!(refused.contains("a rule forbids it") && refused.contains("r:1: forbidden make"), "{refused}");
    }
    let go = run(&gate, "go build").await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&go.input).unwrap()["cmd"], "echo hi");
    assert!(go.note.unwrap().contains("`echo hi`"));
}

#[tokio::test]
async fn questions_come_one_at_a_time_and_one_answer_may_settle_the_next() {
    let person = Person::with(&[Answer::Always, Answer::No(None)]);
    person.let_through.forget_permits(100);
    let gate = Arc::new(gate(&person, Approval::Untrusted));
    let calls: Vec<_> = ["make a", "make a", "make b"]
        .map(|command| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { run(&gate, command).await.is_ok() })
        })
        .into_iter()
        .collect();
    while person.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    for _ in 0..50 {
        tokio::task::yield_now().await;
        assert_eq!(*person.open.lock().unwrap(), 1);
    }
    person.let_through.add_permits(2);
    let mut ran = Vec::new();
    for call in calls {
        ran.push(call.await.unwrap());
    }
    assert_eq!(ran, [true, true, false]);
    assert_eq!(person.asked().len(), 2);
}

#[tokio::test]
async fn an_interrupt_leaves_the_question_unanswered_and_the_next_ones_unasked() {
    let person = Person::with(&[]);
    person.let_through.forget_permits(100);
    let gate = Arc::new(gate(&person, Approval::Untrusted));
    let cx = cx();
    let call = |command: &str| {
        let (gate, cx, input) = (Arc::clone(&gate), cx.clone(), json!({ "cmd": command }).to_string());
        tokio::spawn(async move { pass_with(&gate, "exec_command", &input, &cx).await.err().unwrap() })
    };
    let (first, second) = (call("make a"), call("make b"));
    while person.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    cx.cancel.cancel();
    let answers = [first.await.unwrap(), second.await.unwrap()];
    assert!(answers[0].starts_with(UNANSWERED), "{answers:?}");
    assert_eq!((answers[1].as_str(), person.asked().len()), ("aborted", 1));
}

#[tokio::test]
async fn a_sandbox_that_cannot_be_had_is_never_a_question() {
    let person = Person::with(&[]);
    let approver: Arc<dyn Approver> = Arc::<Person>::clone(&person);
    let settings = Settings { available: false, ..settings(Approval::OnRequest, Sandbox::WorkspaceWrite) };
    let gate = Gate::new(settings, Arc::default(), approver);
    let refused = run(&gate, "make").await.err().unwrap();
    assert!(refused.contains("cannot be had on this machine") && refused.contains("hone sandbox --probe"), "{refused}");
}

#[tokio::test]
async fn what_was_allowed_once_ahead_of_time_is_used_up() {
    let person = Person::with(&[Answer::No(None)]);
    let grants = Arc::new(Grants::default());
    let approver: Arc<dyn Approver> = Arc::<Person>::clone(&person);
    let gate = Gate::new(settings(Approval::Untrusted, Sandbox::WorkspaceWrite), Arc::clone(&grants), approver);
    grants.add_once(&tool("exec_command").activity(r#"{"cmd":"make"}"#, Path::new("/repo")));
    assert!(run(&gate, "make").await.is_ok());
    assert!(run(&gate, "make").await.is_err());
}

#[test]
fn what_is_shown_of_a_call_names_where_it_runs() {
    let activity = tool("exec_command").activity(r#"{"cmd":"rm -rf build","workdir":"sub"}"#, Path::new("/repo"));
    let Activity::Exec { command, cwd, .. } = activity else { panic!("{activity:?}") };
    assert_eq!((command.as_str(), cwd), ("rm -rf build", "/repo/sub".into()));
}

#[tokio::test]
async fn permissions_asked_for_by_themselves_hold_for_the_turn_or_the_session() {
    let person = Person::with(&[Answer::Once, Answer::Always]);
    let gate = gate(&person, Approval::OnRequest);
    let input =
        json!({"permissions": {"file_system": {"write": ["out"]}}, "reason": "The build goes there."}).to_string();
    let told = async || {
        let go = pass(&gate, "request_permissions", &input).await.unwrap();
        let output = tool("request_permissions").call(&input, &ToolCx { permit: go.permit, ..cx() }).await;
        let [OutputPart::Text(text)] = output.parts.as_slice() else { panic!("{output:?}") };
        serde_json::from_str::<Value>(text).unwrap()
    };
    let given = json!({"file_system": {"write": ["/repo/out"]}});
    assert_eq!(told().await, json!({"permissions": given, "scope": "turn"}));
    assert_eq!(run(&gate, "make").await.unwrap().permit.extra.writable, [Path::new("/repo/out")]);
    gate.turn_begins();
    assert_eq!(run(&gate, "make").await.unwrap().permit.extra, Extra::default());
    assert_eq!(told().await, json!({"permissions": given, "scope": "session"}));
    gate.turn_begins();
    assert_eq!(told().await["scope"], "session");
    let asked = person.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].reason.as_str(), asked[0].editable), ("it asks to write /repo/out", false));
    assert_eq!(asked[0].justification.as_deref(), Some("The build goes there."));
}

#[tokio::test]
async fn typing_into_what_no_sandbox_holds_is_asked_for_once_or_for_as_long_as_it_runs() {
    let person = Person::with(&[Answer::No(None), Answer::Once, Answer::Always]);
    let gate = gate(&person, Approval::OnRequest);
    let deps = deps::tool_deps();
    let find = |name: &str| -> Arc<dyn Tool> {
        TOOLS.iter().map(|build| Arc::from(build(&deps))).find(|tool: &Arc<dyn Tool>| tool.spec().name == name).unwrap()
    };
    // It stands for one that was let out: these tools have no sandbox to hold it.
    let cx = ToolCx { cwd: "/".into(), ..cx() };
    let start = json!({"cmd": "cat", "tty": true, "login": false, "yield_time_ms": 250}).to_string();
    let output = find("exec_command").call(&start, &cx).await;
    let [OutputPart::Text(text)] = output.parts.as_slice() else { panic!("{output:?}") };
    let id = text.split("session ID ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let write = find("write_stdin");
    let passes = async |chars: &str| {
        let input = format!(r#"{{"session_id":{id},"chars":"{chars}"}}"#);
        let activity = write.activity(&input, &cx.cwd);
        matches!(gate.pass(write.as_ref(), input, &activity, &cx, &[]).await, Passed::Go(_))
    };
    assert!(passes("").await && passes("\\u0003").await, "looking and interrupting is free");
    assert_eq!(person.asked().len(), 0);
    let asked = [passes("ls\\n").await, passes("ls\\n").await, passes("ls\\n").await, passes("rm\\n").await];
    assert_eq!(asked, [false, true, true, true]);
    assert_eq!(person.asked().len(), 3);
    assert_eq!(person.asked()[0].reason, "it asks to type into a command that no sandbox holds");
    deps.commands.sessions.shutdown().await;
}
