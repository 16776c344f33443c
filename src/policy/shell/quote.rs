//! Words: quotes, expansions, and what they hide.

use super::Word;
use super::read::{DEPTH, Reader, Stop};

/// What may stand in `${…}` without running or meaning anything else.
const PLAIN_EXPANSION: &str = "_:-./%#*?,=+ ";

impl Reader {
    /// One word; empty when none begins here.
    pub(super) fn word(&mut self) -> Result<Word, Stop> {
        let mut word = Word { fixed: true, ..Word::default() };
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '|' | ')' | '&' => break,
                '<' | '>' if self.ahead(1) == Some('(') => {
                    self.at += 2;
                    self.substitution()?;
                    word.text.push_str("<(…)");
                    word.fixed = false;
                }
                '<' | '>' => break,
                '(' if self.at == start => return Err("a parenthesis is out of place"),
                '(' => break,
                '\\' => self.escaped(&mut word)?,
                '\'' => self.single_quoted(&mut word)?,
                '"' => {
                    self.at += 1;
                    self.quoted(Some('"'), &mut word)?;
                }
                '$' => self.dollar(&mut word, false)?,
                '`' => {
                    self.backticks(&mut word)?;
                    word.may_be_option = true;
                }
                '*' | '?' | '[' => {
                    // A pattern becomes names of files; only at the beginning, or behind a dash, can they be options.
                    word.may_be_option |= word.text.is_empty() || word.text.starts_with('-');
                    word.fixed &= c == '[' && (self.at == start || word.text == "[") && self.is_test();
                    word.text.push(c);
                    self.at += 1;
                }
                '{' => {
                    // `{}` and `@{1}` stay as they are.
                    let inside = self.chars[self.at + 1..].iter().take(8);
                    let plain = inside.clone().take_while(|c| c.is_ascii_alphanumeric()).count();
                    if inside.clone().nth(plain) != Some(&'}') {
                        word.fixed = false;
                        word.may_be_option = true;
                    }
                    word.text.push(c);
                    self.at += 1;
                }
                _ => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        if self.at == start {
            return Err("a word is missing");
        }
        Ok(word)
    }

    /// Whether `[` begins the command of that name, `[` or `[[`.
    fn is_test(&self) -> bool {
        matches!(self.ahead(1), None | Some(' ' | '\t' | '[' | '\n'))
    }

