//! `/diff`.

use tokio_util::sync::CancellationToken;

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::text::style::Style;
use crate::text::width;

/// The command.
pub const COMMAND: Command = Command {
    name: "/diff",
    aliases: &[],
    argument: "",
    help: "show what is changed in the repository, new files included",
    while_busy: WhileBusy::Runs,
    run: |console, _| Box::pin(diff(console)),
};

/// Changes to what git knows, then its list of new files.
const SCRIPT: &str = "git --no-pager diff --no-color --no-ext-diff HEAD -- . 2>/dev/null || git --no-pager diff --no-color --no-ext-diff -- . || exit
git ls-files --others --exclude-standard | sed 's/^/new file: /'";

async fn diff(console: &mut Console) {
    match console.runtime.shell().run(SCRIPT, &CancellationToken::new()).await {
        Ok(result) if result.exit_code != 0 => console.say("There is no git repository here, or git is not installed."),
        Ok(result) if result.output.trim().is_empty() => console.say("Nothing is changed."),
        Ok(result) => {
            let style = console.page.style();
            let lines: Vec<_> = result.output.lines().map(|line| coloured(style, &width::clean(line))).collect();
            console.say(&lines.join("\n"));
        }
        Err(error) => console.complain(&error),
    }
}

fn coloured(style: Style, line: &str) -> String {
    match line.as_bytes().first() {
        _ if line.starts_with("+++") || line.starts_with("---") || line.starts_with("diff ") => style.bold(line),
        Some(b'+') => style.green(line),
        Some(b'-') => style.red(line),
        Some(b'@') => style.dim(line),
        _ => line.to_owned(),
    }
}
