//! Reading what the model sent. All tools answer unreadable arguments with the same words.

use serde::de::DeserializeOwned;

use crate::agent::ports::Output;
use crate::protocol::event::Activity;

/// How much of unreadable arguments people get to see.
const SUMMARY_CHARS: usize = 80;

/// A function call's arguments. Some models send nothing at all where they mean an empty object, so no text counts as
/// `{}`.
///
/// # Errors
/// The answer for the model, which says what could not be read and where.
pub fn parse<T: DeserializeOwned>(input: &str) -> Result<T, Output> {
    read(input).map_err(|error| Output::failed(format!("failed to parse function arguments: {error}")))
}

/// What a call of `tool` is about, for people: what `describe` makes of its arguments, or else the arguments as sent.
pub fn activity<T: DeserializeOwned>(tool: &str, input: &str, describe: impl FnOnce(T) -> String) -> Activity {
    let summary = read(input).map_or_else(|_| input.chars().take(SUMMARY_CHARS).collect(), describe);
    Activity::Other { tool: tool.into(), summary }
}

fn read<T: DeserializeOwned>(input: &str) -> serde_json::Result<T> {
    serde_json::from_str(if input.trim().is_empty() { "{}" } else { input })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::item::OutputPart;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    struct Args {
        cmd: String,
        #[serde(default)]
        count: i32,
    }

    #[test]
    fn unreadable_arguments_are_answered_with_the_place_of_the_trouble() {
        for (input, answer) in [
            ("", "missing field `cmd` at line 1 column 2"),
            ("{}", "missing field `cmd` at line 1 column 2"),
            ("{x", "key must be a string at line 1 column 2"),
            (r#"{"cmd":"x","count":"42"}"#, "invalid type: string \"42\", expected i32 at line 1 column 23"),
        ] {
            let output = parse::<Args>(input).unwrap_err();
            let expected = format!("failed to parse function arguments: {answer}");
            assert_eq!(output.parts, [OutputPart::Text(expected)], "{input}");
            assert!(!output.ok);
        }
    }

    #[test]
    fn unknown_arguments_are_ignored() {
        assert_eq!(parse::<Args>(r#"{"cmd":"x","extra":1}"#).unwrap(), Args { cmd: "x".into(), count: 0 });
    }

    #[test]
    fn a_call_that_cannot_be_read_shows_what_was_sent() {
        let shown = |input| activity::<Args>("t", input, |args| args.cmd);
        assert_eq!(shown(r#"{"cmd":"ls"}"#), Activity::Other { tool: "t".into(), summary: "ls".into() });
        assert_eq!(shown("{oops"), Activity::Other { tool: "t".into(), summary: "{oops".into() });
    }
}
