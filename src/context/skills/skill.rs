//! One skill, read from its files.

use serde::Deserialize;
use std::path::{Path, PathBuf};

use crate::text::frontmatter;

const NAME_MAX_CHARS: usize = 64;
const DESCRIPTION_MAX_CHARS: usize = 1024;

/// A skill that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// What a person writes after `$`.
    pub name: String,
    /// When to use it, on one line.
    pub description: String,
    /// A shorter description, for when there is little room.
    pub short_description: Option<String>,
    /// Its SKILL.md.
    pub path: PathBuf,
    /// Whether the model may choose it by itself. Otherwise it is not listed and only a mention loads it.
    pub implicit: bool,
    /// The id of the entry it was learned as, when it was.
    pub learned: Option<String>,
}

#[derive(Deserialize)]
struct Front {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, rename = "short-description")]
    short_description: Option<String>,
    /// Whose it is: see `ledger/skill_file.rs`.
    #[serde(default)]
    hone: Option<String>,
}

#[derive(Deserialize)]
struct Sidecar {
    #[serde(default)]
    policy: Option<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    allow_implicit_invocation: Option<bool>,
}

/// Reads a skill from the text of its SKILL.md at `path`.
///
/// # Errors
/// What is wrong with it, and what would put it right.
pub fn parse(path: &Path, text: &str, implicit: bool) -> Result<Skill, String> {
    let (yaml, _) = frontmatter::split(text)
        .ok_or("it has no front matter; begin the file with a `---` line, `description: …` and another `---` line")?;
    let front: Front = frontmatter::parse(yaml)
        .map_err(|error| format!("its front matter is not valid YAML: {error} (quote values that hold `: `)"))?;
    let name = match front.name.as_deref().map(one_line).filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => {
            path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
    };
    let description = front.description.as_deref().map(one_line).filter(|text| !text.is_empty());
    let description = description.ok_or("its front matter lacks `description`")?;
    at_most("name", &name, NAME_MAX_CHARS)?;
    at_most("description", &description, DESCRIPTION_MAX_CHARS)?;
    let (short_description, mark) =
        front.metadata.map_or((None, None), |metadata| (metadata.short_description, metadata.hone));
    let learned = mark.and_then(|mark| Some(mark.split_once('-')?.0.to_owned()));
    let short_description = short_description.as_deref().map(one_line).filter(|text| !text.is_empty());
    Ok(Skill { name, description, short_description, path: path.to_owned(), implicit, learned })
}

/// Whether a skill's `agents/openai.yaml` lets the model choose it by itself.
///
/// # Errors
/// What is wrong with the file.
pub fn allows_implicit(yaml: &str) -> Result<bool, String> {
    if yaml.trim().is_empty() {
        return Ok(true);
    }
    let sidecar: Sidecar = frontmatter::parse(yaml).map_err(|error| format!("it is not valid YAML: {error}"))?;
    Ok(sidecar.policy.and_then(|policy| policy.allow_implicit_invocation).unwrap_or(true))
}

fn at_most(key: &str, value: &str, max: usize) -> Result<(), String> {
    let count = value.chars().count();
    if count > max { Err(format!("its `{key}` has {count} characters; at most {max} are allowed")) } else { Ok(()) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Skill, String> {
        parse(Path::new("/s/folder/SKILL.md"), text, true)
    }

    #[test]
    fn name_defaults_to_the_folder_and_texts_become_one_line() {
        let skill = read("---\ndescription: >\n  two\n  lines\nmetadata:\n  short-description: short\n---\n").unwrap();
        assert_eq!(
            skill,
            Skill {
                name: "folder".into(),
                description: "two lines".into(),
                short_description: Some("short".into()),
                path: "/s/folder/SKILL.md".into(),
                implicit: true,
                learned: None,
            }
        );
        assert_eq!(read("---\nname: 123\ndescription: d\n---\n").unwrap().name, "123");
    }

    #[test]
    fn a_sidecar_can_hide_a_skill() {
        for (sidecar, implicit) in [
            ("", true),
            ("interface:\n  display_name: X\n", true),
            ("policy:\n", true),
            ("policy:\n  allow_implicit_invocation: true\n", true),
            ("policy:\n  allow_implicit_invocation: false\n", false),
        ] {
            assert_eq!(allows_implicit(sidecar), Ok(implicit), "{sidecar}");
        }
        assert!(allows_implicit("policy: [\n").unwrap_err().contains("not valid YAML"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long_name = format!("---\nname: {}\ndescription: d\n---\n", "n".repeat(65));
        let long_description = format!("---\ndescription: {}\n---\n", "d".repeat(1025));
        for (text, part) in [
            ("# Title\n", "no front matter"),
            ("---\nname: x\n---\n", "lacks `description`"),
            ("---\ndescription: \"  \"\n---\n", "lacks `description`"),
            ("---\ndescription: use this: now\n---\n", "quote values"),
            (&long_name, "`name` has 65 characters"),
            (&long_description, "`description` has 1025 characters"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
