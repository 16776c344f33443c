//! Holds the code to its floor plan (`docs/architecture.md`): imports only go down, the outside world is touched only
//! where it is meant to be, and no two files need each other.
//!
//! The code is read as text, not compiled: see `source.rs` for what is seen of it and `house.rs` for how paths are
//! followed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod house;
mod source;

use std::fs;
use std::path::Path;

use house::{House, Use, circles};

/// Which floor a folder of `src/` stands on.
const FLOORS: &[(&str, u8)] = &[
    ("protocol", 0),
    ("history", 1),
    ("ledger", 1),
    ("patch", 1),
    ("policy", 1),
    ("text", 1),
    ("agent", 2),
    ("context", 2),
    ("evolution", 2),
    ("config", 3),
    ("exec", 3),
    ("mcp", 3),
    ("model", 3),
    ("recall", 3),
    ("rollout", 3),
    ("sandbox", 3),
    ("store", 3),
    ("tools", 3),
    ("undo", 3),
    ("runtime", 4),
    ("cli", 5),
    ("repl", 5),
    ("serve", 5),
    ("lib.rs", 6),
    ("main.rs", 6),
];

const AGENT_FLOOR: u8 = 2;
const ADAPTER_FLOOR: u8 = 3;

/// The only adapters that may know each other.
const SIBLINGS: &[(&str, &str)] = &[("tools", "exec"), ("exec", "sandbox")];

/// What adapters may use of the agent's floor.
const PORTS: &[&str] = &["src/agent/ports.rs", "src/evolution/ports.rs"];

/// What the agent and all below it get from ports, or do without.
const OUTSIDE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "env"],
    &["std", "process"],
    &["std", "net"],
    &["tokio", "fs"],
    &["tokio", "process"],
    &["tokio", "net"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["tokio", "time", "Instant"],
];

/// Where the environment and the home folder are read from.
const ENVIRONMENT: &[&[&str]] = &[&["std", "env"], &["home"], &["dirs"], &["etcetera"]];

/// What `std::env` holds beside the environment.
const NOT_ENVIRONMENT: &[&str] = &["split_paths", "join_paths", "consts"];

