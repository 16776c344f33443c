//! Colours and weights for terminals: what a text looks like, and whether looks are shown at all.

/// One of the terminal's own colours, so that people's themes stay in charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// Whatever text has anyway.
    #[default]
    Default,
    /// Removed, failed.
    Red,
    /// Added, done.
    Green,
    /// Attention.
    Yellow,
    /// Links, types.
    Blue,
    /// Keywords.
    Magenta,
    /// Code, places.
    Cyan,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Its colour.
    pub color: Color,
    /// Heavy.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// Foreground and background swapped.
    pub reverse: bool,
}

impl Look {
    /// Like the text around it.
    pub const PLAIN: Self = Self::of(Color::Default);
    /// Faint.
    pub const DIM: Self = Self { dim: true, ..Self::PLAIN };
    /// Heavy.
    pub const BOLD: Self = Self { bold: true, ..Self::PLAIN };

    /// Text of a colour.
    #[must_use]
    pub const fn of(color: Color) -> Self {
        Self { color, bold: false, dim: false, italic: false, underline: false, strike: false, reverse: false }
    }

    /// The same, heavy.
    #[must_use]
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The parameters of the SGR sequence that turns this look on, each followed by `;`.
    fn write_codes(self, out: &mut String) {
        let flags = [
            (self.bold, "1;"),
            (self.dim, "2;"),
            (self.italic, "3;"),
            (self.underline, "4;"),
            (self.reverse, "7;"),
            (self.strike, "9;"),
        ];
        for (_, code) in flags.into_iter().filter(|(on, _)| *on) {
            out.push_str(code);
        }
        out.push_str(match self.color {
            Color::Default => "",
            Color::Red => "31;",
            Color::Green => "32;",
            Color::Yellow => "33;",
            Color::Blue => "34;",
            Color::Magenta => "35;",
            Color::Cyan => "36;",
        });
    }
}

/// Whether looks are shown. Without colour not a single escape sequence is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether the reader is a terminal that shall be coloured.
    pub color: bool,
}

impl Style {
    /// Bare text.
    pub const PLAIN: Self = Self { color: false };
    /// Text with looks.
    pub const COLORED: Self = Self { color: true };

    /// Appends `text` in `look` to `out`.
    pub fn write(self, out: &mut String, look: Look, text: &str) {
        if !self.color || look == Look::PLAIN || text.is_empty() {
            out.push_str(text);
            return;
        }
        out.push_str("\x1b[");
        look.write_codes(out);
        out.pop();
        out.push('m');
        out.push_str(text);
        out.push_str("\x1b[0m");
    }

    /// `text` in `look`.
    #[must_use]
    pub fn paint(self, look: Look, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 12);
        self.write(&mut out, look, text);
        out
    }

    /// `text` faint.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint(Look::DIM, text)
    }

    /// `text` heavy.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint(Look::BOLD, text)
    }

    /// `text` in red.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint(Look::of(Color::Red), text)
    }

    /// `text` in green.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint(Look::of(Color::Green), text)
    }

    /// `text` in yellow.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint(Look::of(Color::Yellow), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_one_sequence_and_plain_text_none() {
        let strong = Look { underline: true, ..Look::of(Color::Blue).bold() };
        assert_eq!(Style::COLORED.paint(strong, "x"), "\x1b[1;4;34mx\x1b[0m");
        assert_eq!(Style::COLORED.paint(Look::PLAIN, "x"), "x");
        assert_eq!(Style::COLORED.dim(""), "");
        assert_eq!(Style::PLAIN.red("x"), "x");
    }
}
