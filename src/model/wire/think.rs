//! Splits `<think>…</think>` off the beginning of an answer, however its pieces are cut.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Of the answer itself.
    Text(String),
    /// Of the reasoning before it.
    Reasoning(String),
}

/// Where an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks and perhaps a part of the tag came.
    #[default]
    Start,
    /// Within the tags.
    Inside,
    /// Behind the closing tag, where blank lines are no part of the answer.
    Behind,
    /// In the answer. No tag means anything here.
    Answer,
}

/// Splits one answer.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    held: String,
    /// Whether anything was thought. Blank lines before that are no thought.
    thought: bool,
}

impl Splitter {
    /// Takes more of the answer.
    pub fn push(&mut self, text: String) -> Vec<Piece> {
        if self.place == Place::Answer {
            return vec![Piece::Text(text)];
        }
        self.held.push_str(&text);
        let mut pieces = Vec::new();
        while self.step(&mut pieces) {}
        pieces
    }

    /// What was held back when the answer ended.
    pub fn finish(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        match self.place {
            _ if held.is_empty() => None,
            Place::Inside => Some(Piece::Reasoning(held)),
            Place::Behind => None,
            Place::Start | Place::Answer => Some(Piece::Text(held)),
        }
    }

    /// `true` when there may be more to do.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> bool {
        match self.place {
            Place::Start => {
                let begun = self.held.trim_start();
                if let Some(rest) = begun.strip_prefix(OPEN) {
                    self.held = rest.to_owned();
                    self.place = Place::Inside;
                    return true;
                }
                if OPEN.starts_with(begun) {
                    return false;
                }
                self.place = Place::Answer;
                pieces.push(Piece::Text(std::mem::take(&mut self.held)));
                false
            }
            Place::Inside => {
                if !self.thought {
                    let blank = self.held.len() - self.held.trim_start_matches(['\r', '\n']).len();
                    self.held.drain(..blank);
                    self.thought = !self.held.is_empty();
                }
                if let Some(at) = self.held.find(CLOSE) {
                    let rest = self.held.split_off(at)[CLOSE.len()..].to_owned();
                    let thought = std::mem::replace(&mut self.held, rest);
                    pieces.extend((!thought.is_empty()).then_some(Piece::Reasoning(thought)));
                    self.place = Place::Behind;
                    return true;
                }
                let keep = (1..CLOSE.len()).rev().find(|n| self.held.ends_with(&CLOSE[..*n])).unwrap_or(0);
                let rest = self.held.split_off(self.held.len() - keep);
                let thought = std::mem::replace(&mut self.held, rest);
                pieces.extend((!thought.is_empty()).then_some(Piece::Reasoning(thought)));
                false
            }
            Place::Behind => {
                let rest = self.held.trim_start();
                if !rest.is_empty() {
                    pieces.push(Piece::Text(rest.to_owned()));
                    self.place = Place::Answer;
                    self.held.clear();
                }
                false
            }
            Place::Answer => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let mut splitter = Splitter::default();
        let mut all: Vec<Piece> = pieces.iter().flat_map(|piece| splitter.push((*piece).to_owned())).collect();
        all.extend(splitter.finish());
        let mut said = (String::new(), String::new());
        for piece in all {
            match piece {
                Piece::Reasoning(text) => said.0 += &text,
                Piece::Text(text) => said.1 += &text,
            }
        }
        said
    }

    #[test]
    fn thoughts_are_split_off_wherever_the_pieces_are_cut() {
        for (whole, thought, answer) in [
            ("<think>a < b</th</think>\n\nanswer <think>kept</think>", "a < b</th", "answer <think>kept</think>"),
            ("\n<think>\né</think>x", "é", "x"),
            ("  plain", "", "  plain"),
            ("<thin", "", "<thin"),
            ("<think>cut", "cut", ""),
            ("<think></think>x", "", "x"),
        ] {
            let expected = (thought.to_owned(), answer.to_owned());
            assert_eq!(split(&[whole]), expected, "{whole}");
            let single: Vec<String> = whole.chars().map(String::from).collect();
            let single: Vec<&str> = single.iter().map(String::as_str).collect();
            assert_eq!(split(&single), expected, "{whole}, letter by letter");
        }
    }
}
