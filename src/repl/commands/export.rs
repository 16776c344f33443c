//! `/export`.

use std::path::{Path, PathBuf};

use super::{Command, WhileBusy};
use crate::cli::sessions::export::{Format, conversation};
use crate::protocol::{ErrorKind, UserError};
use crate::repl::console::Console;

/// The command.
pub const COMMAND: Command = Command {
    name: "/export",
    aliases: &[],
    argument: "[md|json|html] [FILE]",
    help: "write the conversation to a file for others to read",
    while_busy: WhileBusy::Refuses("export"),
    run: |console, argument| Box::pin(export(console, argument)),
};

async fn export(console: &mut Console, argument: &str) {
    let recorded = console.session.as_ref().and_then(|session| session.info().rollout_path.clone());
    let Some(recorded) = recorded.filter(|path| path.exists()) else {
        return console.say("Nothing to export: nothing is recorded yet.");
    };
    let (format, file) = wanted(argument);
    let file = match file {
        Some(file) => console.folder().join(file),
        None => unused(&console.folder(), &recorded, format),
    };
    let home = console.runtime.loaded().home.dir().to_owned();
    let write = move || -> Result<PathBuf, UserError> {
        let text = conversation(&home, &recorded, format)?;
        std::fs::write(&file, text).map_err(|error| {
            UserError::new(ErrorKind::Storage, format!("could not write {}: {error}", file.display()))
                .hint("name a file in a folder that can be written to")
        })?;
        Ok(file)
    };
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(file)) => console.say(&format!("Wrote {}", file.display())),
        Ok(Err(error)) => console.complain(&error),
        Err(error) => console.say(&format!("The export did not come to its end: {error}")),
    }
}

/// The form and the file that are asked for. The file's ending says the form where nothing else does.
fn wanted(argument: &str) -> (Format, Option<&str>) {
    let (first, rest) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    match Format::of(first) {
        Some(format) => (format, Some(rest.trim()).filter(|file| !file.is_empty())),
        None if argument.is_empty() => (Format::default(), None),
        None => {
            let ending = Path::new(argument).extension().and_then(|ending| ending.to_str());
            (ending.and_then(Format::of).unwrap_or_default(), Some(argument))
        }
    }
}

/// A name after the session's own that no file has yet.
fn unused(folder: &Path, recorded: &Path, format: Format) -> PathBuf {
    let stem = recorded.file_stem().and_then(|stem| stem.to_str()).unwrap_or("session");
    let stem = stem.strip_prefix("rollout-").unwrap_or(stem);
    let numbered = |number: u32| match number {
        1 => folder.join(format!("hone-{stem}.{}", format.ending())),
        number => folder.join(format!("hone-{stem}-{number}.{}", format.ending())),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_said_or_follows_from_the_file() {
        for (argument, format, file) in [
            ("", Format::Md, None),
            ("json", Format::Json, None),
            ("html  a page.html", Format::Html, Some("a page.html")),
            ("talk.json", Format::Json, Some("talk.json")),
            ("talk", Format::Md, Some("talk")),
            ("md talk.txt", Format::Md, Some("talk.txt")),
        ] {
            assert_eq!(wanted(argument), (format, file), "{argument}");
        }
    }
}