    fn escaped(&mut self, word: &mut Word) -> Result<(), Stop> {
        match self.ahead(1) {
            None => return Err("it ends with a backslash"),
            Some('\n') if matches!(self.ahead(2), Some('(' | '&' | '|' | '<' | '>' | '$' | '`' | '#')) => {
                return Err("an operator goes over the end of a line");
            }
            Some('\n') => {}
            Some(c) => word.text.push(c),
        }
        self.at += 2;
        Ok(())
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Stop> {
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err("a quote is not closed"),
                Some('\'') => break self.at += 1,
                Some(c) => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    /// The inside of double quotes, up to `end`, or all there is.
    pub(super) fn quoted(&mut self, end: Option<char>, word: &mut Word) -> Result<(), Stop> {
        loop {
            match self.peek() {
                None if end.is_none() => return Ok(()),
                None => return Err("a quote is not closed"),
                Some(c) if Some(c) == end => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    match self.ahead(1) {
                        Some('\n') => {}
                        Some(c @ ('$' | '`' | '"' | '\\')) => word.text.push(c),
                        Some(c) => word.text.extend(['\\', c]),
                        None => word.text.push('\\'),
                    }
                    self.at = (self.at + 2).min(self.chars.len());
                }
                Some('$') => self.dollar(word, true)?,
                Some('`') => self.backticks(word)?,
                Some(c) => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    /// What a dollar sign begins.
    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), Stop> {
        let empty = word.text.is_empty();
        match self.ahead(1) {
            Some('\'') if !quoted => return self.ansi_quoted(word),
            Some('"') if !quoted => {
                self.at += 2;
                return self.quoted(Some('"'), word);
            }
            Some('(') => {
                self.at += 2;
                if !self.arithmetic() {
                    if self.peek() == Some('(') {
                        self.script.mark("it computes with what it runs");
                    }
                    self.substitution()?;
                }
                word.text.push_str("$(…)");
            }
            Some('{') => {
                let length = self.chars[self.at..].iter().position(|c| *c == '}').ok_or("a brace is not closed")?;
                let inside: String = self.chars[self.at + 2..self.at + length].iter().collect();
                let name = inside.trim_start_matches('#');
                let plain = name.starts_with(|c: char| c.is_ascii_alphanumeric() || "_*?@".contains(c))
                    && (name == "@"
                        || inside.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN_EXPANSION.contains(c)));
                if !plain {
                    self.at += 2;
                    return Err("an expansion is not taken apart");
                }
                word.text.push_str(&format!("${{{inside}}}"));
                self.at += length + 1;
            }
            Some('[') => return Err("it computes in an old way"),
            Some('\\') => return Err("an expansion goes over the end of a line"),
            Some(c) if c.is_ascii_alphanumeric() || "_*@#?$!-".contains(c) => {
                self.at += 1;
                word.text.push('$');
                if c.is_ascii_alphabetic() || c == '_' {
                    while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                        word.text.push(c);
                        self.at += 1;
                    }
                } else {
                    word.text.push(c);
                    self.at += 1;
                }
                if !quoted && self.peek() == Some('[') {
                    return Err("an expansion is not taken apart");
                }
            }
            _ => {
                // A dollar sign by itself.
                word.text.push('$');
                self.at += 1;
                return Ok(());
            }
        }
        word.fixed = false;
        // Unquoted, it may become several words; at the beginning or behind a dash, it decides what the word is.
        word.may_be_option |= !quoted || empty || word.text.starts_with('-');
        Ok(())
    }

    /// Skips `((…))` when it only computes; `at` is on its second parenthesis. `$((a) | (b))` runs `a` and `b`.
    fn arithmetic(&mut self) -> bool {
        if self.peek() != Some('(') {
            return false;
        }
        let rest = &self.chars[self.at..];
        let mut open = 1_usize;
        for (offset, c) in rest.iter().enumerate() {
            match c {
                '(' if offset > 0 && rest[offset - 1] == '$' => return false,
                '(' => open += 1,
                ')' if open == 2 => {
                    let closed = rest.get(offset + 1) == Some(&')');
                    self.at += if closed { offset + 2 } else { 0 };
                    return closed;
                }
                ')' => open -= 1,
                c if open > 1 && (c.is_ascii_alphanumeric() || "_+-*/%<>=!&|?:,$^~ ".contains(*c)) => {}
                _ => return false,
            }
        }
        false
    }

    fn backticks(&mut self, word: &mut Word) -> Result<(), Stop> {
        let from = self.at + 1;
        let mut to = from;
        while self.chars.get(to).is_some_and(|c| *c != '`') {
            to += if self.chars[to] == '\\' { 2 } else { 1 };
        }
        if to >= self.chars.len() {
            return Err("a backtick is not closed");
        }
        let inside: String = self.chars[from..to].iter().collect();
        if inside.contains('\\') {
            self.script.mark("there are backslashes within backticks");
        }
        if self.depth >= DEPTH {
            return Err("substitutions lie too deep in each other");
        }
        let mut inner = Self::new(inside.replace("\\`", "`").chars().collect(), self.depth + 1);
        inner.everything();
        self.script.commands.append(&mut inner.script.commands);
        if let Some(reason) = inner.script.unknown {
            self.script.mark(reason);
        }
        self.at = to + 1;
        word.text.push_str("$(…)");
        word.fixed = false;
        word.may_be_option |= word.text.starts_with(['-', '$']);
        Ok(())
    }

    /// `$'…'`.
    fn ansi_quoted(&mut self, word: &mut Word) -> Result<(), Stop> {
        self.at += 2;
        loop {
            match self.peek() {
                None => return Err("a quote is not closed"),
                Some('\'') => break self.at += 1,
                Some('\\') => {
                    self.at += 1;
                    let c = self.peek().ok_or("a quote is not closed")?;
                    self.at += 1;
                    match c {
                        'n' => word.text.push('\n'),
                        't' => word.text.push('\t'),
                        '\'' => {
                            // A plain POSIX shell ends the quote here.
                            self.script.mark("shells do not agree on a quote");
                            word.text.push(c);
                        }
                        '\\' | '"' | '?' => word.text.push(c),
                        'x' => self.coded(16, 2, word)?,
                        'u' => self.coded(16, 4, word)?,
                        'U' => self.coded(16, 8, word)?,
                        '0'..='7' => {
                            self.at -= 1;
                            self.coded(8, 3, word)?;
                        }
                        _ => return Err("an escape is not known"),
                    }
                }
                Some(c) => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn coded(&mut self, radix: u32, digits: usize, word: &mut Word) -> Result<(), Stop> {
        let code: String =
            self.chars[self.at..].iter().take(digits).take_while(|c| c.is_digit(radix)).copied().collect();
        self.at += code.len();
        let number = u32::from_str_radix(&code, radix).map_err(|_| "an escape is not known")?;
        // Bytes above 127 are parts of characters, and zero ends the word for bash.
        let c = char::from_u32(number).filter(|_| number != 0 && (digits > 3 || number < 128));
        word.text.push(c.ok_or("an escape is not known")?);
        Ok(())
    }
}
