//! Holds a layer against the list of keys.
//!
//! A value of the wrong kind is an error with its place; an unknown key is a warning and stays where it is; relative paths
//! become absolute, because only here is it known which file they stand in.

use std::path::Path;
use toml::Spanned;

use super::error::{ConfigError, near_match, quoted_list};
use super::home::Home;
use super::keys::{self, KEYS, Key, Kind, NOT_FOR_PROJECTS};
use super::layer::{Layer, LayerKind, Origin, Place};
use super::path;
use super::value::{Data, Table, Value};

/// Checks a layer in place and adds what is to be said about it to `warnings`.
pub(super) fn check(layer: &mut Layer, home: &Home, cwd: &Path, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    if layer.kind == LayerKind::Project {
        drop_forbidden(layer, warnings);
    }
    let Layer { origin, table, .. } = layer;
    let base = match origin {
        Origin::File(file) => file.path.parent().unwrap_or(cwd).to_owned(),
        Origin::Word(_) => cwd.to_owned(),
    };
    let mut check = Check { origin, home, base: &base, path: String::new(), warnings };
    check.table(KEYS, table)
}

/// Takes away what a project may not set, and says so.
fn drop_forbidden(layer: &mut Layer, warnings: &mut Vec<String>) {
    let forbidden: Vec<&str> =
        NOT_FOR_PROJECTS.iter().copied().filter(|name| layer.table.remove(*name).is_some()).collect();
    if let (false, Origin::File(file)) = (forbidden.is_empty(), &layer.origin) {
        warnings.push(format!(
            "{}: a project may not set {}: ignored; set it in your own config.toml",
            file.path.display(),
            forbidden.join(", ")
        ));
    }
}

struct Check<'a> {
    origin: &'a Origin,
    home: &'a Home,
    base: &'a Path,
    path: String,
    warnings: &'a mut Vec<String>,
}

