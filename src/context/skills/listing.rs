//! The list of skills the model sees, held to a budget.
//!
//! When the full list is too long, short descriptions stand in for long ones, then descriptions are cut to a common length,
//! then skills are left out, the last first. Paths are short: each root has an alias.

use std::path::{Path, PathBuf};

use super::skill::Skill;
use crate::context::wording;

/// The listing, and the skills it has no room for.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// What goes between the tags.
    pub text: String,
    /// Names of skills that are not in it.
    pub left_out: Vec<String>,
}

/// Bytes the lines of the listing may have: 2 % of the window at four bytes per token, or 8,000 when it is unknown.
#[must_use]
pub fn budget(context_window: Option<u64>) -> usize {
    context_window.map_or(8000, |tokens| usize::try_from(tokens / 50 * 4).unwrap_or(usize::MAX))
}

/// Lists those of `skills` the model may choose by itself; `None` when there are none.
#[must_use]
pub fn listing(mut skills: Vec<(usize, &Skill)>, roots: &[PathBuf], budget: usize) -> Option<Listing> {
    skills.retain(|(_, skill)| skill.implicit);
    if skills.is_empty() {
        return None;
    }
    let aliases = aliases(&skills, roots.len());
    let mut paths: Vec<String> =
        skills.iter().map(|&(root, skill)| short_path(skill, &roots[root], aliases[root])).collect();
    let left_out = leave_out(&mut skills, &mut paths, budget);
    let descriptions = shorten(&skills, &paths, budget);
    let lines: Vec<String> = skills
        .iter()
        .zip(descriptions)
        .zip(&paths)
        .map(|(((_, skill), text), path)| line(&skill.name, &text, path))
        .collect();
    let used = |root: usize| skills.iter().any(|&(used, _)| used == root);
    let roots: Vec<String> = (roots.iter().enumerate())
        .filter(|(index, _)| used(*index))
        .map(|(index, root)| format!("- `r{}` = `{}`", aliases[index], root.display()))
        .collect();
    let values = [("roots", roots.join("\n")), ("skills", lines.join("\n"))];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let text = wording::fill(include_str!("../../../prompts/fragments/skills.md"), &values);
    Some(Listing { text, left_out })
}

/// Numbers the roots that have skills, in order.
fn aliases(skills: &[(usize, &Skill)], roots: usize) -> Vec<usize> {
    let mut next = 0;
    (0..roots)
        .map(|root| {
            let alias = next;
            next += usize::from(skills.iter().any(|&(used, _)| used == root));
            alias
        })
        .collect()
}

fn short_path(skill: &Skill, root: &Path, alias: usize) -> String {
    let path = skill.path.strip_prefix(root).unwrap_or(&skill.path);
    format!("r{alias}/{}", path.display())
}

fn line(name: &str, description: &str, path: &str) -> String {
    if description.is_empty() {
        format!("- {name} (file: {path})")
    } else {
        format!("- {name}: {description} (file: {path})")
    }
}

/// Bytes a line takes without its description, its line end included.
fn bare_len(skill: &Skill, path: &str) -> usize {
    skill.name.len() + path.len() + "- :  (file: )\n".len()
}

/// Drops skills from the end until the lines fit without descriptions. Returns their names.
fn leave_out(skills: &mut Vec<(usize, &Skill)>, paths: &mut Vec<String>, budget: usize) -> Vec<String> {
    let mut used = 0;
    let fits = skills.iter().zip(&*paths).take_while(|((_, skill), path)| {
        used += bare_len(skill, path);
        used <= budget
    });
    let kept = fits.count();
    paths.truncate(kept);
    skills.split_off(kept).into_iter().map(|(_, skill)| skill.name.clone()).collect()
}

