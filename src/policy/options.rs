//! Options of programs, in all the ways they can be written.

use super::shell::Word;

/// Whether a word may be one of `options`, alone, joined with its value, among others behind one dash, or shortened.
#[must_use]
pub fn is_option_of(word: &Word, options: &[&str]) -> bool {
    if word.may_be_option {
        return true;
    }
    let text = word.text.as_str();
    if let Some(long) = text.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or(long);
        return !name.is_empty()
            && options.iter().filter_map(|option| option.strip_prefix("--")).any(|option| option.starts_with(name));
    }
    let Some(letters) = text.strip_prefix('-') else { return false };
    options.iter().any(|option| match option.as_bytes() {
        [b'-', letter] => letters.as_bytes().contains(letter),
        _ => false,
    })
}
