//! From characters to simple commands.

use super::{Redirect, Script, Simple, Word};

/// So deep may substitutions lie in each other.
pub(super) const DEPTH: u8 = 12;

/// Longer scripts are not looked at.
const LONGEST: usize = 64 * 1024;

/// So often is reading taken up again behind what is not understood.
const FAILURES: u8 = 64;

/// Words that say how the following commands run, not what runs.
const TRANSPARENT: &[&str] =
    &["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "{", "}", "!", "time"];

/// Words that begin what is not taken apart.
const OPAQUE: &[&str] = &["case", "esac", "select", "function", "coproc"];

/// Why reading stopped.
pub(super) type Stop = &'static str;

pub(super) struct Reader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: u8,
    pub(super) script: Script,
    heredocs: Vec<Heredoc>,
}

struct Heredoc {
    end: String,
    quoted: bool,
    tabs: bool,
    /// Whose input it is, once that command is complete.
    owner: usize,
}

/// Reads a script. Never fails: what cannot be read makes it unknown.
#[must_use]
pub fn parse(text: &str) -> Script {
    if text.len() > LONGEST {
        return Script { commands: Vec::new(), unknown: Some("it is too long to be read") };
    }
    let mut reader = Reader::new(text.chars().collect(), 0);
    if text.contains('\0') {
        reader.script.mark("it has a zero byte");
    }
    reader.everything();
    reader.script
}

impl Reader {
    pub(super) fn new(chars: Vec<char>, depth: u8) -> Self {
        Self { chars, at: 0, depth, script: Script::default(), heredocs: Vec::new() }
    }

