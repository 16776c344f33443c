//! `/cd`.

use std::path::{Path, PathBuf};

use super::{Command, WhileBusy};
use crate::repl::console::Console;
use crate::runtime::Change;

/// The command.
pub const COMMAND: Command = Command {
    name: "/cd",
    aliases: &[],
    argument: "[FOLDER]",
    help: "show or change the folder commands run in",
    while_busy: WhileBusy::Shows("change directory"),
    run: |console, folder| Box::pin(cd(console, folder)),
};

async fn cd(console: &mut Console, folder: &str) {
    if !folder.is_empty() {
        let wanted = resolve(folder, &console.folder(), console.runtime.loaded().home.user());
        match std::fs::canonicalize(&wanted) {
            Ok(path) if path.is_dir() => console.change(Change::Folder(path)).await,
            Ok(_) => return console.say(&format!("{} is not a folder", wanted.display())),
            Err(error) => return console.say(&format!("cannot work in {}: {error}", wanted.display())),
        }
    }
    console.say(&format!("Current directory: {}", console.folder().display()));
}

fn resolve(folder: &str, current: &Path, home: Option<&Path>) -> PathBuf {
    match (folder.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => current.join(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_meant_as_a_shell_means_them() {
        let (current, home) = (Path::new("/work"), Some(Path::new("/home/me")));
        for (typed, path) in
            [("~", "/home/me/"), ("~/a", "/home/me/a"), ("a", "/work/a"), ("/x", "/x"), ("~a", "/work/~a")]
        {
            assert_eq!(resolve(typed, current, home), Path::new(path), "{typed}");
        }
    }
}