#[test]
fn imports_only_go_down_and_the_outside_is_touched_where_it_is_meant_to_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    read_folder(root, &root.join("src"), &mut texts);
    assert!(texts.len() > 10, "the sources were not found");
    let violations = check(&House::new(texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn read_folder(root: &Path, folder: &Path, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(root, &path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            texts.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Everything in `house` that breaks a rule, in words.
fn check(house: &House) -> Vec<String> {
    let homeless = house.files().filter(|file| floor(file).is_none()).map(|file| {
        format!("{file}: the folder `{}` stands on no floor; give it one in FLOORS of tests/architecture", folder(file))
    });
    let uses = house.uses();
    let broken = uses.iter().flat_map(|used| {
        [imports_down(used), stays_inside(used), reads_environment(used), starts_processes(used), names_sibling(used)]
            .into_iter()
            .flatten()
            .map(|rule| format!("{}:{}: `{}`: {rule}", used.file, used.line, used.path.join("::")))
    });
    let mut violations: Vec<_> = homeless.chain(broken).collect();
    violations.extend(circles(&uses).iter().map(|circle| circle_in_words(circle)));
    violations.dedup();
    violations
}

/// The folder of `src/` a file is in, or its name when it is in none.
fn folder(file: &str) -> &str {
    let inside = file.trim_start_matches("src/");
    let first = inside.split('/').next().unwrap_or(inside);
    if inside.contains('/') || FLOORS.iter().any(|(name, _)| *name == first) {
        first
    } else {
        first.trim_end_matches(".rs")
    }
}

fn floor(file: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == folder(file)).map(|(_, floor)| *floor)
}

fn imports_down(used: &Use) -> Option<String> {
    let target = used.target?;
    let (from, to) = (folder(used.file), folder(target));
    let (from_floor, to_floor) = (floor(used.file)?, floor(target)?);
    if to_floor > from_floor {
        return Some(format!(
            "{from} (floor {from_floor}) reaches up to {to} (floor {to_floor}); imports only go down, so move what \
             is shared down or put a port into agent/ports.rs"
        ));
    }
    if from_floor != ADAPTER_FLOOR || from == to {
        return None;
    }
    if to_floor == ADAPTER_FLOOR && !SIBLINGS.contains(&(from, to)) {
        return Some(format!("{from} and {to} are both adapters and must not know each other; the runtime joins them"));
    }
    if to_floor == AGENT_FLOOR && !PORTS.contains(&target) {
        return Some(format!("{from} is an adapter; of the agent's floor it may use the ports alone"));
    }
    None
}

fn stays_inside(used: &Use) -> Option<String> {
    let (from, floor) = (folder(used.file), floor(used.file)?);
    if floor > AGENT_FLOOR {
        return None;
    }
    if floor < AGENT_FLOOR && used.path[0].starts_with("tokio") {
        return Some(format!("{from} (floor {floor}) is pure; nothing of tokio's has a place in it"));
    }
    names_one_of(used, OUTSIDE)
        .then(|| format!("{from} (floor {floor}) knows no files, environment, processes, network or clock; use a port"))
}

fn reads_environment(used: &Use) -> Option<String> {
    let allowed = matches!(folder(used.file), "config" | "main.rs");
    // To import `std::env` reads nothing yet; what is then named of it is seen where it is named.
    let harmless =
        used.path[0] == "std" && used.path.get(2).is_none_or(|name| NOT_ENVIRONMENT.contains(&name.as_str()));
    (!allowed && !harmless && names_one_of(used, ENVIRONMENT))
        .then(|| "the environment and the home folder are read in config/ alone; take the value from there".into())
}

fn starts_processes(used: &Use) -> Option<String> {
    let file = folder(used.file);
    let ends_with = |end: &[&str]| used.path.len() >= end.len() && used.path[used.path.len() - end.len()..] == *end;
    if ends_with(&["process", "exit"]) && file != "main.rs" {
        return Some("only main.rs ends the program; return what it needs to choose the exit code".into());
    }
    let of_another_crate = used.path[0] == "clap" || used.target.is_some();
    let starts = ends_with(&["Command", "new"]) && !of_another_crate;
    (starts && file != "exec").then(|| "processes are started in exec/ alone".into())
}

fn names_sibling(used: &Use) -> Option<String> {
    let (parent, target) = (used.through_parent?, used.target?);
    Some(format!("this comes from {target} by way of {parent}, the parent of both; import it from {target} itself"))
}

fn names_one_of(used: &Use, names: &[&[&str]]) -> bool {
    names.iter().any(|name| used.path.len() >= name.len() && used.path[..name.len()] == **name)
}

fn circle_in_words(circle: &[&Use]) -> String {
    let steps: Vec<_> = circle
        .iter()
        .map(|used| {
            format!("  {}:{} uses {} (`{}`)", used.file, used.line, used.target.unwrap_or("?"), used.path.join("::"))
        })
        .collect();
    format!(
        "these files need each other in a circle; move what they share into a file of its own:\n{}",
        steps.join("\n")
    )
}

/// What the rules say to made-up files.
fn violations(texts: &[(&str, &str)]) -> Vec<String> {
    check(&House::new(texts.iter().copied()))
}

#[test]
fn what_the_floor_plan_allows_passes() {
    let texts = [
        ("src/lib.rs", "pub mod protocol;\npub mod tools;"),
        ("src/main.rs", "use hone::cli;\nfn main() { std::env::var(\"X\"); std::process::exit(cli::run()) }"),
        ("src/protocol/mod.rs", "pub mod item;\nmod ids;\npub use item::Item;\npub use ids::Id;"),
        ("src/protocol/item.rs", "use super::ids::Id;\npub struct Item(Id);"),
        ("src/protocol/ids.rs", "use std::time::Duration;\npub struct Id;"),
        ("src/text/mod.rs", "use crate::protocol::Item;"),
        ("src/agent/mod.rs", "pub mod ports;\npub use ports::Tool;\nuse tokio::sync::mpsc;"),
        ("src/agent/ports.rs", "use crate::text;\npub trait Tool {}"),
        // A registry and what its rows are made with may need each other.
        (
            "src/tools/mod.rs",
            "mod foo;\nuse crate::agent::ports::Tool;\npub struct Deps;\nconst TOOLS: &[fn(&Deps)] = &[foo::new];",
        ),
        ("src/tools/foo.rs", "use super::Deps;\nuse crate::agent::Tool;\nuse crate::exec;\npub fn new(_: &Deps) {}"),
        (
            "src/exec/mod.rs",
            "use std::env;\nuse tokio::process::Command;\nfn f() { env::split_paths(\"\"); Command::new(\"x\"); }",
        ),
        ("src/config/mod.rs", "fn f() { std::env::var(\"X\"); }"),
        ("src/cli/mod.rs", "use clap::Command;\nuse crate::config;\npub fn run() { Command::new(\"x\"); }"),
        (
            "src/model/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::runtime; use std::process::Command; }\n#[cfg(test)]\nmod more;",
        ),
        ("src/model/more.rs", "use crate::runtime;"),
        ("src/runtime/mod.rs", "// use crate::cli;\nuse crate::{tools::TOOLS, agent};"),
    ];
    assert_eq!(violations(&texts), [""; 0]);
}

#[test]
fn every_rule_is_told_with_its_place() {
    let others = [
        ("src/protocol/mod.rs", "pub struct Item;"),
        ("src/agent/mod.rs", "pub mod ports;\npub mod decide;\npub use decide::Next;"),
        ("src/agent/decide.rs", ""),
        ("src/agent/ports.rs", ""),
        ("src/exec/mod.rs", ""),
        ("src/sandbox/mod.rs", ""),
        ("src/tools/mod.rs", ""),
        ("src/runtime/mod.rs", ""),
    ];
    for (file, text, told) in [
        (
            "src/text/a.rs",
            "\nuse crate::agent::ports;",
            "src/text/a.rs:2: `crate::agent::ports`: text (floor 1) reaches up to agent (floor 2)",
        ),
        (
            "src/tools/a.rs",
            "use crate::{\n  protocol::Item,\n  runtime::{X as Y},\n};",
            "src/tools/a.rs:3: `crate::runtime::X`: tools (floor 3) reaches up to runtime (floor 4)",
        ),
        (
            "src/agent/a.rs",
            "fn f() -> crate::exec::Child { todo!() }",
            "src/agent/a.rs:1: `crate::exec::Child`: agent (floor 2) reaches up to exec (floor 3)",
        ),
        (
            "src/agent/a.rs",
            "fn f() { m!(super::super::exec::run()) }",
            "src/agent/a.rs:1: `crate::exec::run`: agent (floor 2) reaches up",
        ),
        ("src/model/a.rs", "use crate::exec::run;", "model and exec are both adapters"),
        ("src/exec/a.rs", "use crate::tools;", "exec and tools are both adapters"),
        ("src/tools/a.rs", "use crate::sandbox;", "tools and sandbox are both adapters"),
        ("src/tools/a.rs", "use crate::agent::decide;", "may use the ports alone"),
        ("src/tools/a.rs", "use crate::agent::Next;", "may use the ports alone"),
        ("src/history/a.rs", "use std::fs;", "`std::fs`: history (floor 1) knows no files"),
        ("src/context/a.rs", "use std::{io, fs::File};", "`std::fs::File`: context (floor 2) knows no files"),
        ("src/agent/a.rs", "use std::time::{Duration, Instant};", "`std::time::Instant`: agent (floor 2)"),
        (
            "src/agent/a.rs",
            "use tokio::time;\nfn f() { time::Instant::now(); }",
            "src/agent/a.rs:2: `tokio::time::Instant::now`",
        ),
        ("src/protocol/a.rs", "use std::time::SystemTime;", "protocol (floor 0) knows no"),
        ("src/policy/a.rs", "use tokio::sync::mpsc;", "policy (floor 1) is pure"),
        ("src/patch/a.rs", "use tokio_util::sync::CancellationToken;", "patch (floor 1) is pure"),
        (
            "src/exec/a.rs",
            "use std::env;\nfn f() { env::vars(); }",
            "src/exec/a.rs:2: `std::env::vars`: the environment and the home folder are read in config/ alone",
        ),
        ("src/cli/a.rs", "fn f() { std::env::var(\"X\"); }", "are read in config/ alone"),
        ("src/tools/a.rs", "fn f() { home::home_dir(); }", "are read in config/ alone"),
        (
            "src/tools/a.rs",
            "use std::process::Command;\nfn f() { Command::new(\"x\"); }",
            "src/tools/a.rs:2: `std::process::Command::new`: processes are started in exec/ alone",
        ),
        ("src/runtime/a.rs", "fn f() { tokio::process::Command::new(\"x\"); }", "processes are started in exec/ alone"),
        (
            "src/cli/a.rs",
            "use std::process;\nfn f() { process::exit(1); }",
            "src/cli/a.rs:2: `std::process::exit`: only main.rs ends the program",
        ),
        ("src/helpers/a.rs", "", "src/helpers/a.rs: the folder `helpers` stands on no floor"),
        ("src/helpers.rs", "", "src/helpers.rs: the folder `helpers` stands on no floor"),
    ] {
        let told_all = violations(&[&others[..], &[(file, text)]].concat());
        assert!(told_all.len() == 1 && told_all[0].contains(told), "{file}: {text}\n{told_all:#?}");
    }
}

#[test]
fn circles_are_told_once_with_every_step() {
    let told = violations(&[
        ("src/text/a.rs", "use super::b::B;"),
        ("src/text/b.rs", "use super::c;"),
        ("src/text/c.rs", "\nfn f() { crate::text::a::f() }"),
        ("src/text/mod.rs", "mod a;\nmod b;\nmod c;"),
    ]);
    assert_eq!(told.len(), 1, "{told:#?}");
    for step in [
        "src/text/a.rs:1 uses src/text/b.rs (`crate::text::b::B`)",
        "src/text/b.rs:1 uses src/text/c.rs (`crate::text::c`)",
        "src/text/c.rs:2 uses src/text/a.rs (`crate::text::a::f`)",
    ] {
        assert!(told[0].contains(step), "{}", told[0]);
    }
}

#[test]
fn a_parent_that_calls_its_child_makes_a_circle_when_the_child_uses_it() {
    let told = violations(&[
        ("src/text/mod.rs", "mod a;\npub struct S;\nfn f() { a::g() }"),
        ("src/text/a.rs", "use super::S;\npub fn g() {}"),
    ]);
    assert!(told.len() == 1 && told[0].contains("src/text/mod.rs:3 uses src/text/a.rs"), "{told:#?}");
}

#[test]
fn siblings_are_not_imported_by_way_of_their_parent() {
    let told = violations(&[
        ("src/text/mod.rs", "mod a;\nmod b;\npub use a::A;"),
        ("src/text/a.rs", "pub struct A;"),
        ("src/text/b.rs", "use crate::text::A;"),
    ]);
    assert_eq!(
        told,
        ["src/text/b.rs:1: `crate::text::A`: this comes from src/text/a.rs by way of src/text/mod.rs, the parent of \
          both; import it from src/text/a.rs itself"]
    );
}
