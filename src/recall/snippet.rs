//! The part of a text that answers a question.

use super::words::{Term, visit};

/// The part of `text`, of about `most` characters, with the most of `terms` in it, in one line; dots stand for what is left out.
#[must_use]
pub fn snippet(text: &str, terms: &[&Term], most: usize) -> String {
    let marks: Vec<(usize, bool)> = spans(text).map(|(at, word)| (at, holds(word, terms))).collect();
    let start = best(&marks, most);
    let begin = text[..start].char_indices().next_back().map_or(0, |_| start);
    let mut part: String = text[begin..].chars().take(most).collect();
    let cut = begin + part.len() < text.len();
    if cut && let Some(space) = part.rfind(char::is_whitespace).filter(|space| *space > most / 2) {
        part.truncate(space);
    }
    let line = part.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{}{line}{}", if begin > 0 { "… " } else { "" }, if cut { " …" } else { "" })
}

/// Where the window with the most hits begins: a little ahead of its first one.
fn best(marks: &[(usize, bool)], most: usize) -> usize {
    let hits: Vec<usize> = (0..marks.len()).filter(|index| marks[*index].1).collect();
    let count = |from: usize| hits.iter().filter(|hit| (from..from + most).contains(&marks[**hit].0)).count();
    let mut chosen: Option<(usize, usize)> = None;
    for hit in hits.iter().take(200) {
        let found = count(marks[*hit].0);
        if chosen.is_none_or(|(_, best)| found > best) {
            chosen = Some((*hit, found));
        }
    }
    let Some((hit, _)) = chosen else { return 0 };
    marks[hit.saturating_sub(6)].0
}

/// The words of a text with where they begin. Scripts without spaces are cut at every character.
fn spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let begin = at + rest.find(is_word)?;
        let first = text[begin..].chars().next()?;
        let end = match super::words::is_wide(first) {
            // With the next one, since pairs are what is looked for.
            true => begin + text[begin..].chars().take(2).map(char::len_utf8).sum::<usize>(),
            false => {
                let ends = |c: char| !is_word(c) || super::words::is_wide(c);
                begin + text[begin..].find(ends).unwrap_or(text.len() - begin)
            }
        };
        at = if super::words::is_wide(first) { begin + first.len_utf8() } else { end };
        Some((begin, &text[begin..end]))
    })
}

fn holds(word: &str, terms: &[&Term]) -> bool {
    let mut found = false;
    visit(word, |part| found |= terms.iter().any(|term| term.0 == part));
    found
}

#[cfg(test)]
mod tests {
    use super::super::words::of_question;
    use super::*;

    fn cut(text: &str, question: &str, most: usize) -> String {
        let terms = of_question(question);
        snippet(text, &terms.iter().collect::<Vec<_>>(), most)
    }

    #[test]
    fn the_part_that_answers_is_shown() {
        let text = format!("{} the lock file is stale, run cargo update {}", "before ".repeat(60), "after ".repeat(60));
        let part = cut(&text, "stale lock", 80);
        assert!(part.starts_with("… ") && part.ends_with(" …") && part.contains("lock file is stale"), "{part}");
        assert_eq!(cut("short text", "nothing", 80), "short text");
        let chinese = format!("{}数据库端口是五四三三{}", "其他内容".repeat(60), "结尾".repeat(60));
        assert!(cut(&chinese, "数据库端口", 40).contains("数据库端口"));
    }
}
