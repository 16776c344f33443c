//! Filling in the words the model reads: `{{name}}` stands for a value.
//!
//! Only the template is searched for placeholders, in one pass; a value that happens to hold `{{…}}` stays as it is, so
//! that a person's text can never pull in another value.

/// A placeholder without a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template asks for `{0}`, and no value has that name")]
pub struct Unfilled(pub String);

/// `template` with every `{{name}}` replaced by the value of that name. Names are lower-case letters, digits and `_`;
/// braces around anything else are ordinary text.
///
/// # Errors
/// The template asks for a name that `values` lacks.
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = template;
    while let Some((before, name, after)) = next_placeholder(rest) {
        let Some((_, value)) = values.iter().find(|(known, _)| *known == name) else {
            return Err(Unfilled(name.to_owned()));
        };
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The first placeholder of `text`: what comes before it, its name, what comes after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(start, _)| {
        let inner = text[start..].strip_prefix("{{")?;
        let end = inner.find(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_'))?;
        let after = inner[end..].strip_prefix("}}")?;
        (end > 0).then(|| (&text[..start], &inner[..end], after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_everything_else_stays() {
        for (template, filled) in [
            ("", "Ok(\"\")"),
            ("no placeholder { } {{ }} {{A}} {{a b}}", "Ok(\"no placeholder { } {{ }} {{A}} {{a b}}\")"),
            ("{{a}}{{b_1}}{{a}}", "Ok(\"1{{a}}1\")"),
            ("{{{a}}}", "Ok(\"{1}\")"),
            ("x {{c}} y", "Err(Unfilled(\"c\"))"),
            ("open {{a", "Ok(\"open {{a\")"),
        ] {
            assert_eq!(format!("{:?}", fill(template, &[("a", "1"), ("b_1", "{{a}}")])), filled, "{template}");
        }
    }
}
