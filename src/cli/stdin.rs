//! The prompt: from the command line, from standard input, or both.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::FileTypeExt;

use super::terminal;
use crate::protocol::{ErrorKind, UserError};

/// The prompt `words` and standard input make. Text piped in beside a prompt is appended to it as `<stdin>`.
///
/// # Errors
/// There is no prompt, or standard input cannot be read.
pub fn prompt(words: &[String]) -> Result<String, UserError> {
    let typed = words.join(" ");
    if typed.is_empty() || typed == "-" {
        if typed.is_empty() && io::stdin().is_terminal() {
            return Err(no_prompt("There is no prompt."));
        }
        terminal::print_error("Reading prompt from stdin...\n");
        let text = read()?;
        return if text.trim().is_empty() { Err(no_prompt("No prompt provided via stdin.")) } else { Ok(text) };
    }
    if io::stdin().is_terminal() {
        return Ok(typed);
    }
    if may_stay_open() {
        // Whoever started the program may never close it: then at least it can be seen what is waited for.
        terminal::print_error("Reading additional input from stdin...\n");
    }
    Ok(join(typed, &read()?))
}

/// Whether standard input is a pipe or a socket; a file or `/dev/null` ends by itself.
fn may_stay_open() -> bool {
    let kind = fs::metadata("/dev/stdin").map(|stdin| stdin.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

/// A prompt with piped text beside it.
fn join(prompt: String, piped: &str) -> String {
    if piped.is_empty() {
        return prompt;
    }
    let newline = if piped.ends_with('\n') { "" } else { "\n" };
    format!("{prompt}\n\n<stdin>\n{piped}{newline}</stdin>")
}

fn read() -> Result<String, UserError> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|error| {
        UserError::new(ErrorKind::Usage, format!("standard input cannot be read: {error}"))
            .hint("close it with `< /dev/null` when the prompt is on the command line")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn no_prompt(message: &str) -> UserError {
    UserError::new(ErrorKind::Usage, message).hint("give one: hone \"explain this repository\", or pipe it in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piped_text_stands_behind_the_prompt() {
        assert_eq!(join("p".into(), ""), "p");
        assert_eq!(join("p".into(), "data"), "p\n\n<stdin>\ndata\n</stdin>");
        assert_eq!(join("p".into(), "data\n"), "p\n\n<stdin>\ndata\n</stdin>");
    }
}
