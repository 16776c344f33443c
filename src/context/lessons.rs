//! When a conversation is shown what was learned before it. Where that comes from, and what of it is worth showing, is behind
//! [`Lessons`]; how it is written is [`super::learned`]'s.

use std::collections::HashSet;
use std::sync::Arc;

use super::learned;
use super::skills::skill::Skill;
use crate::agent::ports::Lessons;
use crate::protocol::{Item, Role};

/// The name every skill that was learned begins with.
const LEARNED_SKILL: &str = "hone-";

/// What one conversation knows of lessons.
#[derive(Default)]
pub struct LessonsShown {
    /// Where they come from; `None` when nothing is learned.
    pub source: Option<Arc<dyn Lessons>>,
    /// What the history holds of them ahead of single messages, by id.
    recalled: HashSet<String>,
    /// The person's last words, for what fits them.
    message: String,
}

impl LessonsShown {
    /// The history is another one now.
    pub fn forget(&mut self) {
        self.recalled.clear();
    }

    /// Takes note of a text of the history; whether it was lessons for one message.
    pub fn adopt(&mut self, text: &str) -> bool {
        let ids = learned::ids_with_message(text);
        self.recalled.extend(ids.iter().flatten().cloned());
        ids.is_some()
    }

    /// The person says something.
    pub fn heard(&mut self, message: &str) {
        message.clone_into(&mut self.message);
    }

    /// The value of the fragment, when the model was told `told` last: it is chosen once, and afterwards only shrinks. When
    /// nothing is left of it, as in another folder, it is chosen anew.
    #[must_use]
    pub fn value(&self, told: Option<&str>) -> Option<String> {
        let Some(source) = &self.source else { return told.map(str::to_owned) };
        let holds = told.and_then(|told| {
            let ids: Vec<&str> = learned::ids(told).collect();
            let gone = source.withdrawn(&ids);
            let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
            Some(learned::without(told, &gone)).filter(|value| !value.is_empty())
        });
        holds.or_else(|| learned::lines(&source.at_start(&self.message)))
    }

    /// What goes ahead of the message just heard, when the model was told `told` at the start.
    pub fn with_message(&mut self, told: Option<&str>) -> Option<Item> {
        let at_start: HashSet<&str> = told.map(learned::ids).into_iter().flatten().collect();
        let was_shown = |id: &str| at_start.contains(id) || self.recalled.contains(id);
        let lessons = self.source.as_ref()?.with_message(&self.message, &was_shown);
        let text = learned::with_message(&lessons)?;
        self.recalled.extend(lessons.into_iter().map(|lesson| lesson.id));
        Some(Item::message(Role::User, &[text]))
    }

    /// Whether a skill may be offered: what was learned in one repository is not offered in another, nor when nothing is to be
    /// shown of what was learned. Everybody else's skills may.
    #[must_use]
    pub fn offers(&self, skill: &Skill) -> bool {
        let Some(id) = &skill.learned else { return true };
        self.source.as_ref().is_some_and(|source| source.offers_skill(id))
    }

    /// The model was told of these skills.
    pub fn skills_listed<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let names: Vec<&str> = names.filter(|name| name.starts_with(LEARNED_SKILL)).collect();
        if let Some(source) = self.source.as_ref().filter(|_| !names.is_empty()) {
            source.skills_listed(&names);
        }
    }

    /// The model was given a skill.
    pub fn skill_given(&self, name: &str) {
        if let Some(source) = self.source.as_ref().filter(|_| name.starts_with(LEARNED_SKILL)) {
            source.skill_given(name);
        }
    }
}
