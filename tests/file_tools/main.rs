//! The tools that read files, called as the agent calls them.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/deps.rs"]
mod deps;

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex};

use hone::agent::ports::{Access, EventSink, Output, Tool, ToolCx};
use hone::protocol::Event;
use hone::protocol::event::{Activity, PlanStep, StepStatus};
use hone::protocol::item::OutputPart;
use hone::text::truncate::OutputLimit;
use hone::tools::TOOLS;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl EventSink for Seen {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

fn tool(name: &str) -> Box<dyn Tool> {
    TOOLS.iter().map(|build| build(&deps::tool_deps())).find(|tool| tool.spec().name == name).unwrap()
}

fn surroundings(cwd: &Path) -> ToolCx {
    ToolCx {
        call_id: "call_1".into(),
        thread_id: "thread_1".into(),
        cwd: cwd.into(),
        output_limit: OutputLimit::Tokens(10_000),
        permit: hone::agent::ports::Permit::default(),
        cancel: CancellationToken::new(),
        events: Arc::new(Seen::default()),
    }
}

async fn call(name: &str, arguments: Value, cx: &ToolCx) -> Output {
    tool(name).call(&arguments.to_string(), cx).await
}

fn text(output: &Output) -> &str {
    match &output.parts[..] {
        [OutputPart::Text(text)] => text,
        other => panic!("not one text: {other:?}"),
    }
}

#[tokio::test]
async fn relative_and_absolute_paths_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let file = folder.path().join("sub/a.txt");
    fs::write(&file, "needle\n").unwrap();
    let cx = surroundings(folder.path());
    for path in [json!("sub/a.txt"), json!("./sub/../sub/a.txt"), json!(file)] {
        let output = call("read_file", json!({"file_path": path}), &cx).await;
        assert_eq!((text(&output), output.ok), ("L1: needle", true), "{path}");
    }
    let output = call("list_dir", json!({"dir_path": "sub"}), &cx).await;
    assert_eq!(text(&output), format!("Absolute path: {}\na.txt", folder.path().join("sub").display()));
    let output = call("grep_files", json!({"pattern": "needle"}), &cx).await;
    assert_eq!(text(&output), file.display().to_string());
}

#[tokio::test]
async fn answers_keep_to_the_output_limit() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..300 {
        fs::write(folder.path().join(format!("file-{number:03}.txt")), "\tneedle\n".repeat(300)).unwrap();
    }
    let cx = ToolCx { output_limit: OutputLimit::Tokens(250), ..surroundings(folder.path()) };
    let most = 1000 + 150; // The header and the marker come on top.
    for (name, arguments) in [
        ("read_file", json!({"file_path": "file-000.txt"})),
        ("read_file", json!({"file_path": "file-000.txt", "mode": "indentation"})),
        ("list_dir", json!({"dir_path": ".", "limit": 300})),
        ("grep_files", json!({"pattern": "needle", "limit": 300})),
        ("grep_files", json!({"pattern": "needle", "limit": 2000, "lines": true})),
    ] {
        let output = call(name, arguments, &cx).await;
        let length = text(&output).len();
        assert!(output.ok && length > 500 && length < most, "{name}: {length} bytes\n{}", text(&output));
    }
}

/// A file of a tebibyte, all of it a hole, takes longer to read than anybody waits.
#[tokio::test]
async fn reading_and_searching_end_when_they_are_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    File::create(folder.path().join("huge")).unwrap().set_len(1 << 40).unwrap();
    for (name, arguments) in [
        ("read_file", json!({"file_path": "huge", "offset": 2})),
        ("read_file", json!({"file_path": "huge", "mode": "indentation"})),
        ("grep_files", json!({"pattern": "needle", "path": "huge"})),
    ] {
        let cx = surroundings(folder.path());
        let cancel = cx.cancel.clone();
        let (output, ()) = tokio::join!(call(name, arguments, &cx), async move { cancel.cancel() });
        assert!(!output.ok && text(&output).ends_with("aborted by user"), "{name}: {}", text(&output));
    }
}

#[tokio::test]
async fn an_image_is_a_part_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dot.gif"), b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;").unwrap();
    let output = call("view_image", json!({"path": "dot.gif"}), &surroundings(folder.path())).await;
    let url = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACADs=".into();
    assert_eq!(output.parts, [OutputPart::Image { url, detail: "high" }]);
    assert!(output.ok);
}

#[tokio::test]
async fn a_plan_is_shown_to_people() {
    let seen = Arc::new(Seen::default());
    let cx = ToolCx { events: seen.clone(), ..surroundings(Path::new("/")) };
    let plan = json!([{"step": "look", "status": "completed"}, {"step": "leap", "status": "in_progress"}]);
    let output = call("update_plan", json!({"explanation": "why", "plan": plan}), &cx).await;
    assert_eq!((text(&output), output.ok), ("Plan updated", true));
    {
        let events = seen.0.lock().unwrap();
        let [Event::PlanUpdated { explanation, steps }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(explanation.as_deref(), Some("why"));
        let step = |step: &str, status| PlanStep { step: step.into(), status };
        assert_eq!(*steps, [step("look", StepStatus::Completed), step("leap", StepStatus::InProgress)]);
    }
    let output = call("update_plan", json!({"plan": [{"step": "look", "status": "done"}]}), &cx).await;
    assert_eq!(
        text(&output),
        "failed to parse function arguments: unknown variant `done`, expected one of `pending`, `in_progress`, \
         `completed` at line 1 column 39"
    );
    assert_eq!(seen.0.lock().unwrap().len(), 1, "a plan that cannot be read is not shown");
}

#[test]
fn calls_say_what_they_are_about_and_what_they_touch() {
    let cwd = Path::new("/home/me/project");
    for (name, arguments, summary, access) in [
        ("read_file", json!({"file_path": "/home/me/project/src/a.rs"}), "src/a.rs", Access::Read),
        ("list_dir", json!({"dir_path": "."}), ".", Access::Read),
        ("grep_files", json!({"pattern": "fn main"}), "fn main in .", Access::Read),
        ("grep_files", json!({"pattern": "x", "path": "src", "include": "*.rs"}), "x in src (*.rs)", Access::Read),
        ("view_image", json!({"path": "/tmp/a.png"}), "/tmp/a.png", Access::Read),
        ("update_plan", json!({"plan": [{"step": "a", "status": "completed"}]}), "1 of 1 steps done", Access::None),
    ] {
        let (tool, input) = (tool(name), arguments.to_string());
        assert_eq!(tool.activity(&input, cwd), Activity::Other { tool: name.into(), summary: summary.into() });
        assert_eq!(tool.access(&input, cwd), Some(access), "{name}");
        assert_eq!(tool.access("{", cwd), None, "{name}");
    }
}