/// The descriptions, cut where needed so that the lines fit.
fn shorten(skills: &[(usize, &Skill)], paths: &[String], budget: usize) -> Vec<String> {
    let bare: usize = skills.iter().zip(paths).map(|((_, skill), path)| bare_len(skill, path)).sum();
    let room = budget.saturating_sub(bare);
    let total = |texts: &[&str]| texts.iter().map(|text| text.len()).sum::<usize>();
    let mut texts: Vec<&str> = skills.iter().map(|(_, skill)| skill.description.as_str()).collect();
    if total(&texts) > room {
        let short = |skill: &'_ Skill| {
            skill.short_description.as_ref().filter(|text| text.len() < skill.description.len()).cloned()
        };
        let short: Vec<Option<String>> = skills.iter().map(|(_, skill)| short(skill)).collect();
        let texts: Vec<&str> = texts.iter().zip(&short).map(|(text, short)| short.as_deref().unwrap_or(text)).collect();
        let cap = common_length(texts.iter().map(|text| text.len()).collect(), room);
        return texts.iter().map(|text| shortened(text, cap)).collect();
    }
    texts.drain(..).map(str::to_owned).collect()
}

/// The greatest length such that texts of these lengths, each cut to it, take no more than `room`.
fn common_length(mut lengths: Vec<usize>, mut room: usize) -> usize {
    lengths.sort_unstable();
    for (index, &length) in lengths.iter().enumerate() {
        let share = room / (lengths.len() - index);
        if length > share {
            return share;
        }
        room -= length;
    }
    usize::MAX
}

/// `text`, or its beginning and an ellipsis, in at most `max` bytes.
fn shortened(text: &str, max: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= max {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(ELLIPSIS.len()).filter(|room| *room > 0) else { return String::new() };
    [text[..text.floor_char_boundary(room)].trim_end(), ELLIPSIS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, description: String, short: Option<&str>) -> Skill {
        Skill {
            path: format!("/root/{name}/SKILL.md").into(),
            name: name.into(),
            description,
            short_description: short.map(str::to_owned),
            learned: None,
            implicit: true,
        }
    }

    fn lines(skills: &[Skill], budget: usize) -> (Vec<String>, Vec<String>) {
        let roots = [PathBuf::from("/empty"), PathBuf::from("/root")];
        let listing = listing(skills.iter().map(|skill| (1, skill)).collect(), &roots, budget).unwrap();
        assert!(listing.text.contains("- `r0` = `/root`") || skills.len() == listing.left_out.len());
        assert!(!listing.text.contains("/empty"));
        (listing.text.lines().filter(|line| line.contains("(file: ")).map(str::to_owned).collect(), listing.left_out)
    }

    #[test]
    fn descriptions_give_way_before_skills_do() {
        let skills = [
            skill("a", "x".repeat(300), None),
            skill("b", "tiny".into(), None),
            skill("c", "y".repeat(300), Some("brief")),
        ];
        let full = lines(&skills, 10_000).0;
        assert_eq!(full[2], format!("- c: {} (file: r0/c/SKILL.md)", "y".repeat(300)));
        let (short, left_out) = lines(&skills, 250);
        assert!(left_out.is_empty());
        assert!(short[0].starts_with("- a: xxx") && short[0].contains("x… (file: r0/a/SKILL.md)"), "{short:?}");
        assert_eq!(short[1], "- b: tiny (file: r0/b/SKILL.md)");
        assert_eq!(short[2], "- c: brief (file: r0/c/SKILL.md)");
        assert_eq!(
            lines(&skills, 60),
            (vec!["- a (file: r0/a/SKILL.md)".into(), "- b (file: r0/b/SKILL.md)".into()], vec!["c".into()])
        );
        assert_eq!(lines(&skills, 0).1, ["a", "b", "c"]);
    }

    #[test]
    fn the_lines_never_exceed_the_budget() {
        let skills: Vec<Skill> = (0..40).map(|n| skill(&format!("skill{n}"), "é".repeat(n * 7), None)).collect();
        for budget in [0, 10, 500, 1000, 1600, 2000, 5000, 12_000] {
            let (lines, left_out) = lines(&skills, budget);
            assert!(lines.iter().map(|line| line.len() + 1).sum::<usize>() <= budget, "{budget}");
            assert_eq!(lines.len() + left_out.len(), skills.len());
        }
    }

    #[test]
    fn the_budget_follows_the_window() {
        assert_eq!(budget(None), 8000);
        assert_eq!(budget(Some(272_000)), 21_760);
        assert_eq!(budget(Some(u64::MAX)), usize::try_from(u64::MAX / 50 * 4).unwrap());
    }
}
