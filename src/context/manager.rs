//! The context manager: what to add to the history at the start of a turn, so that the model knows what it should.
//!
//! It keeps no history and records nothing. It remembers what the model was told last, fragment by fragment, and that memory
//! can be had from any history with [`ContextManager::adopt`]; so resuming a session, whoever wrote it, and starting over
//! after a compaction are the same step.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use super::cache::FileCache;
use super::contextual::{TURN_ABORTED_CLOSE, TURN_ABORTED_OPEN};
use super::fragment::{Fragment, Place, Sources, Told};
use super::fragments::FRAGMENTS;
use super::learned;
use super::lessons::LessonsShown;
use super::project_docs;
use super::settings::{ContextSettings, Today};
use super::skills::catalogue::Catalogue;
use super::skills::fragment as skills_fragment;
use super::skills::listing;
use super::skills::mention;
use super::skills::skill::Skill;
use super::warnings::Warnings;
use crate::agent::ports::{Files, Lessons, Stamp};
use crate::protocol::{Item, Role, TurnId, UserInput};
use crate::text::truncate::{self, OutputLimit};

/// What a turn begins with.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// To record, in order, before the first request: context, the prompt, the skills it names.
    pub items: Vec<Item>,
    /// Which of `items` is the person's message.
    pub prompt_index: usize,
    /// What the person should know. Each is told once.
    pub warnings: Vec<String>,
}

/// Knows what the model was told and what it should know.
pub struct ContextManager {
    settings: ContextSettings,
    cache: FileCache,
    catalogue: Catalogue,
    /// The listing of skills as the catalogue stands; outdated when the settings changed since.
    listing: Option<String>,
    listing_outdated: bool,
    /// The value of each fragment the model was told last, in the order of [`FRAGMENTS`].
    told: Vec<Option<String>>,
    /// Skills the history holds, by the path of their file.
    given: HashMap<PathBuf, Given>,
    lessons: LessonsShown,
    warnings: Warnings,
}

/// A skill the history holds.
#[derive(Clone, Copy, Debug)]
struct Given {
    message_hash: u64,
    /// The file's stamp when it was loaded; unknown for what an older history holds.
    stamp: Option<Stamp>,
}

