//! Fragment: the list of skills.

use std::borrow::Cow;

use super::listing::budget;
use crate::context::fragment::{Fragment, Place, Sources, Told, inside};
use crate::context::settings::ContextSettings;

/// The fragment's name.
pub const NAME: &str = "skills";

/// `<skills_instructions>`.
pub const FRAGMENT: Fragment = Fragment {
    name: NAME,
    place: Place::Developer,
    marks: Some((OPEN, CLOSE)),
    // The list has its own budget; the words around it and the table of roots come on top.
    bound: |settings| budget(settings.context_window).saturating_add(32 * 1024),
    value,
    write,
    read,
};

const OPEN: &str = "<skills_instructions>\n";
const CLOSE: &str = "\n</skills_instructions>";
const REMOVED: &str = include_str!("../../../prompts/fragments/skills_removed.md");

fn value<'a>(sources: &Sources<'a>) -> Option<Cow<'a, str>> {
    sources.skills.filter(|_| sources.settings.include_skills).map(Cow::Borrowed)
}

fn write(now: Option<&str>, _: Option<&str>, _: &ContextSettings) -> Option<String> {
    Some([OPEN, now.unwrap_or(REMOVED.trim_end()), CLOSE].concat())
}

fn read(text: &str, _: Option<&str>, _: &ContextSettings) -> Told {
    match inside(text, OPEN, CLOSE) {
        None => Told::Nothing,
        Some(text) if text == REMOVED.trim_end() => Told::Gone,
        Some(text) => Told::Value(text.to_owned()),
    }
}
