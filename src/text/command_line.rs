//! What a command line runs, apart from how it is dressed: folders it goes to first, variables it sets, where its output goes.

/// The commands of a line, each as its words. `cd` and what merely shortens output are left out, so that two ways to run the
/// same thing are equal.
#[must_use]
pub fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.trim().chars().peekable();
    let end_word = |commands: &mut Vec<Vec<String>>, word: &mut Option<String>| {
        if let (Some(command), Some(word)) = (commands.last_mut(), word.take()) {
            command.push(word);
        }
    };
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            // `2>&1` is one word; `&` elsewhere ends a command.
            (None, '&') if word.as_deref().is_some_and(|word| word.ends_with('>')) => {
                word.get_or_insert_default().push(c);
            }
            (None, ';' | '&' | '|' | '\n') => {
                end_word(&mut commands, &mut word);
                commands.push(Vec::new());
            }
            (None, c) if c.is_whitespace() => end_word(&mut commands, &mut word),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut commands, &mut word);
    commands.into_iter().map(undress).filter(|words| is_work(words)).collect()
}

fn undress(words: Vec<String>) -> Vec<String> {
    let is_variable = |word: &String| {
        word.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let is_redirection = |word: &str| word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['>', '<']);
    let mut kept: Vec<String> = Vec::new();
    let mut skip = false;
    for word in words.into_iter().skip_while(is_variable) {
        if std::mem::take(&mut skip) {
            continue;
        }
        if is_redirection(&word) {
            // `> file` has its file in the next word.
            skip = word.ends_with(['>', '<']);
            continue;
        }
        kept.push(word);
    }
    kept
}

fn is_work(words: &[String]) -> bool {
    !matches!(
        words.first().map(String::as_str),
        None | Some("cd" | "tail" | "head" | "cat" | "export" | "set" | "true")
    )
}

/// Whether `line` runs what `tried` runs, maybe among other things: the same programs with the same arguments, in a row.
#[must_use]
pub fn runs(line: &str, tried: &str) -> bool {
    let (line, tried) = (commands(line), commands(tried));
    !tried.is_empty() && line.windows(tried.len()).any(|commands| commands == tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_is_known_in_any_dress() {
        for (line, tried, expected) in [
            ("cargo test", "cargo test", true),
            ("  cargo   test ", "cargo test", true),
            ("cd /repo && RUST_LOG=debug cargo test 2>&1 | tail -n 20", "cargo test", true),
            ("cargo test > out.txt", "cargo test", true),
            ("make; cargo 'test'", "cargo test", true),
            ("cargo test --all", "cargo test", false),
            ("cargo build", "cargo test", false),
            ("echo cargo test", "cargo test", false),
            ("echo 'a; cargo test'", "cargo test", false),
            ("a && b && c", "b && c", true),
            ("a && b && c", "a && c", false),
            ("", "", false),
            ("cargo test", "", false),
            ("echo \"unfinished", "echo unfinished", true),
        ] {
            assert_eq!(runs(line, tried), expected, "{line} / {tried}");
        }
    }
}