impl ContextManager {
    /// A manager for a new conversation. Touches no file yet.
    #[must_use]
    pub fn new(settings: ContextSettings, files: Arc<dyn Files>) -> Self {
        Self {
            settings,
            cache: FileCache::new(files),
            catalogue: Catalogue::default(),
            listing: None,
            listing_outdated: true,
            told: vec![None; FRAGMENTS.len()],
            given: HashMap::new(),
            lessons: LessonsShown::default(),
            warnings: Warnings::default(),
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &ContextSettings {
        &self.settings
    }

    /// Changes the settings. The next turn tells the model what is different.
    pub fn reconfigure(&mut self, settings: ContextSettings) {
        self.settings = settings;
        self.listing_outdated = true;
    }

    /// Where lessons of earlier sessions come from from now on.
    pub fn learn_from(&mut self, lessons: Option<Arc<dyn Lessons>>) {
        self.listing_outdated = true;
        self.lessons.source = lessons;
    }

    /// Where lessons of earlier sessions come from.
    #[must_use]
    pub fn lessons(&self) -> Option<&Arc<dyn Lessons>> {
        self.lessons.source.as_ref()
    }

    /// A turn has ended: what it was shown of lessons is written down.
    #[must_use]
    pub fn turn_ended(&self, turn: TurnId) -> Option<String> {
        self.lessons()?.turn_ended(turn)
    }

    /// Takes `history` for all the model was told: on resume, and after history was replaced. With nothing in it, everything
    /// is told again.
    pub fn adopt(&mut self, history: &[Item]) {
        self.told.fill(None);
        self.given.clear();
        self.lessons.forget();
        for item in history {
            let place = if item.is_message(Role::Developer) {
                Place::Developer
            } else if item.is_message(Role::User) {
                Place::User
            } else {
                continue;
            };
            for text in item.texts() {
                self.adopt_text(place, &text);
            }
        }
    }

    fn adopt_text(&mut self, place: Place, text: &str) {
        if let Some(path) = mention::path_in(text).filter(|_| place == Place::User) {
            self.given.insert(path.into(), Given { message_hash: hash(text), stamp: None });
            return;
        }
        if place == Place::User && self.lessons.adopt(text) {
            return;
        }
        for (fragment, told) in FRAGMENTS.iter().zip(&mut self.told).filter(|(fragment, _)| fragment.place == place) {
            match (fragment.read)(text, told.as_deref(), &self.settings) {
                Told::Nothing => continue,
                Told::Gone => *told = None,
                Told::Value(value) => *told = Some(value),
            }
            return;
        }
    }

    /// What a turn that begins with `input` adds to the history.
    pub fn open_turn(&mut self, input: &UserInput, today: &Today) -> Opening {
        self.lessons.heard(&input.text);
        let mut items = self.context_items(today);
        items.extend(self.lessons.with_message(told_of(&self.told, learned::NAME)));
        let prompt_index = items.len();
        items.push(Item::message(Role::User, &[&input.text]));
        items.extend(self.skill_items(&input.text));
        Opening { items, prompt_index, warnings: self.take_warnings() }
    }

    /// The context the model lacks, without a prompt: all of it after `adopt(&[])`, mostly nothing otherwise. What is returned
    /// counts as told.
    pub fn context_items(&mut self, today: &Today) -> Vec<Item> {
        let folders = project_docs::project_folders(&self.cache, &self.settings);
        let project_doc = project_docs::collect(&mut self.cache, &self.settings, &folders, &mut self.warnings);
        self.refresh_skills(&folders);
        let learned = self.lessons.value(told_of(&self.told, learned::NAME));
        let sources = Sources {
            settings: &self.settings,
            today,
            project_doc: project_doc.as_deref(),
            skills: self.listing.as_deref(),
            learned: learned.as_deref(),
        };
        let mut parts: [Vec<String>; 2] = Default::default();
        for (fragment, told) in FRAGMENTS.iter().zip(&mut self.told) {
            let text = tell(fragment, &sources, told, &mut self.warnings);
            if text.is_some() && fragment.name == skills_fragment::NAME {
                let skills = self.catalogue.skills(&self.settings).into_iter().filter(|(_, skill)| skill.implicit);
                let skills = skills.filter(|(_, skill)| self.lessons.offers(skill));
                self.lessons.skills_listed(skills.map(|(_, skill)| skill.name.as_str()));
            }
            parts[fragment.place as usize].extend(text);
        }
        let roles = [Role::Developer, Role::User];
        roles
            .into_iter()
            .zip(&parts)
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(role, parts)| Item::message(role, parts))
            .collect()
    }

    /// What `input`, joining a running turn, adds to the history: the message and the skills it names.
    pub fn steer(&mut self, input: &UserInput) -> Vec<Item> {
        let mut items = vec![Item::message(Role::User, &[&input.text])];
        items.extend(self.skill_items(&input.text));
        items
    }

    /// The message that tells the model the person ended a turn before it was done.
    #[must_use]
    pub fn turn_aborted(&self) -> Item {
        let words = include_str!("../../prompts/fragments/turn_aborted.md").trim_end();
        Item::message(Role::User, &[[TURN_ABORTED_OPEN, words, TURN_ABORTED_CLOSE].concat()])
    }

    /// Warnings since they were last taken. [`Self::open_turn`] takes them along; [`Self::steer`] leaves them for the next.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.warnings.take()
    }

    fn refresh_skills(&mut self, folders: &[PathBuf]) {
        let changed = self.catalogue.refresh(&mut self.cache, &self.settings, folders, &mut self.warnings);
        if !changed && !self.listing_outdated {
            return;
        }
        let budget = listing::budget(self.settings.context_window);
        let mut skills = self.catalogue.skills(&self.settings);
        skills.retain(|(_, skill)| self.lessons.offers(skill));
        let listing = listing::listing(skills, self.catalogue.roots(), budget);
        if let Some(left_out) = listing.as_ref().map(|listing| &listing.left_out).filter(|names| !names.is_empty()) {
            let names = left_out.join(", ");
            self.warnings.once(format!(
                "There are more skills than fit the model's list; these are left out of it: {names}. \
                 Switch off some you do not need. One you name with `$` is still loaded."
            ));
        }
        self.listing = listing.map(|listing| listing.text);
        self.listing_outdated = false;
    }