    /// Reads to the end, over what it does not understand.
    pub(super) fn everything(&mut self) {
        let mut failures = 0;
        while self.at < self.chars.len() && failures < FAILURES {
            let start = self.at;
            match self.list(false) {
                Ok(()) => {}
                Err(reason) => {
                    self.script.mark(reason);
                    self.heredocs.clear();
                    failures += 1;
                    self.at = self.at.max(start + 1);
                }
            }
        }
        if !self.heredocs.is_empty() {
            self.script.mark("a here-document has no text");
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(offset, c)| self.ahead(offset) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.ahead(1) == Some('\n') => self.at += 2,
                _ => return,
            }
        }
    }

    /// Commands up to the end, or to the `)` that closes a substitution.
    pub(super) fn list(&mut self, inside: bool) -> Result<(), Stop> {
        let mut subshells = 0_usize;
        let mut piped = false;
        loop {
            self.blanks();
            let Some(c) = self.peek() else {
                return if inside || subshells > 0 { Err("a parenthesis is not closed") } else { Ok(()) };
            };
            match c {
                '\n' => {
                    self.at += 1;
                    self.here_documents();
                    continue;
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                    continue;
                }
                ';' | '&' if !(c == '&' && self.ahead(1) == Some('>')) => {
                    self.at += 1;
                    piped = false;
                }
                '|' => {
                    self.at += 1;
                    piped = !self.eat("|");
                    let _both = self.eat("&");
                }
                '(' if self.ahead(1) == Some('(') => {
                    self.script.mark("it computes with (( ))");
                    self.at += 2;
                    subshells += 2;
                }
                '(' => {
                    self.at += 1;
                    subshells += 1;
                }
                ')' if subshells > 0 => {
                    self.at += 1;
                    subshells -= 1;
                }
                ')' if inside => {
                    self.at += 1;
                    return Ok(());
                }
                ')' => return Err("a parenthesis is out of place"),
                _ => piped &= self.command(piped)?,
            }
        }
    }

    /// One simple command, or a word that begins or ends a group: then `true`.
    fn command(&mut self, piped: bool) -> Result<bool, Stop> {
        let mut simple = Simple { piped, ..Simple::default() };
        let mut documents = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | '|' | ')') => break,
                Some('&') if self.ahead(1) != Some('>') => break,
                Some('(') => {
                    self.script.mark("it defines a function or uses a pattern of its own");
                    self.at += 1;
                    self.blanks();
                    self.eat(")");
                    break;
                }
                Some('#') => {
                    if simple.words.first().is_some_and(|word| word.text == "[[") {
                        self.script.mark("a comment stands within [[ ]]");
                    }
                    break;
                }
                Some('<' | '>' | '&') if !matches!((self.peek(), self.ahead(1)), (Some('<' | '>'), Some('('))) => {
                    self.redirect(&mut simple, &mut documents)?;
                }
                Some(c) if c.is_ascii_digit() && self.is_descriptor() => {
                    while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                        self.at += 1;
                    }
                }
                Some(_) => {
                    let start = self.at;
                    let word = self.word()?;
                    let plain: String = self.chars[start..self.at].iter().collect();
                    if !simple.words.is_empty() {
                        simple.words.push(word);
                    } else if is_assignment(&plain) {
                        if self.peek() == Some('(') {
                            self.script.mark("it makes an array");
                        }
                        simple.assigns.push(word);
                    } else if simple.assigns.is_empty() && simple.redirects.is_empty() && TRANSPARENT.contains(&&*plain)
                    {
                        if plain == "time" && matches!(self.rest_of_blanks(), Some('-')) {
                            simple.words.push(word);
                            continue;
                        }
                        return Ok(true);
                    } else if plain == "for" && simple.assigns.is_empty() {
                        return self.for_loop().map(|()| true);
                    } else {
                        if OPAQUE.contains(&&*plain) {
                            self.script.mark("it has a construct that is not taken apart");
                        }
                        simple.words.push(word);
                    }
                }
            }
        }
        let owner = self.script.commands.len();
        for document in documents {
            self.heredocs.push(Heredoc { owner, ..document });
        }
        if simple != (Simple { piped, ..Simple::default() }) {
            self.script.commands.push(simple);
        }
        Ok(false)
    }

    fn rest_of_blanks(&self) -> Option<char> {
        self.chars[self.at..].iter().copied().find(|c| !matches!(c, ' ' | '\t'))
    }

    fn is_descriptor(&self) -> bool {
        let after = self.chars[self.at..].iter().find(|c| !c.is_ascii_digit());
        matches!(after, Some('<' | '>'))
    }

    /// `for NAME in WORDS`: the words run nothing, but what is substituted in them does.
    fn for_loop(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';') => return Ok(()),
                Some('(' | ')' | '<' | '>' | '|' | '&') => return Err("a loop is not taken apart"),
                Some(_) => {
                    let _value = self.word()?;
                }
            }
        }
    }

    fn redirect(&mut self, simple: &mut Simple, documents: &mut Vec<Heredoc>) -> Result<(), Stop> {
        if self.eat("<<<") {
            self.blanks();
            let word = self.word()?;
            simple.redirects.push(Redirect::Text(word));
            return Ok(());
        }
        if self.eat("<<") {
            let tabs = self.eat("-");
            self.blanks();
            let start = self.at;
            let word = self.word()?;
            if !word.fixed {
                return Err("the end of a here-document cannot be told");
            }
            let quoted = self.chars[start..self.at].iter().any(|c| matches!(c, '\'' | '"' | '\\'));
            documents.push(Heredoc { end: word.text, quoted, tabs, owner: 0 });
            return Ok(());
        }
        let duplicates = self.eat("<&");
        let reads = duplicates || (self.peek() == Some('<') && self.ahead(1) != Some('>') && self.eat("<"));
        let may_duplicate = !reads && self.eat(">&");
        if !reads && !may_duplicate {
            let _operator = ["&>>", "&>", ">>", ">|", "<>", ">"].iter().any(|operator| self.eat(operator));
        }
        self.blanks();
        let word = self.word()?;
        if word.text.is_empty() && word.fixed {
            return Err("a redirection leads nowhere");
        }
        let number = word.text.strip_suffix('-').unwrap_or(&word.text);
        if (duplicates || may_duplicate) && word.fixed && number.chars().all(|c| c.is_ascii_digit()) {
            return Ok(());
        }
        simple.redirects.push(if reads { Redirect::Read(word) } else { Redirect::Write(word) });
        Ok(())
    }

    /// The texts of the here-documents that were begun on the line that just ended.
    fn here_documents(&mut self) {
        for document in std::mem::take(&mut self.heredocs) {
            let mut text = String::new();
            let mut ended = false;
            while self.at < self.chars.len() && !ended {
                let length = self.chars[self.at..].iter().take_while(|c| **c != '\n').count();
                let line: String = self.chars[self.at..self.at + length].iter().collect();
                self.at = (self.at + length + 1).min(self.chars.len());
                let line = if document.tabs { line.trim_start_matches('\t') } else { &line };
                ended = line == document.end;
                if !ended {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            if !ended {
                self.script.mark("a here-document does not end");
            }
            if !document.quoted {
                self.substitutions_of(&text);
            }
            if let Some(owner) = self.script.commands.get_mut(document.owner) {
                let fixed = document.quoted || !text.contains(['$', '`', '\\']);
                owner.redirects.push(Redirect::Text(Word { text, fixed, may_be_option: false }));
            }
        }
    }

    /// What is run to fill in a here-document.
    fn substitutions_of(&mut self, text: &str) {
        if text.contains('`') || text.contains("$(") || text.contains("${") {
            // A backslash and a line break have a meaning of their own in here; so have quotes within `${}`.
            self.script.mark("a here-document is filled in");
            let mut inner = Self::new(text.chars().collect(), self.depth.saturating_add(1));
            if let Err(reason) = inner.quoted(None, &mut Word::default()) {
                inner.script.mark(reason);
            }
            // Places in the list are kept: what is found comes after all others.
            self.script.commands.append(&mut inner.script.commands);
        }
    }

    /// What stands in `$(…)` or `` `…` ``; `at` is behind its opening.
    pub(super) fn substitution(&mut self) -> Result<(), Stop> {
        if self.depth >= DEPTH {
            return Err("substitutions lie too deep in each other");
        }
        self.depth += 1;
        let waiting = std::mem::take(&mut self.heredocs);
        let result = self.list(true);
        if !self.heredocs.is_empty() {
            self.script.mark("a here-document has no text");
        }
        self.heredocs = waiting;
        self.depth -= 1;
        result
    }
}

fn is_assignment(plain: &str) -> bool {
    plain.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
