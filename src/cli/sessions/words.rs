//! What is said of a session: to people on a line or above a conversation, to scripts as JSON.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::transcript;
use crate::protocol::UserError;
use crate::rollout::index::SessionSummary;
use crate::text::time::rfc3339;

/// How much of a title or first message a line has room for.
const TITLE_CHARS: usize = 72;

/// What a session is, as the begin of a Markdown text.
pub(super) fn heading(session: &SessionSummary) -> String {
    let title = name(session);
    let of = session.model.as_deref().map(|model| format!(" · {model}")).unwrap_or_default();
    let archived = if session.archived { " · archived" } else { "" };
    format!("# {title}\n\n{} · {} · {}{of}{archived}\n\n", session.id, session.created, session.cwd.display())
}

/// What to call a session.
pub(super) fn name(session: &SessionSummary) -> String {
    let name = session.title.as_deref().or(session.first_user_message.as_deref());
    one_line(name.unwrap_or("A session"))
}

/// What scripts get to know of a session.
pub(super) fn describe(session: &SessionSummary) -> Value {
    let modified = session.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    json!({
        "id": session.id,
        "title": session.title,
        "first_user_message": session.first_user_message,
        "cwd": session.cwd,
        "model": session.model,
        "model_provider": session.provider,
        "branch": session.branch,
        "created": session.created,
        "modified": rfc3339(u64::try_from(modified.as_millis()).unwrap_or(u64::MAX)),
        "turns": session.turns,
        "turns_exact": !session.more_turns,
        "archived": session.archived,
        "bytes": session.bytes,
        "path": session.path,
        "problem": session.problem,
    })
}

/// What is known of the session, and its items as they are recorded.
pub(super) fn as_json(session: &SessionSummary) -> Result<String, UserError> {
    let mut text = describe(session).to_string();
    // The items' own bytes are joined, so that nothing of them is lost or put in another order.
    text.truncate(text.len() - 1);
    text.push_str(",\"items\":[");
    let mut first = true;
    transcript::read(
        &session.path,
        |_| {},
        |item| {
            text.push_str(if std::mem::take(&mut first) { "\n" } else { ",\n" });
            text.push_str(&String::from_utf8_lossy(item.json()));
        },
    )?;
    text.push_str("\n]}\n");
    Ok(text)
}

/// How long ago, in the largest unit that fits.
pub(super) fn age(time: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(time).unwrap_or_default().as_secs();
    match seconds {
        0..60 => "just now".into(),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        86_400..5_184_000 => format!("{} d", seconds / 86_400),
        _ => format!("{} months", seconds / 2_592_000),
    }
}

/// Text from a file, on one line and without anything that steers a terminal.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let clean = words.join(" ");
    let mut shown: String = clean.chars().filter(|c| !c.is_control()).take(TITLE_CHARS).collect();
    if clean.chars().nth(TITLE_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ages_are_told_in_the_unit_people_use() {
        for (seconds, text) in
            [(0, "just now"), (120, "2 min"), (7300, "2 h"), (86_400 * 3, "3 d"), (86_400 * 90, "3 months")]
        {
            assert_eq!(age(SystemTime::now() - Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_a_file_says_stays_on_its_line() {
        assert_eq!(one_line("a\n\tb\u{1b}[31m  c"), "a b[31m c");
        let long = one_line(&"x".repeat(100));
        assert_eq!(long.chars().count(), TITLE_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
