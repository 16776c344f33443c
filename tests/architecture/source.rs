//! Reads a Rust file far enough to know which paths it names. Comments, texts and what is compiled for tests alone are
//! passed over; macros are read like all other code, which a parser of Rust proper would not do.

use std::collections::{BTreeMap, BTreeSet};

/// A path that code names, such as `crate::text::truncate::middle`, as it is written.
#[derive(Debug, PartialEq)]
pub struct Mention {
    pub line: usize,
    pub path: Vec<String>,
    pub place: Place,
    /// The inline modules around it.
    pub inside: Vec<String>,
}

/// Where a path is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Code,
    Import,
    /// `pub use`.
    Reexport,
    /// The value of a `const` or `static` of a module: where registries are.
    Registry,
}

#[derive(Debug, Default)]
pub struct Source {
    pub mentions: Vec<Mention>,
    /// What names stand for that `use` brought in.
    pub bindings: BTreeMap<String, Vec<String>>,
    /// Modules in files of their own.
    pub children: BTreeSet<String>,
    /// Modules in files of their own that are compiled for tests alone.
    pub test_children: BTreeSet<String>,
}

pub fn read(text: &str) -> Source {
    let mut reader = Reader { tokens: tokens(text), ..Reader::default() };
    while reader.at < reader.tokens.len() {
        reader.step();
    }
    reader.source
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    PathSep,
    Sign(char),
}

#[derive(Default)]
struct Reader {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    /// Inline modules with the depth of what they hold.
    modules: Vec<(String, usize)>,
    /// The depth of the registry that is being read.
    registry: Option<usize>,
    source: Source,
}

impl Reader {
    fn word(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some((_, Token::Word(word))) => Some(word),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        matches!(self.tokens.get(at), Some((_, Token::Sign(other))) if *other == sign)
    }

    fn is_path_sep(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some((_, Token::PathSep)))
    }

    fn step(&mut self) {
        match &self.tokens[self.at].1 {
            Token::Sign('{' | '(' | '[') => self.depth += 1,
            Token::Sign('}' | ')' | ']') => {
                self.depth = self.depth.saturating_sub(1);
                if self.modules.last().is_some_and(|(_, depth)| *depth > self.depth) {
                    self.modules.pop();
                }
            }
            Token::Sign(';') if self.registry == Some(self.depth) => self.registry = None,
            Token::Sign('#') => return self.attribute(),
            Token::Word(word) => match word.as_str() {
                "use" => return self.import(),
                "mod" => return self.module(),
                "const" | "static" if self.at_module_level() && self.word(self.at + 1) != Some("fn") => {
                    self.registry = Some(self.depth);
                }
                _ => return self.path(),
            },
            _ => {}
        }
        self.at += 1;
    }

    fn at_module_level(&self) -> bool {
        self.depth == self.modules.last().map_or(0, |(_, depth)| *depth)
    }

    /// `#[…]`; what follows `#[cfg(test)]` is passed over.
    fn attribute(&mut self) {
        self.at += 1;
        if self.is_sign(self.at, '!') {
            self.at += 1;
        }
        let start = self.at;
        self.skip_group();
        let words: Vec<_> = (start..self.at).filter_map(|at| self.word(at)).collect();
        if words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not") {
            self.skip_item();
        }
    }

    fn skip_group(&mut self) {
        let mut depth = 0;
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Sign('{' | '(' | '[') => depth += 1,
                Token::Sign('}' | ')' | ']') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
    }

    /// Up to the item's `;` or the end of its braces.
    fn skip_item(&mut self) {
        while self.at < self.tokens.len() {
            if self.word(self.at) == Some("mod") && self.is_sign(self.at + 2, ';') {
                self.source.test_children.extend(self.word(self.at + 1).map(String::from));
            }
            if self.is_sign(self.at, ';') {
                self.at += 1;
                return;
            }
            if self.is_sign(self.at, '{') {
                return self.skip_group();
            }
            if self.is_sign(self.at, '(') || self.is_sign(self.at, '[') {
                self.skip_group();
            } else {
                self.at += 1;
            }
        }
    }

    fn module(&mut self) {
        let Some(name) = self.word(self.at + 1).map(String::from) else {
            self.at += 1;
            return;
        };
        if self.is_sign(self.at + 2, ';') {
            self.source.children.insert(name);
        } else {
            self.modules.push((name, self.depth + 1));
        }
        self.at += 2;
    }

    fn import(&mut self) {
        let before = self.at.checked_sub(1);
        let public = before.is_some_and(|at| self.word(at) == Some("pub") || self.is_sign(at, ')'));
        self.at += 1;
        self.tree(&[], if public { Place::Reexport } else { Place::Import });
    }

    /// One `use` tree, ending before the `,`, `}` or `;` that follows it.
    fn tree(&mut self, prefix: &[String], place: Place) {
        let mut path = prefix.to_vec();
        let mut line = self.tokens.get(self.at).map_or(0, |(line, _)| *line);
        loop {
            if self.is_sign(self.at, '{') {
                self.at += 1;
                while self.at < self.tokens.len() && !self.is_sign(self.at, '}') {
                    self.tree(&path, place);
                    self.at += usize::from(self.is_sign(self.at, ','));
                }
                self.at += 1;
                return;
            }
            match self.tokens.get(self.at) {
                Some((at, Token::Word(word))) if word != "as" => {
                    line = *at;
                    path.push(word.clone());
                }
                Some((_, Token::Sign('*'))) => path.push("*".into()),
                Some((_, Token::PathSep)) => {}
                _ => break,
            }
            self.at += 1;
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned();
        if self.word(self.at) == Some("as") {
            name = self.word(self.at + 1).map(String::from);
            self.at += 2;
        }
        if let Some(name) = name.filter(|name| name != "*") {
            self.source.bindings.insert(name, path.clone());
        }
        // `use<'a>` in a type names nothing.
        if !path.is_empty() {
            self.mention(line, path, place);
        }
    }

    fn path(&mut self) {
        let line = self.tokens[self.at].0;
        let mut path = Vec::new();
        while let Some(word) = self.word(self.at) {
            path.push(word.to_owned());
            self.at += 1;
            if !self.is_path_sep(self.at) {
                break;
            }
            self.at += 1;
        }
        if path.len() > 1 {
            let place = if self.registry.is_some() { Place::Registry } else { Place::Code };
            self.mention(line, path, place);
        }
    }

    fn mention(&mut self, line: usize, path: Vec<String>, place: Place) {
        let inside = self.modules.iter().map(|(name, _)| name.clone()).collect();
        self.source.mentions.push(Mention { line, path, place, inside });
    }
}

