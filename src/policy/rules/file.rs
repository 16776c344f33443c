//! The text of a `.rules` file, read and written.

use std::collections::BTreeMap;
use std::fmt;

use super::{Decision, Rule};
use crate::policy::shell::{self, Word};

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as it was named to [`read`].
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The line that allows a prefix of words, to be put at the end of a file. Ends with a line break.
#[must_use]
pub fn render(prefix: &[String]) -> String {
    let words: Vec<String> = prefix.iter().map(|word| quote(word)).collect();
    format!("prefix_rule(pattern=[{}], decision=\"allow\")\n", words.join(", "))
}

fn quote(word: &str) -> String {
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The rules of a file. `file` names it in errors and in what people are told.
///
/// # Errors
/// It is not what such files are made of, or a rule does not agree with its own examples. Nothing of it counts then.
pub fn read(text: &str, file: &str) -> Result<Vec<Rule>, RuleError> {
    let mut reader = Reader { rest: text, line: 1, file, names: BTreeMap::new(), rules: Vec::new() };
    match reader.statements() {
        Ok(()) => Ok(reader.rules),
        Err(message) => Err(RuleError { file: file.to_owned(), line: reader.line, message }),
    }
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Nothing,
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    file: &'a str,
    names: BTreeMap<String, Value>,
    rules: Vec<Rule>,
}

/// So deep may lists lie in each other.
const DEPTH: u8 = 8;

impl Reader<'_> {
    fn blank(&mut self) {
        loop {
            let Some(c) = self.rest.chars().next() else { return };
            if c == '#' {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            } else if c.is_whitespace() || c == ';' {
                self.line += usize::from(c == '\n');
                self.rest = &self.rest[c.len_utf8()..];
            } else {
                return;
            }
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.eat(c) {
            return Ok(());
        }
        Err(match self.rest.chars().next() {
            Some(found) => format!("`{c}` is expected here, not `{found}`"),
            None => format!("`{c}` is missing at the end"),
        })
    }

    fn name(&mut self) -> Result<String, String> {
        self.blank();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        if end == 0 {
            let found = self.rest.chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
            return Err(format!("a name is expected here, not {found}"));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn statements(&mut self) -> Result<(), String> {
        loop {
            self.blank();
            if self.rest.is_empty() {
                return Ok(());
            }
            let line = self.line;
            let name = self.name()?;
            if self.eat('=') {
                let value = self.value(DEPTH)?;
                self.names.insert(name, value);
                continue;
            }
            if !self.eat('(') {
                return Err(format!("`{name}` is neither a call nor the name of a value"));
            }
            let values = self.named_values()?;
            let end = std::mem::replace(&mut self.line, line);
            self.call(&name, values)?;
            self.line = end;
        }
    }

    fn named_values(&mut self) -> Result<BTreeMap<String, Value>, String> {
        let mut values = BTreeMap::new();
        while !self.eat(')') {
            let name =
                self.name().map_err(|error| format!("{error}; values are given by name, as in pattern=[\"ls\"]"))?;
            self.expect('=')?;
            let value = self.value(DEPTH)?;
            if values.insert(name.clone(), value).is_some() {
                return Err(format!("`{name}` is given twice"));
            }
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(values)
    }

    fn value(&mut self, depth: u8) -> Result<Value, String> {
        let mut value = self.single(depth)?;
        while self.eat('+') {
            value = match (value, self.single(depth)?) {
                (Value::Text(one), Value::Text(two)) => Value::Text(one + &two),
                (Value::List(one), Value::List(two)) => Value::List([one, two].concat()),
                _ => return Err("only two texts or two lists can be added".into()),
            };
        }
        Ok(value)
    }

    fn single(&mut self, depth: u8) -> Result<Value, String> {
        self.blank();
        if depth == 0 {
            return Err("lists lie too deep in each other".into());
        }
        if self.eat('[') {
            let mut values = Vec::new();
            while !self.eat(']') {
                values.push(self.value(depth - 1)?);
                if !self.eat(',') {
                    self.expect(']')?;
                    break;
                }
            }
            return Ok(Value::List(values));
        }
        if self.rest.starts_with(['"', '\'']) {
            return self.text(false);
        }
        if self.rest.starts_with("r\"") || self.rest.starts_with("r'") {
            self.rest = &self.rest[1..];
            return self.text(true);
        }
        let name = self.name().map_err(|_| "a text or a list is expected here".to_owned())?;
        if name == "None" {
            return Ok(Value::Nothing);
        }
        self.names.get(&name).cloned().ok_or_else(|| format!("`{name}` is not known; texts stand in quotes"))
    }

    fn text(&mut self, raw: bool) -> Result<Value, String> {
        let mark = self.rest.chars().next().unwrap_or('"');
        if self.rest.starts_with(&mark.to_string().repeat(3)) {
            return Err("texts over several lines are not known here".into());
        }
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == mark => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Value::Text(text));
                }
                '\n' => break,
                '\\' if raw => text.push(c),
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    _ => return Err("an escape in a text is not known".into()),
                },
                c => text.push(c),
            }
        }
        Err("a text is not closed on its line".into())
    }

    fn call(&mut self, name: &str, mut values: BTreeMap<String, Value>) -> Result<(), String> {
        match name {
            "prefix_rule" => {
                let rule = self.prefix_rule(&mut values)?;
                self.rules.push(rule);
            }
            // What these say is checked by others: programs are known by their folders, the network by the sandbox.
            "host_executable" | "network_rule" => return Ok(()),
            _ => {
                return Err(format!(
                    "`{name}` is not known; rules are made with prefix_rule(pattern=[…], decision=\"allow\")"
                ));
            }
        }
        match values.keys().next() {
            Some(other) => Err(format!("prefix_rule knows no `{other}`")),
            None => Ok(()),
        }
    }

    fn prefix_rule(&self, values: &mut BTreeMap<String, Value>) -> Result<Rule, String> {
        let Some(Value::List(pattern)) = values.remove("pattern") else {
            return Err("prefix_rule needs pattern=[…], a list of words".into());
        };
        let pattern: Vec<Vec<String>> = pattern.into_iter().map(alternatives).collect::<Result<_, _>>()?;
        if pattern.is_empty() {
            return Err("pattern is empty; it would match every command".into());
        }
        let decision = match text_of("decision", values)?.as_deref() {
            None | Some("allow") => Decision::Allow,
            Some("prompt") => Decision::Prompt,
            Some("forbidden") => Decision::Forbidden,
            Some(other) => return Err(format!("decision is \"allow\", \"prompt\" or \"forbidden\", not \"{other}\"")),
        };
        let justification = text_of("justification", values)?;
        if justification.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Err("justification is empty; leave it out, or say why".into());
        }
        let rule = Rule { pattern, decision, justification, file: self.file.to_owned(), line: self.line, until: None };
        for (name, expected) in [("match", true), ("not_match", false)] {
            for example in examples(name, values)? {
                if rule.matches(&example) != expected {
                    let shown: Vec<_> = example.iter().map(|word| word.text.as_str()).collect();
                    let what = if expected { "does not match" } else { "matches" };
                    return Err(format!("the rule {what} its {name} example `{}`", shown.join(" ")));
                }
            }
        }
        Ok(rule)
    }
}

