//! Fragment: the developer instructions of the configuration, as they are.

use std::borrow::Cow;

use super::fragment::{Fragment, Place, Sources, Told};
use super::settings::ContextSettings;

/// `developer_instructions`.
pub const FRAGMENT: Fragment = Fragment {
    name: "developer_instructions",
    place: Place::Developer,
    marks: None,
    bound: |_| 64 * 1024,
    value,
    write,
    read,
};

fn value<'a>(sources: &Sources<'a>) -> Option<Cow<'a, str>> {
    let text = sources.settings.developer_instructions.as_deref()?;
    (!text.trim().is_empty()).then_some(Cow::Borrowed(text))
}

fn write(now: Option<&str>, _: Option<&str>, _: &ContextSettings) -> Option<String> {
    now.map(str::to_owned)
}

/// They carry no tag of their own. Everything else in a developer message does, so what has none is taken for them; a wrong
/// guess costs one repetition.
fn read(text: &str, _: Option<&str>, settings: &ContextSettings) -> Told {
    if settings.developer_instructions.as_deref() == Some(text) || !text.trim_start().starts_with('<') {
        Told::Value(text.to_owned())
    } else {
        Told::Nothing
    }
}
