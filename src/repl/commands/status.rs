//! `/status`.

use super::{Command, WhileBusy};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/status",
    aliases: &[],
    argument: "",
    help: "show session, model, folder and tokens",
    while_busy: WhileBusy::Runs,
    run: |console, _| Box::pin(status(console)),
};

async fn status(console: &mut Console) {
    let Some(info) = console.session.as_ref().map(|session| session.info().clone()) else { return };
    let provider = console.runtime.provider();
    let tokens = console.tokens.total;
    let window = console.tokens.context_window.map(|window| format!(" of {window}")).unwrap_or_default();
    let recorded = info.rollout_path.map_or("nowhere".to_owned(), |path| path.display().to_string());
    let rows = [
        ("session", format!("{}{}", info.thread_id, named(console.title.as_deref()))),
        ("recorded", recorded),
        ("folder", info.cwd.display().to_string()),
        ("model", format!("{} · {}", info.model, info.effort.as_deref().unwrap_or("provider default"))),
        ("provider", format!("{} · {}", provider.id, without_query(&provider.base_url))),
        (
            "context",
            format!("{}{window} tokens, {}% left", console.tokens.last.total_tokens, console.status.percent_left()),
        ),
        (
            "tokens",
            format!("{} in ({} cached), {} out", tokens.input_tokens, tokens.cached_input_tokens, tokens.output_tokens),
        ),
        ("processes", console.runtime.processes().len().to_string()),
    ];
    let lines: Vec<_> = rows.iter().map(|(name, value)| format!("  {name:<10} {value}")).collect();
    console.say(&lines.join("\n"));
}

fn named(title: Option<&str>) -> String {
    title.map(|title| format!(" · {title}")).unwrap_or_default()
}

/// An address may carry a key behind the `?`, or in front of the `@`.
fn without_query(address: &str) -> String {
    let address = address.split('?').next().unwrap_or_default();
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_in_addresses_are_not_shown() {
        assert_eq!(super::without_query("https://u:p@host/v1?key=1"), "https://host/v1");
        assert_eq!(super::without_query("https://host/v1"), "https://host/v1");
    }
}
