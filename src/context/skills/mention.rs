//! Skills a person names: `$name`, or `[$name](path)` where a name is not enough.
//!
//! A `$word` that is no skill is left alone, since people write `$PATH` too. A name several skills have is not guessed.

use std::path::{Path, PathBuf};

use super::skill::Skill;

/// The most bytes of a SKILL.md that is loaded on a mention.
pub const SKILL_MAX_BYTES: usize = 128 * 1024;

/// How the message that carries a skill begins.
pub const OPEN: &str = "<skill>\n";
/// How it ends.
pub const CLOSE: &str = "\n</skill>";

/// What a person's message asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mentioned<'a> {
    /// The skills, linked ones first, each once.
    pub skills: Vec<&'a Skill>,
    /// Names that several skills have, with their files.
    pub unclear: Vec<(String, Vec<PathBuf>)>,
}

/// The skills `text` names, out of `skills` in the order they are offered.
#[must_use]
pub fn mentioned<'a>(text: &str, skills: &[&'a Skill], cwd: &Path, home: Option<&Path>) -> Mentioned<'a> {
    let mut found = Mentioned::default();
    let mut names: Vec<&str> = Vec::new();
    for mention in mentions(text) {
        let linked = mention.link.and_then(|link| skills.iter().find(|skill| is_at(skill, link, cwd, home)));
        match linked {
            Some(&skill) if !found.skills.contains(&skill) => found.skills.push(skill),
            Some(_) => {}
            None => names.push(mention.name),
        }
    }
    let linked: Vec<&str> = found.skills.iter().map(|skill| skill.name.as_str()).collect();
    names.retain(|name| !linked.contains(name));
    let mut plain: Vec<&Skill> = Vec::new();
    for name in names {
        let exact: Vec<&'a Skill> = matches(skills, name);
        let (name, hits) = match exact.is_empty() {
            // A colon or dash at the end is punctuation unless a skill is called so.
            true => (name.trim_end_matches([':', '-']), matches(skills, name.trim_end_matches([':', '-']))),
            false => (name, exact),
        };
        match hits.as_slice() {
            [] => {}
            [skill] => plain.push(skill),
            several if found.unclear.iter().all(|(known, _)| known != name) => {
                found.unclear.push((name.to_owned(), several.iter().map(|skill| skill.path.clone()).collect()));
            }
            _ => {}
        }
    }
    let named = skills.iter().filter(|skill| plain.iter().any(|named| named.path == skill.path));
    found.skills.extend(named.copied());
    found
}

/// The message that carries a skill.
#[must_use]
pub fn message(skill: &Skill, contents: &str) -> String {
    format!("{OPEN}<name>{}</name>\n<path>{}</path>\n{contents}{CLOSE}", skill.name, skill.path.display())
}

/// The path in such a message.
#[must_use]
pub fn path_in(message: &str) -> Option<&str> {
    let (_, rest) = message.strip_prefix(OPEN)?.split_once("<path>")?;
    rest.split_once("</path>").map(|(path, _)| path)
}

fn matches<'a>(skills: &[&'a Skill], name: &str) -> Vec<&'a Skill> {
    skills.iter().filter(|skill| skill.name == name).copied().collect()
}

struct Mention<'t> {
    name: &'t str,
    link: Option<&'t str>,
}

/// Every `$name` of `text` with the link around it, if any. A `$` in the middle of a word, as in `US$x`, begins no name.
fn mentions(text: &str) -> impl Iterator<Item = Mention<'_>> {
    text.match_indices('$').filter_map(|(at, _)| {
        let before = text[..at].bytes().next_back();
        let rest = &text[at + 1..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if end == 0 || in_word {
            return None;
        }
        let (name, after) = rest.split_at(end);
        let link = (before == Some(b'[')).then(|| after.strip_prefix("](")?.split_once(')').map(|(link, _)| link));
        Some(Mention { name, link: link.flatten() })
    })
}

/// Whether a link leads to the skill: to its SKILL.md or its folder, absolute, from `~` or from the current folder.
fn is_at(skill: &Skill, link: &str, cwd: &Path, home: Option<&Path>) -> bool {
    let link = link.trim().trim_start_matches("skill://");
    let path = match (link.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => cwd.join(link),
    };
    path == skill.path || Some(path.as_path()) == skill.path.parent()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, path: &str) -> Skill {
        Skill {
            name: name.into(),
            description: "d".into(),
            short_description: None,
            path: path.into(),
            implicit: true,
            learned: None,
        }
    }

    #[test]
    fn names_and_links_find_their_skills() {
        let all = [
            skill("alpha", "/p/.agents/skills/alpha/SKILL.md"),
            skill("dup", "/p/.agents/skills/dup/SKILL.md"),
            skill("ns:beta-1", "/h/.agents/skills/beta/SKILL.md"),
            skill("dup", "/h/.agents/skills/dup/SKILL.md"),
        ];
        let skills: Vec<&Skill> = all.iter().collect();
        for (text, expected, unclear) in [
            ("no mention", vec![], 0),
            ("costs US$alpha, $PATH, $5, ${alpha} and $", vec![], 0),
            ("$alpha", vec![0], 0),
            ("用$alpha。", vec![0], 0),
            ("$alpha: do it, then $alpha- and ($alpha)", vec![0], 0),
            ("first $ns:beta-1 then $alpha", vec![0, 2], 0),
            ("$dup and $dup", vec![], 1),
            ("$alpha then [$dup](/h/.agents/skills/dup/SKILL.md)", vec![3, 0], 0),
            ("[$dup](skill:///p/.agents/skills/dup) $dup", vec![1], 0),
            ("[$dup](.agents/skills/dup/SKILL.md) [$x](~/.agents/skills/beta)", vec![1, 2], 0),
            ("[$alpha](/nowhere/SKILL.md)", vec![0], 0),
            ("[$nothing](/nowhere", vec![], 0),
        ] {
            let found = mentioned(text, &skills, Path::new("/p"), Some(Path::new("/h")));
            let expected: Vec<&Skill> = expected.into_iter().map(|index: usize| &all[index]).collect();
            assert_eq!(found.skills, expected, "{text}");
            assert_eq!(found.unclear.len(), unclear, "{text}");
        }
    }

    #[test]
    fn the_path_of_a_message_is_read_back() {
        let alpha = skill("alpha", "/p/alpha/SKILL.md");
        assert_eq!(path_in(&message(&alpha, "body <path>x</path>")), Some("/p/alpha/SKILL.md"));
        assert_eq!(path_in("<path>x</path>"), None);
    }
}
