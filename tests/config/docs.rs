use crate::world::World;
use hone::config::keys::{self, Key};

fn used() -> Vec<(String, &'static Key)> {
    keys::leaves().into_iter().filter(|(_, key)| key.used).collect()
}

#[test]
fn the_documented_keys_are_the_keys_in_use() {
    let rows: Vec<String> = used()
        .iter()
        .map(|(path, key)| {
            let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
            format!("| `{path}` | {default} | {} |\n", key.doc)
        })
        .collect();
    let rows = rows.concat();
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
    let table = docs.split_once("| key | default | meaning |\n|---|---|---|\n").map(|(_, rest)| rest).unwrap_or("");
    let documented: String = table.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    assert!(documented == rows, "the table of docs/configuration.md must be:\n{rows}");
}

/// Stating a default changes nothing, so the list of keys and the types agree on it.
#[test]
fn stated_defaults_are_the_real_ones() {
    let mut count = 0;
    for (path, key) in used().into_iter().filter(|(_, key)| !key.default.is_empty()) {
        let path = path.replace("NAME", "p");
        let auth = if path.contains(".auth.") { "auth.command = 'c'\n" } else { "" };
        let base = format!("[model_providers.p]\nname = 'n'\nbase_url = 'u'\n{auth}");
        let plain = World::with(&base).load().config;
        let stated = World::with(&base).over(&[&format!("{path}={}", key.default)]).load().config;
        assert_eq!(stated, plain, "{path} = {}", key.default);
        count += 1;
    }
    assert!(count > 15);
}

/// Every key in use is read by its field: another value than the default changes the configuration.
#[test]
fn every_key_in_use_has_a_field() {
    use hone::config::keys::Kind;
    for (path, key) in used() {
        let read_files = ["model_instructions_file", "experimental_compact_prompt_file"];
        if ["profile", "profiles"].contains(&path.as_str())
            || read_files.contains(&path.as_str())
            || path.starts_with("projects.")
        {
            continue;
        }
        let value = match key.kind {
            Kind::Bool if key.default == "true" => "false",
            Kind::Bool => "true",
            Kind::Count | Kind::Amount => "7",
            Kind::Choice(choices) | Kind::ChoiceOrTable(choices) => {
                choices.iter().rfind(|choice| key.default.trim_matches('"') != **choice).unwrap()
            }
            Kind::Texts | Kind::Paths => "['x']",
            Kind::TextMap | Kind::SecretMap => "{x='y'}",
            Kind::TextsOrTables(_) => "['x']",
            Kind::Tables(_) => "[{name='x'}]",
            _ if path == "model_provider" => "ollama",
            _ => "other",
        };
        let path = path.replace("NAME", "p");
        let base = "[model_providers.p]\nname = 'n'\nbase_url = 'u'\n";
        let auth = if path.contains(".auth.") { &["model_providers.p.auth.command=c"][..] } else { &[] };
        let plain = World::with(base).over(auth).load().config;
        let other = World::with(base).over(auth).over(&[&format!("{path}={value}")]).load().config;
        assert_ne!(other, plain, "{path} = {value}");
    }
}
