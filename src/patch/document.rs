//! A file's text as lines that remember where they come from and how they end.
//!
//! Lines borrow their text from the file or from the patch. Because a kept line remembers its number in the file, the
//! difference to the file is known at any time without comparing texts.

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r`
    Cr,
    /// The file ends here. Only the last line of a document ends so.
    None,
}

impl Ending {
    /// The characters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
            Self::None => "",
        }
    }
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its text without the ending.
    pub text: &'a str,
    /// Its ending.
    pub ending: Ending,
    /// Its index in the file the document was read from; `None` for a line that is not in it.
    pub origin: Option<u32>,
}

/// A text as lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// Whether the file's last line had no ending.
    pub(super) unterminated: bool,
}

impl<'a> Document<'a> {
    /// A file as it is.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        let lines: Vec<Line<'a>> = (0..).zip(split_lines(text)).map(|(index, line)| read_line(line, index)).collect();
        let unterminated = lines.last().is_some_and(|line| line.ending == Ending::None);
        Self { lines, unterminated }
    }

    /// A new file of these lines.
    #[must_use]
    pub fn written(lines: &[&'a str]) -> Self {
        let lines = lines.iter().map(|text| Line { text, ending: Ending::Lf, origin: None }).collect();
        Self { lines, unterminated: false }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        let len = self.lines.iter().map(|line| line.text.len() + line.ending.as_str().len()).sum();
        let mut text = String::with_capacity(len);
        for line in &self.lines {
            text.push_str(line.text);
            text.push_str(line.ending.as_str());
        }
        text
    }

    /// How new lines end: as the first line that has an ending.
    #[must_use]
    pub fn preferred_ending(&self) -> Ending {
        self.lines.iter().map(|line| line.ending).find(|ending| *ending != Ending::None).unwrap_or(Ending::Lf)
    }
}

/// A text's lines with their endings.
pub fn split_lines(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = match memchr::memchr2(b'\n', b'\r', text.as_bytes()) {
            Some(at) if text[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => text.len(),
        };
        let (line, rest) = text.split_at(end);
        text = rest;
        (!line.is_empty()).then_some(line)
    })
}

fn read_line(line: &str, index: u32) -> Line<'_> {
    let ending = if line.ends_with("\r\n") {
        Ending::CrLf
    } else if line.ends_with('\n') {
        Ending::Lf
    } else if line.ends_with('\r') {
        Ending::Cr
    } else {
        Ending::None
    };
    Line { text: &line[..line.len() - ending.as_str().len()], ending, origin: Some(index) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_out_as_it_went_in() {
        for text in ["", "\n", "a", "a\n", "a\r\nb\nc", "\r", "a\r\r\n\n\r\n", "\rx\n"] {
            assert_eq!(Document::read(text).text(), text, "{text:?}");
        }
    }
}
