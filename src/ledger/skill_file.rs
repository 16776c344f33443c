//! The `SKILL.md` of a skill, as a pure function of it, so that taking a change back brings back every byte.
//!
//! A line of its front matter names the skill's entry and holds a checksum of the rest. With it a file that this program wrote is told
//! from one that a person wrote or edited, and from another repository's.

use super::view::sum;
use crate::protocol::learned::{EntryId, Skill, Step};
use crate::text::frontmatter;
use crate::text::template::fill;

/// The body, with placeholders.
const BODY: &str = include_str!("../../prompts/evolution/skill_file.md");

/// How the line begins that says whose file it is.
const MARK: &str = "  hone: ";

/// Whose file a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This program wrote it for this entry, and nobody changed it since.
    Written(EntryId),
    /// This program wrote it for this entry, and somebody changed it.
    Edited(EntryId),
    /// Somebody else wrote it.
    Foreign,
}

/// The file's whole text.
#[must_use]
pub fn render(skill: &Skill) -> String {
    if let Some(text) = &skill.text {
        return text.clone();
    }
    let body = body(skill);
    // JSON's strings are strings of YAML too.
    let quoted = serde_json::Value::from(skill.description.as_str()).to_string();
    let front =
        |mark: &str| format!("---\nname: {}\ndescription: {quoted}\nmetadata:\n{mark}---\n\n{body}", skill.name);
    let sum = sum(&front(""));
    front(&format!("{MARK}{}-{sum:016x}\n", skill.id))
}

/// Whose file `text` is.
#[must_use]
pub fn origin(text: &str) -> Origin {
    let front = frontmatter::split(text).map(|(front, _)| front).unwrap_or_default();
    let Some(line) = front.split_inclusive('\n').find(|line| line.starts_with(MARK)) else { return Origin::Foreign };
    let Some((id, told)) = line[MARK.len()..].trim().split_once('-') else { return Origin::Foreign };
    let id = EntryId(id.to_owned());
    let is_whole = u64::from_str_radix(told, 16).is_ok_and(|told| told == sum(&text.replacen(line, "", 1)));
    if is_whole { Origin::Written(id) } else { Origin::Edited(id) }
}

/// The description that a text's front matter gives, if it can be read.
#[must_use]
pub fn description(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Front {
        description: String,
    }
    let (front, _) = frontmatter::split(text)?;
    let front: Front = frontmatter::parse(front).ok()?;
    Some(front.description.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn body(skill: &Skill) -> String {
    let title = skill.name.trim_start_matches("hone-").replace('-', " ");
    let steps: Vec<String> = skill.steps.iter().enumerate().map(|(at, step)| numbered(at + 1, step)).collect();
    let values = [
        ("title", title),
        ("trigger", skill.trigger.clone()),
        ("inputs", list(&skill.inputs)),
        ("steps", steps.join("\n")),
        ("check", skill.check.clone().unwrap_or_default()),
        ("on_failure", list(&skill.on_failure)),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    fill(BODY, &values).unwrap_or_default()
}

fn numbered(number: usize, step: &Step) -> String {
    match &step.command {
        Some(command) => format!("{number}. {}: `{command}`", step.text),
        None => format!("{number}. {}", step.text),
    }
}

fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return "- None.".to_owned();
    }
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::learned::{Author, SkillState};

    pub(crate) fn skill(name: &str) -> Skill {
        Skill {
            id: EntryId::of("repo", name, 1),
            name: name.to_owned(),
            version: 1,
            state: SkillState::Staged,
            pinned: false,
            description: "Add a migration: \"quoted\", in `shop`.".to_owned(),
            trigger: "You are asked to add a migration.".to_owned(),
            inputs: vec!["`<table>`: for example `users`".to_owned()],
            steps: vec![
                Step { text: "Run".to_owned(), command: Some("./new-migration <table>".to_owned()) },
                Step { text: "Change `schema.md`".to_owned(), command: None },
            ],
            check: Some("just t".to_owned()),
            on_failure: Vec::new(),
            combines: Vec::new(),
            author: Author::Rules,
            created_ms: 1,
            updated_ms: 1,
            evidence: Vec::new(),
            text: None,
            beside: None,
            successes: 2,
            attempts: 2,
        }
    }

    #[test]
    fn a_skill_has_all_its_parts() {
        assert!(fill(BODY, &[]).is_err());
        insta::assert_snapshot!(render(&skill("hone-add-migration")));
    }

    #[test]
    fn a_file_says_whose_it_is() {
        let skill = skill("hone-add-migration");
        let text = render(&skill);
        assert_eq!(origin(&text), Origin::Written(skill.id.clone()));
        assert_eq!(description(&text).as_deref(), Some("Add a migration: \"quoted\", in `shop`."));
        for edited in [
            text.replace("just t", "just test"),
            text.replace("description: \"Add", "description: \"Make"),
            text.clone() + "\n",
        ] {
            assert_eq!(origin(&edited), Origin::Edited(skill.id.clone()), "{edited}");
        }
        for foreign in ["", "# Mine\n", "---\nname: hone-x\ndescription: d\n---\n", "---\n  hone: x\n---\n"] {
            assert_eq!(origin(foreign), Origin::Foreign, "{foreign}");
        }
        let by_hand = Skill { text: Some("---\nname: hone-x\n---\nmine\n".to_owned()), ..skill };
        assert_eq!(render(&by_hand), "---\nname: hone-x\n---\nmine\n");
    }
}
