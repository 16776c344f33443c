//! Skills of the person, of the project and of the program: never changed, never doubled.

use std::path::{Path, PathBuf};

use super::draft::PREFIX;
use crate::agent::ports::{EntryKind, Files};
use crate::context::skills::skill::{self, Skill as Found};
use crate::protocol::learned::Skill;
use crate::text::similar::similarity;
use crate::text::terms::{count, terms};

/// How deep below a root skills are looked for.
const DEPTH: usize = 3;
/// How many are looked at in all.
const MOST: usize = 500;
/// Which share of a name's words another skill has to hold to be for the same.
const SAME_WORDS: f64 = 0.6;
/// How alike two descriptions of the same are.
const SAME_TEXT: f64 = 0.6;

/// The skills below `roots` that are not called one of `ours`. What cannot be read is passed over: no loader offers it.
#[must_use]
pub fn others(files: &dyn Files, roots: &[PathBuf], ours: &[&str]) -> Vec<Found> {
    let mut found = Vec::new();
    for root in roots {
        walk(files, root, 0, &mut found);
    }
    found.retain(|skill| !ours.contains(&skill.name.as_str()));
    found
}

fn walk(files: &dyn Files, folder: &Path, depth: usize, found: &mut Vec<Found>) {
    let Ok(entries) = files.list(folder) else { return };
    let path = folder.join("SKILL.md");
    if entries.iter().any(|(name, kind)| name == "SKILL.md" && *kind == EntryKind::File)
        && let Ok(bytes) = files.read(&path)
        && let Ok(skill) = skill::parse(&path, &String::from_utf8_lossy(&bytes), true)
    {
        found.push(skill);
    }
    for (name, kind) in entries {
        if kind == EntryKind::Dir
            && depth < DEPTH
            && found.len() < MOST
            && (!name.starts_with('.') || name == ".system")
        {
            walk(files, &folder.join(name), depth + 1, found);
        }
    }
}

/// The one among `others` that `skill` would stand beside: it is for the same purpose.
#[must_use]
pub fn beside(skill: &Skill, others: &[Found]) -> Option<String> {
    let words = terms(skill.name.trim_start_matches(PREFIX));
    let same = |other: &&Found| {
        let theirs = terms(&format!("{} {}", other.name, other.description));
        let shared = words.iter().filter(|word| theirs.contains(word)).count();
        let by_name = shared > 1 && count(shared) / count(words.len()) >= SAME_WORDS;
        by_name || similarity(&skill.description, &other.description) >= SAME_TEXT
    };
    others.iter().find(same).map(|other| format!("{} ({})", other.name, other.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::memory_files::MemoryFiles;
    use crate::ledger::skill_file::tests::skill;

    #[test]
    fn a_learned_stub_shadowing_a_better_skill() {
        let files = MemoryFiles::default();
        let text = |name: &str, words: &str| format!("---\nname: {name}\ndescription: {words}\n---\n");
        files.write(
            "/s/db/migrate/SKILL.md",
            text("migrate", "Write and run a migration for a table, adding what it needs"),
        );
        files.write("/s/hone-ours/SKILL.md", text("hone-ours", "Add a migration"));
        files.write("/s/.system/docs/SKILL.md", text("docs", "Write documentation"));
        files.write("/s/broken/SKILL.md", "no front matter");
        let roots = [PathBuf::from("/s"), PathBuf::from("/none")];
        let found = others(&files, &roots, &["hone-ours"]);
        let names: Vec<&str> = found.iter().map(|skill| skill.name.as_str()).collect();
        assert_eq!(names, ["docs", "migrate"]);
        assert_eq!(beside(&skill("hone-add-migration-table"), &found).unwrap(), "migrate (/s/db/migrate/SKILL.md)");
        assert_eq!(beside(&skill("hone-publish-package"), &found), None);
    }
}