    /// One message for each skill that `text` names and the history does not hold as it is now.
    fn skill_items(&mut self, text: &str) -> Vec<Item> {
        if !text.contains('$') {
            return Vec::new();
        }
        let skills: Vec<&Skill> = self.catalogue.skills(&self.settings).into_iter().map(|(_, skill)| skill).collect();
        let home = self.settings.user_home.as_deref();
        let mentioned = mention::mentioned(text, &skills, &self.settings.cwd, home);
        for (name, paths) in mentioned.unclear {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            self.warnings.once(format!(
                "Several skills are called `{name}`, so none was loaded: {}. Write [${name}](path) to choose one.",
                paths.join(", ")
            ));
        }
        let mut items = Vec::new();
        for skill in mentioned.skills {
            match load(&self.cache, skill, self.given.get(&skill.path).copied(), &mut self.warnings) {
                Some((given, message)) => {
                    self.given.insert(skill.path.clone(), given);
                    self.lessons.skill_given(&skill.name);
                    items.extend(message.map(|text| Item::message(Role::User, &[text])));
                }
                None => continue,
            }
        }
        items
    }
}

/// What the model was told last of the fragment with this name.
fn told_of<'a>(told: &'a [Option<String>], name: &str) -> Option<&'a str> {
    FRAGMENTS.iter().zip(told).find(|(fragment, _)| fragment.name == name)?.1.as_deref()
}

/// What to send so that the model knows a fragment's value, if anything; notes what it was told.
fn tell(
    fragment: &Fragment,
    sources: &Sources<'_>,
    told: &mut Option<String>,
    warnings: &mut Warnings,
) -> Option<String> {
    let now = (fragment.value)(sources).map(|value| bounded(fragment, sources.settings, value, warnings));
    if now.as_deref() == told.as_deref() {
        return None;
    }
    let text = (fragment.write)(now.as_deref(), told.as_deref(), sources.settings)?;
    *told = now.map(Cow::into_owned);
    Some(text)
}

fn bounded<'a>(
    fragment: &Fragment,
    settings: &ContextSettings,
    value: Cow<'a, str>,
    warnings: &mut Warnings,
) -> Cow<'a, str> {
    let bound = (fragment.bound)(settings);
    if value.len() <= bound {
        return value;
    }
    warnings.once(format!(
        "{} has {} bytes; the model sees {bound} of them, without the middle.",
        fragment.name,
        value.len()
    ));
    Cow::Owned(truncate::middle(&value, OutputLimit::Bytes(bound)).into_owned())
}

/// Loads a skill unless its file is as it was when the history got it; the message is `None` when the history holds the same
/// words already. `None` when the file cannot be read.
fn load(
    cache: &FileCache,
    skill: &Skill,
    given: Option<Given>,
    warnings: &mut Warnings,
) -> Option<(Given, Option<String>)> {
    let stamp = cache.file_stamp(&skill.path);
    if let Some(given) = given.filter(|given| stamp.is_some() && given.stamp == stamp) {
        return Some((given, None));
    }
    let bytes = cache.read(&skill.path).inspect_err(|error| {
        warnings.once(format!("Failed to load skill {} at {}: {error}.", skill.name, skill.path.display()));
    });
    let contents = bytes.ok()?;
    let contents = String::from_utf8_lossy(&contents);
    if contents.len() > mention::SKILL_MAX_BYTES {
        let (path, limit) = (skill.path.display(), mention::SKILL_MAX_BYTES);
        warnings
            .once(format!("{path} has {} bytes; the model sees {limit} of them, without the middle.", contents.len()));
    }
    let message = mention::message(skill, &truncate::middle(&contents, OutputLimit::Bytes(mention::SKILL_MAX_BYTES)));
    let message_hash = hash(&message);
    let same = given.is_some_and(|given| given.message_hash == message_hash);
    Some((Given { message_hash, stamp }, (!same).then_some(message)))
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
