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
