//! What fills the window, kind by kind, for people who wonder where their tokens went.

use super::fragment::{Place, inside};
use super::fragments::FRAGMENTS;
use super::learned;
use super::skills::mention;
use crate::history::estimate::{IMAGE_BYTES, item_tokens};
use crate::history::prompts::is_prompt;
use crate::protocol::{Item, ItemKind, Role};
use crate::text::injected::RECALLED;
use crate::text::truncate::estimate_tokens;

/// One kind of thing a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What it is, for people.
    pub name: &'static str,
    /// Estimate of the tokens it takes.
    pub tokens: usize,
}

const INSTRUCTIONS: &str = "instructions";
const TOOLS: &str = "tools";
const DEVELOPER: &str = "developer context";
const SKILLS: &str = "skills";
const OTHER_CONTEXT: &str = "other context";
const USER: &str = "your messages";
const ASSISTANT: &str = "the model's messages";
const REASONING: &str = "reasoning";
const CALLS: &str = "tool calls";
const OUTPUTS: &str = "tool outputs";
const IMAGES: &str = "images";
const COMPACTED: &str = "compacted history";

/// What a request with these parts holds: `instructions`, the tools as JSON of `tools_bytes`, and the history. Kinds that take
/// nothing are left out; the others come in the order they are sent, context before conversation.
#[must_use]
pub fn report(
    instructions: &str,
    tools_bytes: usize,
    history: &[Item],
    is_summary: impl Fn(&str) -> bool,
) -> Vec<Share> {
    let mut shares = Shares::default();
    shares.add(INSTRUCTIONS, estimate_tokens(instructions.len()));
    shares.add(TOOLS, estimate_tokens(tools_bytes));
    for fragment in FRAGMENTS {
        shares.add(name_of(fragment.place, fragment.name), 0);
    }
    for name in [SKILLS, OTHER_CONTEXT, COMPACTED, USER, ASSISTANT, REASONING, CALLS, OUTPUTS, IMAGES] {
        shares.add(name, 0);
    }
    history.iter().for_each(|item| shares.add_item(item, &is_summary));
    shares.0.retain(|share| share.tokens > 0);
    shares.0
}

/// Fragments of the developer message are one kind, except skills; those shown on the person's behalf are known by name.
fn name_of(place: Place, name: &'static str) -> &'static str {
    match (place, name) {
        (_, "skills") => SKILLS,
        (Place::Developer, _) => DEVELOPER,
        (Place::User, name) => name,
    }
}

#[derive(Default)]
struct Shares(Vec<Share>);

impl Shares {
    fn add(&mut self, name: &'static str, tokens: usize) {
        match self.0.iter_mut().find(|share| share.name == name) {
            Some(share) => share.tokens += tokens,
            None => self.0.push(Share { name, tokens }),
        }
    }

    fn add_item(&mut self, item: &Item, is_summary: impl Fn(&str) -> bool) {
        let tokens = item_tokens(item);
        let name = match item.kind() {
            ItemKind::Message(Role::Developer | Role::System) => return self.add_parts(item, Place::Developer, tokens),
            ItemKind::Message(Role::User) if is_summary(&item.text()) => COMPACTED,
            ItemKind::Message(Role::User) if is_prompt(item) => USER,
            ItemKind::Message(Role::User) => return self.add_parts(item, Place::User, tokens),
            ItemKind::Message(Role::Assistant) => ASSISTANT,
            ItemKind::Reasoning => REASONING,
            ItemKind::Call(_) | ItemKind::Hosted => CALLS,
            ItemKind::Output { .. } => OUTPUTS,
            ItemKind::Compaction => COMPACTED,
            ItemKind::Unknown => return,
        };
        let images = (images(item) * estimate_tokens(IMAGE_BYTES)).min(tokens);
        self.add(IMAGES, images);
        self.add(name, tokens - images);
    }

    /// A message of context holds several fragments, one a part. The frame around them goes to the last.
    fn add_parts(&mut self, item: &Item, place: Place, tokens: usize) {
        let mut left = tokens;
        let texts = item.texts();
        for (index, text) in texts.iter().enumerate() {
            let taken = if index + 1 == texts.len() { left } else { estimate_tokens(text.len()).min(left) };
            left -= taken;
            self.add(fragment_of(text, place), taken);
        }
    }
}

fn fragment_of(text: &str, place: Place) -> &'static str {
    if inside(text, mention::OPEN, mention::CLOSE).is_some() {
        return SKILLS;
    }
    if inside(text, RECALLED.0, RECALLED.1).is_some() {
        return learned::NAME;
    }
    let here = FRAGMENTS.iter().filter(|fragment| fragment.place == place);
    let marked = here.filter_map(|fragment| Some((fragment, fragment.marks?)));
    let mut found = marked.filter(|(_, (open, close))| inside(text, open, close).is_some());
    match (found.next(), place) {
        (Some((fragment, _)), _) => name_of(place, fragment.name),
        (None, Place::Developer) => DEVELOPER,
        (None, Place::User) => OTHER_CONTEXT,
    }
}

fn images(item: &Item) -> usize {
    memchr::memmem::find_iter(item.json(), b"\"data:image/").count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::estimate::item_tokens;

    fn item(json: &str) -> Item {
        Item::parse(json.to_owned()).unwrap()
    }

    #[test]
    fn every_token_is_somewhere() {
        let image = format!(
            r#"{{"type":"message","role":"user","content":[{{"type":"input_image","image_url":"data:image/png;base64,{}"}}]}}"#,
            "A".repeat(50_000)
        );
        let history = [
            Item::message(Role::Developer, &["be careful", "<skills_instructions>\nx\n</skills_instructions>"]),
            Item::message(
                Role::User,
                &[
                    "# AGENTS.md instructions for /p\n\n<INSTRUCTIONS>\nrule\n</INSTRUCTIONS>",
                    "<environment_context>\n  <cwd>/p</cwd>\n</environment_context>",
                ],
            ),
            Item::message(Role::User, &["fix it"]),
            Item::message(Role::User, &["<skill>\n<name>a</name>\n</skill>"]),
            Item::message(Role::User, &["<learned>\n- x (y, z)\n</learned>"]),
            Item::message(Role::User, &["<recalled>\n- x (y, z)\n</recalled>"]),
            Item::message(Role::User, &["<turn_aborted>\nx\n</turn_aborted>"]),
            Item::message(Role::User, &["SUM"]),
            item(&image),
            item(r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]}"#),
            item(r#"{"type":"function_call","name":"f","arguments":"{}","call_id":"c"}"#),
            item(r#"{"type":"function_call_output","call_id":"c","output":"x"}"#),
            Item::message(Role::Assistant, &["done"]),
        ];
        let shares = report("Be brief.", 400, &history, |text| text == "SUM");
        let names: Vec<&str> = shares.iter().map(|share| share.name).collect();
        assert_eq!(
            names,
            [
                INSTRUCTIONS,
                TOOLS,
                DEVELOPER,
                SKILLS,
                "AGENTS.md",
                "environment_context",
                learned::NAME,
                OTHER_CONTEXT,
                COMPACTED,
                USER,
                ASSISTANT,
                REASONING,
                CALLS,
                OUTPUTS,
                IMAGES
            ]
        );
        let sum: usize = shares.iter().map(|share| share.tokens).sum();
        assert_eq!(sum, 3 + 100 + history.iter().map(item_tokens).sum::<usize>());
        assert_eq!(shares.last().unwrap().tokens, 1844);
        assert_eq!(report("", 0, &[], |_| false), []);
    }
}
