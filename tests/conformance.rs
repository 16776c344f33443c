//! Holds everything that is added by a line in a registry to what is expected of its kind: what a tool, say, must have
//! and must stand. A new entry is tested by being in the registry; a new expectation is a function here.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/deps.rs"]
mod deps;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use hone::agent::ports::{EventSink, Output, Tool, ToolCx};
use hone::protocol::item::OutputPart;
use hone::protocol::{Event, ToolForm, ToolSpec};
use hone::repl::commands::{COMMANDS, Command, WhileBusy, help::KEYS};
use hone::text::truncate::OutputLimit;
use hone::tools::{ACCEPTED, TOOLS, ToolDeps};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

/// The keys a tool's JSON may have.
const TOOL_KEYS: &[&str] = &["name", "description", "type", "parameters", "grammar", "parallel"];

/// The keys of JSON Schema that providers understand and tools use.
const SCHEMA_KEYS: &[&str] =
    &["type", "description", "properties", "required", "additionalProperties", "items", "enum", "minimum", "maximum"];

/// Arguments that no tool can do anything with, or that only just are arguments.
const BAD_ARGUMENTS: &[&str] = &["{", "[]", r#"{"x":1}"#, "", "null", "\0", r#"{"path":{}}"#];

/// A long name is cut by some providers, and odd characters are refused.
const NAME_CHARACTERS: usize = 64;

/// The file a tool's words are in. One tool has two forms, and one has two names.
fn file_of(spec: &ToolSpec) -> String {
    match (spec.name.as_str(), &spec.form) {
        ("apply_patch", ToolForm::Function { .. }) => "apply_patch_function".to_owned(),
        ("container.exec", _) => "shell".to_owned(),
        (name, _) => name.to_owned(),
    }
}

fn tools() -> Vec<Box<dyn Tool>> {
    let deps = deps::tool_deps();
    let functions = ToolDeps { freeform_patch: false, ..deps::tool_deps() };
    let built = TOOLS.iter().chain(ACCEPTED).flat_map(|build| [build(&deps), build(&functions)]);
    let mut seen = BTreeSet::new();
    built.filter(|tool| seen.insert(file_of(tool.spec()))).collect()
}

/// The tools' files in `tools/`, by name.
fn tool_files() -> Vec<(String, Map<String, Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            assert_eq!(path.extension().unwrap(), "json", "{path:?} is no tool");
            let json = serde_json::from_str(&fs::read_to_string(&path).unwrap());
            (
                path.file_stem().unwrap().to_str().unwrap().into(),
                json.unwrap_or_else(|error| panic!("{path:?}: {error}")),
            )
        })
        .collect()
}

