//! Recognises a call of `apply_patch` in a command that a model wants to run, so that it is carried out here instead of in a
//! shell.
//!
//! Only what is certain is taken: a script that is one heredoc call, perhaps after `cd DIR &&`. Everything else is the
//! shell's, since only it knows what the rest of the script means.

/// What a command is, as far as patches are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intercepted<'a> {
    /// A call of `apply_patch`.
    Patch {
        /// The folder to apply it in, as the script writes it; may be relative to the command's own.
        workdir: Option<&'a str>,
        /// The patch.
        body: &'a str,
    },
    /// A patch in the place of a command.
    BarePatch,
    /// Something else.
    NotPatch,
}

/// The answer to a [`BarePatch`](Intercepted::BarePatch), in Codex's words.
pub const BARE_PATCH: &str = "apply_patch verification failed: patch detected without explicit call to apply_patch. \
                              Rerun as [\"apply_patch\", \"<patch>\"]";

const NAMES: [&str; 2] = ["apply_patch", "applypatch"];

/// Looks at a command as its arguments.
#[must_use]
pub fn intercept<'a, S: AsRef<str>>(argv: &'a [S]) -> Intercepted<'a> {
    match argv {
        [name, body] if NAMES.contains(&name.as_ref()) => Intercepted::Patch { workdir: None, body: body.as_ref() },
        [shell, flag, script] if is_shell(shell.as_ref()) && matches!(flag.as_ref(), "-c" | "-lc") => {
            intercept_script(script.as_ref())
        }
        [only] => bare(only.as_ref()),
        _ => Intercepted::NotPatch,
    }
}

/// Looks at a script for a shell.
#[must_use]
pub fn intercept_script(script: &str) -> Intercepted<'_> {
    heredoc_call(script).unwrap_or_else(|| bare(script))
}

fn bare(text: &str) -> Intercepted<'_> {
    if text.trim_start().starts_with("*** Begin Patch") { Intercepted::BarePatch } else { Intercepted::NotPatch }
}

fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "bash" | "zsh" | "sh")
}

fn heredoc_call(script: &str) -> Option<Intercepted<'_>> {
    let (workdir, call) = split_cd(script.trim_start())?;
    let after_name = NAMES.iter().find_map(|name| call.strip_prefix(name))?;
    let body = heredoc(skip_blanks(after_name).strip_prefix("<<")?)?;
    Some(Intercepted::Patch { workdir, body: body.trim_end_matches('\n') })
}

/// Takes `cd DIR &&` off the front; `None` when there is a `cd` that is not as plain as that.
fn split_cd(script: &str) -> Option<(Option<&str>, &str)> {
    let Some(rest) = script.strip_prefix("cd").filter(|rest| rest.starts_with([' ', '\t'])) else {
        return Some((None, script));
    };
    let (dir, rest) = word(skip_blanks(rest))?;
    let rest = skip_blanks(rest).strip_prefix("&&")?;
    Some((Some(dir), rest.trim_start_matches([' ', '\t', '\n'])))
}

/// One word of which the shell would change nothing but its quotes.
fn word(text: &str) -> Option<(&str, &str)> {
    let quoted = |quote: char, special: &[char]| {
        let (word, rest) = text[1..].split_once(quote)?;
        (!word.contains(special)).then_some((word, rest))
    };
    let (word, rest) = match text.chars().next()? {
        '\'' => quoted('\'', &[])?,
        '"' => quoted('"', &['$', '`', '\\', '!'])?,
        _ => text.split_at(text.find(|c: char| !is_plain(c)).unwrap_or(text.len())),
    };
    (!word.is_empty() && !word.starts_with('-')).then_some((word, rest))
}

/// Whether a character means just itself to a shell wherever it stands in a word.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '@' | '%' | '=')
}

