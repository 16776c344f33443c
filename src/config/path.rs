//! Dotted key paths, such as `model_providers."my server".base_url`.

use super::error::ConfigError;

/// Splits a dotted path. Segments may stand in double or single quotes and may then hold dots.
pub(super) fn split(path: &str) -> Result<Vec<String>, ConfigError> {
    let bad = |why: &str| Err(ConfigError::new(format!("`{path}` is not a key: {why}")));
    let mut segments = Vec::new();
    let mut rest = path.trim();
    loop {
        let (segment, after) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => match rest[1..].split_once(quote) {
                Some((segment, after)) => (segment, after.trim_start()),
                None => return bad("a quote is not closed"),
            },
            _ => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].trim(), &rest[end..])
            }
        };
        if segment.is_empty() {
            return bad("a part is empty");
        }
        segments.push(segment.to_owned());
        match after.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Ok(segments),
            None => return bad("after a closing quote comes a dot"),
        }
    }
}

/// Adds a segment to a dotted path, in quotes where TOML wants them.
pub(super) fn push(path: &mut String, segment: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !segment.is_empty() && segment.chars().all(bare) {
        path.push_str(segment);
    } else {
        path.extend(["\"", segment, "\""]);
    }
}

/// The path of `segments` as it is written.
pub(super) fn join<S: AsRef<str>>(segments: &[S]) -> String {
    let mut path = String::new();
    for segment in segments {
        push(&mut path, segment.as_ref());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_dots_outside_quotes() {
        for (path, segments) in [
            ("model", vec!["model"]),
            ("a.b_c.d-e", vec!["a", "b_c", "d-e"]),
            (r#"projects."/a.b/c".trust_level"#, vec!["projects", "/a.b/c", "trust_level"]),
            ("a.'b.c'", vec!["a", "b.c"]),
            (" a . b ", vec!["a", "b"]),
            ("projects./a/b", vec!["projects", "/a/b"]),
        ] {
            assert_eq!(split(path).unwrap(), segments, "{path}");
        }
        assert_eq!(join(&["projects", "/a.b", "x"]), r#"projects."/a.b".x"#);
    }

    #[test]
    fn broken_paths_say_why() {
        for (path, why) in [
            ("", "a part is empty"),
            ("a..b", "a part is empty"),
            ("a.", "a part is empty"),
            ("a.\"b", "a quote is not closed"),
            ("a.\"b\"c", "after a closing quote comes a dot"),
        ] {
            assert_eq!(split(path).unwrap_err().message, format!("`{path}` is not a key: {why}"));
        }
    }
}