#[test]
fn every_tool_has_its_json_and_every_json_its_tool() {
    let deps = deps::tool_deps();
    let names: Vec<_> = TOOLS.iter().chain(ACCEPTED).map(|build| build(&deps).spec().name.clone()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name is taken twice: {names:?}");
    let tools: BTreeSet<_> = tools().iter().map(|tool| file_of(tool.spec())).collect();
    let files: BTreeSet<_> = tool_files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(tools, files, "TOOLS of src/tools/mod.rs on the left, the files of tools/ on the right");
}

#[test]
fn every_tool_json_is_well_formed() {
    for (name, json) in tool_files() {
        for key in json.keys() {
            assert!(TOOL_KEYS.contains(&key.as_str()), "tools/{name}.json: unknown key `{key}`");
        }
        let known_as = name.trim_end_matches("_function");
        assert_eq!(json["name"], known_as, "tools/{name}.json holds another name");
        let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
        assert!(
            name.chars().all(fits) && name.len() <= NAME_CHARACTERS,
            "tools/{name}.json: providers refuse the name"
        );
        assert!(json["description"].as_str().is_some_and(|text| text.len() > 20), "tools/{name}.json: no description");
        assert!(json["parallel"].is_boolean(), "tools/{name}.json: `parallel` must say true or false");
        match json["type"].as_str() {
            Some("function") => check_object(&format!("tools/{name}.json: parameters"), &json["parameters"]),
            Some("custom") => assert!(json["grammar"].is_string(), "tools/{name}.json: a custom tool needs a grammar"),
            other => panic!("tools/{name}.json: the type is function or custom, not {other:?}"),
        }
    }
}

fn check_object(place: &str, schema: &Value) {
    assert_eq!(schema["type"], "object", "{place}: not an object");
    assert_eq!(schema["additionalProperties"], false, "{place}: additionalProperties must be false");
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{place}: no properties"));
    assert!(properties.keys().is_sorted(), "{place}: properties must be sorted by name");
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        assert!(properties.contains_key(required.as_str().unwrap()), "{place}: {required} is required but not there");
    }
    assert_ne!(schema["required"].as_array().map(Vec::len), Some(0), "{place}: leave out an empty `required`");
    for (name, property) in properties {
        let place = format!("{place}.{name}");
        assert!(property["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}: no description");
        check_schema(&place, property);
    }
}

fn check_schema(place: &str, schema: &Value) {
    for key in schema.as_object().unwrap_or_else(|| panic!("{place}: no schema")).keys() {
        assert!(SCHEMA_KEYS.contains(&key.as_str()), "{place}: unknown key `{key}`");
    }
    match schema["type"].as_str() {
        Some("object") => check_object(place, schema),
        Some("array") => check_schema(&format!("{place}[]"), &schema["items"]),
        Some("string" | "integer" | "number" | "boolean") => {}
        other => panic!("{place}: unknown type {other:?}"),
    }
}

#[test]
fn every_command_has_help_and_words_that_fit() {
    let mut names = BTreeSet::new();
    for Command { name, aliases, argument, help, while_busy, .. } in COMMANDS {
        for name in aliases.iter().chain([name]) {
            assert!(name.starts_with('/') && name.len() > 1 && !name.contains(' '), "{name} is no command");
            assert!(names.insert(*name), "{name} is taken twice");
        }
        assert!((10..90).contains(&help.len()) && !help.ends_with('.'), "{name}: say in one line what it does: {help}");
        assert!(!argument.starts_with('/') && argument.trim() == *argument, "{name}: {argument}");
        match while_busy {
            WhileBusy::Runs => {}
            WhileBusy::Shows(what) => {
                assert!(argument.starts_with('['), "{name} shows nothing, since it needs an argument");
                assert!(what.chars().all(|c| c.is_ascii_lowercase() || c == ' '), "Cannot {what} while …");
            }
            WhileBusy::Refuses(what) => assert!(!what.is_empty() && what.trim() == *what, "Cannot {what} while …"),
        }
    }
}

#[test]
fn the_documented_commands_and_keys_are_those_there_are() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/repl.md")).unwrap();
    let cell = |text: &str| text.replace('|', "\\|");
    let keys = KEYS.iter().map(|(key, help)| format!("| {} | {} |\n", cell(key), cell(help)));
    check_table(&docs, "| key | what it does |\n|---|---|\n", &keys.collect::<String>());
    let commands = COMMANDS.iter().map(|command| {
        let names: Vec<_> =
            [&[command.name], command.aliases].concat().iter().map(|name| format!("`{name}`")).collect();
        let argument =
            if command.argument.is_empty() { String::new() } else { format!(" `{}`", cell(command.argument)) };
        let busy = match command.while_busy {
            WhileBusy::Runs => "yes",
            WhileBusy::Shows(_) => "without argument",
            WhileBusy::Refuses(_) => "no",
        };
        format!("| {}{argument} | {} | {busy} |\n", names.join(", "), cell(command.help))
    });
    check_table(&docs, "| command | what it does | while it works |\n|---|---|---|\n", &commands.collect::<String>());
}

fn check_table(docs: &str, head: &str, rows: &str) {
    let table = docs.split_once(head).map_or("", |(_, rest)| rest);
    let documented: String = table.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    assert!(documented == rows, "this table of docs/repl.md must be:\n{head}{rows}");
}

#[tokio::test]
async fn every_tool_answers_bad_arguments_readably() {
    let folder = tempfile::tempdir().unwrap();
    for tool in tools() {
        let name = &tool.spec().name;
        for input in BAD_ARGUMENTS {
            let _ = tool.activity(input, folder.path());
            let _ = tool.access(input, folder.path());
            let output = tool.call(input, &surroundings(folder.path())).await;
            let text = text_of(&output);
            assert!(!text.trim().is_empty(), "{name} has no answer to {input:?}");
            assert!(!output.ok || !needs_arguments(tool.spec()), "{name} finds nothing wrong with {input:?}: {text}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a tool left something behind");
}

fn needs_arguments(spec: &ToolSpec) -> bool {
    match &spec.form {
        ToolForm::Function { parameters } => parameters.get("required").is_some(),
        ToolForm::Custom { .. } => true,
    }
}

fn surroundings(cwd: &Path) -> ToolCx {
    struct Unseen;
    impl EventSink for Unseen {
        fn emit(&self, _event: Event) {}
    }
    ToolCx {
        call_id: "call_1".into(),
        thread_id: "thread_1".into(),
        cwd: cwd.into(),
        output_limit: OutputLimit::Tokens(10_000),
        permit: hone::agent::ports::Permit::default(),
        cancel: CancellationToken::new(),
        events: Arc::new(Unseen),
    }
}

fn text_of(output: &Output) -> String {
    let texts = output.parts.iter().map(|part| match part {
        OutputPart::Text(text) => text.as_str(),
        OutputPart::Image { .. } => "",
    });
    texts.collect()
}
