//! Finds the skills.
//!
//! The roots are walked every turn, but over stamps: a folder is listed again and a file read again only when its stamp
//! changed. Without any root that is one `stat` per root. A broken skill becomes a warning, never an error.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::skill::{self, Skill};
use crate::agent::ports::{EntryKind, Stamp};
use crate::context::cache::FileCache;
use crate::context::settings::ContextSettings;
use crate::context::warnings::Warnings;

const FILE: &str = "SKILL.md";
const MAX_DEPTH: usize = 6;
const MAX_FOLDERS: usize = 2000;
/// Folders of a skill that hold its material. They are not searched for further skills, which halves the walk.
const MATERIAL: [&str; 4] = ["agents", "assets", "references", "scripts"];
const ADMIN_ROOT: &str = "/etc/codex/skills";

/// All skills found, in the order they are offered: by root, then by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    roots: Vec<PathBuf>,
    entries: Vec<Entry>,
}

/// One SKILL.md, usable or not.
#[derive(Debug)]
struct Entry {
    found: Found,
    skill: Option<Skill>,
}

/// A SKILL.md as the walk saw it. Equal finds need not be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    root: usize,
    path: PathBuf,
    stamp: Stamp,
    sidecar: Option<(PathBuf, Stamp)>,
}

impl Catalogue {
    /// Looks again. Returns whether anything changed.
    pub fn refresh(
        &mut self,
        cache: &mut FileCache,
        settings: &ContextSettings,
        project_folders: &[PathBuf],
        warnings: &mut Warnings,
    ) -> bool {
        let roots = roots(settings, project_folders);
        let mut found = Vec::new();
        for (index, root) in roots.iter().enumerate() {
            walk(cache, index, root, &mut found, warnings);
        }
        if roots == self.roots && found.iter().eq(self.entries.iter().map(|entry| &entry.found)) {
            return false;
        }
        let mut known: HashMap<PathBuf, Entry> =
            self.entries.drain(..).map(|entry| (entry.found.path.clone(), entry)).collect();
        self.entries = found.into_iter().map(|found| entry(cache, found, &mut known, warnings)).collect();
        self.roots = roots;
        true
    }

    /// The usable skills in order, each with the number of its root.
    ///
    /// Links can lead to the same file twice, and a link to a folder above itself does so many times. The port shows no link
    /// targets, but the same file has the same stamp and says the same, so of such finds only the first counts.
    #[must_use]
    pub fn skills(&self, settings: &ContextSettings) -> Vec<(usize, &Skill)> {
        let mut seen = HashSet::new();
        let mut skills: Vec<(usize, &Skill)> = (self.entries.iter())
            .filter_map(|entry| Some((&entry.found, entry.skill.as_ref()?)))
            .filter(|(_, skill)| !is_disabled(skill, settings))
            .filter(|(found, skill)| {
                let Stamp { modified_ns, len, .. } = found.stamp;
                seen.insert((found.root, modified_ns, len, &skill.name, &skill.description))
            })
            .map(|(found, skill)| (found.root, skill))
            .collect();
        skills.sort_by(|(a_root, a), (b_root, b)| (a_root, &a.name, &a.path).cmp(&(b_root, &b.name, &b.path)));
        skills
    }

    /// Where skills are looked for, in order.
    #[must_use]
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }
}

/// Where to look: the project, the person, the program, the machine. A folder that is two of these counts as the person's.
fn roots(settings: &ContextSettings, project_folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut own = vec![settings.codex_home.join("skills")];
    own.extend(settings.user_home.as_ref().map(|home| home.join(".agents/skills")));
    let project = project_folders.iter().flat_map(|dir| [dir.join(".codex/skills"), dir.join(".agents/skills")]);
    let mut roots: Vec<PathBuf> = project.filter(|root| !own.contains(root)).collect();
    roots.extend(own);
    roots.push(settings.codex_home.join("skills/.system"));
    roots.push(PathBuf::from(ADMIN_ROOT));
    roots
}

/// Adds every SKILL.md below `root`, nearest first. Hidden folders are left out; the program's own root lies in one.
fn walk(cache: &mut FileCache, index: usize, root: &Path, found: &mut Vec<Found>, warnings: &mut Warnings) {
    let mut queue = VecDeque::from([(root.to_owned(), 0)]);
    let mut folders = 0;
    while let Some((dir, depth)) = queue.pop_front() {
        if folders == MAX_FOLDERS {
            warnings.once(format!(
                "{} holds over {MAX_FOLDERS} folders; skills in the rest are not found.",
                root.display()
            ));
            return;
        }
        folders += 1;
        let entries = match cache.list(&dir) {
            Ok(Some(entries)) => entries,
            Ok(None) => continue,
            Err(error) => {
                warnings.once(format!("Skills in {} are not found: {error}.", dir.display()));
                continue;
            }
        };
        let has = |name: &str, kind| entries.iter().any(|entry| entry.0 == name && entry.1 == kind);
        let is_skill = has(FILE, EntryKind::File);
        if is_skill {
            let path = dir.join(FILE);
            let sidecar = has("agents", EntryKind::Dir).then(|| dir.join("agents/openai.yaml"));
            let sidecar = sidecar.and_then(|path| cache.file_stamp(&path).map(|stamp| (path, stamp)));
            found.extend(cache.file_stamp(&path).map(|stamp| Found { root: index, path, stamp, sidecar }));
        }
        if depth < MAX_DEPTH {
            let is_passed_over = |name: &str| name.starts_with('.') || is_skill && MATERIAL.contains(&name);
            let folders = entries.iter().filter(|(name, kind)| *kind == EntryKind::Dir && !is_passed_over(name));
            queue.extend(folders.map(|(name, _)| (dir.join(name), depth + 1)));
        }
    }
}

/// The entry for a find: the one known, or a newly read one.
fn entry(cache: &FileCache, found: Found, known: &mut HashMap<PathBuf, Entry>, warnings: &mut Warnings) -> Entry {
    let unchanged = |entry: &Entry| entry.found.stamp == found.stamp && entry.found.sidecar == found.sidecar;
    if let Some(Entry { skill, .. }) = known.remove(&found.path).filter(unchanged) {
        return Entry { found, skill };
    }
    let implicit = found.sidecar.as_ref().is_none_or(|(path, _)| {
        read(cache, path).and_then(|yaml| skill::allows_implicit(&yaml)).unwrap_or_else(|reason| {
            warnings.once(format!("{} is not heeded: {reason}.", path.display()));
            true
        })
    });
    let skill = read(cache, &found.path).and_then(|text| skill::parse(&found.path, &text, implicit));
    let skill = skill.inspect_err(|reason| {
        warnings.once(format!("Skill {} cannot be used: {reason}.", found.path.display()));
    });
    Entry { found, skill: skill.ok() }
}

fn read(cache: &FileCache, path: &Path) -> Result<String, String> {
    let bytes = cache.read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_disabled(skill: &Skill, settings: &ContextSettings) -> bool {
    let folder = skill.path.parent();
    settings.disabled_skills.iter().any(|disabled| {
        let path = Path::new(disabled);
        *disabled == skill.name || path == skill.path || folder == Some(path)
    })
}