impl Check<'_> {
    fn table(&mut self, keys: &'static [Key], table: &mut Table) -> Result<(), ConfigError> {
        for (name, value) in table.iter_mut() {
            let parent = self.path.len();
            path::push(&mut self.path, name.get_ref());
            match keys.iter().find(|key| key.name == name.get_ref()) {
                Some(key) => self.value(key.kind, value)?,
                None => self.unknown(keys, parent, name),
            }
            self.path.truncate(parent);
        }
        Ok(())
    }

    fn value(&mut self, kind: Kind, value: &mut Value) -> Result<(), ConfigError> {
        let span = value.span();
        match (kind, value.get_mut()) {
            (Kind::Name, Data::Text(text)) if text.trim().is_empty() => Err(self.error(value, "must not be empty")),
            (Kind::Path, Data::Text(text)) if text.trim().is_empty() => Err(self.error(value, "must not be empty")),
            (Kind::Path, Data::Text(text)) => {
                self.make_absolute(text);
                Ok(())
            }
            (Kind::Choice(choices) | Kind::ChoiceOrTable(choices), Data::Text(text)) => {
                if choices.contains(&text.as_str()) {
                    return Ok(());
                }
                let text = text.clone();
                Err(self.bad_choice(&text, choices, value))
            }
            (Kind::Count, Data::Integer(number)) if *number < 0 => Err(self.error(value, "must not be negative")),
            (Kind::Amount, Data::Integer(number)) if *number >= 0 => Ok(()),
            (Kind::Amount, Data::Float(number)) if *number >= 0.0 && number.is_finite() => Ok(()),
            (Kind::Amount, Data::Integer(_) | Data::Float(_)) => Err(self.error(value, "must not be negative")),
            (Kind::Text | Kind::Name | Kind::Secret, Data::Text(_))
            | (Kind::Bool, Data::Bool(_))
            | (Kind::Count, Data::Integer(_))
            | (Kind::ChoiceOrTable(_), Data::Table(_))
            | (Kind::Anything, _) => Ok(()),
            (Kind::Texts, Data::Array(values)) => self.each(Kind::Text, values),
            (Kind::Paths, Data::Array(values)) => self.each(Kind::Path, values),
            (Kind::Tables(keys), Data::Array(values)) => self.each(Kind::Table(keys), values),
            (Kind::TextsOrTables(keys), Data::Array(values)) => values.iter_mut().try_for_each(|value| {
                let is_table = matches!(value.get_ref(), Data::Table(_));
                self.value(if is_table { Kind::Table(keys) } else { Kind::Name }, value)
            }),
            (Kind::Table(keys), Data::Table(table)) => self.table(keys, table),
            (Kind::Named(keys), Data::Table(table)) => self.named(Kind::Table(keys), table),
            (Kind::TextMap, Data::Table(table)) => self.named(Kind::Text, table),
            (Kind::SecretMap, Data::Table(table)) => self.named(Kind::Secret, table),
            (kind, found) => {
                let what = format!("must be {}, but is {}", expected(kind), found.type_name());
                Err(self.error(&Spanned::new(span, Data::Bool(false)), &what))
            }
        }
    }

    fn each(&mut self, kind: Kind, values: &mut [Value]) -> Result<(), ConfigError> {
        values.iter_mut().try_for_each(|value| self.value(kind, value))
    }

    /// Every value of a table whose names are the person's choice.
    fn named(&mut self, kind: Kind, table: &mut Table) -> Result<(), ConfigError> {
        for (name, value) in table.iter_mut() {
            let parent = self.path.len();
            path::push(&mut self.path, name.get_ref());
            self.value(kind, value)?;
            self.path.truncate(parent);
        }
        Ok(())
    }

    fn make_absolute(&self, path: &mut String) {
        let absolute = self.base.join(self.home.expand(path));
        if let Ok(absolute) = absolute.into_os_string().into_string() {
            *path = absolute;
        }
    }

    fn unknown(&mut self, keys: &'static [Key], parent: usize, name: &Spanned<String>) {
        let place = match self.origin.place(name.span().start) {
            Place::File { path, line, .. } => format!("{}:{line}", path.display()),
            Place::Word(word) => word,
        };
        let near = near_match(name.get_ref(), keys.iter().map(|key| key.name));
        let near = near.map(|near| {
            let mut full = self.path[..parent].to_owned();
            path::push(&mut full, near);
            full
        });
        let question = near.or_else(|| elsewhere(name.get_ref())).map(|near| format!("; did you mean `{near}`?"));
        let question = question.unwrap_or_default();
        self.warnings.push(format!("{place}: unknown key `{}` is ignored{question}", self.path));
    }

    fn bad_choice(&self, text: &str, choices: &[&str], value: &Value) -> ConfigError {
        let near = near_match(text, choices.iter().copied());
        let question = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        self.error(value, &format!("cannot be \"{text}\""))
            .hint(format!("use one of {}{question}", quoted_list(choices)))
    }

    fn error(&self, value: &Value, what: &str) -> ConfigError {
        let span = value.span();
        let place = match self.origin.place(span.start) {
            Place::Word(word) if word.starts_with("-c") => "-c".to_owned(),
            place => place.to_string(),
        };
        ConfigError::new(format!("{place}: `{}` {what}{}", self.path, self.origin.excerpt(&span)))
    }
}

/// A key of this name in another table.
fn elsewhere(name: &str) -> Option<String> {
    let matches = |path: &String| path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    keys::leaves().into_iter().map(|(path, _)| path).find(matches)
}

/// What a value of a kind must be, in words.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Name | Kind::Secret | Kind::Path => "text in quotes".to_owned(),
        Kind::Choice(choices) => format!("one of {}", quoted_list(choices)),
        Kind::ChoiceOrTable(choices) => format!("one of {} or a table", quoted_list(choices)),
        Kind::Bool => "true or false".to_owned(),
        Kind::Amount => "a number".to_owned(),
        Kind::Count => "a whole number".to_owned(),
        Kind::Texts | Kind::Paths => "an array of texts".to_owned(),
        Kind::Tables(_) => "an array of tables".to_owned(),
        Kind::TextsOrTables(_) => "an array of texts or tables".to_owned(),
        Kind::TextMap | Kind::SecretMap => "a table of texts".to_owned(),
        Kind::Table(_) | Kind::Named(_) => "a table".to_owned(),
        Kind::Anything => "anything".to_owned(),
    }
}
