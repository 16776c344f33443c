//! `config explain`: which value is in force, and which file or flag it comes from.

use std::fmt::Write as _;

use super::error::{ConfigError, near_match};
use super::keys::{self, Key, Kind};
use super::layer::{Layer, LayerKind, Place};
use super::load::Loaded;
use super::path;
use super::value::Data;

/// What is to be known about one key, or the list of all values in force.
///
/// # Errors
/// There is no such key, and no layer sets it.
pub fn explain(loaded: &Loaded, key: Option<&str>) -> Result<String, ConfigError> {
    let Some(key) = key else { return Ok(list(&loaded.layers, &[])) };
    let segments = path::split(key)?;
    let set = loaded.layers.iter().any(|layer| layer.get(&segments).is_some());
    match keys::find(&segments) {
        None if !set => Err(unknown(&segments)),
        found => Ok(one(&loaded.layers, &segments, found)),
    }
}

/// One key: its value, what it does, and what each layer says.
fn one(layers: &[Layer], segments: &[String], key: Option<&'static Key>) -> String {
    let name = path::join(segments);
    let stated: Vec<(&Layer, String, &Data)> = layers
        .iter()
        .rev()
        .filter_map(|layer| {
            let (key, value) = layer.get(segments)?;
            Some((layer, place(layer, key.span().start), value.get_ref()))
        })
        .collect();
    let is_table = stated.iter().any(|(_, _, value)| value.as_table().is_some())
        || (stated.is_empty() && key.is_some_and(|key| !key.kind.keys().is_empty()));
    let mut out = String::new();
    let default = key.map_or("", |key| key.default);
    let effective = stated.first().map(|(_, _, value)| show(segments, value));
    match (&effective, default) {
        (_, _) if is_table => _ = writeln!(out, "[{name}]"),
        (Some(value), _) => _ = writeln!(out, "{name} = {value}"),
        (None, "") => _ = writeln!(out, "{name} is not set"),
        (None, default) => _ = writeln!(out, "{name} = {default}"),
    }
    let doc = key.map_or("This program does not know this key.", |key| key.doc);
    _ = writeln!(out, "  {doc}");
    if is_table {
        return out + &list(layers, segments);
    }
    out.push('\n');
    let built_in = if default.is_empty() { "not set" } else { default };
    let mut rows: Vec<(String, String)> = stated
        .iter()
        .map(|(layer, place, value)| (show(segments, value), format!("{} {place}", label(layer.kind))))
        .collect();
    rows.push((built_in.to_owned(), "built in".to_owned()));
    let width = rows.iter().map(|(value, _)| value.chars().count()).max().unwrap_or(0);
    for (index, (value, place)) in rows.iter().enumerate() {
        let mark = if index == 0 { '*' } else { ' ' };
        _ = writeln!(out, "{mark} {value:width$}  {place}");
    }
    out
}

/// Every value in force below a path, each with the place it comes from.
fn list(layers: &[Layer], prefix: &[String]) -> String {
    let mut rows: Vec<(Vec<String>, String, String)> = Vec::new();
    for layer in layers {
        let table = if prefix.is_empty() {
            Some(&layer.table)
        } else {
            layer.get(prefix).and_then(|(_, value)| value.get_ref().as_table())
        };
        let mut path = prefix.to_vec();
        table.into_iter().for_each(|table| collect(layer, table, &mut path, &mut rows));
    }
    if rows.is_empty() {
        return "nothing is set\n".to_owned();
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::new();
    for (path, value, place) in rows {
        _ = writeln!(out, "{} = {value}  # {place}", path::join(&path));
    }
    out
}

fn collect(
    layer: &Layer,
    table: &super::value::Table,
    path: &mut Vec<String>,
    rows: &mut Vec<(Vec<String>, String, String)>,
) {
    for (key, value) in table {
        path.push(key.get_ref().clone());
        // A value replaces what a weaker layer had at or below its path, as merging does.
        match value.get_ref() {
            Data::Table(inner) if !inner.is_empty() => {
                rows.retain(|(other, ..)| other != path);
                collect(layer, inner, path, rows);
            }
            Data::Table(_) => {}
            data => {
                rows.retain(|(other, ..)| !other.starts_with(path));
                rows.push((path.clone(), show(path, data), place(layer, key.span().start)));
            }
        }
        path.pop();
    }
}

fn place(layer: &Layer, offset: usize) -> String {
    match layer.origin.place(offset) {
        Place::File { path, line, .. } => format!("{}:{line}", path.display()),
        // Only the flag: the key is said already.
        Place::Word(word) => word.split(' ').next().unwrap_or_default().to_owned(),
    }
}

const fn label(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Environment => "environment",
        LayerKind::System => "system",
        LayerKind::User => "user",
        LayerKind::Profile => "profile",
        LayerKind::Project => "project",
        LayerKind::CommandLine => "command line",
    }
}

/// A value as TOML, secrets left out.
fn show(segments: &[String], value: &Data) -> String {
    let mut value = value.to_toml();
    let mut path = segments.to_vec();
    redact(&mut path, &mut value);
    value.to_string()
}

fn redact(path: &mut Vec<String>, value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                path.push(key.clone());
                redact(path, value);
                path.pop();
            }
        }
        toml::Value::Array(values) => values.iter_mut().for_each(|value| redact(path, value)),
        toml::Value::String(text) if is_secret(path) => *text = "[redacted]".to_owned(),
        toml::Value::String(text) => {
            if let Some(clean) = without_login(text) {
                *text = clean;
            }
        }
        _ => {}
    }
}

/// What the name of a secret holds.
const SECRET_WORDS: &[&str] = &["key", "token", "secret", "password", "auth", "cookie", "credential"];

/// Keys we know say so themselves; of the others the name tells.
fn is_secret(path: &[String]) -> bool {
    let kind = keys::find(path).map(|key| key.kind);
    let named_so = || {
        let name = path.last().map(|name| name.to_lowercase()).unwrap_or_default();
        SECRET_WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("env_var")
    };
    match kind {
        Some(Kind::Secret) => true,
        Some(Kind::SecretMap | Kind::Anything) | None => named_so(),
        Some(_) => false,
    }
}

/// An address without its user and password; `None` when it has none.
fn without_login(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    Some(format!("{scheme}://[redacted]{}", &rest[at..]))
}

fn unknown(segments: &[String]) -> ConfigError {
    let name = path::join(segments);
    let leaves = keys::leaves();
    let tables = keys::KEYS.iter().map(|key| key.name);
    let near = near_match(&name, leaves.iter().map(|(path, _)| path.as_str()).chain(tables));
    let last = segments.last().map(String::as_str).unwrap_or_default();
    let near = near.or_else(|| {
        let ends = |path: &&str| path.rsplit('.').next() == Some(last);
        leaves.iter().map(|(path, _)| path.as_str()).find(ends)
    });
    let error = ConfigError::new(format!("there is no key `{name}`, and no file sets one"));
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`hone config explain` without a key lists what is set"),
    }
}
