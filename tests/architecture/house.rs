//! The files of `src/` and which of them uses which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{self, Mention, Place, Source};

/// All files by their path, such as `src/text/mod.rs`.
pub struct House {
    files: BTreeMap<String, File>,
    /// Which file a module's path is, `text::truncate` for one.
    modules: BTreeMap<Vec<String>, String>,
}

struct File {
    module: Vec<String>,
    source: Source,
}

/// One file uses something.
pub struct Use<'a> {
    pub file: &'a str,
    pub line: usize,
    /// From `crate` or from another crate's name on.
    pub path: Vec<String>,
    /// The file of ours that `path` leads to.
    pub target: Option<&'a str>,
    /// Whether a module re-exports one of its children here, or lists it in a registry: that is what makes it their
    /// parent, and no use of them.
    pub of_child: bool,
    /// The module through which a name of another file of the same folder was taken.
    pub through_parent: Option<&'a str>,
}

impl House {
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut files: BTreeMap<String, File> = texts
            .into_iter()
            .map(|(path, text)| (path.to_owned(), File { module: module_of(path), source: source::read(text) }))
            .collect();
        let for_tests: Vec<Vec<String>> = files
            .values()
            .flat_map(|file| {
                file.source.test_children.iter().map(|child| [&file.module[..], std::slice::from_ref(child)].concat())
            })
            .collect();
        files.retain(|_, file| !for_tests.iter().any(|module| file.module.starts_with(module)));
        let modules = files.iter().map(|(path, file)| (file.module.clone(), path.clone())).collect();
        Self { files, modules }
    }

    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub fn uses(&self) -> Vec<Use<'_>> {
        self.files
            .iter()
            .flat_map(|(path, file)| {
                file.source.mentions.iter().filter_map(|mention| self.read_use(path, file, mention))
            })
            .collect()
    }

    fn read_use<'a>(&'a self, path: &'a str, file: &'a File, mention: &Mention) -> Option<Use<'a>> {
        let module = [&file.module[..], &mention.inside[..]].concat();
        let full = self.expand(&module, file, &mention.path);
        let found = full.strip_prefix(&["crate".to_owned()][..]).and_then(|inside| self.find(inside, 0));
        let (target, through) = match found {
            Some((target, _)) if target == path => return None,
            Some((target, through)) => (Some(target), through),
            None => (None, None),
        };
        let of_child = matches!(mention.place, Place::Reexport | Place::Registry)
            && target.is_some_and(|target| self.is_root_of(path, target));
        let through_parent = through.filter(|parent| *parent != path && self.is_root_of(parent, path));
        Some(Use { file: path, line: mention.line, path: full, target, of_child, through_parent })
    }

    /// Whether `parent` is the module that `child` is declared in, at any depth.
    fn is_root_of(&self, parent: &str, child: &str) -> bool {
        let (parent, child) = (&self.files[parent].module, &self.files[child].module);
        child.len() > parent.len() && child.starts_with(parent)
    }

    /// `path` from `crate` or another crate's name on, as it is meant in `module` of `file`.
    fn expand(&self, module: &[String], file: &File, path: &[String]) -> Vec<String> {
        let crate_path = |module: &[String], rest: &[String]| [&["crate".to_owned()][..], module, rest].concat();
        let first = path[0].as_str();
        match first {
            "crate" => path.to_vec(),
            "self" => crate_path(module, &path[1..]),
            "super" => {
                let ups = path.iter().take_while(|word| *word == "super").count();
                crate_path(&module[..module.len().saturating_sub(ups)], &path[ups..])
            }
            "hone" => crate_path(&[], &path[1..]),
            _ if file.source.children.contains(first) => crate_path(&file.module, path),
            _ => match file.source.bindings.get(first) {
                Some(bound) if bound[0] != first && bound != path => {
                    self.expand(module, file, &[&bound[..], &path[1..]].concat())
                }
                _ => path.to_vec(),
            },
        }
    }

    /// The file that `path`, without `crate`, leads to, and the file whose `use` it went through, if any.
    fn find(&self, path: &[String], followed: usize) -> Option<(&str, Option<&str>)> {
        let (length, name) =
            (0..=path.len()).rev().find_map(|length| self.modules.get(&path[..length]).map(|name| (length, name)))?;
        let file = &self.files[name];
        let bound = path.get(length).and_then(|next| file.source.bindings.get(next));
        if let Some(bound) = bound.filter(|_| followed < 8) {
            let full = self.expand(&file.module, file, &[&bound[..], &path[length + 1..]].concat());
            if let Some(inside) = full.strip_prefix(&["crate".to_owned()][..])
                && let Some((target, _)) = self.find(inside, followed + 1)
                && target != name
            {
                return Some((target, Some(name)));
            }
        }
        Some((name, None))
    }
}

/// Every circle of files that use each other, each as the uses that close it. Of circles that share files the shortest
/// is told first, and the others when it is gone.
pub fn circles<'a>(uses: &'a [Use<'a>]) -> Vec<Vec<&'a Use<'a>>> {
    let mut edges: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for used in uses.iter().filter(|used| used.target.is_some() && !used.of_child) {
        edges.entry(used.file).or_default().push(used);
    }
    let mut found: Vec<_> = edges.keys().filter_map(|start| shortest_circle(start, &edges)).collect();
    found.sort_by_key(Vec::len);
    let mut told = BTreeSet::new();
    found.retain(|circle| {
        let new = circle.iter().all(|used| !told.contains(used.file));
        told.extend(circle.iter().map(|used| used.file).filter(|_| new));
        new
    });
    found
}

fn shortest_circle<'a>(start: &str, edges: &BTreeMap<&str, Vec<&'a Use<'a>>>) -> Option<Vec<&'a Use<'a>>> {
    let mut came_by: BTreeMap<&str, &Use> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for used in edges.get(file).into_iter().flatten() {
            let target = used.target?;
            if !came_by.contains_key(target) {
                came_by.insert(target, used);
                next.push_back(target);
            }
        }
    }
    let mut circle = vec![*came_by.get(start)?];
    while circle[circle.len() - 1].file != start {
        circle.push(came_by[circle[circle.len() - 1].file]);
    }
    circle.reverse();
    Some(circle)
}

/// `src/text/truncate.rs` is `text::truncate`, `src/text/mod.rs` is `text`. `main.rs` is another crate's root, and no
/// path leads there.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<_> = inside.split('/').map(String::from).collect();
    if module.last().is_some_and(|last| last == "mod" || inside == "lib") {
        module.pop();
    }
    module
}