/// The lines of a heredoc; `text` begins at its delimiter. Nothing else may stand on the first line or after the last.
fn heredoc(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once('\n')?;
    let first = first.trim_matches([' ', '\t', '\r']);
    let quoted = |quote: char| first.strip_prefix(quote)?.strip_suffix(quote);
    let delimiter = quoted('\'').or_else(|| quoted('"')).unwrap_or(first);
    if delimiter.is_empty() || !delimiter.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.strip_suffix('\n').unwrap_or(line) == delimiter {
            let nothing_follows = rest[end + line.len()..].trim().is_empty();
            return nothing_follows.then_some(&rest[..end]);
        }
        end += line.len();
    }
    None
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "*** Begin Patch\n*** Delete File: a\n*** End Patch";

    #[test]
    fn heredoc_calls_are_taken() {
        for (before, after, workdir) in [
            ("apply_patch <<'EOF'\n", "\nEOF", None),
            ("apply_patch <<EOF\n", "\nEOF\n", None),
            ("applypatch << \"PATCH_1\"\n", "\n\nPATCH_1\n\n", None),
            ("\n apply_patch<<'EOF'\n", "\nEOF", None),
            ("cd a/b-c && apply_patch <<'EOF'\n", "\nEOF", Some("a/b-c")),
            ("cd 'a $b' && apply_patch <<'EOF'\n", "\nEOF", Some("a $b")),
            ("cd \"a b\"&&\napply_patch <<'EOF'\n", "\nEOF", Some("a b")),
        ] {
            let script = [before, BODY, after].concat();
            assert_eq!(intercept_script(&script), Intercepted::Patch { workdir, body: BODY }, "{script}");
            let argv = ["/bin/bash", "-lc", &script];
            assert_eq!(intercept(&argv), Intercepted::Patch { workdir, body: BODY });
        }
        assert_eq!(intercept(&["apply_patch", BODY]), Intercepted::Patch { workdir: None, body: BODY });
    }

    #[test]
    fn everything_else_is_the_shells() {
        for (before, after) in [
            ("echo x; apply_patch <<'EOF'\n", "\nEOF"),
            ("apply_patch <<'EOF'\n", "\nEOF\necho done"),
            ("apply_patch <<'EOF' && echo done\n", "\nEOF"),
            ("apply_patch <<'EOF'\n", ""),
            ("apply_patch <<-EOF\n", "\nEOF"),
            ("apply_patch <<EOF\n", "\n EOF"),
            ("apply_patch '", "'"),
            ("apply_patches <<EOF\n", "\nEOF"),
            ("cd a; apply_patch <<EOF\n", "\nEOF"),
            ("cd a || apply_patch <<EOF\n", "\nEOF"),
            ("cd a b && apply_patch <<EOF\n", "\nEOF"),
            ("cd $HOME && apply_patch <<EOF\n", "\nEOF"),
            ("cd \"$HOME\" && apply_patch <<EOF\n", "\nEOF"),
            ("cd ~ && apply_patch <<EOF\n", "\nEOF"),
            ("cd - && apply_patch <<EOF\n", "\nEOF"),
            ("cd a && cd b && apply_patch <<EOF\n", "\nEOF"),
            ("cd 'a'b && apply_patch <<EOF\n", "\nEOF"),
            ("cat <<EOF\n", "\nEOF"),
        ] {
            let script = [before, BODY, after].concat();
            assert_eq!(intercept_script(&script), Intercepted::NotPatch, "{script}");
        }
        for argv in [
            &["bash", "-x", BODY][..],
            &["ls"],
            &[],
            &["python", "-c", BODY],
            &["apply_patch"],
            &["apply_patch", BODY, "x"],
        ] {
            assert_eq!(intercept(argv), Intercepted::NotPatch, "{argv:?}");
        }
    }

    #[test]
    fn a_patch_in_the_place_of_a_command_is_told_apart() {
        assert_eq!(intercept(&[BODY]), Intercepted::BarePatch);
        assert_eq!(intercept(&["sh", "-c", &format!("\n{BODY}\n")]), Intercepted::BarePatch);
    }
}
