//! Fragment: what the model may do. The words for each mode are files; a mode is a line here.

use std::borrow::Cow;

use super::fragment::{Fragment, Place, Sources, Told, inside};
use super::settings::{ContextSettings, Permissions};
use super::wording;

/// `<permissions instructions>`. The space in the tag is Codex's.
pub const FRAGMENT: Fragment = Fragment {
    name: "permissions",
    place: Place::Developer,
    marks: Some((OPEN, CLOSE)),
    bound: |_| 16 * 1024,
    value,
    write,
    read,
};

const OPEN: &str = "<permissions instructions>\n";
const CLOSE: &str = "\n</permissions instructions>";

/// Words for each sandbox mode. One without words is still named to the model.
const SANDBOX_MODES: &[(&str, &str)] = &[
    ("danger-full-access", include_str!("../../prompts/fragments/sandbox_danger_full_access.md")),
    ("read-only", include_str!("../../prompts/fragments/sandbox_read_only.md")),
    ("workspace-write", include_str!("../../prompts/fragments/sandbox_workspace_write.md")),
];

/// Words for each approval policy.
const APPROVAL_POLICIES: &[(&str, &str)] = &[
    ("never", include_str!("../../prompts/fragments/approval_never.md")),
    ("on-request", include_str!("../../prompts/fragments/approval_on_request.md")),
    ("on-failure", include_str!("../../prompts/fragments/approval_on_request.md")),
    ("untrusted", include_str!("../../prompts/fragments/approval_untrusted.md")),
    ("granular", include_str!("../../prompts/fragments/approval_granular.md")),
];

fn value<'a>(sources: &Sources<'a>) -> Option<Cow<'a, str>> {
    sources.settings.include_permissions.then(|| Cow::Owned(text(&sources.settings.permissions)))
}

/// The words about `permissions`. Modes without words leave a blank behind, which is taken out.
fn text(permissions: &Permissions) -> String {
    let roots: Vec<String> = permissions.writable_roots.iter().map(|root| format!("`{}`", root.display())).collect();
    let roots = if roots.is_empty() {
        String::new()
    } else {
        wording::fill(include_str!("../../prompts/fragments/writable_roots.md"), &[("roots", &roots.join(", "))])
    };
    let protected = include_str!("../../prompts/fragments/sandbox_protected.md").trim_end();
    let fixed = include_str!("../../prompts/fragments/sandbox_fixed_entries.md").trim_end();
    let kept = [(permissions.protected, protected), (permissions.fixed_entries, fixed)];
    let kept: Vec<&str> = kept.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect();
    let values = [
        ("sandbox_mode", permissions.sandbox_mode.as_str()),
        ("sandbox", words(SANDBOX_MODES, &permissions.sandbox_mode)),
        ("network", if permissions.network { "open" } else { "closed" }),
        ("approval_policy", &permissions.approval_policy),
        ("approval", words(APPROVAL_POLICIES, &permissions.approval_policy)),
        ("writable_roots", &roots),
        ("kept", &kept.join(" ")),
    ];
    wording::fill(include_str!("../../prompts/fragments/permissions.md"), &values).trim_end().replace(" \n", "\n")
}

fn words(table: &[(&'static str, &'static str)], mode: &str) -> &'static str {
    table.iter().find(|(name, _)| *name == mode).map_or("", |(_, words)| words.trim_end())
}

fn write(now: Option<&str>, _: Option<&str>, _: &ContextSettings) -> Option<String> {
    now.map(|text| [OPEN, text, CLOSE].concat())
}

fn read(text: &str, _: Option<&str>, _: &ContextSettings) -> Told {
    inside(text, OPEN, CLOSE).map_or(Told::Nothing, |text| Told::Value(text.to_owned()))
}
