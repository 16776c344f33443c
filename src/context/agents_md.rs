//! Fragment: the instructions of AGENTS.md files. [`super::project_docs`] finds their text; this file says it.

use std::borrow::Cow;

use super::fragment::{Fragment, Place, Sources, Told, inside};
use super::project_docs::GLOBAL_DOC_MAX_BYTES;
use super::settings::ContextSettings;

/// The AGENTS.md block.
pub const FRAGMENT: Fragment = Fragment {
    name: "AGENTS.md",
    place: Place::User,
    marks: Some((HEADER, CLOSE)),
    // The parts are held to their own limits where they are read; lossy decoding can make three bytes of one, and
    // separators come on top.
    bound: |settings| {
        settings.project_doc_max_bytes.saturating_add(GLOBAL_DOC_MAX_BYTES).saturating_mul(3).saturating_add(4096)
    },
    value,
    write,
    read,
};

const HEADER: &str = "# AGENTS.md instructions";
const CLOSE: &str = "\n</INSTRUCTIONS>";
const OPEN: &str = "\n\n<INSTRUCTIONS>\n";

const REPLACED: &str = include_str!("../../prompts/fragments/agents_md_replaced.md");
const REMOVED: &str = include_str!("../../prompts/fragments/agents_md_removed.md");

/// How Codex's sentence in front of changed instructions begins.
const CODEX_REPLACED: &str = "These AGENTS.md instructions replace ";

fn value<'a>(sources: &Sources<'a>) -> Option<Cow<'a, str>> {
    sources.project_doc.map(Cow::Borrowed)
}

fn write(now: Option<&str>, told: Option<&str>, settings: &ContextSettings) -> Option<String> {
    let cwd = settings.cwd.display();
    Some(match (now, told) {
        (Some(text), None) => format!("{HEADER} for {cwd}{OPEN}{text}{CLOSE}"),
        (Some(text), Some(_)) => format!("{HEADER} for {cwd}{OPEN}{}\n\n{text}{CLOSE}", REPLACED.trim_end()),
        (None, _) => format!("{HEADER}{OPEN}{}{CLOSE}", REMOVED.trim_end()),
    })
}

fn read(text: &str, _: Option<&str>, _: &ContextSettings) -> Told {
    let Some((head, body)) = inside(text, HEADER, CLOSE).and_then(|text| text.split_once(OPEN)) else {
        return Told::Nothing;
    };
    // Only the block that withdraws the instructions names no folder.
    if head.is_empty() {
        return Told::Gone;
    }
    let body = match body.split_once("\n\n") {
        Some((intro, rest)) if intro == REPLACED.trim_end() || intro.starts_with(CODEX_REPLACED) => rest,
        _ => body,
    };
    Told::Value(body.to_owned())
}
