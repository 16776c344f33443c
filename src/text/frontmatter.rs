//! YAML front matter: the block between two `---` lines at the head of a Markdown file. The YAML crate is named here and
//! nowhere else.

use serde::de::DeserializeOwned;

/// Splits `text` into its front matter and the body after it. A byte order mark and CRLF line ends are tolerated; `None`
/// when the text does not begin with a `---` line or no second one follows.
#[must_use]
pub fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut start = 0;
    for line in rest.split_inclusive('\n') {
        let end = start + line.len();
        if line.trim_end() == "---" {
            return Some((&rest[..start], &rest[end..]));
        }
        start = end;
    }
    None
}

/// Reads YAML. The error is one line for people: what is wrong and where, counted within `yaml`.
///
/// # Errors
/// `yaml` is not YAML or not of the shape of `T`.
pub fn parse<T: DeserializeOwned>(yaml: &str) -> Result<T, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(yaml, options)
        .map_err(|error| error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn the_block_between_the_two_lines_is_the_front_matter() {
        for (text, expected) in [
            ("---\na: 1\n---\nbody\n", Some(("a: 1\n", "body\n"))),
            ("\u{feff}---\r\na: 1\r\n---\r\nbody", Some(("a: 1\r\n", "body"))),
            ("---\n---", Some(("", ""))),
            ("---  \na: x --- y\n---\n", Some(("a: x --- y\n", ""))),
            ("---\na: 1\n", None),
            ("\n---\na: 1\n---\n", None),
            ("# Title\n", None),
            ("", None),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Sample {
        name: String,
        #[serde(default)]
        long: Option<String>,
    }

    #[test]
    fn yaml_is_read_and_its_errors_are_one_line() {
        let sample: Sample = parse("name: 123\nlong: >\n  two\n  lines\nother: [1]\n").unwrap();
        assert_eq!(sample, Sample { name: "123".into(), long: Some("two lines\n".into()) });
        for yaml in ["name: use this: now\n", "name: [1\n", "long: x\n", "- 1\n", ""] {
            let error = parse::<Sample>(yaml).unwrap_err();
            assert!(!error.is_empty() && !error.contains('\n'), "{yaml:?}: {error}");
        }
    }
}
