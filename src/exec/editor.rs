//! The person's own editor, on the person's own terminal. It blocks until the editor is closed.

use std::io;
use std::path::Path;
use std::process::Command;

/// Opens `file` in `editor`, a command line such as `code --wait`, and says whether it ended well.
///
/// # Errors
/// No shell could be started.
pub fn edit(editor: &str, file: &Path) -> io::Result<bool> {
    // A shell takes the command line apart, as for every program that honours $EDITOR.
    let status = Command::new("/bin/sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file).status()?;
    Ok(status.success())
}

/// Lets the person edit `text`, and returns what came of it.
///
/// # Errors
/// Why it could not be edited, for the person.
pub fn edit_text(editor: &str, text: &str) -> Result<String, String> {
    let failed = |error: io::Error| format!("{editor} could not be used: {error}; set EDITOR to your editor");
    let file = tempfile::Builder::new().prefix("prompt-").suffix(".md").tempfile().map_err(failed)?;
    std::fs::write(file.path(), text).map_err(failed)?;
    if !edit(editor, file.path()).map_err(failed)? {
        return Err(format!("{editor} ended with an error, so the text is as it was"));
    }
    let edited = std::fs::read_to_string(file.path()).map_err(failed)?;
    Ok(edited.trim_end_matches('\n').to_owned())
}