fn alternatives(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Text(word) => Ok(vec![word]),
        Value::List(words) if !words.is_empty() => words
            .into_iter()
            .map(|word| match word {
                Value::Text(word) => Ok(word),
                _ => Err("alternatives are texts".to_owned()),
            })
            .collect(),
        _ => Err("a pattern is made of texts and lists of texts".into()),
    }
}

fn text_of(name: &str, values: &mut BTreeMap<String, Value>) -> Result<Option<String>, String> {
    match values.remove(name) {
        None | Some(Value::Nothing) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(Value::List(_)) => Err(format!("{name} is a text, not a list")),
    }
}

fn examples(name: &str, values: &mut BTreeMap<String, Value>) -> Result<Vec<Vec<Word>>, String> {
    let list = match values.remove(name) {
        None | Some(Value::Nothing) => return Ok(Vec::new()),
        Some(Value::List(list)) => list,
        Some(Value::Text(_)) => return Err(format!("{name} is a list of examples")),
    };
    list.into_iter()
        .map(|example| match example {
            Value::Text(line) => match shell::parse(&line).commands.as_slice() {
                [only] => Ok(only.words.clone()),
                _ => Err(format!("an example of {name} is not one command: `{line}`")),
            },
            list @ Value::List(_) => Ok(alternatives(list)?.into_iter().map(Word::fixed).collect()),
            Value::Nothing => Err(format!("an example of {name} is a text or a list of words")),
        })
        .collect()
}