/// The words and signs of `text` with their lines. Comments, texts, characters, lifetimes and numbers are left out.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, token) = next_token(rest, first);
        if let Some(token) = token {
            tokens.push((line, token));
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn next_token(text: &str, first: char) -> (usize, Option<Token>) {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), None);
    }
    if text.starts_with("/*") {
        return (comment_length(text), None);
    }
    if text.starts_with("::") {
        return (2, Some(Token::PathSep));
    }
    if first == '"' {
        return (quoted_length(text, '"'), None);
    }
    if first == '\'' {
        // A lifetime has no second quote right after its first character.
        let mut characters = text.chars().skip(1);
        let escaped = characters.next() == Some('\\');
        let quoted = escaped || characters.next() == Some('\'');
        return (if quoted { quoted_length(text, '\'') } else { 1 }, None);
    }
    if !is_word(first) {
        return (first.len_utf8(), (!first.is_whitespace()).then_some(Token::Sign(first)));
    }
    let word = &text[..text.find(|character| !is_word(character)).unwrap_or(text.len())];
    let after = &text[word.len()..];
    match word {
        "r" | "br" | "cr" if after.starts_with('"') || after.starts_with("#\"") || after.starts_with("##") => {
            (word.len() + raw_length(after), None)
        }
        "b" | "c" if after.starts_with('"') => (word.len() + quoted_length(after, '"'), None),
        "b" if after.starts_with('\'') => (word.len() + quoted_length(after, '\''), None),
        "r" if after.starts_with('#') => (2, None),
        _ if first.is_numeric() => (word.len(), None),
        _ => (word.len(), Some(Token::Word(word.into()))),
    }
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_length(text: &str) -> usize {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let content = hashes + 1;
    text[content..].find(&end).map_or(text.len(), |at| content + at + end.len())
}

fn comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

#[test]
fn all_ways_to_name_a_path_are_seen() {
    let text = r##"
use crate::a::{self, b::{C as D,
    E}, f::*};
pub use g::H;
pub(crate) use ::std::env;
mod child;
mod inline {
    fn f() { super::i::j() }
}
fn g<'a>(x: &'a crate::k::L) -> char { vec![crate::m::n!("crate::no")]; '"' }
const LIST: &[fn()] = &[|| { child::build(); }];
fn h() { Vec::<u8>::new(); "// \" crate::no"; r#"" crate::no "#; b'\''; /* crate::no /* */ crate::no */ o::p() }
"##;
    let source = read(text);
    let seen: Vec<_> =
        source.mentions.iter().map(|mention| (mention.line, mention.path.join("::"), mention.place)).collect();
    use Place::{Code, Import, Reexport, Registry};
    let expected = [
        (2, "crate::a", Import),
        (2, "crate::a::b::C", Import),
        (3, "crate::a::b::E", Import),
        (3, "crate::a::f::*", Import),
        (4, "g::H", Reexport),
        (5, "std::env", Reexport),
        (8, "super::i::j", Code),
        (10, "crate::k::L", Code),
        (10, "crate::m::n", Code),
        (11, "child::build", Registry),
        (12, "o::p", Code),
    ];
    assert_eq!(seen, expected.map(|(line, path, place)| (line, path.to_owned(), place)));
    assert_eq!(source.mentions[6].inside, ["inline"]);
    assert_eq!(source.children, BTreeSet::from(["child".into()]));
    assert_eq!(source.bindings["D"], ["crate", "a", "b", "C"]);
    assert_eq!(source.bindings["a"], ["crate", "a"]);
}

#[test]
fn what_is_compiled_for_tests_alone_is_passed_over() {
    let text = "
#[cfg(test)]
use crate::a::B;
#[cfg(test)]
#[allow(dead_code)]
mod tests {
    use crate::c::D;
    fn f() { if true { crate::e::f() } }
}
#[cfg(test)]
mod more_tests;
#[cfg(not(test))]
use crate::g::H;
#[cfg(unix)]
use crate::i::J;
";
    let source = read(text);
    let seen: Vec<_> = source.mentions.iter().map(|mention| mention.path.join("::")).collect();
    assert_eq!(seen, ["crate::g::H", "crate::i::J"]);
    assert_eq!(source.test_children, BTreeSet::from(["more_tests".into()]));
}
